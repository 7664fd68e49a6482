"""One normal distribution: a centre, and how far and in which direction the examples lie around it.

Here maximum likelihood has an answer that can be written down, the mean and the covariance of the examples; gradient
ascent on the likelihood must come to the same one.  Book: chapter 1, "Core probability theory".
"""

import keras
import numpy as np
import tensorflow as tf

from gdl_keras.errors import InputError, counted
from gdl_keras.models.densities.density import DensityModel
from gdl_keras.models.densities.normal import log_scale_and_below, lower_factor, normal_log_density
from gdl_keras.samplers.noise import SampleNoise


@keras.saving.register_keras_serializable(package="gdl_keras")
class Gaussian(DensityModel):
    """p(x) = N(x; mean, L L^T), with d + d + d (d - 1) / 2 weights.

    It begins as the standard normal distribution.

    Args:
        dimensions: int, numbers in a point.
        seed: int or None.

    Attributes:
        mean, log_scale, below: the weights; `normal.lower_factor` makes L out of the last two.

    Raises:
        InputError: `dimensions` is below 1.
    """

    def __init__(self, dimensions=2, **kwargs):
        super().__init__(**kwargs)
        if dimensions < 1:
            raise InputError(f"A point has at least 1 dimension, not {dimensions}.")
        self.dimensions = dimensions
        self.mean = self.add_weight(shape=(dimensions,), initializer="zeros", name="mean")
        self.log_scale = self.add_weight(shape=(dimensions,), initializer="zeros", name="log_scale")
        num_below = dimensions * (dimensions - 1) // 2
        self.below = self.add_weight(shape=(num_below,), initializer="zeros", name="below")

    def log_density(self, points):
        return normal_log_density(points, self.mean[None], self.log_scale[None], self.below[None])[:, 0]

    def solve(self, points):
        """Maximum likelihood in one step: the mean and the covariance of the points (divided by n, not n - 1).

        Args:
            points: array (n, dimensions), more than `dimensions` of them.

        Raises:
            InputError: they all lie on one line, on which the likelihood has no maximum.
        """
        points = np.asarray(points, "float64").reshape(-1, self.dimensions)
        covariance = np.atleast_2d(np.cov(points.T, bias=True))
        if np.linalg.matrix_rank(covariance) < self.dimensions:
            raise InputError(
                f"{counted(len(points), 'point')} on one line: no normal distribution is likeliest, give more points."
            )
        log_scale, below = log_scale_and_below(covariance)
        self.mean.assign(points.mean(axis=0))
        self.log_scale.assign(log_scale)
        self.below.assign(below)

    @property
    def covariance(self):
        """float32 array (dimensions, dimensions)."""
        factor = np.asarray(lower_factor(self.log_scale.value, self.below.value))
        return factor @ factor.T

    def draw(self, count, seed, first=0):
        noise = SampleNoise(seed, first, count).normal(0, (self.dimensions,))
        factor = lower_factor(self.log_scale.value, self.below.value)
        return np.asarray(self.mean + tf.matmul(noise, factor, transpose_b=True))
