"""What the columns of a table are: yes and no, numbers, the names of classes, or none of these."""

from dataclasses import dataclass

import numpy as np

from gdl_keras.data.sources.csv_table import NoTable, number_in
from gdl_keras.errors import InputError, counted

YES_OR_NO = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
EMPTY = {"", "nan", "<na>"}
NO_NUMBER = EMPTY | {"na", "n/a", "null", "none", "-", "?"}
MOSTLY = 0.9  # the share of numbers from which on a text among them is a slip


@dataclass
class Description:
    """What a table says of images: numbers, classes, or both.

    Attributes:
        attribute_names: list of str, or None; class_names: list of str, sorted, or None.
        left_out: list of str, the columns that are neither, each with the reason.
    """

    attribute_names: list | None
    class_names: list | None
    left_out: list
    _numbers: np.ndarray | None  # (rows, K), int8 where all are yes or no, else float32
    _labels: np.ndarray | None  # (rows,)
    _rows: dict  # {path: row}

    def names(self, path):
        """Whether the table has a row for this image."""
        return path in self._rows

    def attributes(self, path):
        """The numbers of an image, (K,), int8 where those of all images are yes or no, else float32; or None."""
        return None if self._numbers is None or path not in self._rows else self._numbers[self._rows[path]]

    def label(self, path):
        """The number of its class, an int, or None."""
        return None if self._labels is None or path not in self._rows else int(self._labels[self._rows[path]])


def describe(rows):
    """The `Description` in a `TableRows`.

    Columns of -1 and 1, of true and false, of yes and no become 1 and 0; other numbers stay.  One column of text whose
    values repeat gives the classes.

    Raises:
        NoTable: it has no such column.
        InputError: a number or class is missing, two rows of one image differ, or a row is longer than the header.
    """
    columns = [_Column(rows, place) for place in range(len(rows.columns))]
    numbers = [column for column in columns if column.is_numbers]
    texts = [column for column in columns if column.is_classes]
    left_out = [f"{column.name} ({column.what})" for column in columns if column not in numbers + texts]
    left_out += ["a column without a name"] * rows.has_nameless
    if len(texts) > 1:
        left_out += [f"{column.name} (one of {len(texts)} columns of text, and classes are in one)" for column in texts]
        texts = []
    if not numbers and not texts:
        raise NoTable(f"it gives neither numbers nor classes: {', '.join(left_out) or 'it has no second column'}")
    if rows.faults:
        raise InputError(f"{rows.faults[min(rows.faults)]}.  {_way_out(rows)}")
    values = np.stack([column.numbers() for column in numbers], axis=1) if numbers else None
    if numbers and np.isin(values, (0, 1)).all():
        values = values.astype(np.int8)
    class_names, labels = texts[0].classes() if texts else (None, None)
    path_rows = {rows.images[number]: row for row, number in enumerate(np.flatnonzero(rows.lines))}
    names = [column.name for column in numbers] or None
    return Description(names, class_names, left_out, values, labels, path_rows)


class _Column:
    """One column, by its different cells, of which there are few, and how many images have each."""

    def __init__(self, rows, place):
        self.name = rows.columns[place]
        self._rows, self._place = rows, place
        named = rows.lines > 0
        self._codes, counts = np.unique(rows.codes[named, place], return_counts=True)
        texts = {number: text for text, number in rows.cells[place].items()}
        self._texts = [texts[code] for code in self._codes]
        self._values = [_number(text, rows.separator) for text in self._texts]
        is_number = np.array([value is not None for value in self._values])
        is_word = np.array([text.casefold() not in NO_NUMBER for text in self._texts]) & ~is_number
        numbers, words = counts[is_number].sum(), counts[is_word].sum()
        kinds = sum(text.casefold() not in EMPTY for text in self._texts)
        self.is_numbers = numbers > 0 and (not words or numbers >= MOSTLY * (numbers + words))
        self.is_classes = words > 0 and not self.is_numbers and 2 <= kinds <= (counts.sum() + 1) // 2
        self.what = f"a text with {counted(kinds, 'value')} for {counted(counts.sum(), 'image')}" if kinds else "empty"

    def numbers(self):
        """float32 (rows,): those of the images with a row, in their order."""
        self._check([value is not None and np.isfinite(np.float32(value)) for value in self._values], "a number")
        values = np.array(self._values, np.float32)
        if set(values) <= {-1.0, 1.0}:
            values = (values + 1) / 2
        return values[self._places()]

    def classes(self):
        """`(names, labels)`: a sorted list, and int64 (rows,)."""
        self._check([text.casefold() not in EMPTY for text in self._texts], "the name of a class")
        names = sorted(self._texts)
        numbers = {name: number for number, name in enumerate(names)}
        return names, np.array([numbers[text] for text in self._texts], np.int64)[self._places()]

    def _places(self):
        return np.searchsorted(self._codes, self._rows.codes[self._rows.lines > 0, self._place])

    def _check(self, is_good, wanted):
        if all(is_good):
            return
        bad = self._codes[~np.array(is_good)]
        number = np.flatnonzero(np.isin(self._rows.codes[:, self._place], bad) & (self._rows.lines > 0))[0]
        text = self._texts[list(self._codes).index(self._rows.codes[number, self._place])]
        raise InputError(
            f"{self._rows.place_of(number)}: the column {self.name} {f'holds {text!r}' if text else 'is empty'}, where "
            f"{wanted} is wanted.  {_way_out(self._rows)}"
        )


def _number(text, separator):
    word = YES_OR_NO.get(text.casefold())
    if word is not None:
        return word
    return None if text.casefold() in NO_NUMBER else number_in(text, separator)


def _way_out(rows):
    return f"Mend {rows.table.name}, or take it out of the folder."
