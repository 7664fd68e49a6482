"""Files and folders that are written whole or not at all.

Everything is first made under a temporary name beside its place and then renamed, which the file system does in one
step: whoever looks sees the old content or the new one, and a process killed half-way leaves nothing that looks
finished.
"""

import errno
import glob
import json
import math
import os
import platform
import re
import shutil
from contextlib import contextmanager
from pathlib import Path

from gdl_keras.errors import InputError, RunError

# From here on it is quicker to flush all of the disk than file by file.
MANY_FILES = 1000


@contextmanager
def whole_file(path):
    """Yields a temporary path; when the block ends well, what was written there becomes `path`.

    Raises:
        InputError: the folder cannot be written to.
        RunError: the disk is full.
    """
    path = Path(path)
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = _partial(path)
        try:
            yield partial
            _flush(partial)
            os.replace(partial, path)
            _flush(path.parent)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(path):
    """Yields a temporary folder; when the block ends well, it becomes `path`, unless another process was quicker.

    Raises:
        InputError: the parent folder cannot be written to.
        RunError: the disk is full.
    """
    path = Path(path)
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = _partial(path)
        partial.mkdir()
        try:
            yield partial
            _flush_all(list(partial.rglob("*")))
            _rename_unless_there(partial, path)
            _flush(path.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def check_is_page(path):
    """Raises InputError where the name of a page does not end as browsers want it."""
    if Path(path).suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{path} is to be a page: give it a name that ends in .html.")


def write_text(path, text):
    """Writes `text` (UTF-8) to `path`, whole or not at all."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path, content):
    """Writes what JSON can hold to `path`, indented, whole or not at all.

    Raises:
        RunError: a number in it is infinite or no number: JSON has no word for those, and other programs would refuse
            the whole file.
    """
    wrong = list(_not_finite(content))
    if wrong:
        names = ", ".join(f"{name} is {value}" for name, value in wrong)
        raise RunError(f"{path} is not written, because {names}: something diverged, or was measured of nothing.")
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def _not_finite(content, name=""):
    # Pairs (where it stands, value), such as ("nats.value", inf).
    if isinstance(content, dict | list | tuple):
        for key, value in content.items() if isinstance(content, dict) else enumerate(content):
            yield from _not_finite(value, f"{name}.{key}" if name else str(key))
    elif isinstance(content, float) and not math.isfinite(content):
        yield name, content


def _partial(path):
    # The process id tells the leftovers of killed processes, which are removed here, from the work of living ones.
    # Those of other machines that share the folder (containers, too) are left alone.
    prefix = f".{path.name}.{_machine()}-"
    for old in path.parent.glob(f"{glob.escape(prefix)}*.partial*"):
        if not _is_running(old.name.removeprefix(prefix).split(".")[0]):
            shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
    # The suffix stays: Keras, numpy and matplotlib choose the format by it.
    return path.with_name(f"{prefix}{os.getpid()}.partial{path.suffix}")


def _machine():
    return re.sub(r"\W", "", platform.node()) or "here"


def _is_running(pid):
    if not pid.isdigit() or int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _rename_unless_there(source, target):
    try:
        if not target.exists():
            os.rename(source, target)
    except OSError:
        if not target.exists():  # else another process was quicker, by less than a look
            raise


def _flush_all(paths):
    if len(paths) > MANY_FILES:
        os.sync()
        return
    for path in paths:
        _flush(path)


def _flush(path):
    # A rename can reach the disk before the content it names; only fsync keeps that order through a power cut.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _explained(path):
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RunError(f"The disk is full: {path} could not be written.  Free some space and try again.") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise InputError(
                f"No permission to write {path}.  Choose another folder, or make this one writable."
            ) from error
        if error.errno in (errno.ENOTDIR, errno.EEXIST):
            raise InputError(f"{path} cannot be made: part of that path is a file.  Choose another folder.") from error
        raise
