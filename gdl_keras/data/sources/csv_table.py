"""Tables in files: how their columns are separated, and which of them hold numbers."""

import csv
from itertools import islice

LOOKED_AT = 100  # lines that tell whether a column holds numbers


class Semicolons(csv.excel):
    """What spreadsheets write in countries whose numbers have decimal commas."""

    delimiter = ";"


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
    try:
        float(text)
    except ValueError:
        return False
    return True
