"""Fashion-MNIST from the files of Debian's package dataset-fashion-mnist: no network needed once it is installed."""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np

from gdl_keras.data.raw import from_arrays
from gdl_keras.errors import InputError

FOLDER = Path("/usr/share/datasets/fashion-mnist")
FASHION_CLASSES = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
]

_PREFIX = {"train": "train", "test": "t10k"}


class Debian:
    """The four files, in the IDX format of MNIST."""

    phrase = "Debian's package dataset-fashion-mnist"
    needs_network = False

    def is_here(self):
        return all(
            (FOLDER / f"{prefix}-{kind}-ubyte.gz").is_file()
            for prefix in _PREFIX.values()
            for kind in ("images-idx3", "labels-idx1")
        )

    def fetch(self, force=False):
        if not self.is_here():
            raise InputError(f"{FOLDER} lacks the files of Fashion-MNIST: apt-get install dataset-fashion-mnist.")
        return FOLDER

    def open(self, split):
        images = read_idx(FOLDER / f"{_PREFIX[split]}-images-idx3-ubyte.gz", 3)
        labels = read_idx(FOLDER / f"{_PREFIX[split]}-labels-idx1-ubyte.gz", 1)
        if len(images) != len(labels):
            raise InputError(
                f"{FOLDER} holds {len(images)} {split} images and {len(labels)} labels: install the package again."
            )
        return from_arrays(images, labels, FASHION_CLASSES, f"fashion {split}")


def read_idx(path, dimensions):
    """Reads a gzipped IDX file of bytes.

    Returns:
        uint8 array with that many dimensions.

    Raises:
        InputError: the file is damaged, truncated, or something else.
    """
    damaged = f"{path} is damaged ({{}}): install the package that it belongs to again."
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(damaged.format(error)) from error
    header = 4 + 4 * dimensions
    # Two zero bytes, the code of unsigned bytes (8), the number of dimensions; then the sizes.
    if len(content) < header or content[:4] != bytes([0, 0, 8, dimensions]):
        raise InputError(damaged.format("not an IDX file of bytes"))
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    if len(content) - header != np.prod(shape, dtype=np.int64):
        raise InputError(damaged.format(f"{len(content) - header:,} bytes where its header says {shape}"))
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
