"""What the flows of this project share that move points: they standardise them first."""

import keras
import numpy as np
from keras import ops

from gdl_keras.errors import InputError
from gdl_keras.models.densities.density import PointModel
from gdl_keras.models.flows.base import FlowModel
from gdl_keras.models.generative import AT_MOST


class PointFlow(PointModel, FlowModel):
    """A flow of points (n, dimensions) that are first brought to mean 0 and variance 1.

    That is part of the map, and its log-determinant is counted: the density is that of the points as they are given.
    A subclass writes `bend`, `unbend` and `way`, between standard points and latent ones.

    Args:
        dimensions: int, numbers in a point.
        seed: int or None.

    Attributes:
        mean, scale: weights (dimensions,) that `standardise_by` sets and no step moves.

    Raises:
        InputError: `dimensions` is below 1.
    """

    def __init__(self, dimensions=2, **kwargs):
        super().__init__(**kwargs)
        if dimensions < 1:
            raise InputError(f"A point has at least 1 dimension, not {dimensions}.")
        self.dimensions = dimensions
        self.mean = self.add_weight(shape=(dimensions,), initializer="zeros", trainable=False, name="mean")
        self.scale = self.add_weight(shape=(dimensions,), initializer="ones", trainable=False, name="scale")

    def standardise_by(self, points):
        """Has the map begin by subtracting the mean of these points, and dividing by their standard deviation.

        Args:
            points: array (n, dimensions).

        Raises:
            InputError: a coordinate of them is the same everywhere.
        """
        points = np.asarray(points, "float64")
        scale = points.std(axis=0)
        if not (scale > 0).all():
            raise InputError("A coordinate of the points is the same everywhere: a density needs points that vary.")
        self.mean.assign(points.mean(axis=0))
        self.scale.assign(scale)

    def forward(self, examples):
        latents, log_det = self.bend((examples - self.mean) / self.scale)
        return latents, log_det - ops.sum(ops.log(self.scale))

    def inverse(self, latents):
        return self.unbend(latents) * self.scale + self.mean

    def bend(self, standard):
        """From standard points to latent ones, as `forward`."""
        raise NotImplementedError(f"{type(self).__name__} has no way to its latent points.")

    def unbend(self, latents):
        """From latent points to standard ones, as `inverse`."""
        raise NotImplementedError(f"{type(self).__name__} has no way back from its latent points.")

    def way(self, latents):
        """Where latent points are on their way to standard ones: list of float32 tensors (n, dimensions).

        The first are the latent points themselves, the last are standard points.
        """
        raise NotImplementedError(f"{type(self).__name__} does not show its way.")

    @property
    def samples_at_once(self):
        return AT_MOST  # of some numbers each: a call costs more than its arithmetic

    @property
    def latent_shape(self):
        return (self.dimensions,)

    @property
    def example_shape(self):
        return (self.dimensions,)

    @property
    def input_signature(self):
        return keras.InputSpec(shape=(None, self.dimensions), dtype="float32", name="points")
