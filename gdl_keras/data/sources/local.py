"""The reader's own files: which of them count, and what kind of examples they hold."""

from pathlib import Path

from gdl_keras.data.decoding import IMAGE_SUFFIXES
from gdl_keras.data.sources.csv_table import first_lines, number_columns
from gdl_keras.errors import InputError


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
