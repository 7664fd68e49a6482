"""Decodes the images of a source on all cores and writes them, in their order, into one array."""

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from gdl_keras.data.decoding import Unreadable, decode
from gdl_keras.data.fitting import fit
from gdl_keras.data.notices import bar, say

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
    labels: np.ndarray | None = None
    attributes: np.ndarray | None = None
    left_out: list[list[str]] = field(default_factory=list)


def fill(images, raw, preparation):
    """Writes the images of `raw` to the first rows of `images`, uint8 (at least raw.count, H, W, C).

    Images that cannot be used take no row: they are told in `left_out`.

    Returns:
        a `Filled`.
    """
    filled, labels, attributes, cmyk = Filled(), [], [], 0
    with bar(total=raw.count, desc="preparing", unit=" images") as progress:
        for item, pixels, was_cmyk, problem in _prepared_in_order(raw.items(), preparation):
            progress.update()
            if problem:
                filled.left_out.append([item.name, problem])
                continue
            images[filled.count] = pixels
            filled.count += 1
            labels.append(item.label)
            attributes.append(item.attributes)
            cmyk += was_cmyk
    if raw.class_names is not None:
        filled.labels = np.array(labels, np.int64)
    if raw.attribute_names is not None:
        filled.attributes = np.stack(attributes) if attributes else np.empty((0, len(raw.attribute_names)), np.int8)
    if cmyk:
        say(f"{cmyk} images in the four colours of print (CMYK) were converted to RGB.")
    return filled


def _prepared_in_order(items, preparation):
    items = iter(items)
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:

        def submit():
            if chunk := list(islice(items, CHUNK)):
                tasks.append(pool.submit(lambda: [_prepare(item, preparation) for item in chunk]))

        # Few tasks are under way at a time, so that memory holds a few chunks and not the data set.
        tasks = deque()
        for _ in range(2 * workers):
            submit()
        while tasks:
            yield from tasks.popleft().result()
            submit()


def _prepare(item, preparation):
    try:
        image, was_cmyk = decode(item.image, preparation.size)
        return item, fit(image, preparation.size, preparation.channels, preparation.how), was_cmyk, None
    except Unreadable as error:
        return item, None, False, str(error)
