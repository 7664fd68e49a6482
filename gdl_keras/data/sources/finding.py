"""Where tables lie that may describe the images of a folder."""

from gdl_keras.data.decoding import IMAGE_SUFFIXES
from gdl_keras.data.sources.csv_table import NoTable, layout_of

TABLE_SUFFIXES = {".csv", ".tsv", ".tab", ".txt"}
# Beside a folder lie other things as well: of the folders there, those with such names are looked into.
BESIDE = {"anno", "annotation", "annotations", "attributes", "eval", "labels", "meta", "metadata", "tables"}
# A folder of images that lies in one of these has such a folder beside that, as CelebA has it.
AROUND = {"img", "imgs", "image", "images"}


def find_tables(files, beside=None):
    """The files that may be tables, sorted.

    Args:
        files: paths of all files in a folder of images, however deep.
        beside: that folder, where tables may also lie beside it, or in a folder of tables beside it; else None.
    """
    files, places = list(files), []
    if beside is not None:
        around = [beside.parent, *([beside.parent.parent] if beside.parent.name.lower() in AROUND else [])]
        near = [path for folder in around for path in _inside(folder)]
        tables = [folder for folder in near if folder.name.lower() in BESIDE and folder != beside]
        places = [beside.parent, *tables]
    # A file that is called as an image tells of that one alone, as the captions and boxes of other programs do.
    images = {file.stem for file in files if file.suffix.lower() in IMAGE_SUFFIXES}
    files += [file for place in places for file in _inside(place)]
    return sorted({file for file in files if file.stem not in images and _is_table(file)})


def _inside(folder):
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError:  # a file, or a folder that may not be read
        return []


def _is_table(file):
    if file.suffix.lower() not in TABLE_SUFFIXES or not file.is_file():
        return False
    if file.suffix.lower() != ".txt":
        return True
    try:
        return layout_of(file).is_even  # else a text
    except NoTable:
        return False
