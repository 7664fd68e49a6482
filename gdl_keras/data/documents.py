"""The texts in a folder or file: which files, which texts in each, which of them are held out."""

import csv
import io
import json
import re

from gdl_keras.data.decoding import Unreadable
from gdl_keras.data.left_out import LeftOut, printable
from gdl_keras.data.sources.csv_table import dialect_of
from gdl_keras.data.sources.splits import HELD_OUT, TRAIN_NAMES, divide
from gdl_keras.data.sources.walking import visible_files
from gdl_keras.errors import InputError

TEXT_SUFFIXES = (".txt", ".json", ".csv")
IN_BRACES = re.compile(r"\{([^{}]+)\}")


def text_files(path, left_out=None):
    """The files with texts in a folder, or the file itself: a sorted list of paths.

    Args:
        path: the folder or file.
        left_out: a `LeftOut`, which is told of the other files.

    Raises:
        InputError: there is none.
    """
    left_out = LeftOut() if left_out is None else left_out
    files = list(visible_files(path, left_out))
    found = [file for file in files if file.suffix.lower() in TEXT_SUFFIXES]
    if not found:
        raise InputError(f"{path} holds no text: give a .txt, .json or .csv file, or a folder with some.")
    # Beside texts, a table tells about them.
    texts = [file for file in found if file.suffix.lower() != ".csv"] or found
    left_out.add_others([file for file in files if file not in set(found)])
    left_out.add("in a table beside texts", [name_below(file, path) for file in found if file not in set(texts)])
    return sorted(texts)


def name_below(file, path):
    """What a file is called in messages and in identities: its path below the folder, its name where it is alone."""
    return printable(file.name if file == path else file.relative_to(path).as_posix())


def cut(texts, split):
    """The part of the texts of a single file: for "test" its last tenth, of the texts or of the only text."""
    if len(texts) == 1:
        [text] = texts
        end = len(text) - len(text) // HELD_OUT
        return [text[:end] if split == "train" else text[end:]]
    end = len(texts) - max(1, len(texts) // HELD_OUT)
    return texts[:end] if split == "train" else texts[end:]


def read_texts(path, field=None):
    """The texts of a file.

    Args:
        path: a .txt file, one text; a .json file with a list of texts or of objects; a .csv file with a header.
        field: which field of the objects, or which column, is the text; or a text in which their names stand in
            braces; None where there is only one.

    Returns:
        `(texts, missing)`: a list of str, none of them empty, and how many objects or lines have no such text.

    Raises:
        Unreadable: it is no such file, or damaged.
        InputError: `field` is needed, or is none of theirs.
    """
    content = read_text(path)
    if path.suffix.lower() == ".txt":
        return ([content], 0) if content.strip() else ([], 1)
    entries = _json(content) if path.suffix.lower() == ".json" else _csv(content)
    if all(isinstance(entry, str) for entry in entries):
        texts = entries
    elif all(isinstance(entry, dict) for entry in entries):
        template = _template(entries, field, path)
        texts = [_filled(template, entry) for entry in entries]
    else:
        raise Unreadable("JSON, but not a list of texts or of objects")
    kept = [_mended(text) for text in texts if text.strip()]
    return kept, len(texts) - len(kept)


def read_text(path):
    """The content of a text file, in UTF-8 (with a mark of that or not) or in UTF-16 with its mark; lines end in \\n.

    Raises:
        Unreadable: the file is in another encoding, or is no text.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"a file that cannot be read ({error.strerror}): mend that") from error
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        name = "UTF-16" if encoding == "utf-16" else "UTF-8"
        raise Unreadable(f"not text in {name}, from byte {error.start:,} on: save it in UTF-8") from error
    if "\0" in text:
        raise Unreadable("no text: it holds zero bytes")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _json(content):
    try:
        entries = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from error
    if not isinstance(entries, list):
        raise Unreadable("JSON, but not a list of texts or of objects")
    return entries


def _csv(content):
    try:
        return [
            {name: value for name, value in line.items() if isinstance(name, str)}
            for line in csv.DictReader(io.StringIO(content), dialect=dialect_of(content))
        ]
    except csv.Error as error:
        raise Unreadable(f"not a table: {error}") from error


def _template(entries, field, path):
    """A text with the names of fields in braces, as `field` says or, where it says nothing, with the only one."""
    names = {name: None for entry in entries for name, value in entry.items() if _as_text(value).strip()}
    if field is None and len(names) == 1:
        return f"{{{next(iter(names))}}}"
    known = f"its fields with text are {', '.join(names) or 'none'}"
    if field is None:
        raise InputError(f"Which field of {path} is the text?  Give field=...: {known}.")
    template = field if IN_BRACES.search(field) else f"{{{field}}}"
    for name in IN_BRACES.findall(template):
        if name not in names:
            raise InputError(f"{path} has no text in a field {name!r}: {known}.")
    return template


def _filled(template, entry):
    # Of what lacks one of the fields there is no text.
    parts = {name: _as_text(entry.get(name)) for name in IN_BRACES.findall(template)}
    return IN_BRACES.sub(lambda match: parts[match[1]], template) if all(map(str.strip, parts.values())) else ""


def _as_text(value):
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "\n".join(value)
    return value if isinstance(value, str) else ""


def _mended(text):
    # JSON can hold halves of characters, which no file in UTF-8 can.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class Corpus:
    """The texts of a folder or file, by split; a file is read when it is its turn.

    Folders train and test are the splits; otherwise a tenth of the files is held out, by a hash of their paths.  Of a
    file that is the only one, the end is held out: see `cut`.

    Args:
        path: the folder or file.
        field: as for `read_texts`.

    Attributes:
        passed_over: a `LeftOut`, files that are not read.
        left_out: {name of a file that cannot be read: why}; missing: {name of a file: how many of its entries have no
            text}.  Both are complete once all texts were gone through.
        files: {"train": [paths], "test": [paths]}; where `is_single`, both are the same file.
    """

    def __init__(self, path, field=None):
        self.path = path
        self.field = field
        self.passed_over, self.left_out, self.missing = LeftOut(), {}, {}
        files = text_files(path, self.passed_over)
        self.is_single = len(files) == 1
        if self.is_single:
            self.files = {"train": files, "test": files}
            return
        self._division = divide(files, path, with_classes=False)
        self.files = self._division.parts
        for reason, paths in self._division.left_out.items():
            self.passed_over.add(reason, [name_below(file, path) for file in paths])

    @property
    def is_dealt_out_as_before(self):
        """Whether earlier versions of this package would have made the same splits."""
        if self.is_single:
            return True
        if self._division.train:
            return self._division.train.parent == self.path
        # A folder called train was all that counted, whatever lay beside it.
        folders = {file.relative_to(self.path).parts[0].lower() for file in self.files["train"] + self.files["test"]}
        return len(folders) == 1 or not folders & {*TRAIN_NAMES}

    def texts(self, split):
        """Goes through the texts of a split, in the order of their files."""
        for file in self.files[split]:
            name = name_below(file, self.path)
            try:
                texts, missing = read_texts(file, self.field)
            except Unreadable as error:
                self.left_out[name] = str(error)
                continue
            if missing:
                self.missing[name] = missing
            yield from cut(texts, split) if self.is_single and texts else texts
