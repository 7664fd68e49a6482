"""What a table calls images by, and which of them that is."""

import re
from functools import cached_property
from pathlib import PurePath
from typing import NamedTuple
from unicodedata import normalize
from urllib.parse import unquote


class Match(NamedTuple):
    """The images that a name may mean.

    Attributes:
        numbers: list of int, none where the name means no image, several where it does not tell them apart.
        depth: how many parts of the path are as the name says, from the end.
        beyond: how many further parts the name has, which are not those of the path.
        has_suffix: whether the name ends as the file does.
    """

    numbers: list
    depth: int = 0
    beyond: int = 0
    has_suffix: bool = False


class ImageNames:
    """Finds images by their paths, by any last part of these, and by both without the suffix.

    Separators may be those of Windows, letters large or small where that leaves no doubt.

    Args:
        images: list of paths.
    """

    def __init__(self, images):
        self.images = images

    def find(self, name):
        """The images with the longest end of a path that `name` gives: a `Match`."""
        match = self._find(name)
        return self._find(unquote(name)) if not match.numbers and "%" in name else match

    def _find(self, name):
        parts = _parts(name)
        if not parts:
            return Match([])
        folded = [_folded(part) for part in parts]
        for index, has_suffix in ((self._by_file, True), (self._by_stem, False)):
            if numbers := self._deepest(index, folded):
                if len(numbers) > 1:
                    numbers = self._exact(numbers, parts[-1])
                depth = self._depth(numbers[0], folded)
                return Match(numbers, depth, len(parts) - depth, has_suffix)
        return Match([])

    @cached_property
    def _by_file(self):
        return self._index("name")

    @cached_property
    def _by_stem(self):
        return self._index("stem")

    def _index(self, last):
        """{end of a path: [numbers of images]}; an end is longer than its last part only where that is not enough."""
        found, unclear, depth = {}, range(len(self.images)), 1
        while unclear:
            ends = {number: _end(self.images[number], depth, last) for number in unclear}
            for number, end in ends.items():
                found.setdefault(end, []).append(number)
            unclear = [n for n, end in ends.items() if len(found[end]) > 1 and len(self.images[n].parts) > depth]
            depth += 1
        return found

    def _deepest(self, index, folded):
        numbers = index.get(folded[-1], [])
        for depth in range(2, len(folded) + 1):
            if len(numbers) < 2 or (longer := index.get("/".join(folded[-depth:]))) is None:
                break
            numbers = longer
        return numbers

    def _exact(self, numbers, last):
        """Of images that differ in large and small letters alone, the one that is written just so."""
        for part, wanted in (("name", last), ("stem", last), ("stem", PurePath(last).stem)):
            chosen = [number for number in numbers if getattr(self.images[number], part) == wanted]
            if len(chosen) == 1:
                return chosen
        return numbers

    def _depth(self, number, folded):
        depth = 1
        for part, wanted in zip(reversed(self.images[number].parts[:-1]), reversed(folded[:-1])):
            if _folded(part) != wanted:
                break
            depth += 1
        return depth


def _parts(name):
    name = name.strip()
    if "/" not in name and "\\" not in name and ":" not in name:
        return [name] if name else []
    parts = re.sub(r"^[A-Za-z]:", "", name.replace("\\", "/")).split("/")
    return [part for part in parts if part not in ("", ".", "..")]


def _folded(part):
    # Macs write an accent as a character of its own.
    return part.casefold() if part.isascii() else normalize("NFC", part).casefold()


def _end(path, depth, last):
    if depth == 1:
        return _folded(getattr(path, last))
    return "/".join(map(_folded, [*path.parts[-depth:-1], getattr(path, last)]))
