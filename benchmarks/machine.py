"""What a measurement ran on."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("gdl-keras", "keras", "tensorflow", "torch", "numpy")


def describe():
    """{"processor", "processors", "load", "python", "packages"}: what belongs beside a measured number."""
    return {
        "processor": _processor_name(),
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def sentence(description):
    """The same in one line."""
    packages = ", ".join(f"{name} {number}" for name, number in description["packages"].items() if number)
    return (
        f"{description['processor']}, {description['processors']} processors, load {description['load']}; "
        f"Python {description['python']}, {packages}"
    )


def _processor_name():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None
