"""Jane Austen's novels, in the public domain: two of them inside the package, all six from a package of Debian."""

import re
import struct
import zipfile
import zlib
from pathlib import Path

from gdl_keras.data.paths import only_one, raw_folder, replaced_folder
from gdl_keras.data.sources.bundled import ASSETS, Bundled
from gdl_keras.errors import InputError

FILE = Path("/usr/lib/R/site-library/janeaustenr/data/Rdata.rdb")
HELD_OUT = "persuasion"
NOVELS = {"emma", "mansfield_park", "northanger_abbey", "persuasion", "pride_and_prejudice", "sense_and_sensibility"}

_HEADER = b"X\n"  # R writes its objects in XDR: big-endian, four bytes a number
_TEXTS, _TEXT = 16, 9  # how it numbers the types of a list of texts, and of one text


class BundledNovels(Bundled):
    """One `.zip` with a `train/NAME.txt` and a `test/NAME.txt`, unpacked where all data lies."""

    def fetch(self, force=False):
        folder = raw_folder(self.name)
        with only_one(self.name):
            if not folder.is_dir() or force:
                with replaced_folder(folder) as partial, (ASSETS / f"{self.name}.zip").open("rb") as file:
                    zipfile.ZipFile(file).extractall(partial)
        return folder


class DebianNovels:
    """All six, of which *Persuasion* is held out: the data of an R package, read without R."""

    phrase = "Debian's package r-cran-janeaustenr"
    needs_network = False

    def __init__(self, name):
        self.name = name

    def is_here(self):
        return FILE.is_file() or raw_folder(self.name).is_dir()

    def fetch(self, force=False):
        """Writes each novel as a text file into the folder train or test, unless that was done before."""
        folder = raw_folder(self.name)
        with only_one(self.name):
            if folder.is_dir() and not force:
                return folder
            novels = read_novels(FILE)
            with replaced_folder(folder) as partial:
                for title, text in novels.items():
                    path = partial / ("test" if title == HELD_OUT else "train") / f"{title}.txt"
                    path.parent.mkdir(exist_ok=True)
                    path.write_text(text, encoding="utf-8", newline="\n")
        return folder


def read_novels(path):
    """The novels in the data file of the R package janeaustenr: {title: text}, such as {"emma": "EMMA\\n\\nBy ..."}.

    A paragraph, cut into lines of 70 characters there, is one line here, and an empty line comes after it.

    Raises:
        InputError: the file is missing, damaged or another one.
    """
    if not path.is_file():
        raise InputError(f"{path} is not here: apt-get install r-cran-janeaustenr, or take austen_mini.")
    damaged = InputError(f"{path} is damaged, or of another version: apt-get install --reinstall r-cran-janeaustenr.")
    try:
        texts = [_lines(block) for block in _blocks(path.read_bytes())]
    except (struct.error, zlib.error, ValueError) as error:
        raise damaged from error
    novels = {re.sub(r"\W+", "_", lines[0].strip().lower()): _paragraphs(lines) for lines in texts}
    if set(novels) != NOVELS:
        raise damaged
    return {title: novels[title] for title in sorted(novels)}


def _blocks(content):
    # Four bytes that say how long the object is, and the object, packed; then the next one.
    while content:
        unpacking = zlib.decompressobj()
        block = unpacking.decompress(content[4:])
        if not unpacking.eof or struct.unpack(">I", content[:4])[0] != len(block):
            raise ValueError("cut off")
        yield block
        content = unpacking.unused_data


def _lines(block):
    # Two letters, three numbers for versions, the name of the encoding; then how many texts, and each: its type in the
    # lowest byte of a number, its length, its bytes.
    if not block.startswith(_HEADER):
        raise ValueError("not XDR")
    place = len(_HEADER) + 12
    [length] = struct.unpack_from(">I", block, place)
    kind, count = struct.unpack_from(">II", block, place + 4 + length)
    if kind & 255 != _TEXTS:
        raise ValueError("not a list of texts")
    place += 12 + length
    lines = []
    for _ in range(count):
        kind, length = struct.unpack_from(">Ii", block, place)
        if kind & 255 != _TEXT or not 0 <= length <= len(block) - place - 8:
            raise ValueError("not a text")
        lines.append(block[place + 8 : place + 8 + length].decode("utf-8"))
        place += 8 + length
    return lines


def _paragraphs(lines):
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines))
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs if paragraph.strip()) + "\n"
