"""Which images of a folder are for training and which are held out, and what their classes are."""

import hashlib

TRAIN_NAMES = ("train", "training")
TEST_NAMES = ("test", "testing", "val", "valid", "validation")
HELD_OUT = 10  # one image in so many is held out where the folder itself does not say which


def choose_split(images, top, split):
    """The images of one split and the names of the classes.

    Sub-folders of `top` named train and test (or val, valid, validation) are the splits.  Otherwise a tenth of the
    images is held out, chosen by a hash of their paths: the same ones on every machine, and
    few others when images are added.

    Args:
        images: sorted paths of all images, all below `top`.
        split: "train" or "test".

    Returns:
        `(chosen, class_names)`: a list of (path, class name or None), and a list of names or None.
    """
    train, test = split_folders(top)
    if train is None:
        parts = dict(zip(("train", "test"), _divided(images, top), strict=True))
        bases = {"train": top, "test": top}
    else:
        for_training = _below(train, images)
        parts = dict(zip(("train", "test"), _divided(for_training, train), strict=True))
        bases = {"train": train, "test": train}
        if test is not None and (for_testing := _below(test, images)):
            parts, bases = {"train": for_training, "test": for_testing}, {"train": train, "test": test}
    chosen = [(path, _class_of(path, bases[split])) for path in parts[split]]
    if not chosen or any(class_name is None for _, class_name in chosen):
        return [(path, None) for path, _ in chosen], None
    # The names of both splits, so that a number means the same class in both.
    everywhere = {_class_of(path, bases[part]) for part in parts for path in parts[part]}
    return chosen, sorted(everywhere - {None})


def split_folders(top):
    """The sub-folders that are for training and for testing, each None where there is none."""
    folders = {folder.name.lower(): folder for folder in top.iterdir() if folder.is_dir()}
    train = next((folders[name] for name in TRAIN_NAMES if name in folders), None)
    return train, next((folders[name] for name in TEST_NAMES if name in folders), None)


def _below(folder, images):
    return [path for path in images if folder in path.parents]


def _class_of(path, base):
    parts = path.relative_to(base).parts
    return parts[0] if len(parts) > 1 else None


def _divided(images, top):
    """(train, test), each in the order of `images`."""
    ranked = sorted(images, key=lambda path: hashlib.sha256(path.relative_to(top).as_posix().encode()).digest())
    held_out = set(ranked[: max(1, len(ranked) // HELD_OUT)])
    return [path for path in images if path not in held_out], [path for path in images if path in held_out]
