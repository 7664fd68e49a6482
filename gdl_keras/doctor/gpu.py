"""What the system and TensorFlow say of GPUs, without a word on what it means.

TensorFlow is asked in a process of its own, so that one that cannot start, crashes or hangs becomes a fact like others.
That process runs this very file, which therefore imports nothing of this project.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten

DRIVER_SECONDS = 30  # a sick driver lets nvidia-smi wait forever
TENSORFLOW_SECONDS = 180  # it starts in seconds; on a cold disk or a network's it may take a minute
CAPTURED = {"capture_output": True, "text": True, "errors": "replace"}


@dataclass(frozen=True)
class Driver:
    """What can be seen of NVIDIA's driver, from a host, a container, or Linux inside Windows."""

    gpus: tuple[str, ...] = ()  # the names that nvidia-smi lists
    version: str = ""
    complaint: str = ""  # what nvidia-smi said instead; "" where it is not there or did not complain
    has_card: bool = False  # one of NVIDIA's graphics cards is on the PCI bus, with a driver or without
    is_loaded: bool = False  # the kernel's module is; a container sees its host's
    has_nodes: bool = False  # there are device files by which programs reach a GPU
    hidden_by: str | None = None  # the value of CUDA_VISIBLE_DEVICES


@dataclass(frozen=True)
class TensorFlow:
    """What it says of itself and of its GPUs."""

    version: str = "2.21.0"  # "" where it did not start
    error: str = ""  # why it did not
    has_cuda: bool = True  # it was built for NVIDIA's GPUs
    gpus: tuple[str, ...] = ()  # the names of those that it sees
    missing: tuple[str, ...] = ()  # the libraries that it could not load
    log: str = ""  # its warnings, as one line
    compute_error: str | None = None  # why the first GPU could not compute; None where it could, or was not asked to


def read(path):
    """The text of a file of the system, without the space around it; "" where it cannot be read."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def look_at_driver(root=Path("/")):
    """A `Driver`; `root` is where the files of the system are looked for."""
    rows, complaint = _ask_nvidia_smi(root)
    cards = [card for card in root.glob("sys/bus/pci/devices/*") if read(card / "vendor") == "0x10de"]
    return Driver(
        gpus=tuple(name for _, name in rows),
        version=rows[0][0] if rows else "",
        complaint=complaint,
        has_card=any(read(card / "class").startswith("0x03") for card in cards),  # a card has sound, too: 0x04
        is_loaded=bool(read(root / "sys/module/nvidia/version") or read(root / "proc/driver/nvidia/version")),
        has_nodes=any(root.glob("dev/nvidia[0-9]*")) or (root / "dev/dxg").exists(),
        hidden_by=os.environ.get("CUDA_VISIBLE_DEVICES"),
    )


def _ask_nvidia_smi(root):
    """([(the driver's version, a GPU's name), ...], the complaint)."""
    program = shutil.which("nvidia-smi") or shutil.which("nvidia-smi", path=root / "usr/lib/wsl/lib")
    if program is None:
        return [], ""
    try:
        command = [program, "--query-gpu=driver_version,name", "--format=csv,noheader"]
        done = subprocess.run(command, timeout=DRIVER_SECONDS, **CAPTURED)
    except subprocess.TimeoutExpired:
        return [], f"nvidia-smi did not answer within {DRIVER_SECONDS} seconds"
    except OSError as error:
        return [], f"nvidia-smi cannot be run: {error.strerror}"
    rows = [tuple(line.split(", ", 1)) for line in done.stdout.splitlines() if ", " in line]
    if done.returncode == 0 and rows:
        return rows, ""
    lines = (done.stdout + done.stderr).strip().splitlines()
    return [], lines[0] if lines else f"nvidia-smi ended with the code {done.returncode}"


def ask_tensorflow(compute=False):
    """A `TensorFlow`; with `compute`, its first GPU must compute something; otherwise no memory of it is taken."""
    environment = {
        **os.environ,
        "PYTHONSAFEPATH": "1",  # the folder of this file holds modules of ours
        "TF_CPP_MIN_LOG_LEVEL": "0",
        "TF_CPP_VMODULE": "dso_loader=1",  # the only place where it names the libraries that it misses
    }
    try:
        command = [sys.executable, __file__, *["compute"] * compute]
        done = subprocess.run(command, timeout=TENSORFLOW_SECONDS, env=environment, **CAPTURED)
    except subprocess.TimeoutExpired:
        return TensorFlow(version="", error=f"it was not ready after {TENSORFLOW_SECONDS} seconds")
    answers = [line for line in done.stdout.splitlines() if line.startswith('{"version"')]
    if not answers:
        return TensorFlow(version="", error=_last_words(done))
    answer = json.loads(answers[-1])
    if done.returncode:
        answer.setdefault("compute_error", _last_words(done))
    missing = tuple(dict.fromkeys(re.findall(r"Could not load dynamic library '([^']+)'", done.stderr)))
    return TensorFlow(**{**answer, "gpus": tuple(answer["gpus"])}, missing=missing, log=_log(done.stderr))


def _last_words(done):
    lines = done.stderr.strip().splitlines()
    if done.returncode >= 0:
        return lines[-1] if lines else f"it ended with the code {done.returncode}"
    return ": ".join([f"it crashed with {signal.Signals(-done.returncode).name}", *lines[-1:]])


def _log(stderr):
    """The messages of warnings and errors, each once: a line is "W0000 00:00:1.2  34 file.cc:56] message"."""
    found = re.findall(r"^(?:[WEF]\d{4} [^\]]*\] |.*\] (?=Ignoring visible gpu device))(.+)$", stderr, re.MULTILINE)
    return shorten("; ".join(dict.fromkeys(found)), 400)


def _speak_for_tensorflow(compute):
    """Prints, as JSON, what TensorFlow sees; then, with `compute`, whether a convolution, which needs cuDNN, works."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    names = [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus]
    answer = {"version": tf.__version__, "has_cuda": tf.test.is_built_with_cuda(), "gpus": names}
    print(json.dumps(answer), flush=True)  # before computing, which may end this process
    if compute and gpus:
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
        try:
            with tf.device("GPU:0"):
                tf.nn.conv2d(tf.ones((1, 8, 8, 3)), tf.ones((3, 3, 3, 4)), 1, "SAME").numpy()
        except Exception as error:  # whatever it is, it is the finding
            print(json.dumps({**answer, "compute_error": f"{type(error).__name__}: {error}".splitlines()[0]}))


if __name__ == "__main__":
    _speak_for_tensorflow("compute" in sys.argv[1:])
