"""A histogram: the plane in square cells, and how many examples fell into each.

Nothing is computed but counts, and yet it is a density of maximum likelihood: of all that are flat within each cell,
the counts give the one under which the examples are most likely.  It has as many numbers as cells, and every further
dimension multiplies them: that is why it ends with the plane.
"""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from gdl_keras.errors import InputError
from gdl_keras.layers.settings import Setting
from gdl_keras.models.base import inputs_of
from gdl_keras.models.densities.density import DensityModel
from gdl_keras.models.densities.mixture import pick
from gdl_keras.models.parts.replicas import sum_over_replicas
from gdl_keras.models.parts.weights import weighted, weights_of
from gdl_keras.samplers.noise import SampleNoise

# How much wider than the examples a box around them is, on each side, as a share of their extent.
MARGIN = 0.25


@keras.saving.register_keras_serializable(package="gdl_keras")
class Histogram(DensityModel):
    """p(x) = (count of the cell of x + smoothing / cells) / (count of all + smoothing) / area of a cell.

    Before it has seen anything it is flat over its box, and that counts as much as `smoothing` examples; outside of the
    box it is 0.  It is trained by one pass over the data, and no optimizer: `compile(None)`.  In training it reports
    how surprising each batch was before it was counted.

    Args:
        low, high: sequences of floats, opposite corners of the box.
        bins: int, cells along each side.
        smoothing: float.
        seed: int or None.

    Raises:
        InputError: an argument is out of range.
    """

    smoothing = Setting("larger than 0", lambda value: value > 0)

    def __init__(self, low, high, bins=32, smoothing=1.0, **kwargs):
        super().__init__(**kwargs)
        self.low, self.high = (tuple(float(value) for value in corner) for corner in (low, high))
        if len(self.low) != len(self.high) or any(a >= b for a, b in zip(self.low, self.high)):
            raise InputError(f"A box reaches from low to high along each side, not from {low} to {high}.")
        if bins < 1:
            raise InputError(f"bins ({bins}) is at least 1.")
        self.bins = bins
        self.smoothing = smoothing
        self.dimensions = len(self.low)
        cells = bins**self.dimensions
        self.counts = self.add_weight(shape=(cells,), initializer="zeros", trainable=False, name="counts")

    @classmethod
    def around(cls, points, bins=32, **options):
        """A histogram whose box holds the points with room to spare.

        Args:
            points: array (n, dimensions).
            bins, options: as for the class.
        """
        low, high = points.min(axis=0), points.max(axis=0)
        return cls(low - MARGIN * (high - low), high + MARGIN * (high - low), bins, **options)

    def train_step(self, data):
        points, weights = inputs_of(data), weights_of(data)
        surprise = weighted(-self.log_density(points), weights)
        cells, inside = self.cells(points)
        # An example of weight 2 is two.
        counts = weighted(tf.cast(inside, tf.float32), weights)
        counted = tf.math.unsorted_segment_sum(counts, cells, self.bins**self.dimensions)
        self.counts.assign_add(sum_over_replicas(counted))
        return self.report(loss=surprise)

    def log_density(self, points):
        cells, inside = self.cells(points)
        total = ops.sum(self.counts) + self.smoothing
        shares = (tf.gather(self.counts.value, cells) + self.smoothing / self.bins**self.dimensions) / total
        return tf.where(inside, ops.log(shares) - math.log(self.cell_area), -math.inf)

    def cells(self, points):
        """(the number of each point's cell, whether it lies in the box): int32 and bool tensors (n,)."""
        low, high = (tf.constant(corner, tf.float32) for corner in (self.low, self.high))
        inside = tf.reduce_all((points >= low) & (points <= high), axis=1)
        places = tf.cast((points - low) / (high - low) * self.bins, tf.int32)
        places = tf.clip_by_value(places, 0, self.bins - 1)
        return tf.tensordot(places, self.bins ** np.arange(self.dimensions, dtype="int32")[::-1], 1), inside

    @property
    def cell_area(self):
        """float: the area of a cell, or what that is in other dimensions."""
        return math.prod(b - a for a, b in zip(self.low, self.high)) / self.bins**self.dimensions

    def draw(self, count, seed, first=0):
        noise = SampleNoise(seed, first, count)
        counts = np.asarray(self.counts, "float64") + self.smoothing / self.bins**self.dimensions
        cells = pick(counts / counts.sum(), noise.uniform(0))
        places = np.stack(np.unravel_index(cells, (self.bins,) * self.dimensions), axis=1)
        shares = (places + noise.uniform(1, (self.dimensions,)).numpy()) / self.bins
        return (np.asarray(self.low) + shares * np.subtract(self.high, self.low)).astype("float32")
