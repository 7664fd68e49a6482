"""Which files of a folder are for training and which are held out, and what their classes are."""

import hashlib
import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from gdl_keras.data.left_out import printable

TRAIN_NAMES = ("train", "training")
TEST_NAMES = ("test", "testing", "val", "valid", "validation")
# What competitions add to these names: train_images, test-jpg.
OF_IMAGES = re.compile(r"[ _-]?(images?|imgs?|photos|pictures|jpe?g|png)$")
HELD_OUT = 10  # one file in so many is held out where the folder itself does not say which


@dataclass(frozen=True)
class Division:
    """How the files of a folder are dealt out.

    Attributes:
        parts: {"train": paths, "test": paths}, each in the order of the files.
        top: the folder that they lie in, below those that only wrap it.
        classes: {path: name of its class} for all of them, or {}: both splits have classes or neither.
        left_out: {reason: paths}.
        train, test: the folders that are the splits; None where a tenth is held out.
    """

    parts: dict
    top: Path
    classes: dict = field(default_factory=dict)
    left_out: dict = field(default_factory=dict)
    train: Path | None = None
    test: Path | None = None

    @property
    def class_names(self):
        """Sorted, those of both splits, so that a number means the same class in both; None without classes."""
        return sorted(set(self.classes.values())) or None

    def files(self):
        """Those of both splits."""
        return [path for part in self.parts.values() for path in part]

    def only(self, is_kept, reason):
        """The same of the files of which `is_kept` is true; the others are left out for that reason."""
        parts = {split: [path for path in part if is_kept(path)] for split, part in self.parts.items()}
        return replace(self, parts=parts).without(reason, [path for path in self.files() if not is_kept(path)])

    def without(self, reason, files):
        """The same, with what was left out beside it."""
        if not files:
            return self
        return replace(self, left_out={**self.left_out, reason: [*self.left_out.get(reason, []), *files]})

    def holding_out_of_train(self, lack):
        """The same with a tenth of train held out in the place of the test folder, which lacks something."""
        train, test = self.parts["train"], self.parts["test"]
        reason = f"in {_name(self.test)}, which {lack}: a tenth of {_name(self.train)} is held out instead"
        return replace(self, parts=_held_out(train, self.train), train=None, test=None).without(reason, test)


def divide(files, top, with_classes=True):
    """Deals the files of a folder out.

    Sub-folders named train and test (or val, valid, validation; or train_images and so on) are the splits.  Otherwise a
    tenth of the files is held out, chosen by a hash of their paths: the same ones on every machine, and few others when
    files are added.  Of several folders that could be held out it is the first that has classes as train has.

    Two or more sub-folders are classes, unless most files lie beside them; where few do, those are left out.  Folders
    without a file do not count, and one that holds all the others only wraps them.

    Args:
        files: sorted paths, all below `top`.
        with_classes: whether sub-folders can be classes.

    Returns:
        a `Division`.
    """
    folders, beside = _folders(files, top)
    train, tests = next(iter(_named(folders, TRAIN_NAMES)), None), _named(folders, TEST_NAMES)
    if train and tests:
        return _by_folders(folders, beside, top, train, tests, with_classes)
    if len(folders) == 1:
        [(name, inside)] = folders.items()
        inner = divide(inside, top / name, with_classes)
        # The names that the hash is taken of begin inside a folder that only wraps images, but not one of texts.
        if not beside and (with_classes or inner.test or name.lower() in TRAIN_NAMES):
            return inner
        if len(beside) < len(inside) and (inner.classes or inner.test):
            return inner.without(f"lying beside the folder {printable(name)}", beside)
    classes, beside = _classes(files, top) if with_classes else ({}, [])
    if len(set(classes.values())) < 2:
        return Division(_held_out(files, top), top)
    return Division(_held_out(list(classes), top), top, classes).without("lying beside the class folders", beside)


def _by_folders(folders, beside, top, train, tests, with_classes):
    classes, loose = {}, {}
    for name in (train, *tests):
        classes[name], loose[name] = _classes(folders[name], top / name, unwrap=True) if with_classes else ({}, [])
    known = set(classes[train].values())
    alike = next((name for name in tests if known & set(classes[name].values())), None)
    if len(known | set(classes.get(alike, {}).values())) < 2:
        held_out, instead = tests[0], tests[0]
        division = _of_folders(top, train, held_out, folders[train], folders[held_out], {})
    elif alike:
        held_out, instead = alike, alike if alike == tests[0] else f"{alike}, which has classes as {train} has,"
        both = {**classes[train], **classes[alike]}
        division = _of_folders(top, train, alike, list(classes[train]), list(classes[alike]), both)
        for name in (train, alike):
            division = division.without(f"lying beside the class folders of {printable(name)}", loose[name])
    else:
        held_out, instead = tests[0], f"a tenth of {train}"
        division = _of_folders(top, train, held_out, list(classes[train]), folders[held_out], classes[train])
        division = division.without(f"lying beside the class folders of {printable(train)}", loose[train])
        division = division.holding_out_of_train("has no classes as train has")
    for name in sorted(folders.keys() - {train, held_out}):
        why = f": {instead} is held out instead" if name in tests else f", beside {train} and {tests[0]}"
        division = division.without(printable(f"in {name}{why}"), folders[name])
    return division.without(f"lying beside {train} and {tests[0]}", beside)


def _of_folders(top, train, test, for_training, for_testing, classes):
    parts = {"train": for_training, "test": for_testing}
    return Division(parts, top, classes, train=top / train, test=top / test)


def _folders(files, top):
    """({name: files below the sub-folder of that name}, files that lie in `top` itself)."""
    folders, beside, depth = {}, [], len(top.parts)
    for path in files:
        name, *below = path.parts[depth:]  # as relative_to would have it, which takes seconds for as many as CelebA has
        (folders.setdefault(name, []) if below else beside).append(path)
    return folders, beside


def _named(folders, names):
    by_name = {OF_IMAGES.sub("", folder.lower()): folder for folder in sorted(folders, reverse=True)}
    return [by_name[name] for name in names if name in by_name]


def _classes(files, top, unwrap=False):
    """({path: class}, files beside the class folders), both empty where most files lie beside them."""
    folders, beside = _folders(files, top)
    if len(beside) >= len(files) - len(beside):
        return {}, []
    if unwrap and len(folders) == 1:
        [(name, inside)] = folders.items()
        classes, deeper = _classes(inside, top / name, unwrap)
        if len(set(classes.values())) > 1:
            return classes, beside + deeper
    return {path: printable(name) for name, inside in folders.items() for path in inside}, beside


def _held_out(files, top):
    """{"train": nine tenths, "test": the others}, each in the order of `files`."""
    depth = len(top.parts)
    ranked = sorted(files, key=lambda path: hashlib.sha256(os.fsencode("/".join(path.parts[depth:]))).digest())
    test = set(ranked[: max(1, len(ranked) // HELD_OUT)])
    return {"train": [path for path in files if path not in test], "test": [path for path in files if path in test]}


def _name(folder):
    return printable(folder.name)
