"""RealNVP: a flow made of couplings, each of which moves one half of the numbers by what the other half says.

    z_a = x_a
    z_b = x_b * exp(s(x_a)) + t(x_a),        log |det dz/dx| = sum s(x_a)

However complicated s and t are, nobody ever has to invert them: x_a is still there, so x_b = (z_b - t) exp(-s).  And
the Jacobian is triangular, so its determinant is the product of its diagonal.  One coupling leaves half of the numbers
where they are; the next one moves those.

Book: chapter 6, "RealNVP"; after Chandra Sarkar's keras.io example.  Papers: Dinh et al. 2017, Density estimation using
Real NVP, arXiv:1605.08803; Dinh et al. 2015, NICE, arXiv:1410.8516.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from gdl_keras.errors import InputError
from gdl_keras.layers.settings import Setting
from gdl_keras.models.flows.points import PointFlow


def build_coupling_network(dimensions=2, units=(256, 256, 256, 256), activation="relu", l2=0.0, name="coupling"):
    """Dense layers that say how a coupling scales and shifts, from the numbers that it leaves alone.

    They begin with s = t = 0, so that the whole flow begins as the map that changes nothing.

    Args:
        dimensions: int, numbers in a point.
        units: of each hidden layer of s, and of each of t.
        activation: of the hidden layers.
        l2: float, how much the squares of the kernels' weights count in the loss.
        name: of the network.

    Returns:
        `keras.Model`, points (batch, dimensions), 0 where the coupling moves them -> (what `RealNVP` makes s of, t),
        both float32 (batch, dimensions).  397,316 weights by default, as in the book.
    """
    points = keras.Input((dimensions,), name="kept")
    outputs = []
    for head in ("scale", "shift"):
        x = points
        for index, width in enumerate(units):
            layer_name = f"{head}_{index + 1}"
            x = layers.Dense(width, activation, kernel_regularizer=_squares(l2), name=layer_name)(x)
        last = {"kernel_initializer": "zeros", "dtype": keras.config.floatx()}
        outputs.append(layers.Dense(dimensions, kernel_regularizer=_squares(l2), name=head, **last)(x))
    return keras.Model(points, outputs, name=name)


def build_coupling_networks(count=6, **options):
    """As many networks for as many couplings: list of `keras.Model`; options as in `build_coupling_network`."""
    return [build_coupling_network(name=f"coupling_{index + 1}", **options) for index in range(count)]


def _squares(l2):
    return keras.regularizers.L2(l2) if l2 else None


@keras.saving.register_keras_serializable(package="gdl_keras")
class RealNVP(PointFlow):
    """Couplings one after the other, which move the odd and the even coordinates in turn (Dinh et al. 2017).

        log p(x) = log N(z; 0, I) + sum over couplings of sum s

    Args:
        networks: list of `keras.Model` as `build_coupling_network` makes them, one a coupling; two or more, or half of
            the coordinates would never move.
        log_scale_bound: float, s = bound * tanh(output / bound): how far one coupling can stretch.  1 in the book.
        dimensions: int, numbers in a point, at least 2.
        seed: int or None.

    Raises:
        InputError: an argument is out of range.
    """

    log_scale_bound = Setting("larger than 0", lambda value: value > 0)

    def __init__(self, networks, log_scale_bound=1.0, dimensions=2, **kwargs):
        super().__init__(dimensions, **kwargs)
        if len(networks) < 2 or dimensions < 2:
            raise InputError(
                f"Couplings move half of the coordinates each: there are at least 2, and 2 dimensions, not "
                f"{len(networks)} and {dimensions}."
            )
        self.networks = list(networks)
        self.log_scale_bound = log_scale_bound

    def bend(self, standard):
        log_det = tf.zeros(tf.shape(standard)[:1])
        for index in range(len(self.networks)):
            log_scale, shift = self.scale_and_shift(index, standard)
            standard = standard * ops.exp(log_scale) + shift
            log_det += ops.sum(log_scale, axis=1)
        return standard, log_det

    def unbend(self, latents):
        return self.way(latents)[-1]

    def way(self, latents):
        stations = [ops.convert_to_tensor(latents, "float32")]
        for index in reversed(range(len(self.networks))):
            log_scale, shift = self.scale_and_shift(index, stations[-1])
            stations.append((stations[-1] - shift) * ops.exp(-log_scale))
        return stations

    def scale_and_shift(self, index, points):
        """s and t of one coupling, 0 for the coordinates that it leaves alone: float32 tensors (batch, dimensions)."""
        # The first moves the second coordinate: of points in the plane y, by what x says.
        kept = (np.arange(self.dimensions) + index + 1) % 2
        outputs, shift = self.networks[index](points * kept)
        log_scale = self.log_scale_bound * ops.tanh(outputs / self.log_scale_bound)
        return (1 - kept) * log_scale, (1 - kept) * shift
