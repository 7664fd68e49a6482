"""A folder of images as a data set: sub-folders are labels, or a CSV gives attributes."""

from pathlib import Path

from gdl_keras.data.decoding import IMAGE_SUFFIXES
from gdl_keras.data.notices import say
from gdl_keras.data.raw import Item, RawImages
from gdl_keras.data.sources.attributes import read_tables, set_aside
from gdl_keras.data.sources.finding import find_tables
from gdl_keras.data.sources.local import is_hidden, visible_files
from gdl_keras.data.sources.splits import choose_split, split_folders
from gdl_keras.errors import InputError


class Folder:
    """Images anywhere under `path`.

    Args:
        path: the folder.
        look_beside: whether a CSV of attributes may also lie beside the folder.
    """

    needs_network = False

    def __init__(self, path, look_beside=True):
        self.path = Path(path).expanduser().resolve()
        self.look_beside = look_beside
        self.phrase = f"the folder {self.path}"

    def is_here(self):
        return self.path.is_dir()

    def fetch(self, force=False):
        if not self.path.is_dir():
            what = "is a file, not a folder" if self.path.exists() else "does not exist"
            raise InputError(f"{self.path} {what}: give a folder of images, or a name that `gdl data list` shows.")
        return self.path

    def open(self, split):
        """The images of one split; none is opened yet.

        Raises:
            InputError: the folder does not exist, has fewer than two images, or none for this split.
        """
        images, top = self.images(), self._top()
        chosen, class_names = choose_split(images, top, split)
        if not chosen:
            raise InputError(f"{self.path} has no images for the split {split!r}.")
        if class_names:
            numbers = {name: number for number, name in enumerate(class_names)}
            notes, table = set_aside(self._tables(), "the sub-folders are the classes"), None
        else:
            table, notes = read_tables(self._tables(), images, *split_folders(top))
        for note in notes:
            say(note)
        if table:
            chosen = self._described(chosen, images, top, split, table)

        def items():
            for path, class_name in chosen:
                label = table.label(path) if table else class_name and numbers[class_name]
                yield Item(path.relative_to(self.path).as_posix(), path, label, table and table.attributes(path))

        names = (table.class_names, table.attribute_names) if table else (class_names, None)
        return RawImages(len(chosen), items, *names)

    def _described(self, chosen, images, top, split, table):
        """The images of a split of which the table has a row; a tenth of train is held out where none of test has."""
        train, test = split_folders(top)
        of_test = [path for path in images if test in path.parents]
        if of_test and not any(map(table.names, of_test)):
            say(f"The table has no row for the images in {test}: a tenth of those in {train} is held out instead.")
            chosen, _ = choose_split([path for path in images if train in path.parents], train, split)
        return [(path, class_name) for path, class_name in chosen if table.names(path)]

    def images(self):
        """All images, sorted by their path, so that no file system changes the order.

        Raises:
            InputError: the folder does not exist or holds fewer than two.
        """
        folder = self.fetch()
        found = sorted(path for path in folder.rglob("*") if is_image(path) and not is_hidden(path.relative_to(folder)))
        if len(found) < 2:
            formats = ", ".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))
            amount = "only one image" if found else "no image"
            raise InputError(f"{folder} holds {amount}: at least two are needed, in the formats {formats}.")
        return found

    def fingerprint(self):
        """What changes when an image or table is added, removed or edited: a list of (path, size, time of change)."""
        files = self.images() + self._tables()
        return [str(self.path), *((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files)]

    def _top(self):
        # Archives wrap their images in folders that mean nothing: img_align_celeba/img_align_celeba/*.jpg.
        top = self.path
        while len(inside := _visible_folders(top)) == 1 and not any(map(is_image, top.iterdir())):
            top = inside[0]
        return top

    def _tables(self):
        return find_tables(visible_files(self.path), self.path if self.look_beside else None)


def is_image(path):
    """Whether `path` is a file with the name of an image.  Links that lead nowhere are not."""
    return path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()


def _visible_folders(folder):
    return [path for path in folder.iterdir() if path.is_dir() and not is_hidden(Path(path.name))]
