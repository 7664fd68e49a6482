"""Images and their mirror images, twice as many examples to learn from where there are few."""

import numpy as np


class Mirrored:
    """The images of a column, and behind them their mirror images, turned when they are asked for.

    Attributes:
        shape: (2N, height, width, channels).
    """

    def __init__(self, values):
        self.shape = (2 * len(values), *values.shape[1:])
        self.dtype = values.dtype
        self._values = values

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, indices):
        # Of a batch its own numbers alone are made, not those of the whole column.
        numbers = np.arange(*indices.indices(len(self))) if isinstance(indices, slice) else indices
        numbers, count = np.asarray(numbers) % len(self), len(self._values)
        images = np.array(self._values[numbers % count])
        turned = numbers >= count
        images[turned] = images[turned, :, ::-1]
        return images
