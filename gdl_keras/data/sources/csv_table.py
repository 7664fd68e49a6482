"""Tables in files: their encoding, how their columns are separated, and which of them hold numbers."""

import csv
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice, pairwise

LOOKED_AT = 100  # lines that tell whether a column holds numbers
HEAD = 1 << 16  # bytes that tell how a table is written
SEPARATORS = "\t;|,"  # a comma may be part of a number or a name, the others hardly ever
SPACES = " "  # runs of them, and of tabs


class NoTable(Exception):
    """A file that cannot be read as a table; the text says why, such as "it is empty"."""


class Semicolons(csv.excel):
    """What spreadsheets write in countries whose numbers have decimal commas."""

    delimiter = ";"


@dataclass
class Layout:
    """How a file writes a table.

    Attributes:
        encoding: as `open` takes it.
        separator: one of `SEPARATORS`, or `SPACES`.
        skipped: lines at the top that belong to no row: CelebA's count of the rows, Excel's "sep=;".
        first: list of list of str, the first rows; the header, where there is one, is the first of them.
        width: how many cells most of these rows have.
        is_even: whether all of them have so many, at least two; a header may lack one, that of the first column.
    """

    encoding: str
    separator: str
    skipped: int
    first: list
    width: int
    is_even: bool


def layout_of(path):
    """The `Layout` of a file.

    Raises:
        NoTable: it is empty, no text, or in another encoding.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise NoTable(f"it cannot be read ({error.strerror})") from error
    encoding = _encoding(head)
    with open(path, newline="", encoding=encoding, errors="replace") as file:
        lines = file.read(HEAD).splitlines(keepends=True)
    is_whole = len(head) < HEAD
    if not is_whole and len(lines) < 2:
        raise NoTable("its first line does not end")
    lines = lines[: LOOKED_AT if is_whole else min(LOOKED_AT, len(lines) - 1)]  # the last one may be cut
    skipped, separator = _preface(lines)
    lines = lines[skipped:]
    if not any(line.strip() for line in lines):
        raise NoTable("it is empty")
    separator = separator or _separator(lines)
    first = [cells for _, cells in _split(lines, separator)]
    width = _common_width(first)
    is_even = width > 1 and all(len(row) == width for row in first[1:]) and len(first[0]) in (width - 1, width)
    return Layout(encoding, separator, skipped, first, width, is_even)


def rows_of(path, layout):
    """Goes through the rows of a file, header and all: (number of its line, list of str); empty lines do not count.

    Raises:
        NoTable: what follows is not in the encoding that the beginning is in, or no table.
    """
    try:
        with open(path, newline="", encoding=layout.encoding) as file:
            rest = islice(file, layout.skipped, None)
            yield from ((layout.skipped + number, cells) for number, cells in _split(rest, layout.separator))
    except UnicodeError as error:
        name = "UTF-16" if layout.encoding.startswith("utf-16") else "UTF-8"
        raise NoTable(f"it is not text in {name}: save it in UTF-8") from error
    except (OSError, csv.Error) as error:
        raise NoTable(f"it cannot be read ({error})") from error


def number_in(cell, separator=","):
    """The number in a cell, or None; with semicolons between cells, a comma may be that of decimals."""
    if separator == ";" and "." not in cell:
        cell = cell.replace(",", ".", 1)
    try:
        # float() takes 1_000 as well, which in a table is a name.
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def dialect_of(content):
    """The way of `csv` in which a table separates its columns, by its first line: commas, semicolons or tabs."""
    line = content.lstrip("\n").split("\n", 1)[0]
    separator = max(",;\t", key=line.count)
    return {",": csv.excel, "\t": csv.excel_tab, ";": Semicolons}[separator]


def first_lines(path):
    """The first lines of a table as lists of str; none where it is no table in UTF-8."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            content = "".join(islice(file, LOOKED_AT))
        return lines_of(content)
    except (OSError, ValueError, csv.Error):
        return []


def lines_of(content):
    """The lines of a table that are not empty, as lists of str; decimal commas become points.

    Raises:
        csv.Error: it is no table.
    """
    dialect = dialect_of(content)
    lines = [[cell.strip() for cell in line] for line in csv.reader(content.splitlines(), dialect) if line]
    if dialect is Semicolons:
        lines = [[cell.replace(",", ".") for cell in line] for line in lines]
    return lines


def number_columns(lines):
    """The places of the columns that hold nothing but numbers in the first lines; a header and empty cells aside."""
    body = lines[1:LOOKED_AT] or lines
    width = min(map(len, body), default=0)
    return [
        column
        for column in range(width)
        if any(line[column] for line in body) and all(is_number(line[column]) or not line[column] for line in body)
    ]


def is_number(text):
    """Whether a cell of a table is a number."""
    return number_in(text) is not None


def _encoding(head):
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if b"\0" in head:
        # Without a mark: of UTF-16, one half of nearly every character is zero.
        odd, even = head[1::2].count(0), head[::2].count(0)
        if max(odd, even) * 3 < len(head):
            raise NoTable("it is no text")
        return "utf-16-le" if odd > even else "utf-16-be"
    return "utf-8-sig"


def _preface(lines):
    """(how many lines stand before the table, the separator that they name or None)."""
    for place, (line, below) in enumerate(pairwise(lines)):
        if named := re.fullmatch(f'"?sep=([{SEPARATORS}])"?', line.strip("\r\n")):
            return place + 1, named[1]
        is_count = line.strip().isdigit() and not below.strip().isdigit()
        # A header may begin so as well, but it has as many cells as what is below.
        is_remark = line.startswith("#") and _divisions(line) != _divisions(below)
        if not is_count and not is_remark:
            return place, None
    return 0, None


def _divisions(line):
    return max(map(line.count, SEPARATORS))


def _separator(lines):
    """The one that divides most lines into as many cells, two or more."""

    def score(separator):
        rows = [cells for _, cells in _split(lines, separator)]
        width = _common_width(rows)
        return sum(len(row) == width for row in rows) if width > 1 else 0

    scores = {separator: score(separator) for separator in SEPARATORS}
    best = max(scores, key=scores.get)
    if scores[best] * 2 > len(lines):
        return best
    return SPACES if score(SPACES) > scores[best] else best


def _common_width(rows):
    return Counter(map(len, rows)).most_common(1)[0][0] if rows else 0


def _split(lines, separator):
    if separator == SPACES:
        rows = ((number, line.split()) for number, line in enumerate(lines, start=1))
    else:
        reader = csv.reader(lines, delimiter=separator)
        rows = ((reader.line_num, [cell.strip() for cell in row]) for row in reader)
    return ((number, row) for number, row in rows if any(row))
