"""A folder of images as a data set: sub-folders are labels, or a CSV gives attributes."""

from dataclasses import dataclass
from functools import cached_property

from gdl_keras.data.decoding import IMAGE_SUFFIXES
from gdl_keras.data.digests import fingerprint
from gdl_keras.data.left_out import LeftOut, printable
from gdl_keras.data.raw import Item, RawImages
from gdl_keras.data.sources.attributes import read_tables, set_aside
from gdl_keras.data.sources.finding import find_tables
from gdl_keras.data.sources.local import Local, refuse_archive
from gdl_keras.data.sources.splits import TRAIN_NAMES, Division, divide
from gdl_keras.data.sources.walking import visible_files
from gdl_keras.errors import InputError


@dataclass(frozen=True)
class Contents:
    """What a folder holds: all its images, how they are dealt out, the tables beside them, what is left out."""

    images: list
    division: Division
    tables: list
    left_out: LeftOut


class Folder(Local):
    """Images anywhere under `path`.  What is there is looked at once.

    Args:
        path: the folder.
        look_beside: whether a CSV of attributes may also lie beside the folder.
    """

    def __init__(self, path, look_beside=True):
        super().__init__(path, "a folder of images")
        self.look_beside = look_beside
        self.phrase = f"the folder {self.path}"

    def is_here(self):
        return self.path.is_dir()

    def fetch(self, force=False):
        if super().fetch().is_file():
            raise InputError(f"{self.path} is a file, not a folder: give the folder that it lies in.")
        return self.path

    def open(self, split):
        """The images of one split; none is opened yet.

        Raises:
            InputError: the folder does not exist, has fewer than two images, or none for this split.
        """
        division, description, notes = self.described
        chosen, class_names = division.parts[split], division.class_names
        if not chosen:
            raise InputError(f"{self.path} has no images for the split {split!r}.")
        numbers = {name: number for number, name in enumerate(class_names or [])}

        def items():
            for path in chosen:
                if description:
                    yield Item(self._name(path), path, description.label(path), description.attributes(path))
                else:
                    yield Item(self._name(path), path, numbers.get(division.classes.get(path)))

        without_row = LeftOut()
        for reason in division.left_out.keys() - self.contents.division.left_out.keys():
            without_row.add(reason, map(self._name, division.left_out[reason]))
        return RawImages(
            len(chosen),
            items,
            description.class_names if description else class_names,
            description.attribute_names if description else None,
            everything=division.files,
            wrapper=f"{self._name(division.top)}/",
            left_out=self.contents.left_out,
            without_row=without_row,
            notes=notes,
        )

    @cached_property
    def contents(self):
        """The `Contents`; images are sorted by their path, so that no file system changes the order.

        Raises:
            InputError: the folder does not exist or holds fewer than two images.
        """
        folder, left_out = self.fetch(), LeftOut()
        files = sorted(visible_files(folder, left_out))
        images = [path for path in files if path.suffix.lower() in IMAGE_SUFFIXES]
        if len(images) < 2:
            raise self._too_few(images, files)
        division = divide(images, folder)
        tables = find_tables(files, self.path if self.look_beside else None)
        known = {*images, *tables}
        left_out.add_others([path for path in files if path not in known])
        for reason, paths in division.left_out.items():
            left_out.add(reason, map(self._name, paths))
        return Contents(images, division, tables, left_out)

    @cached_property
    def described(self):
        """`(division, description, notes)`: how the images are dealt out once the tables beside them were read.

        Where a table describes the images, those without a row are left out, and where none of those for testing has
        one, a tenth of the others is held out in their place.
        """
        division, tables = self.contents.division, self.contents.tables
        if division.class_names:
            inside = [table for table in tables if table.is_relative_to(self.path)]
            return division, None, set_aside(inside, "the sub-folders are the classes")
        description, notes = read_tables(tables, division.files(), division.train, division.test, self.path)
        if description and division.test and not any(map(description.names, division.parts["test"])):
            division = division.holding_out_of_train("has no row in the table")
        if description:
            division = division.only(description.names, "without a row in the table")
        return division, description, notes

    @property
    def is_dealt_out_as_before(self):
        """Whether earlier versions of this package would have made the same splits and classes."""
        division, description, _ = self.described
        has_new_classes = description is not None and description.class_names
        names = {name.lower() for name in division.class_names or []}
        has_new_splits = division.train is not None and division.train.name.lower() not in TRAIN_NAMES
        return not (division.left_out or has_new_classes or has_new_splits or names & {*TRAIN_NAMES})

    def fingerprint(self):
        """What changes when an image is added, removed or edited: a list of (path, size, time of change)."""
        return [str(self.path), *_stamps(self.contents.images)]

    def tables_fingerprint(self):
        """The same of the tables, of which those beside the folder may have nothing to do with it."""
        return fingerprint(_stamps(self.contents.tables))

    def former_fingerprint(self):
        """What `fingerprint` was in earlier versions of this package, which looked for tables in fewer places."""
        top = self.contents.division.top
        folders = {top, *(folder for folder in top.parents if folder.is_relative_to(self.path))}
        tables = sorted(table for folder in {*folders, self.path.parent} for table in folder.glob("*.csv"))
        return [str(self.path), *_stamps(self.contents.images + tables)]

    def _name(self, path):
        return printable(path.relative_to(self.path).as_posix())

    def _too_few(self, images, files):
        for path in () if images else files:
            refuse_archive(path)
        formats = ", ".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))
        amount = "only one image" if images else "no image"
        return InputError(f"{self.path} holds {amount}: at least two are needed, in the formats {formats}.")


def _stamps(files):
    return [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
