"""How much memory and disk this process may use; containers and services have limits of their own."""

import os
import re
import shutil
from pathlib import Path

from gdl_keras.doctor.facts import Folder, Space
from gdl_keras.doctor.system_files import read

GB = 1e9


def look_at_memory(root=Path("/")):
    """A `Space`; `root` is where the files of the system are looked for."""
    table = dict(re.findall(r"^(\w+):\s+(\d+) kB", read(root / "proc/meminfo"), re.MULTILINE))
    total = int(table["MemTotal"]) * 1024 / GB if "MemTotal" in table else _physical_memory()
    limit = min(_limits(root), default=None)
    shared = root / "dev/shm"
    return Space(
        total=total,
        limit=limit / GB if limit is not None and (total is None or limit < total * GB) else None,
        available=int(table["MemAvailable"]) * 1024 / GB if "MemAvailable" in table else None,
        shared=shutil.disk_usage(shared).total / GB if shared.is_dir() else None,
    )


def look_at_folder(path):
    """A `Folder`; where it does not exist yet, the nearest one above it, in which it would be made."""
    path = Path(path).expanduser().absolute()
    # Not Path.exists, which raises where a folder above may not be entered, and passes over links that lead nowhere.
    existing = next(folder for folder in [path, *path.parents] if os.path.lexists(folder))
    if not os.path.isdir(existing):
        return Folder(_short(path), is_writable=False, free=0, obstacle=_short(existing))
    return Folder(_short(path), os.access(existing, os.W_OK), shutil.disk_usage(existing).free / GB)


def _limits(root):
    """Every limit in bytes on this process's control group and those above it, in version 2 and version 1."""
    for line in read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            base, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        group = base / path.strip("/")
        # A container may see its own group at the top while the path is still its host's: hence all up to the top.
        for folder in [group, *group.parents]:
            if folder.is_relative_to(base) and (text := read(folder / name)).isdigit():
                yield int(text)


def _physical_memory():
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GB
    except (AttributeError, ValueError, OSError):
        return None


def _short(path):
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
