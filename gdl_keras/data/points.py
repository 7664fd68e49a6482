"""A data set of points in the plane that is ready to train on."""

import numpy as np

from gdl_keras.data.table import Table


class PointData(Table):
    """One split of a data set of points.

    The column "points" is float32 (N, 2).

    Attributes:
        mean, scale: float64 (2,); `points * scale + mean` are the points as their file or formula has them.
    """

    def __init__(self, columns, *, density=None, mean=(0.0, 0.0), scale=(1.0, 1.0), **settings):
        super().__init__(columns, **settings)
        self.mean, self.scale = np.array(mean, np.float64), np.array(scale, np.float64)
        self._density = density

    @property
    def entropy(self):
        """Of the density that the points come from, in nats: what no model's mean -log p can be below; or None."""
        return self._density and self._density.entropy

    @property
    def log_density(self):
        """A function of points (n, 2): the logarithm of the density they come from, float64 (n,) nats; or None."""
        return self._density and self._density.log_density
