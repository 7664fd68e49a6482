"""Which of the tables beside images describes them, as CelebA's list_attr_celeba.csv does."""

import re

from gdl_keras.data.sources.csv_table import NoTable, layout_of
from gdl_keras.data.sources.image_names import ImageNames
from gdl_keras.data.sources.table_columns import describe
from gdl_keras.data.sources.table_rows import TableRows
from gdl_keras.errors import counted

SHOWN = 8  # tables, and names, that a line of notes lists


def read_tables(tables, images, train=None, test=None, folder=None):
    """The first table that describes the images; those with "attr" in their name come first.

    A table describes them where it names every image or, with split folders, every one for training.  One that lies in
    a split folder, or is called as one, speaks of the images in there; what it says of those for testing is added
    where it has the same columns as the table of those for training.

    Args:
        tables: paths, as from `find_tables`.
        images: list of paths, of both splits.
        train, test: the folders of the splits, or None.
        folder: that of the images, or None; what lies beside it and names none of them is passed over without a word.

    Returns:
        `(description, notes)`: a `Description`, or None where no table fits, and a list of sentences, which table is
        used and why each of the others is not.

    Raises:
        InputError: the table that describes the images is wrong: a name may be two images, two rows of one image
            differ, a number or class is missing.
    """
    names, used, added, notes = ImageNames(images), None, None, []
    below = {folder: _below(folder, images) for folder in (train, test) if folder}
    wanted = below.get(train, set(range(len(images))))
    scopes = {table: _scope(table, train, test) for table in tables}
    tables = sorted(tables, key=lambda path: ("attr" not in path.name.lower(), scopes[path] is None, path))
    of_testing = [table for table in tables if test and scopes[table] == test]
    for table in [table for table in tables if table not in of_testing]:
        is_stranger = folder is not None and not table.is_relative_to(folder)
        try:
            if used:
                is_stranger = is_stranger and not _begins_with_images(table, names)
                raise NoTable(f"{used.table.name} is")
            rows = TableRows(table, names, wanted, below.get(scopes[table]))
            is_stranger = False
            _check_complete(rows, wanted, train)
            description = describe(rows)
            used = rows
        except NoTable as reason:
            notes += [f"{table} is not used: {reason}."] * (not is_stranger)
    for table in of_testing:
        try:
            if used is None or added:
                raise NoTable(f"{added.name} is" if added else f"it is of the images in {test.name} alone")
            rows = TableRows(table, names, below[test], below[test])
            if rows.columns != used.columns:
                raise NoTable(f"its columns are not those of {used.table.name}")
            _check_complete(rows, below[test], test)
            used.add(rows)
            description = describe(used)
            added = table
        except NoTable as reason:
            notes.append(f"{table} is not used: {reason}.")
    if used is None:
        return None, _shortened(notes)
    whose = f"{used.table} and {added.name} give" if added else f"{used.table} gives"
    return description, [f"{whose} {_told(description)}.", *_shortened(notes)]


def set_aside(tables, reason):
    """Sentences that none of some tables is used, and why: list of str."""
    return _shortened([f"{table} is not used: {reason}." for table in tables])


def _begins_with_images(table, names):
    """Whether a cell of the first rows names an image."""
    return any(names.find(cell).numbers for row in layout_of(table).first for cell in row)


def _below(folder, images):
    return {number for number, path in enumerate(images) if folder in path.parents}


def _scope(table, train, test):
    """The split folder whose images a table speaks of: the one that it lies in, or is called as; or None."""
    folders = [folder for folder in (train, test) if folder]
    words = re.findall("[a-z]{3,}", table.stem.lower())
    called = [
        folder
        for folder in folders
        if any(word.startswith(folder.name.lower()) or folder.name.lower().startswith(word) for word in words)
    ]
    inside = [folder for folder in folders if folder in table.parents]
    chosen = inside or called
    return chosen[0] if len(chosen) == 1 else None


def _check_complete(rows, wanted, folder):
    missing = [number for number in wanted if not rows.lines[number]]
    of_folder = f" in {folder.name}" if folder else ""
    if len(missing) == len(wanted):
        raise NoTable(f"its column {rows.key} names no image{of_folder}")
    if missing:
        raise NoTable(f"it lacks {len(missing):,} of the images{of_folder}, {rows.images[min(missing)].name} for one")


def _told(description):
    parts = []
    for noun, names in (("attribute", description.attribute_names), ("classes", description.class_names)):
        if names:
            plural = "s" * (noun == "attribute" and len(names) > 1)  # there are never fewer than two classes
            parts.append(f"the {noun}{plural} {_listed(names)}")
    left_out = f"; left out: {_listed(description.left_out)}" if description.left_out else ""
    return " and ".join(parts) + left_out


def _listed(names):
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _shortened(notes):
    more = [f"Not used: {counted(len(notes) - SHOWN, 'more table')}."] if len(notes) > SHOWN else []
    return notes[:SHOWN] + more
