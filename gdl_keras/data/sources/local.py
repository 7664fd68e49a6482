"""The reader's own files: which of them count, and what kind of examples they hold."""

import csv
from itertools import islice
from pathlib import Path

from gdl_keras.data.decoding import IMAGE_SUFFIXES
from gdl_keras.errors import InputError

LOOKED_AT = 100  # lines of a table that tell whether its columns are numbers


class Local:
    """A folder or a file at `path`, for every kind but images; `what` says which files it should be or hold."""

    needs_network = False

    def __init__(self, path, what):
        self.path = Path(path).expanduser().resolve()
        self.what = what
        self.phrase = f"the {'file' if self.path.is_file() else 'folder'} {self.path}"

    def is_here(self):
        return self.path.exists()

    def fetch(self, force=False):
        if not self.path.exists():
            raise InputError(f"{self.path} does not exist: give {self.what}, or a name that `gdl data list` shows.")
        return self.path


def visible_files(path):
    """Goes through the files below a folder, or the file itself; hidden ones do not count."""
    if path.is_file():
        return iter([path])
    return (file for file in path.rglob("*") if not is_hidden(file.relative_to(path)) and file.is_file())


def is_hidden(relative_path):
    """Whether a path below a folder is for the system alone."""
    # __MACOSX is where archives from Macs keep what is no image though it is named like one.
    return any(part.startswith(".") or part == "__MACOSX" for part in relative_path.parts)


def kind_of(path):
    """What a folder or file holds: "images", "music", "text" or "points", found by the names of its files.

    Images come before all, texts before tables; a table alone is points where it has two columns of numbers.  A folder
    with nothing of these counts as one of images.
    """
    suffixes, tables = set(), []
    for file in visible_files(path):
        suffix = file.suffix.lower()
        if suffix in IMAGE_SUFFIXES:
            return "images"
        suffixes.add(suffix)
        tables += [file] * (suffix == ".csv")
    if suffixes & {".mid", ".midi"}:
        return "music"
    if suffixes & {".txt", ".json"}:
        return "text"
    if tables:
        return "points" if len(tables) == 1 and len(number_columns(first_lines(tables[0]))) == 2 else "text"
    return "images"


def first_lines(path, count=LOOKED_AT):
    """The first lines of a table as lists of str; none where it is no table."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            return list(islice(csv.reader(file, dialect_of(file)), count))
    except (OSError, ValueError, csv.Error):
        return []


def dialect_of(file):
    """The way of `csv` in which an open table separates its columns: by commas, semicolons or tabs."""
    line = file.readline()
    file.seek(0)
    separator = max(",;\t", key=line.count)
    return {",": "excel", "\t": "excel-tab", ";": _Semicolons}[separator]


class _Semicolons(csv.excel):
    delimiter = ";"


def number_columns(lines):
    """The numbers of the columns that hold numbers in every line but perhaps the first, the header."""
    body = [line for line in lines[1:] if line] or lines
    width = min(map(len, body), default=0)
    return [column for column in range(width) if all(is_number(line[column]) for line in body)]


def is_number(text):
    """Whether a cell of a table is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
