"""A data set of images that is ready to train on."""

import math

import numpy as np

from gdl_keras.data.columns import Column
from gdl_keras.data.mirroring import Mirrored
from gdl_keras.data.table import Table
from gdl_keras.errors import InputError

BYTE, WORD = 255, 65535
# Rounding may leave a number so much outside of [0, 1].
ROUNDING = 1e-3
# Resizing by a smooth curve leaves numbers so much outside; more than that is another range.
OVERSHOOT = 0.4


def check_range(low, high):
    """Raises InputError, with what to do, unless images whose numbers go from `low` to `high` lie in [0, 1]."""
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InputError("Images are finite numbers, and some of these are NaN or infinite.")
    if low >= -ROUNDING and high <= 1 + ROUNDING:
        return
    largest = BYTE if high <= BYTE else WORD if high <= WORD else high
    if low >= -OVERSHOOT and high <= 1 + OVERSHOOT:
        way_out = "clip them, numpy.clip(images, 0, 1)"
    elif low >= -ROUNDING:
        way_out = f"divide by {largest:g}, or map keras.layers.Rescaling(1 / {largest:g}) over the data"
    elif low >= -1 - ROUNDING and high <= 1 + ROUNDING:
        way_out = "map them, (images + 1) / 2"
    else:
        way_out = "undo what they were scaled by"
    reach = f"go from {low:.3g} to {high:.3g}"
    if low >= 0 or high <= 1:
        reach = f"reach {high:.6g}" if low >= 0 else f"go down to {low:.3g}"
    raise InputError(f"Images are floats in [0, 1]; these {reach}: {way_out}.")


class ImageData(Table):
    """One split of a data set of images, square ones where `gdl_keras.data.load` made it.

    The column "images" is uint8 or float32 (N, H, W, C) as stored, and float32 in [0, 1] as networks take it; "labels"
    int64 (N,) and "attributes" int8 or float32 (N, K) are there where the data has them.
    """

    def __repr__(self):
        return f"<{self.name} {self.split}: {self.num_images:,} images {self.image_shape} from {self.source}>"

    @property
    def image_shape(self):
        """(height, width, channels)."""
        return self.columns["images"].shape

    @property
    def num_images(self):
        """How many."""
        return self.num_examples

    def images(self, indices):
        """Images by number (a slice or an integer array): float32 (n, H, W, C) in [0, 1]."""
        return self.rows("images", indices)

    def mirrored(self):
        """These images, and behind them their mirror images with the same labels: twice as many examples."""
        columns = {}
        for name, column in self.columns.items():
            twice = Mirrored(column.values) if name == "images" else np.concatenate([column.values] * 2)
            columns[name] = Column(twice, column.dtype, column.divisor)
        source = f"{self.source}, and their mirror images"
        return self.changed(columns=columns, source=source, identity=f"{self.identity} mirrored")

    def batches(self, first_batch=0, shuffle=True, repeat=True, columns=None, drop_remainder=True, *, labels=False):
        """The images as batches, as `Table.batches` gives them; `labels=True` for pairs (images, labels)."""
        columns = ("images", "labels") if labels else columns
        return super().batches(first_batch, shuffle, repeat, columns, drop_remainder)
