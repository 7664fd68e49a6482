"""A table of attributes, one row an image, in the manner of CelebA's list_attr_celeba.csv."""

import csv
from dataclasses import dataclass

import numpy as np

from gdl_keras.data.notices import say


@dataclass
class Attributes:
    """Numbers that belong to images: values (rows, K), int8 where all are yes or no, else float32."""

    names: list[str]
    values: np.ndarray
    rows: dict[str, int]  # by the name of the file

    def row(self, path):
        return self.values[self.rows[path.name]]


def read_attributes(tables, images):
    """The first table whose first column names every image; tables with "attr" in their name come first.

    Columns that are not numbers are left out.  Columns of -1 and 1, CelebA's no and yes, become 0 and 1.

    Args:
        tables: paths of CSV files with a header line.
        images: paths of the images.

    Returns:
        an `Attributes`, or None where no table fits.
    """
    wanted = {path.name for path in images}
    for table in sorted(tables, key=lambda path: ("attr" not in path.name.lower(), path)):
        try:
            with open(table, newline="", encoding="utf-8-sig") as file:
                header, *lines = [line for line in csv.reader(file) if line]
        except (ValueError, csv.Error, OSError):
            continue
        # The table may give "train/cat/1.jpg" where the file lies elsewhere: only the last part counts.
        lines = {line[0].strip().replace("\\", "/").rsplit("/", 1)[-1]: line for line in lines}
        missing = wanted - lines.keys()
        if not missing and (attributes := _numbers(header, {name: lines[name] for name in sorted(wanted)})):
            return attributes
        if missing and len(missing) < len(wanted):
            say(f"{table} is not used for attributes: it lacks {len(missing)} of the images, {min(missing)} for one.")
    return None


def _numbers(header, lines):
    names, columns = [], []
    for index, name in enumerate(header[1:], start=1):
        try:
            column = np.array([float(line[index]) for line in lines.values()], np.float32)
        except (ValueError, IndexError):
            continue
        if set(np.unique(column)) <= {-1.0, 1.0}:
            column = (column + 1) / 2
        names.append(name.strip())
        columns.append(column)
    if not names:
        return None
    values = np.stack(columns, axis=1)
    if np.isin(values, (0, 1)).all():
        values = values.astype(np.int8)
    return Attributes(names, values, {name: row for row, name in enumerate(lines)})
