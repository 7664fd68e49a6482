"""Energies in the plane, where even the constant that is missing can be computed: as a sum over a fine grid."""

import keras
import numpy as np
from keras import layers, ops

from gdl_keras.backend import full_float32
from gdl_keras.errors import InputError
from gdl_keras.models.densities.density import PointModel
from gdl_keras.models.energy.base import EnergyModel
from gdl_keras.models.energy.ebm import ContrastiveDivergence
from gdl_keras.samplers.langevin import noise_at

# How far the grid reaches from the middle, and how many points it has along each side.
REACH, RESOLUTION = 10.0, 320


def build_point_energy_network(dimensions=2, units=(64, 64), width=2.0):
    """Dense layers from points to an energy, and a bowl that holds everything together.

        E(x) = f(x) + |x|^2 / (2 width^2)

    The bowl is the energy of a wide normal distribution.  It has exp(-E) fall to 0 far out whatever the layers say
    there, where no example tells them anything: without it Z may be infinite, and chains walk away.

    Args:
        dimensions: int, numbers in a point.
        units: of each hidden layer.
        width: float, standard deviation of that normal distribution; a few times as wide as the data.

    Returns:
        `keras.Model`, points (batch, dimensions) -> energies, float32 (batch, 1).  4,416 weights by default.
    """
    points = keras.Input((dimensions,), name="points")
    x = points
    for count in units:
        x = layers.Dense(count, activation="swish")(x)
    bowl = ops.sum(ops.square(points), axis=1, keepdims=True) / (2 * width**2)
    energy = layers.Dense(1, use_bias=False, dtype="float32", name="energy")(x) + ops.cast(bowl, "float32")
    return keras.Model(points, energy, name="network")


class PointEnergyModel(PointModel, EnergyModel):
    """An `EnergyModel` of points at temperature 1: its samples have the density exp(-E(x)) / Z.

    Z is a sum over a square grid, so that there is a likelihood; chains begin uniform in a square, and nothing bounds
    them but the network's bowl.
    """

    likelihood_is = "exact"

    @full_float32()
    def negative_log_likelihood(self, batch, seed=0, first=0):
        """E(x) + log Z of each point: float64 array (n,), nats.

        Z is computed anew each time, by the rectangle rule over [-10, 10] x [-10, 10]: exact as far as an energy is
        smooth at the distance of 1/16 and exp(-E) is next to nothing outside.

        Raises:
            InputError: these are no points in the plane.
        """
        if self.example_shape != (2,):
            raise InputError(f"Z is a sum over the plane, and these are points of {self.example_shape[0]} numbers.")
        return self.energies(np.asarray(batch, "float32")) + self.log_partition()

    def log_partition(self):
        """log Z: float."""
        side = (np.arange(RESOLUTION) + 0.5) / RESOLUTION * (2 * REACH) - REACH
        grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2).astype("float32")
        cell = (2 * REACH / RESOLUTION) ** 2
        return float(np.logaddexp.reduce(-self.energies(grid)) + np.log(cell))

    def scores(self, points):
        """The slope of log p at points (n, 2), which needs no Z: float64 array (n, 2)."""
        return -np.asarray(self._slope(np.asarray(points, "float32")), "float64")


@keras.saving.register_keras_serializable(package="gdl_keras")
class PointEBM(PointEnergyModel, ContrastiveDivergence):
    """`ContrastiveDivergence` of points; args as there.

    The noise is by default that of temperature 1, so that contrastive divergence is maximum likelihood, as far as the
    chains have come near to the model's density.
    """

    def __init__(self, network, steps=20, step_size=0.005, noise=None, **kwargs):
        noise = noise_at(1.0, step_size) if noise is None else noise
        usual = {"slope_clip": None, "penalty": 0.0, "reach": 3.0}
        super().__init__(network, steps, step_size, noise, **{**usual, **kwargs})
