"""Gathers the facts about this machine."""

import json
import os
import platform
import re
import shutil
import sysconfig
from importlib.metadata import distributions, metadata
from pathlib import Path

from gdl_keras.doctor.driver_probe import look_at_driver
from gdl_keras.doctor.facts import Facts, Machine, Package, Software
from gdl_keras.doctor.space_probe import look_at_folder, look_at_memory
from gdl_keras.doctor.system_files import read
from gdl_keras.doctor.tensorflow_probe import ask_tensorflow
from gdl_keras.errors import InputError

DISTRIBUTION = "gdl-keras"
TENSORFLOWS = ("tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tf-nightly")


def look(compute=False):
    """All `Facts`; with `compute`, the first GPU is made to compute something."""
    # Before .env is read for Kaggle's key: a run reads it for nothing else.
    software = look_at_software()
    data, data_error = _look_at_data()
    kaggle_key, key_file = _look_for_key()
    return Facts(
        machine=look_at_machine(),
        software=software,
        driver=look_at_driver(),
        tensorflow=ask_tensorflow(compute),
        space=look_at_memory(),
        data=data,
        data_error=data_error,
        runs=look_at_folder("runs"),
        kaggle_key=kaggle_key,
        key_file=key_file,
    )


def look_at_machine(root=Path("/")):
    """A `Machine`; `root` is where the files of the system are looked for."""
    return Machine(
        system=platform.system(),
        processor=platform.machine(),
        distributions=_distributions(root),
        place=_place(root),
        has_docker=_has_docker(root),
        has_toolkit=any(map(shutil.which, ("nvidia-ctk", "nvidia-container-runtime-hook"))),
    )


def look_at_software():
    """A `Software`, read from the metadata of what is installed."""
    installed = _installed_versions()
    python_wanted, packages = _requirements(installed)
    return Software(
        python=platform.python_version(),
        python_wanted=python_wanted,
        packages=packages,
        tensorflows=tuple(name for name in TENSORFLOWS if name in installed),
        backend=os.environ.get("KERAS_BACKEND"),
        configured_backend=_configured_backend(),
        can_install=os.access(sysconfig.get_path("purelib"), os.W_OK),
    )


def _requirements(installed):
    """The supported range of Python, and every `Package` that is asked for without extras."""
    try:
        from packaging.requirements import Requirement

        own = metadata(DISTRIBUTION)
    except ImportError:
        return "", None
    required = [Requirement(line) for line in own.get_all("Requires-Dist") or ()]
    packages = (
        Package(one.name, str(one.specifier), installed.get(_standard(one.name)))
        for one in required
        if one.marker is None or one.marker.evaluate({"extra": ""})
    )
    return own["Requires-Python"], tuple(packages)


def _installed_versions():
    """{name: version} of every installed package; tensorflow-cpu brings the same module as tensorflow."""
    versions = {}
    for one in distributions():
        if name := one.metadata["Name"]:
            versions.setdefault(_standard(name), one.version)  # the first on the path is the one that is imported
    if "tensorflow-cpu" in versions:
        versions.setdefault("tensorflow", versions["tensorflow-cpu"])
    return versions


def _standard(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def _configured_backend():
    folder = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        return str(json.loads((folder / "keras.json").read_text()).get("backend", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _look_at_data():
    """(`Folder` of all data or None, why it cannot be told)."""
    try:
        from gdl_keras import data
    except ImportError as error:
        return None, str(error)
    return look_at_folder(data.home()), ""


def _look_for_key():
    """(what there is of a Kaggle key, the file that keeps it from being known)."""
    try:
        from dotenv import find_dotenv

        from gdl_keras.data.sources.kaggle import has_key

        found = has_key()
    except ImportError:
        return "", ""
    except InputError as error:
        # Otherwise its bytes are no UTF-8, or zeros, which no variable may hold.
        is_locked = isinstance(error.__cause__, OSError)
        return "locked" if is_locked else "garbled", os.path.relpath(find_dotenv(usecwd=True))
    half = os.environ.get("KAGGLE_USERNAME") or os.environ.get("KAGGLE_KEY")
    return "whole" if found else "half" if half else "none", ""


def _distributions(root):
    found = dict(re.findall(r"^(ID|ID_LIKE)=(.*)$", read(root / "etc/os-release"), re.MULTILINE))
    return tuple(f"{found.get('ID', '')} {found.get('ID_LIKE', '')}".replace('"', " ").replace("'", " ").split())


def _has_docker(root):
    """Windows's disks, and Docker Desktop, which knows the GPU by itself, lie under /mnt in Linux inside Windows."""
    found = shutil.which("docker")
    return found is not None and not Path(found).resolve().is_relative_to((root / "mnt").resolve())


def _place(root):
    marks = (root / ".dockerenv", root / "run/.containerenv")  # Docker's and Podman's
    if any(mark.exists() for mark in marks):
        return "container"
    return "wsl" if "microsoft" in read(root / "proc/sys/kernel/osrelease").lower() else ""
