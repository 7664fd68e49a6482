"""The prepared store: what is worked out once and read in all epochs, a folder each, whole or not at all.

Arrays go to the disk and come from it through memory maps, so that a data set may be larger than memory.
"""

import os
import shutil

import numpy as np

from gdl_keras.data.notices import say
from gdl_keras.data.paths import home, only_one
from gdl_keras.files import whole_folder


def prepared_folder(name):
    """Where what is prepared under `name` lies, whether it is there yet or not."""
    return home() / "prepared" / name


def kept(folder, read, write, what):
    """What is kept in `folder`, which is made first where it is missing or damaged.

    Args:
        read: a function of the folder that returns what it keeps, or None where it is missing or not whole.
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
                    say(f"The prepared {what} in {folder} are damaged: they are prepared again.")
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
