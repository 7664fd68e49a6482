"""Where tables lie that may describe the images of a folder."""

from gdl_keras.data.sources.csv_table import NoTable, layout_of

TABLE_SUFFIXES = {".csv", ".tsv", ".tab", ".txt"}
# Beside a folder lie other things as well: of the folders there, those with such names are looked into.
BESIDE = {"anno", "annotation", "annotations", "attributes", "eval", "labels", "meta", "metadata", "tables"}


def find_tables(files, beside=None):
    """The files that may be tables, sorted.

    Args:
        files: paths of all files in a folder of images, however deep.
        beside: that folder, where tables may also lie beside it, or in a folder of tables beside it; else None.
    """
    found = {file for file in files if _is_table(file)}
    if beside is not None:
        places = [beside.parent, *(folder for folder in beside.parent.iterdir() if folder.name.lower() in BESIDE)]
        for place in places:
            if place.is_dir() and place != beside:
                found |= {file for file in place.iterdir() if not file.name.startswith(".") and _is_table(file)}
    return sorted(found)


def _is_table(file):
    if file.suffix.lower() not in TABLE_SUFFIXES or not file.is_file():
        return False
    if file.suffix.lower() != ".txt":
        return True
    try:
        return layout_of(file).is_even  # else a text
    except NoTable:
        return False
