"""The prepared store: what is worked out once and read in all epochs, a folder each, whole or not at all.

Arrays go to the disk and come from it through memory maps, so that a data set may be larger than memory.
"""

import json
import os
import shutil

import numpy as np

from gdl_keras.data.notices import say
from gdl_keras.data.paths import home, only_one
from gdl_keras.files import whole_folder, write_text


def prepared_folder(name):
    """Where what is prepared under `name` lies, whether it is there yet or not."""
    return home() / "prepared" / name


def kept(folder, read, write, what):
    """What is kept in `folder`, which is made first where it is missing, damaged or out of date.

    Args:
        read: a function of the folder that returns what it keeps, or None where it is missing, not whole or no longer
            right.
        write: a function that writes it into an empty folder.
        what: plural noun for messages, such as "images".

    Raises:
        InputError: the data folder cannot be written to; whatever `write` raises.
        RunError: the disk is full.
    """
    found = read(folder)
    if found is None:
        with only_one(folder.name):
            found = read(folder)
            if found is None:
                if folder.exists():
                    say(f"The prepared {what} in {folder} are damaged or out of date: they are prepared again.")
                    shutil.rmtree(folder)
                with whole_folder(folder) as partial:
                    write(partial)
                found = read(folder)
    return found


def allocate(path, shape, dtype=np.uint8):
    """A new `.npy` file as a memory map to write to, with its space on the disk."""
    array = np.lib.format.open_memmap(path, "w+", dtype, shape)
    if hasattr(os, "posix_fallocate"):
        # Claims the space now.  A write through a memory map cannot fail: on a full disk the process would be killed.
        with open(path, "r+b") as file:
            os.posix_fallocate(file.fileno(), 0, array.offset + array.nbytes)
    return array


def is_whole(path, array):
    """Whether the file of a memory map from `np.load` has all the bytes that its header promises."""
    return array.offset + array.nbytes == path.stat().st_size


def write_about(folder, about):
    """Ends the writing of a folder of `.npy` files: notes their shapes and types beside `about`, a dict for JSON."""
    arrays = {path.stem: np.load(path, mmap_mode="r") for path in sorted(folder.glob("*.npy"))}
    shapes = {name: [array.dtype.str, list(array.shape)] for name, array in arrays.items()}
    write_text(folder / "meta.json", json.dumps({"arrays": shapes, **about}, indent=1))


def read_arrays(folder):
    """`(about, {name: memory map})` of what `write_about` ended, or None where it is missing or not whole."""
    try:
        about = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        shapes = about.pop("arrays")
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in shapes}
        whole = all(
            [array.dtype.str, list(array.shape)] == shapes[name] and is_whole(folder / f"{name}.npy", array)
            for name, array in arrays.items()
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, EOFError):
        return None
    return (about, arrays) if whole else None
