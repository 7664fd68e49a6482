"""A generative adversarial network for points in the plane: an implicit density.

The generator is a map of the plane: it takes a cloud of standard normal points, and bends and stretches it until a
discriminator cannot tell the result from the examples.  Nowhere is there a density: it can be sampled, and that is all.

The algorithm is `GAN`'s; this file has the networks.
"""

import keras
from keras import layers

from gdl_keras.models.densities.density import PointModel
from gdl_keras.models.gan import GAN


def build_point_generator(dimensions=2, latent_dim=2, units=(19,)):
    """Dense layers from latent points to points of the data.

    Args:
        dimensions: int, numbers in a point.
        latent_dim: int, numbers in a latent point.
        units: of each hidden layer.

    Returns:
        `keras.Model`, float (batch, latent_dim) -> float32 (batch, dimensions).  97 weights by default.
    """
    latents = keras.Input((latent_dim,), name="latents")
    x = latents
    for width in units:
        x = layers.Dense(width, activation="tanh")(x)
    return keras.Model(latents, layers.Dense(dimensions, dtype=keras.config.floatx())(x), name="generator")


def build_point_discriminator(dimensions=2, units=(64, 64)):
    """Dense layers from points to the logit of being real: `keras.Model`, (batch, dimensions) -> float32 (batch, 1)."""
    points = keras.Input((dimensions,), name="points")
    x = points
    for width in units:
        x = layers.Dense(width, activation="leaky_relu")(x)
    return keras.Model(points, layers.Dense(1, dtype=keras.config.floatx(), name="logit")(x), name="discriminator")


@keras.saving.register_keras_serializable(package="gdl_keras")
class PointGAN(PointModel, GAN):
    """A `GAN` whose samples are points; args as there."""
