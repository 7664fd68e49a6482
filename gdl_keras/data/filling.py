"""Decodes the images of a source on all cores and writes them, in their order, into one array."""

import os
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from gdl_keras.data.decoding import DEEP, NoScale, Scale, Unreadable, decode, extremes
from gdl_keras.data.fitting import fit
from gdl_keras.data.notices import bar, say
from gdl_keras.errors import counted

CHUNK = 64  # images a task: small ones would otherwise cost less than handing them to a thread


@dataclass(frozen=True)
class Preparation:
    """How images become arrays: the side in pixels, the channels (1 or 3) and the way of `fitting.fit`."""

    size: int
    channels: int
    how: str

    @property
    def shape(self):
        return (self.size, self.size, self.channels)


@dataclass
class Filled:
    """What came out: how many images were written, what belongs to them, and which were left out and why."""

    count: int = 0
    names: list[str] = field(default_factory=list)
    labels: np.ndarray | None = None
    attributes: np.ndarray | None = None
    left_out: list[list[str]] = field(default_factory=list)


def fill(images, raw, preparation):
    """Writes the images of `raw` to the first rows of `images`, uint8 (at least raw.count, H, W, C).

    Images that cannot be used take no row: they are told in `left_out`.

    Returns:
        a `Filled`.
    """
    try:
        return _fill(images, raw, preparation)
    except NoScale:
        return _fill(images, raw, preparation, _common_scale(raw))


def _fill(images, raw, preparation, scale=None):
    filled, labels, attributes, cmyk, scales = Filled(), [], [], 0, Counter()
    with bar(total=raw.count, desc="preparing", unit=" images") as progress:
        for item, pixels, decoded, problem in _prepared_in_order(raw.items(), preparation, scale):
            progress.update()
            if problem:
                filled.left_out.append([item.name, problem])
                continue
            images[filled.count] = pixels
            filled.count += 1
            filled.names.append(item.name)
            labels.append(item.label)
            attributes.append(item.attributes)
            cmyk += decoded.was_cmyk
            scales[decoded.scale] += decoded.scale is not None
    if raw.class_names is not None:
        filled.labels = np.array(labels, np.int64)
    if raw.attribute_names is not None:
        filled.attributes = np.stack(attributes) if attributes else np.empty((0, len(raw.attribute_names)), np.int8)
    if cmyk:
        say(f"Converted to RGB: {counted(cmyk, 'image')} in the four colours of print (CMYK).")
    _tell_scales(scales)
    return filled


def _common_scale(raw):
    """One `Scale` for all pictures of floats or 32-bit integers: from their least number to their largest."""
    sources = raw.everything() if raw.everything else (item.image for item in raw.items())
    with ThreadPoolExecutor() as pool:
        found = [pair for pair in pool.map(extremes, sources) if pair]
    # Pictures in [0, 1] are that already, be none of them all white.
    return Scale(min([0.0, *(least for least, _ in found)]), max([1.0, *(largest for _, largest in found)]))


def _tell_scales(scales):
    for scale, count in scales.items():
        if scale == DEEP:
            say(f"16 bits a pixel, of which 65,535 is white: {counted(count, 'image')}.")
        elif scale is not None:
            say(
                f"Floats or large integers, of which {scale.black:g} is black and {scale.white:g} white in the whole "
                f"data set: {counted(count, 'image')}."
            )


def _prepared_in_order(items, preparation, scale):
    items = iter(items)
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:

        def submit():
            if chunk := list(islice(items, CHUNK)):
                tasks.append(pool.submit(lambda: [_prepare(item, preparation, scale) for item in chunk]))

        # Few tasks are under way at a time, so that memory holds a few chunks and not the data set.
        tasks = deque()
        for _ in range(2 * workers):
            submit()
        while tasks:
            yield from tasks.popleft().result()
            submit()


def _prepare(item, preparation, scale):
    try:
        decoded = decode(item.image, preparation.size, scale)
        return item, fit(decoded.image, preparation.size, preparation.channels, preparation.how), decoded, None
    except Unreadable as error:
        return item, None, None, str(error)
