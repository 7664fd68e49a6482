"""Short names for content: the same for the same content, whatever its path or time."""

import hashlib
import json

import numpy as np

LETTERS = 12
ROWS = 4096  # read at a time, so that what is larger than memory can be named, too


def digest(column):
    """What changes when a value of a `Column` changes, or what networks get of it: 12 letters."""
    content = fingerprint_of(np.dtype(column.values.dtype).str, list(column.values.shape), str(column.dtype))
    content.update(str(column.divisor).encode())
    for start in range(0, len(column), ROWS):
        content.update(np.ascontiguousarray(column.values[start : start + ROWS]).tobytes())
    return content.hexdigest()[:LETTERS]


def fingerprint(*about):
    """12 letters that differ where what JSON makes of `about` differs."""
    return fingerprint_of(*about).hexdigest()[:LETTERS]


def fingerprint_of(*about):
    """The same as a hash that more can be added to."""
    return hashlib.sha256(json.dumps(about).encode())


def file_digest(path):
    """The digest of a file's content, 64 letters."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
