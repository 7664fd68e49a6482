"""The rows of a table that belong to images.  The table is gone through once; nothing else of it is kept."""

import re
from pathlib import Path

import numpy as np

from gdl_keras.data.decoding import IMAGE_SUFFIXES
from gdl_keras.data.sources.csv_table import NoTable, layout_of, rows_of
from gdl_keras.errors import InputError


class TableRows:
    """What a table says of images, cell by cell.

    A cell is kept as its number among the different cells of its column, so that a column of yes and no costs no text.

    Args:
        table: path of a file.
        names: an `ImageNames`.
        wanted: set of numbers of images that the table should name.
        scope: set of numbers of images that the table speaks of where a name may mean several; None for all.

    Attributes:
        table: the path; `place_of` knows it where another one was added.
        separator: what stands between two cells.
        key: what the column with the images' names is called; columns: list of str, the others that have a name.
        has_nameless: whether there are others, beside the numbers of the rows that pandas writes first.
        lines: int64 (images,), the line in which each image stands; 0 where in none.
        codes: int32 (images, columns), which of `cells` the image has; -1 where it has no row.
        cells: a list for each column: {text: number}.
        faults: {number of an image: what is wrong with its row, a sentence}.

    Raises:
        NoTable: it is no table, or names no image.
        InputError: a name means two images.
    """

    def __init__(self, table, names, wanted, scope=None):
        layout = layout_of(table)
        self.table, self.separator = table, layout.separator
        self._names, self._wanted, self._scope = names, wanted, scope
        place, has_header = self._key_column(layout)
        header = _header(layout, has_header)
        self._places = [other for other, name in enumerate(header) if name and other != place]
        self.key, self.columns = header[place], [header[other] for other in self._places]
        nameless = [other for other, name in enumerate(header) if not name and other not in (0, place)]
        self.has_nameless = any(row[other] for row in layout.first for other in nameless if other < len(row))
        self.lines = np.zeros(len(names.images), np.int64)
        self.codes = np.full((len(names.images), len(self.columns)), -1, np.int32)
        self.cells = [{} for _ in self.columns]
        self.faults = {}
        self._tables, self._table_of = [table], np.zeros(len(names.images), np.int8)
        self._read(layout, place, has_header, len(header))

    @property
    def images(self):
        return self._names.images

    def place_of(self, number):
        """Where an image stands: a table and a line of it, and the image's name, as a phrase."""
        return f"{self._tables[self._table_of[number]]}, line {self.lines[number]}, {self.images[number].name}"

    def add(self, other):
        """Takes over what another table with the same columns says of images that have no row here."""
        new = np.flatnonzero((self.lines == 0) & (other.lines > 0))
        for place, cells in enumerate(other.cells):
            own = self.cells[place]
            translated = np.array([own.setdefault(cell, len(own)) for cell in cells], np.int32)
            self.codes[new, place] = translated[other.codes[new, place]]
        self.lines[new] = other.lines[new]
        self.faults |= {number: fault for number, fault in other.faults.items() if number in set(new.tolist())}
        self._table_of[new] = len(self._tables)
        self._tables.append(other.table)

    def _key_column(self, layout):
        """(the place of the column that names the images, whether a header stands above it)."""
        header = _header(layout, has_header=True)
        foremost = next((place for place, name in enumerate(header) if name), 0)

        def names_images(place, hit):
            # Numbers for something else name images too where these are called 0.png and 1.png.
            is_told = place == foremost and len(hit.images) * 2 >= hit.rows
            return hit.by_file or is_told or hit.images >= self._wanted

        hits = self._hits(layout.first, range(len(header)))
        hits = {place: hit for place, hit in hits.items() if names_images(place, hit)}
        if max((hit.rows for hit in hits.values()), default=0) * 2 < len(layout.first):
            # The table may be of many more images than are here.
            rows = (cells for _, cells in rows_of(self.table, layout))
            hits = self._hits(rows, _telling(layout.first, len(header)))
            hits = {place: hit for place, hit in hits.items() if names_images(place, hit)}
        if not hits:
            raise NoTable(f"its first column ({header[0] or 'without a name'}) names no image")
        place = min(hits, key=lambda place: (not hits[place].by_file, not header[place], -len(hits[place].images)))
        first = layout.first[0][place] if place < len(layout.first[0]) else ""
        return place, not (self._names.find(first).numbers or Path(first).suffix.lower() in IMAGE_SUFFIXES)

    def _hits(self, rows, places):
        hits = {}
        for cells in rows:
            for place in places:
                if place < len(cells) and (match := self._names.find(cells[place])).numbers:
                    hits.setdefault(place, _Hits()).add(match)
        return hits

    def _read(self, layout, place, has_header, width):
        ranks, unclear = {}, {}
        rows = rows_of(self.table, layout)
        if has_header:
            next(rows)
        for line, cells in rows:
            match = self._names.find(cells[place]) if place < len(cells) else None
            if match is None or not match.numbers:
                continue
            numbers = match.numbers
            if len(numbers) > 1 and self._scope is not None:
                numbers = [number for number in numbers if number in self._scope]
            if len(numbers) == 1:
                self._take(numbers[0], (match.depth, match.beyond), ranks, line, _fitted(cells, width), width)
            elif numbers:
                unclear.setdefault(tuple(numbers[:2]), (line, cells[place]))
        self._drop_strangers(ranks)
        for (one, other), (line, name) in unclear.items():
            if not (self.lines[one] and self.lines[other]):
                raise InputError(
                    f"{self.table}, line {line}: {name!r} may be {self.images[one]} or {self.images[other]}.  Write as "
                    "much of the path into the table as tells them apart, or take it out of the folder."
                )

    def _take(self, number, rank, ranks, line, cells, width):
        depth, beyond = rank
        if number in ranks and (depth, -beyond) < (ranks[number][0], -ranks[number][1]):
            return
        own = [cells[place] for place in self._places]
        if ranks.get(number) == rank:
            codes = [known.get(cell, -1) for known, cell in zip(self.cells, own)]
            if codes != self.codes[number].tolist():
                self.faults[number] = (
                    f"{self.table}: lines {self.lines[number]} and {line} differ, and both are of {self.images[number]}"
                )
            return
        ranks[number] = rank
        self.faults.pop(number, None)
        self.lines[number] = line
        try:
            self.codes[number] = [known[cell] for known, cell in zip(self.cells, own)]
        except KeyError:  # a cell that the column did not have before
            self.codes[number] = [known.setdefault(cell, len(known)) for known, cell in zip(self.cells, own)]
        if len(cells) > width:
            self.faults[number] = f"{self.place_of(number)}: {len(cells)} cells where the table has {width} columns"

    def _drop_strangers(self, ranks):
        # Where train/0.png is that image, val/0.png is one that is not here, though only one 0.png is.
        fewest = min((beyond for _, beyond in ranks.values()), default=0)
        for number, (_, beyond) in ranks.items():
            if beyond > fewest:
                self.lines[number], self.codes[number] = 0, -1
                self.faults.pop(number, None)


def _fitted(cells, width):
    """The cells of a row, filled up to the width of the table; empty ones beyond it fall away."""
    while len(cells) > width and not cells[-1]:
        cells.pop()
    return cells + [""] * (width - len(cells))


class _Hits:
    def __init__(self):
        self.rows, self.images, self.by_file = 0, set(), False

    def add(self, match):
        self.rows += 1
        self.images.update(match.numbers[:2])
        self.by_file = self.by_file or match.has_suffix


def _telling(first, width):
    """Columns whose cells differ, as names do; others would be looked up for nothing."""
    columns = {place: [row[place] for row in first if place < len(row)] for place in range(width)}
    return [place for place, cells in columns.items() if len(set(cells)) * 2 > len(cells)]


def _header(layout, has_header):
    """What the columns are called; "" where the header has no name, as pandas has none for the numbers of rows."""
    width = max(map(len, layout.first))
    if not has_header:
        return [f"column {place}" for place in range(1, width + 1)]
    header = list(layout.first[0])
    if len(header) == layout.width - 1 and any(row[-1] for row in layout.first[1:]):
        header.insert(0, "")  # CelebA and R leave out what the first column is called
    names = []
    for place, name in enumerate(header + [""] * (layout.width - len(header)), start=1):
        name = "" if re.fullmatch(r"Unnamed: \d+", name) else name
        names.append(f"{name} (column {place})" if name and name in names else name)
    return names
