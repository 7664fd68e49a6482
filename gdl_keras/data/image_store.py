"""The prepared store of images: each decoded and made square once, then read as bytes in all epochs.

A store is a folder with `images.npy` (uint8), `labels.npy` and `attributes.npy` where the data has
them, and `meta.json`.
"""

import json
import os
from dataclasses import asdict, dataclass, field, replace
from functools import partial

import numpy as np

from gdl_keras.data.columns import Column
from gdl_keras.data.digests import digest, fingerprint
from gdl_keras.data.filling import fill
from gdl_keras.data.notices import say
from gdl_keras.data.store import allocate, is_whole, kept
from gdl_keras.errors import InputError, counted
from gdl_keras.files import write_text


@dataclass
class Meta:
    """What a store says about itself, as JSON."""

    name: str
    split: str
    source: str  # a phrase
    class_names: list[str] | None = None
    attribute_names: list[str] | None = None
    shape: list[int] = field(default_factory=list)
    left_out: list[list[str]] = field(default_factory=list)  # pairs: which image, why
    passed_over: dict[str, list[str]] = field(default_factory=dict)  # other files that are left out, by the reason
    without_row: dict[str, list[str]] = field(default_factory=dict)  # images that are so, by the reason
    notes: list[str] = field(default_factory=list)  # sentences about tables
    tables: str = ""  # changes when one of them does
    items: str = ""  # changes when they say something else of the images
    wrapper: str = ""  # what the names of all images begin with, though it says nothing
    identity: str | None = None  # of the content; stores of earlier versions have none


@dataclass
class Prepared:
    """One split, ready to be read: images uint8 (N, H, W, C), labels int64 (N,), attributes (N, K)."""

    meta: Meta
    images: np.ndarray
    labels: np.ndarray | None = None
    attributes: np.ndarray | None = None


def open_or_prepare(folder, open_raw, preparation, skip_unreadable=False, tables=""):
    """Opens the store at `folder`, which is made first where it is missing or damaged, or tables say something else.

    Args:
        open_raw: a function that returns `(RawImages, Meta)`; called only where the store must be made, or looked at
            again.
        tables: str, as `Meta.tables`; where that has changed, the store is looked at again.
        preparation: a `Preparation`.
        skip_unreadable: leave out images that cannot be read, and say so.

    Raises:
        InputError: images cannot be read and were not to be skipped; none is left; the data folder is read-only.
        RunError: the disk is full.
    """

    def read_current(folder):
        prepared = read(folder)
        if prepared is None or prepared.meta.tables == tables:
            return prepared
        _, now = open_raw()
        return _noted(folder, prepared, now) if now.items == prepared.meta.items else None

    write = partial(_write, open_raw=open_raw, preparation=preparation, skip_unreadable=skip_unreadable)
    prepared = kept(folder, read_current, write, "images")
    left_out, count = prepared.meta.left_out, len(prepared.images)
    _check_left_out(left_out, count, skip_unreadable)
    if left_out:
        say(f"{_told(left_out, count)}  They are left out.")
    return prepared


def prepare_in_memory(raw, meta, preparation):
    """The same as a store, for small data where nothing can be written."""
    images = np.empty((raw.count, *preparation.shape), np.uint8)
    filled = fill(images, raw, preparation)
    _check_left_out(filled.left_out, filled.count, skip_unreadable=False)
    return Prepared(replace(meta, shape=list(images.shape)), images, filled.labels, filled.attributes)


def _noted(folder, prepared, now):
    """The store, once it has noted what there is to say of tables now, though they say the same of the images."""
    meta = replace(prepared.meta, tables=now.tables, notes=now.notes, without_row=now.without_row)
    write_text(folder / "meta.json", json.dumps(asdict(meta), indent=1))
    return replace(prepared, meta=meta)


def _write(folder, open_raw, preparation, skip_unreadable):
    raw, meta = open_raw()
    path = folder / "images.npy"
    images = allocate(path, (raw.count, *preparation.shape))
    filled = fill(images, raw, preparation)
    _check_left_out(filled.left_out, filled.count, skip_unreadable)
    if filled.count < raw.count:
        _shorten(path, images, filled.count)
    images.flush()
    for name, values in (("labels", filled.labels), ("attributes", filled.attributes)):
        if values is not None:
            np.save(folder / f"{name}.npy", values)
    shape = [filled.count, *preparation.shape]
    meta = replace(meta, shape=shape, left_out=filled.left_out)
    names = [name.removeprefix(meta.wrapper) for name in filled.names]
    prepared = Prepared(meta, images[: filled.count], filled.labels, filled.attributes)
    meta.identity = fingerprint(names, content(prepared))
    write_text(folder / "meta.json", json.dumps(asdict(meta), indent=1))


def content(prepared):
    """What changes when a pixel of a store changes, a label, an attribute, or one of their names: 12 letters."""
    columns = [prepared.images, prepared.labels, prepared.attributes]
    digests = [None if values is None else digest(Column(values)) for values in columns]
    return fingerprint(digests, prepared.meta.class_names, prepared.meta.attribute_names)


def _shorten(path, images, count):
    shorter = allocate(path.with_suffix(".shorter"), (count, *images.shape[1:]))
    for start in range(0, count, 1024):
        shorter[start : start + 1024] = images[start : min(start + 1024, count)]
    shorter.flush()
    os.replace(path.with_suffix(".shorter"), path)


def read(folder):
    """The store at `folder`, or None where it is missing or not whole."""
    try:
        meta = Meta(**json.loads((folder / "meta.json").read_text(encoding="utf-8")))
        images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        labels, attributes = (_read_values(folder / f"{name}.npy") for name in ("labels", "attributes"))
    except (OSError, ValueError, TypeError, EOFError):
        return None
    whole = (
        list(images.shape) == meta.shape
        and images.dtype == np.uint8
        and is_whole(folder / "images.npy", images)
        and (labels is not None) == (meta.class_names is not None)
        and (attributes is not None) == (meta.attribute_names is not None)
        and all(len(values) == len(images) for values in (labels, attributes) if values is not None)
    )
    return Prepared(meta, images, labels, attributes) if whole else None


def _read_values(path):
    return np.load(path, allow_pickle=False) if path.exists() else None


def _check_left_out(left_out, count, skip_unreadable):
    if left_out and (count == 0 or not skip_unreadable):
        way_out = (
            "Remove them, or leave them out with --skip-unreadable." if count else "None is left: give other images."
        )
        raise InputError(f"{_told(left_out, count)}  {way_out}")


def _told(left_out, count):
    shown = "; ".join(f"{name} ({reason})" for name, reason in left_out[:3])
    more = f"; and {len(left_out) - 3} more" if len(left_out) > 3 else ""
    return f"{len(left_out)} of {counted(len(left_out) + count, 'image')} cannot be used: {shown}{more}."
