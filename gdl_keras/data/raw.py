"""What every source of images hands to the prepared store."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gdl_keras.data.digests import LETTERS, fingerprint_of
from gdl_keras.data.left_out import LeftOut


class Item(NamedTuple):
    """One image as its source has it."""

    name: str  # what an error message calls it
    image: Path | bytes | np.ndarray  # a file, the content of one, or uint8 (H, W) or (H, W, channels)
    label: int | None = None
    attributes: np.ndarray | None = None


@dataclass
class RawImages:
    """One split of a data set, not yet prepared: `items()` goes through the images in their fixed order."""

    count: int
    items: Callable[[], Iterable[Item]]
    class_names: list[str] | None = None
    attribute_names: list[str] | None = None
    # The images of both splits, where these need one scale of brightness; None: those of this split do.
    everything: Callable[[], Iterable[Path | bytes | np.ndarray]] | None = None
    wrapper: str = ""  # what the names of all items begin with, though it says nothing
    left_out: LeftOut = field(default_factory=LeftOut)
    without_row: LeftOut = field(default_factory=LeftOut)  # what a table that describes the images has nothing of
    notes: list[str] = field(default_factory=list)  # sentences about the tables

    def digest(self):
        """What changes when the images have other names, labels or attributes: 12 letters; no image is looked at."""
        content = fingerprint_of(self.class_names, self.attribute_names)
        for item in self.items():
            content.update(json.dumps([item.name, item.label]).encode())
            content.update(b"" if item.attributes is None else item.attributes.tobytes())
        return content.hexdigest()[:LETTERS]


def from_arrays(images, labels, class_names, name):
    """A RawImages over arrays in memory: images uint8 (N, H, W) or (N, H, W, C), labels (N,) integers."""

    def items():
        for index, image in enumerate(images):
            yield Item(f"{name} image {index}", image, int(labels[index]))

    return RawImages(len(images), items, class_names)
