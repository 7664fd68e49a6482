"""What can be seen of a machine, without a word on what it means.  The defaults are a laptop on which all is well."""

import os
import platform
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path

from gdl_keras.doctor.gpu import Driver, TensorFlow, ask_tensorflow, look_at_driver, read
from gdl_keras.errors import InputError

TENSORFLOWS = ("tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tf-nightly")  # all bring the same module
GB = 1e9


@dataclass(frozen=True)
class Folder:
    """A folder, whether it can be written or made, and how many GB are free there."""

    path: str
    is_writable: bool = True
    free: float = 100
    is_known: bool = True  # not where the path begins with ~ and nobody knows the home folder


@dataclass(frozen=True)
class Facts:
    """All of them; `python_wanted` is "" and `packages` None where this project's own metadata cannot be read."""

    system: str = "Linux"  # or "Darwin", "Windows"
    processor: str = "x86_64"
    place: str = ""  # "container", "wsl" (Linux inside Windows), or neither
    python: str = "3.12.1"
    python_wanted: str = "<3.14,>=3.11"
    packages: tuple | None = (  # (name, supported range, version that is here or None), ...
        ("keras", "<4,>=3.15", "3.15.1"),
        ("tensorflow", "<2.22,>=2.21", "2.21.0"),
    )
    variants: tuple[str, ...] = ("tensorflow",)  # the packages that bring the module tensorflow
    backend: str | None = None  # KERAS_BACKEND
    driver: Driver = field(default_factory=Driver)
    tensorflow: TensorFlow = field(default_factory=TensorFlow)
    memory: float | None = 16  # in GB; None where the system does not tell
    memory_limit: float | None = None  # what this container may use of it, where that is less
    data: Folder | None = Folder("~/.cache/gdl_keras")  # None where a package is missing that tells
    runs: Folder = Folder("runs")  # where `gdl run` writes when it is started here
    kaggle_key: str = "found"  # "none", "unreadable" (the file .env); "" where a package is missing that tells


def look(compute=False):
    """All `Facts`; with `compute`, the first GPU is made to compute something."""
    python_wanted, packages = look_at_packages()
    memory, memory_limit = look_at_memory()
    data, kaggle_key = _look_at_data()
    return Facts(
        system=platform.system(),
        processor=platform.machine(),
        place=look_for_place(),
        python=platform.python_version(),
        python_wanted=python_wanted,
        packages=packages,
        variants=tuple(filter(_version, TENSORFLOWS)),
        backend=os.environ.get("KERAS_BACKEND"),
        driver=look_at_driver(),
        tensorflow=ask_tensorflow(compute),
        memory=memory,
        memory_limit=memory_limit,
        data=data,
        runs=look_at_folder("runs"),
        kaggle_key=kaggle_key,
    )


def look_for_place(root=Path("/")):
    """Whether this is a container or Linux inside Windows; `root` is where the files of the system are looked for."""
    if (root / ".dockerenv").exists() or (root / "run/.containerenv").exists():  # Docker's and Podman's
        return "container"
    return "wsl" if "microsoft" in read(root / "proc/sys/kernel/osrelease").lower() else ""


def look_at_packages():
    """(`python_wanted`, `packages`) as in `Facts`: all that this project asks for without extras."""
    try:
        from packaging.requirements import Requirement

        own = metadata("gdl-keras")
    except ImportError:
        return "", None
    asked = [Requirement(line) for line in own.get_all("Requires-Dist") or ()]
    needed = [one for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})]
    same = {"tensorflow": TENSORFLOWS}
    packages = ((one.name, str(one.specifier), _version(*same.get(one.name, [one.name]))) for one in needed)
    return own["Requires-Python"], tuple(packages)


def _version(*names):
    """That of the first of these packages that is installed, or None."""
    for name in names:
        with suppress(PackageNotFoundError):
            return version(name)  # of several on the path the first, which is the one that is imported
    return None


def look_at_memory(root=Path("/")):
    """(all memory, the limit on it), in GB, as in `Facts`; `root` is where the files of the system are looked for."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GB if hasattr(os, "sysconf") else None
    # A container sees its own group at the top, in version 2 or 1; without a limit it says "max", or a huge number.
    texts = [read(root / "sys/fs/cgroup" / name) for name in ("memory.max", "memory/memory.limit_in_bytes")]
    limits = [int(text) / GB for text in texts if text.isdigit()]
    return memory, min((limit for limit in limits if memory is None or limit < memory), default=None)


def look_at_folder(path):
    """A `Folder`; where it does not exist yet, the nearest one above it, in which it would be made."""
    path = Path(path).expanduser().absolute()
    home = os.path.expanduser("~")  # stays as it is where nobody knows the home folder
    shown = f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
    # Not Path.exists, which raises where a folder above may not be entered, and passes over links that lead nowhere.
    existing = next(folder for folder in [path, *path.parents] if os.path.lexists(folder))
    if not os.path.isdir(existing):
        return Folder(shown, is_writable=False, free=0)
    return Folder(shown, os.access(existing, os.W_OK), shutil.disk_usage(existing).free / GB)


def _look_at_data():
    """(the folder of all data, what there is of a Kaggle key), as in `Facts`."""
    try:
        from gdl_keras import data
        from gdl_keras.data.sources.kaggle import has_key

        key = "found" if has_key() else "none"
    except ImportError:
        return None, ""
    except InputError:
        key = "unreadable"
    try:
        return look_at_folder(data.home()), key
    except InputError:
        return Folder("~", is_writable=False, free=0, is_known=False), key
