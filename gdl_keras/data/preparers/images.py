"""Images: decoded and made square once, kept as bytes."""

from functools import partial

import numpy as np

from gdl_keras.data.columns import Column
from gdl_keras.data.digests import fingerprint
from gdl_keras.data.filling import Preparation
from gdl_keras.data.image_store import Meta, content, open_or_prepare, prepare_in_memory, read
from gdl_keras.data.images import ImageData
from gdl_keras.data.left_out import LeftOut
from gdl_keras.data.notices import say
from gdl_keras.data.preparers.own import full_name, is_own, store_name, stores
from gdl_keras.data.store import prepared_folder
from gdl_keras.errors import InputError

STORE_VERSION = 1  # raised when the same settings come to give other bytes
FOLDER_VERSION = 3  # raised when the same folder comes to be dealt out in another way


def load(entry, split, *, skip_unreadable, name, batch_size, seed, image_size=None, channels=None):
    """Opens one split of a data set of images, fetching and preparing it where it is not here yet.

    Args:
        entry: an `Entry`.
        image_size: side in pixels, or a pair of that twice; None for the data set's own (64 for folders).
        channels: 1 (grey) or 3; None for the data set's own.
        split, skip_unreadable, name, batch_size, seed: as for `gdl_keras.data.load`.

    Returns:
        an `ImageData`.
    """
    if channels not in (None, 1, 3):
        raise InputError(f"Images have 1 channel (grey) or 3 (colour), not {channels}.")
    size = _own_size(entry) if image_size is None else _side(image_size)
    preparation = Preparation(size, int(channels or entry.channels), entry.how)
    folder = _store_folder(entry, split, preparation)
    tables = entry.sources[0].tables_fingerprint() if is_own(entry) else ""
    try:
        kept = open_or_prepare(folder, lambda: _open_first(entry, split), preparation, skip_unreadable, tables)
    except InputError:
        if not entry.is_bundled:
            raise
        # Nothing can be written, but what travels with the package needs no disk.
        kept = prepare_in_memory(*_open_first(entry, split), preparation)
    for note in kept.meta.notes:
        say(note)
    left_out = _left_out(entry, kept.meta)
    left_out.tell(name)
    left_out.add_damaged(kept.meta.left_out)
    return ImageData(
        _columns(kept),
        name=name,
        kind="images",
        split=split,
        source=kept.meta.source,
        identity=_identity(kept.meta, preparation) if is_own(entry) else folder.name,
        formerly=partial(_was_called, entry, kept, preparation) if is_own(entry) else None,
        left_out=left_out.counts(),
        batch_size=batch_size,
        seed=seed,
        class_names=kept.meta.class_names,
        attribute_names=kept.meta.attribute_names,
    )


def prepared(entry):
    """The folders of what was prepared from the data set, whatever the settings."""
    return [folder for folder, _ in _stores(entry)]


def describe(entry, source):
    """What `gdl data info` tells of images, as far as it is known.

    Returns:
        {"images": how many, by split, "classes", "attributes": lists of names, or None, "left_out": how many files are
        not used, by the reason}.
    """
    # Opening what came from the network may import TensorFlow; what was prepared from it tells as much.
    raw = {split: source.open(split) for split in ("train", "test")} if source and not source.needs_network else {}
    stores = _stores(entry)
    metas = {store.meta.split: store.meta for _, store in stores}
    known = list(raw.values()) + list(metas.values())
    # Whether a picture can be read shows when it is prepared.
    current = [store.meta for folder, store in stores if raw and _is_current(entry, folder, store)]
    unreadable = {meta.split: meta.left_out for meta in current}
    left_out = LeftOut()
    if raw:
        for note in raw["train"].notes:
            say(note)
        left_out = LeftOut(raw["train"].left_out.names | raw["train"].without_row.names)
    elif known:
        left_out = LeftOut(known[0].passed_over | known[0].without_row)
    for pairs in unreadable.values():
        left_out.add_damaged(pairs)
    return {
        "images": {split: meta.shape[0] for split, meta in metas.items()}
        | {split: part.count - len(unreadable.get(split, [])) for split, part in raw.items()},
        "classes": known[0].class_names if known else None,
        "attributes": known[0].attribute_names if known else None,
        "left_out": left_out.counts(),
    }


def _columns(kept):
    columns = {"images": Column(kept.images, "float32", 255)}
    for name, values in (("labels", kept.labels), ("attributes", kept.attributes)):
        if values is not None:
            columns[name] = Column(values)
    return columns


def _is_current(entry, folder, store):
    """Whether a store is of the files as they are now."""
    _, side, _, channels = store.images.shape
    return folder == _store_folder(entry, store.meta.split, Preparation(side, channels, entry.how))


def _side(image_size):
    sides = np.ravel(image_size)
    if sides.dtype.kind not in "iu" or sides.size not in (1, 2):
        raise InputError(f"The image size is a whole number, or a pair of equal ones, not {image_size!r}.")
    if sides[0] != sides[-1]:
        raise InputError(f"Images are made square: give one image size, not {sides[0]} and {sides[1]}.")
    if not 4 <= sides[0] <= 2048:
        raise InputError(f"The image size must be between 4 and 2048 pixels, not {sides[0]}.")
    return int(sides[0])


def _own_size(entry):
    return entry.image_size or entry.sources[0].image_size() or 64


def _left_out(entry, meta):
    """What is passed over beside the images: in a folder of the reader's as it is now, else when it was prepared."""
    passed_over = entry.sources[0].contents.left_out.names if is_own(entry) else meta.passed_over
    return LeftOut(passed_over | meta.without_row)


def _store_folder(entry, split, preparation, folder_version=FOLDER_VERSION):
    about = [STORE_VERSION, full_name(entry), split, *preparation.shape, preparation.how]
    if is_own(entry):
        # Times and paths tell cheaply whether a folder must be prepared anew; they are not what the data is.
        source = entry.sources[0]
        about += source.former_fingerprint() if folder_version == 1 else [*source.fingerprint(), folder_version]
    return prepared_folder(f"{store_name(entry)}-{split}-{_shape(preparation)}-{fingerprint(*about)}")


def _shape(preparation):
    return "x".join(map(str, preparation.shape))


def _identity(meta, preparation):
    return f"images-{meta.split}-{_shape(preparation)}-{meta.identity}"


def _was_called(entry, kept, preparation, identity):
    """Whether an earlier version of this package had given these images this identity, made of paths and times."""
    former = _store_folder(entry, kept.meta.split, preparation, folder_version=1)
    if identity != former.name:
        return False
    before = read(former)
    return entry.sources[0].is_dealt_out_as_before if before is None else content(before) == content(kept)


def _stores(entry):
    return stores(entry, ["t*-*x*x*-*"], read, lambda store: store.meta.name)


def _open_first(entry, split):
    source, raw = entry.first_that_works(lambda source: source.open(split))
    if not is_own(entry):
        say(f"{entry.name}: from {source.phrase}")
    meta = Meta(full_name(entry), split, source.phrase, raw.class_names, raw.attribute_names)
    meta.passed_over, meta.without_row = raw.left_out.names, raw.without_row.names
    meta.notes, meta.wrapper = raw.notes, raw.wrapper
    if is_own(entry):
        meta.tables, meta.items = entry.sources[0].tables_fingerprint(), raw.digest()
    return raw, meta
