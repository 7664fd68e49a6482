"""What this machine has, and what is missing: `gdl doctor`."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from gdl_keras.backend import start_tensorflow
from gdl_keras.errors import InputError
from gdl_keras.training.environment import package_version

FREE_DISK_GB = 5


@dataclass
class Finding:
    """One line of the examination: what was found and, where something is missing, what to do."""

    ok: bool
    what: str
    remedy: str = ""

    def __str__(self):
        return f"[{'ok' if self.ok else '!!'}] {self.what}" + (f"\n     {self.remedy}" if self.remedy else "")


def examine():
    """Every `Finding`; those that are not ok keep the chapters from running."""
    return [_python(), *_packages(), _backend(), _tensorflow(), _kaggle(), _disk()]


def _python():
    version = ".".join(map(str, sys.version_info[:3]))
    ok = (3, 11) <= sys.version_info < (3, 14)
    return Finding(ok, f"Python {version}", "" if ok else "Use Python 3.11, 3.12 or 3.13.")


def _packages():
    for name in ("keras", "tensorflow", "tensorflow-datasets", "kaggle"):
        installed = package_version(name)
        if installed is None and name == "tensorflow":
            installed = package_version("tensorflow-cpu")
        remedy = "" if installed else "Run: pip install -r requirements.txt"
        yield Finding(bool(installed), f"{name} {installed or 'is not installed'}", remedy)


def _backend():
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    remedy = "" if backend == "tensorflow" else "gdl_keras runs on TensorFlow.  Run: unset KERAS_BACKEND"
    return Finding(not remedy, f"Keras backend: {backend}", remedy)


def _tensorflow():
    try:
        start_tensorflow()
        import tensorflow as tf
    except (ImportError, InputError) as error:
        return Finding(False, f"TensorFlow does not start: {error}", "Run: pip install -r requirements.txt")
    gpus = len(tf.config.list_physical_devices("GPU"))
    if gpus:
        return Finding(True, f"TensorFlow {tf.__version__} sees {gpus} GPU{'s' * (gpus > 1)}")
    return Finding(True, f"TensorFlow {tf.__version__}, no GPU: the cpu presets take minutes, the book's hours or days")


def _kaggle():
    from gdl_keras.data.sources.kaggle import has_key

    if has_key():
        return Finding(True, "Kaggle key found")
    return Finding(
        True,
        "no Kaggle key: needed only for faces, bricks, recipes, flowers and wines",
        "Make one at kaggle.com, Settings, API; put KAGGLE_USERNAME and KAGGLE_KEY into the file .env.",
    )


def _disk():
    from gdl_keras import data

    home = data.home()
    existing = next(path for path in [home, *home.absolute().parents] if path.exists())
    free = shutil.disk_usage(existing).free / 1e9
    writable = os.access(existing, os.W_OK)
    if not writable:
        return Finding(False, f"data folder {home} cannot be written", "Set GDL_DATA_DIR to a folder of yours.")
    ok = free >= FREE_DISK_GB
    return Finding(ok, f"data folder {_short(home)}, {free:.0f} GB free", "" if ok else "Free some disk space.")


def _short(path):
    home = str(Path.home())
    return str(path).replace(home, "~", 1) if str(path).startswith(home) else str(path)
