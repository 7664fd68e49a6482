"""A data set of images that is ready to train on."""

import numpy as np

from gdl_keras.data.columns import Column
from gdl_keras.data.mirroring import Mirrored
from gdl_keras.data.table import Table


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
