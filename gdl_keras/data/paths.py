"""Where data lives: everything under one folder, `GDL_DATA_DIR`."""

import errno
import fcntl
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from gdl_keras.data.notices import say
from gdl_keras.errors import InputError, RunError
from gdl_keras.files import whole_folder


def home():
    """The folder of all data: `GDL_DATA_DIR`, or `~/.cache/gdl_keras`.  It need not exist yet.

    Raises:
        InputError: it begins with ~, and nobody knows the home folder.
    """
    path = Path(os.environ.get("GDL_DATA_DIR") or "~/.cache/gdl_keras")
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        raise InputError(
            f"The data folder {path} cannot be found, because no home folder is known: set GDL_DATA_DIR to a folder."
        ) from error


def raw_folder(name):
    """Where the files of the data set `name` lie as they were downloaded."""
    return home() / "raw" / file_name(name)


def file_name(name):
    """`name` with everything that has a meaning in paths replaced: "kaggle:a/b" becomes "kaggle-a-b"."""
    return "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in str(name)).strip(".-") or "data"


@contextmanager
def replaced_folder(path):
    """As `whole_folder`, but a folder that is at `path` already gives way once the new one is whole."""
    new = path.with_name(f"{path.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    with whole_folder(new) as partial:
        yield partial
    shutil.rmtree(path, ignore_errors=True)
    new.rename(path)


@contextmanager
def only_one(name):
    """Holds a lock that one process at a time has, so that two runs that need the same data do the work once.

    The operating system frees the lock of a process that was killed.

    Raises:
        InputError: the folder of all data cannot be written to.
    """
    path = home() / ".locks" / file_name(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = open(path, "a")  # noqa: SIM115
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RunError(f"The disk is full: nothing can be written in {home()}.  Free some space.") from error
        raise InputError(
            f"The data folder {home()} cannot be written to ({error.strerror}).  "
            "Set GDL_DATA_DIR to a folder that can, or make this one writable."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Another run is at work on {name}: waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
