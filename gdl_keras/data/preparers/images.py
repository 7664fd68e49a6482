"""Images: decoded and made square once, kept as bytes."""

from gdl_keras.data.columns import Column
from gdl_keras.data.digests import fingerprint
from gdl_keras.data.filling import Preparation
from gdl_keras.data.image_store import Meta, open_or_prepare, prepare_in_memory, read
from gdl_keras.data.images import ImageData
from gdl_keras.data.notices import say
from gdl_keras.data.paths import file_name, home
from gdl_keras.data.sources.folder import Folder
from gdl_keras.data.store import prepared_folder
from gdl_keras.errors import InputError

STORE_VERSION = 1  # raised when the same settings come to give other bytes


def load(entry, split, *, skip_unreadable, name, batch_size, seed, image_size=None, channels=None):
    """Opens one split of a data set of images, fetching and preparing it where it is not here yet.

    Args:
        entry: an `Entry`.
        image_size: side in pixels; None for the data set's own (64 for folders).
        channels: 1 (grey) or 3; None for the data set's own.
        split, skip_unreadable, name, batch_size, seed: as for `gdl_keras.data.load`.

    Returns:
        an `ImageData`.
    """
    if channels not in (None, 1, 3):
        raise InputError(f"Images have 1 channel (grey) or 3 (colour), not {channels}.")
    if image_size is not None and not 4 <= image_size <= 2048:
        raise InputError(f"The image size must be between 4 and 2048 pixels, not {image_size}.")
    preparation = Preparation(image_size or _own_size(entry), channels or entry.channels, entry.how)
    folder = _store_folder(entry, split, preparation)
    try:
        kept = open_or_prepare(folder, lambda: _open_first(entry, split), preparation, skip_unreadable)
    except InputError:
        if not entry.is_bundled:
            raise
        # Nothing can be written, but what travels with the package needs no disk.
        kept = prepare_in_memory(*_open_first(entry, split), preparation)
    return ImageData(
        _columns(kept),
        name=name,
        kind="images",
        split=split,
        source=kept.meta.source,
        identity=folder.name,
        batch_size=batch_size,
        seed=seed,
        class_names=kept.meta.class_names,
        attribute_names=kept.meta.attribute_names,
    )


def prepared(entry):
    """The folders of what was prepared from the data set, whatever the settings."""
    return [folder for folder, _ in _stores(entry)]


def describe(entry, source):
    """{"images": how many, by split, "classes", "attributes": lists of names, or None}, as far as they are known."""
    # Opening what came from the network may import TensorFlow; what was prepared from it tells as much.
    raw = {split: source.open(split) for split in ("train", "test")} if source and not source.needs_network else {}
    stores = {meta.split: meta for _, meta in _stores(entry)}
    known = list(raw.values()) + list(stores.values())
    return {
        "images": {split: meta.shape[0] for split, meta in stores.items()}
        | {split: part.count for split, part in raw.items()},
        "classes": known[0].class_names if known else None,
        "attributes": known[0].attribute_names if known else None,
    }


def _columns(kept):
    columns = {"images": Column(kept.images, "float32", 255)}
    for name, values in (("labels", kept.labels), ("attributes", kept.attributes)):
        if values is not None:
            columns[name] = Column(values)
    return columns


def _own_size(entry):
    return entry.image_size or entry.sources[0].image_size() or 64


def _store_folder(entry, split, preparation):
    about = [STORE_VERSION, _identity(entry), split, *preparation.shape, preparation.how]
    if isinstance(entry.sources[0], Folder):
        about += entry.sources[0].fingerprint()
    shape = "x".join(map(str, preparation.shape))
    return prepared_folder(f"{_store_name(entry)}-{split}-{shape}-{fingerprint(*about)}")


def _identity(entry):
    # A folder is the same one however its path was written.
    source = entry.sources[0]
    return str(source.path) if isinstance(source, Folder) else entry.name


def _store_name(entry):
    # Of a path only the last part: the fingerprint covers all of it.
    source = entry.sources[0]
    return file_name(source.path.name if isinstance(source, Folder) else entry.name)


def _stores(entry):
    found = sorted((home() / "prepared").glob(f"{_store_name(entry)}-t*-*x*x*-*"))
    stores = [(folder, read(folder)) for folder in found]
    return [(folder, store.meta) for folder, store in stores if store and store.meta.name == _identity(entry)]


def _open_first(entry, split):
    source, raw = entry.first_that_works(lambda source: source.open(split))
    if not isinstance(source, Folder):
        say(f"{entry.name}: from {source.phrase}")
    return raw, Meta(_identity(entry), split, source.phrase, raw.class_names, raw.attribute_names)
