"""What can be seen of NVIDIA's driver, from a host, a container, or Linux inside Windows."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from gdl_keras.doctor.facts import GPU, Driver
from gdl_keras.doctor.system_files import read

NVIDIA = "0x10de"  # its number among the makers of PCI cards
GRAPHICS = "0x03"  # how the class of a card that draws or computes begins
FIELDS = "name,driver_version,memory.total,memory.free"
SECONDS = 30  # a sick driver lets nvidia-smi wait forever


def look_at_driver(root=Path("/")):
    """A `Driver`; `root` is where the files of the system are looked for."""
    gpus, complaint = _ask_nvidia_smi(root)
    return Driver(
        gpus=gpus,
        complaint=complaint,
        cards=sum(map(_is_nvidia_card, root.glob("sys/bus/pci/devices/*"))),
        module=_module_version(root),
        has_nodes=any(root.glob("dev/nvidia[0-9]*")) or (root / "dev/dxg").exists(),
        hidden_by=os.environ.get("CUDA_VISIBLE_DEVICES"),
    )


def _ask_nvidia_smi(root):
    in_windows = root / "usr/lib/wsl/lib/nvidia-smi"
    program = shutil.which("nvidia-smi") or (str(in_windows) if in_windows.exists() else None)
    if program is None:
        return (), ""
    command = [program, f"--query-gpu={FIELDS}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return (), f"nvidia-smi did not answer within {SECONDS} seconds"
    except OSError as error:
        return (), f"nvidia-smi cannot be run: {error.strerror}"
    rows = [[cell.strip() for cell in line.split(",")] for line in done.stdout.splitlines()]
    gpus = tuple(GPU(name, driver, _megabytes(total), _megabytes(free)) for name, driver, total, free in _whole(rows))
    if done.returncode == 0 and gpus:
        return gpus, ""
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return (), lines[0] if lines else f"nvidia-smi ended with the code {done.returncode}"


def _whole(rows):
    return [row for row in rows if len(row) == len(FIELDS.split(","))]


def _megabytes(text):
    return int(text) if text.isdigit() else 0  # "[N/A]" where memory is shared with the processor


def _is_nvidia_card(device):
    return read(device / "vendor") == NVIDIA and read(device / "class").startswith(GRAPHICS)


def _module_version(root):
    if version := read(root / "sys/module/nvidia/version"):
        return version
    found = re.search(r"\d+\.\d+(\.\d+)*", read(root / "proc/driver/nvidia/version"))
    return found.group() if found else ""
