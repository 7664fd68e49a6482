"""Renews constraints.txt: the newest packages that fit together, one list for every Python that the project supports.

    python scripts/renew_constraints.py         with python3.11, python3.12 and python3.13 in the PATH

On Linux with an x86 processor, for the sake of CUDA's packages.  pip says what it would install, and installs nothing;
an old pip downloads it all the same, 4 GB for the first Python.  The first one chooses freely, since what is made for
the oldest is mostly made for the others, too.  Each further one keeps to what has been chosen and adds what it alone
needs.  Where that cannot be, pip says why, and the file stays as it was.
"""

import json
import subprocess
import tempfile
from pathlib import Path

from packaging.utils import canonicalize_name

from gdl_keras.files import write_text

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13")
# The tests ask for all that the scripts and the image install, but for CUDA, and for what ipykernel needs on a Mac.
ASKED = (".[dev]", "tensorflow[and-cuda]", "appnope")
# What its authors publish as source alone.
SOURCES = ("promise",)
HEADER = """\
# The exact packages that the scripts and the Docker image install, and that the tests are run with: pip takes from here
# the version of whatever it is asked for, and what nobody asks for is not installed.  One list serves Python 3.11, 3.12
# and 3.13, with CUDA and without, Linux on x86 and ARM, and macOS on M processors.  To renew it:
#   python scripts/renew_constraints.py
"""


def newest(python, pins):
    """The newest packages for one Python.

    Args:
        python: its version, "3.11".
        pins: {name: version} to keep to.

    Returns:
        {name: version} of all that pip would install, names in their standard form.

    Raises:
        subprocess.CalledProcessError: pip has found no such packages, and has printed why.
    """
    pip = [f"python{python}", "-m", "pip"]
    with tempfile.TemporaryDirectory() as folder:
        kept, report = Path(folder, "constraints.txt"), Path(folder, "report.json")
        kept.write_text(listed(pins))
        subprocess.run([*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, *SOURCES], check=True)
        options = ["--quiet", "--dry-run", "--ignore-installed", "--report", report, "--constraint", kept]
        # "3.11" means 3.11.0: readers have it, while some packages ask for a later one.  pip then wants the rest, too.
        options += ["--python-version", python, "--only-binary", ":all:", "--find-links", folder, "--target", folder]
        subprocess.run([*pip, "install", *options, *ASKED], cwd=ROOT, check=True)
        packages = [one["metadata"] for one in json.loads(report.read_text())["install"]]
    found = {canonicalize_name(one["name"]): one["version"] for one in packages}
    del found["gdl-keras"]
    return found


def listed(pins):
    """The pins {name: version} as the sorted lines of a file of constraints."""
    return "".join(sorted(f"{name}=={version}\n" for name, version in pins.items()))


def main():
    """Asks one Python after the other, and writes the file."""
    pins = {}
    for python in PYTHONS:
        found = newest(python, pins)
        print(f"Python {python}: {len(found)} packages, {len(found.keys() - pins.keys())} not in the list before")
        pins |= found
    write_text(ROOT / "constraints.txt", HEADER + listed(pins))


if __name__ == "__main__":
    main()
