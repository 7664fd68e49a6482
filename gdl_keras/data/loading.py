"""From a name to data: `load`, `download`, `info`, `is_here`."""

import hashlib
import json

from gdl_keras.data.entries import find
from gdl_keras.data.filling import Preparation
from gdl_keras.data.images import ImageData
from gdl_keras.data.notices import say
from gdl_keras.data.paths import file_name, home
from gdl_keras.data.sources.folder import Folder
from gdl_keras.data.store import Meta, open_or_prepare, prepare_in_memory, read
from gdl_keras.errors import InputError

SPLITS = ("train", "test")
STORE_VERSION = 1  # raised when the same settings come to give other bytes


def load(name, split="train", *, image_size=None, channels=None, batch_size=32, seed=0, skip_unreadable=False):
    """Opens a data set of images, fetching and preparing it where it is not here yet.

    Args:
        name: a name of the catalogue, a folder of images, "kaggle:OWNER/SLUG", "tfds:NAME", or "kaggle".
        split: "train" or "test".
        image_size: side in pixels; None for the data set's own (64 for folders).
        channels: 1 (grey) or 3; None for the data set's own.
        batch_size: images a batch.
        seed: fixes the order of the images in every pass.
        skip_unreadable: leave out images that cannot be read, and say so, instead of raising.

    Returns:
        an `ImageData`.

    Raises:
        InputError: what was asked for is not there or cannot be used.
        RunError: the network or the disk failed.
    """
    entry = find(name)
    _check(entry, split, image_size, channels, batch_size, seed)
    preparation = Preparation(image_size or _own_size(entry), channels or entry.channels, entry.how)
    folder = _store_folder(entry, split, preparation)
    try:
        prepared = open_or_prepare(folder, lambda: _open_first(entry, split), preparation, skip_unreadable)
    except InputError:
        if not entry.is_bundled:
            raise
        # Nothing can be written, but what travels with the package needs no disk.
        prepared = prepare_in_memory(*_open_first(entry, split), preparation)
    return ImageData(str(name), split, prepared, batch_size, seed, identity=folder.name)


def download(name, force=False):
    """Fetches the files of a data set, unless they are here.

    Args:
        name: as for `load`.
        force: fetch again what is here.

    Returns:
        the folder with the files, as a Path.
    """
    entry = find(name)
    source, folder = _first_that_works(entry, lambda source: source.fetch(force))
    say(f"{entry.name}: from {source.phrase}, in {folder}")
    return folder


def info(name):
    """What is known of a data set, without fetching or preparing anything.

    Returns:
        a dict: name, kind, summary, sources (phrases, in order), licence, needs_kaggle, is_here, files (the folder
        of the raw files, or None), prepared (folders of prepared splits), images (how many, by split), classes
        and attributes (lists of names, or None); the last three as far as they are known.
    """
    entry = find(name)
    here = next((source for source in entry.sources if source.is_here()), None)
    # Opening what came from the network may import TensorFlow; what was prepared from it tells as much.
    raw = {split: here.open(split) for split in SPLITS} if here and not here.needs_network else {}
    stores = {meta.split: meta for _, meta in _prepared(entry)}
    known = list(raw.values()) + list(stores.values())
    return {
        "name": entry.name,
        "kind": entry.kind,
        "summary": entry.summary,
        "sources": [source.phrase for source in entry.sources],
        "licence": entry.licence,
        "needs_kaggle": entry.needs_kaggle,
        "is_here": is_here(name),
        "files": str(here.fetch()) if here else None,
        "prepared": [str(folder) for folder, _ in _prepared(entry)],
        "images": {split: meta.shape[0] for split, meta in stores.items()}
        | {split: part.count for split, part in raw.items()},
        "classes": known[0].class_names if known else None,
        "attributes": known[0].attribute_names if known else None,
    }


def is_here(name):
    """Whether a data set can be used without a network."""
    entry = find(name)
    return any(source.is_here() for source in entry.sources) or bool(_prepared(entry))


def _check(entry, split, image_size, channels, batch_size, seed):
    if entry.kind != "images":
        raise InputError(f"{entry.name} is {entry.kind}, not images: data.download({entry.name!r}) gives its files.")
    if split not in SPLITS:
        raise InputError(f"There is no split {split!r}: the splits are {' and '.join(SPLITS)}.")
    if channels not in (None, 1, 3):
        raise InputError(f"Images have 1 channel (grey) or 3 (colour), not {channels}.")
    if image_size is not None and not 4 <= image_size <= 2048:
        raise InputError(f"The image size must be between 4 and 2048 pixels, not {image_size}.")
    if batch_size < 1:
        raise InputError(f"The batch size must be at least 1, not {batch_size}.")
    if seed < 0:
        raise InputError(f"The seed must not be negative, and {seed} is.")


def _own_size(entry):
    return entry.image_size or entry.sources[0].image_size() or 64


def _store_folder(entry, split, preparation):
    about = [STORE_VERSION, _identity(entry), split, *preparation.shape, preparation.how]
    if isinstance(entry.sources[0], Folder):
        about += entry.sources[0].fingerprint()
    fingerprint = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:12]
    return home() / "prepared" / f"{_store_name(entry)}-{split}-{'x'.join(map(str, preparation.shape))}-{fingerprint}"


def _identity(entry):
    # A folder is the same one however its path was written.
    source = entry.sources[0]
    return str(source.path) if isinstance(source, Folder) else entry.name


def _store_name(entry):
    # Of a path only the last part: the fingerprint covers all of it.
    source = entry.sources[0]
    return file_name(source.path.name if isinstance(source, Folder) else entry.name)


def _prepared(entry):
    """Pairs (folder, Meta) of what was prepared from the data set, whatever the settings."""
    found = sorted((home() / "prepared").glob(f"{_store_name(entry)}-t*-*x*x*-*"))
    stores = [(folder, read(folder)) for folder in found]
    return [(folder, store.meta) for folder, store in stores if store and store.meta.name == _identity(entry)]


def _open_first(entry, split):
    source, raw = _first_that_works(entry, lambda source: source.open(split))
    if not isinstance(source, Folder):
        say(f"{entry.name}: from {source.phrase}")
    return raw, Meta(_identity(entry), split, source.phrase, raw.class_names, raw.attribute_names)


def _first_that_works(entry, use):
    """`(source, use(source))` for the first source whose files are here, or else the one that fetches them."""
    here = (source for source in entry.sources if source.is_here())
    source = next(here, entry.sources[-1])
    return source, use(source)
