"""Every file below a folder, those behind links too."""

import os
from pathlib import Path


def visible_files(path, left_out=None):
    """Goes through the files below a folder, or the file itself; hidden ones do not count.

    Links are followed, unless they lead back to a folder that they lie in.

    Args:
        path: a folder or file.
        left_out: a `LeftOut`, which is told what is passed over.

    Yields:
        `Path`, sorted by name in each folder.
    """
    path = Path(path)
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from _Walk(path, left_out).files(path, path.resolve(), ())


def is_hidden(name):
    """Whether a file or folder of that name is for the system alone."""
    # __MACOSX is where archives from Macs keep what is no image though it is named like one.
    return name.startswith(".") or name == "__MACOSX"


class _Walk:
    def __init__(self, path, left_out):
        self.path = path
        self.left_out = left_out

    def files(self, folder, real, left):
        """Those of a folder whose real path is `real`; `left` are the real folders in which a link was followed."""
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            return self._pass_over("in folders that may not be read", folder)
        for entry in entries:
            path, kind = Path(entry.path), _kind(entry)
            if is_hidden(entry.name):
                self._pass_over("hidden", *(_all_files(path) if kind == "folder" else [path]))
            elif kind == "file":
                yield path
            elif kind != "folder":
                self._pass_over(kind, path)
            elif not entry.is_symlink():
                yield from self.files(path, real / entry.name, left)
            elif any(above.is_relative_to(path.resolve()) for above in (real, *left)):
                self._pass_over("linked back to a folder around it", path)
            else:
                yield from self.files(path, path.resolve(), (*left, real))

    def _pass_over(self, reason, *paths):
        if self.left_out is not None:
            self.left_out.add(reason, [path.relative_to(self.path).as_posix() for path in paths])


def _kind(entry):
    # "file", "folder", or the reason why it is neither.
    try:
        if entry.is_dir():
            return "folder"
        if entry.is_file():
            return "file"
    except OSError:
        pass  # a link to itself, or to where one may not look
    return "linked to nothing" if entry.is_symlink() else "neither file nor folder"


def _all_files(folder):
    return [Path(inside, name) for inside, _, names in os.walk(folder) for name in names]
