"""The reader's own files: which of them count, and what kind of examples they hold."""

import shlex
from pathlib import Path

from gdl_keras.data.decoding import IMAGE_SUFFIXES
from gdl_keras.data.sources.csv_table import first_lines, number_columns
from gdl_keras.data.sources.walking import visible_files
from gdl_keras.errors import InputError

# How archives are unpacked, by the end of their names.
UNPACK = {
    (".zip",): "unzip {file} -d {folder}",
    (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst"): "tar -xf {file}",
    (".7z", ".rar"): "7z x {file}",
    (".gz", ".bz2", ".xz", ".zst"): "gzip -d {file}, or bzip2, xz, zstd",
}


class Local:
    """A folder or a file at `path`, for every kind but images; `what` says which files it should be or hold."""

    needs_network = False

    def __init__(self, path, what):
        self.path = resolved(path)
        self.what = what
        self.phrase = f"the {'file' if self.path.is_file() else 'folder'} {self.path}"

    def is_here(self):
        return self.path.exists()

    def fetch(self, force=False):
        if not self.path.exists():
            raise InputError(f"{self.path} does not exist: give {self.what}, or a name that `gdl data list` shows.")
        return self.path


def resolved(path):
    """A path as users write it, ~ included, without links.

    Raises:
        InputError: it begins with ~, and nobody knows the home folder.
    """
    try:
        return Path(path).expanduser().resolve()
    except RuntimeError as error:
        raise InputError(f"{path} cannot be found, because no home folder is known: write the whole path.") from error


def refuse_archive(path):
    """Raises InputError, which tells how to unpack it, where `path` is an archive."""
    for suffixes, command in UNPACK.items() if path.is_file() else ():
        if path.name.lower().endswith(suffixes):
            folder = path.name[: path.name.index(".", 1)]
            command = command.format(file=shlex.quote(path.name), folder=shlex.quote(folder))
            raise InputError(f"{path} is packed: unpack it first ({command}), and give what comes out.")


def kind_of(path):
    """What a folder or file holds: the first of `kinds_in`.  A folder with nothing of these counts as one of images."""
    if any(file.suffix.lower() in IMAGE_SUFFIXES for file in visible_files(path)):
        return "images"
    return next(iter(kinds_in(path)), "images")


def kinds_in(path):
    """What a folder or file may be taken for, found by the names of its files: a list, what comes first counts.

    Images come before all, texts before tables; a table alone is points where it has two columns of numbers, and may be
    one of texts as well.
    """
    suffixes, tables = set(), []
    for file in visible_files(path):
        suffixes.add(file.suffix.lower())
        tables += [file] * (file.suffix.lower() == ".csv")
    has_texts = bool(suffixes & {".txt", ".json"})
    found = {
        "images": bool(suffixes & IMAGE_SUFFIXES),
        "music": bool(suffixes & {".mid", ".midi"}),
        "points": len(tables) == 1 and not has_texts and len(number_columns(first_lines(tables[0]))) == 2,
        "text": has_texts or bool(tables),
    }
    return [kind for kind, is_here in found.items() if is_here]
