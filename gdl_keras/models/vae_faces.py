"""Networks of a variational autoencoder for colour images, and arithmetic with what they learn.

Four convolutions instead of three, batch normalisation after each, and a latent space of 200 dimensions.  In it, the
mean of all images that have something (blond hair, a smile) minus the mean of those that have not is a direction: walk
along it and an image gains what it lacked.

Book: chapter 3, "Exploring the latent space".  Papers: as in `vae.py`; White 2016, Sampling generative networks,
arXiv:1609.04468, for attribute vectors.
"""

import math

import keras
import numpy as np
from keras import layers

from gdl_keras.errors import InputError, check_one_of
from gdl_keras.layers import FusedBatchNormalization
from gdl_keras.models.parts.endings import in_float32
from gdl_keras.models.parts.sizes import reduced_size

LEAK = 0.3


def build_encoder(image_shape, latent_dim=200, filters=(128, 128, 128, 128)):
    """Strided convolutions with batch normalisation, then the cloud's mean and logarithm of its variance.

    Args:
        image_shape: (height, width, channels); height and width multiples of 2 ** len(filters).
        latent_dim: int, numbers per latent point.
        filters: channels after each convolution.

    Returns:
        `keras.Model`, images (batch, *image_shape) in [0, 1] -> (mean, log_variance), both float32
        (batch, latent_dim).  653,584 weights for the book's (32, 32, 3).

    Raises:
        InputError: the image cannot be halved that often.
    """
    reduced_size(image_shape, filters)
    images = keras.Input(image_shape, name="images")
    x = images
    for width in filters:
        x = _normalize_and_activate(layers.Conv2D(width, 3, strides=2, padding="same")(x))
    x = layers.Flatten()(x)
    mean = layers.Dense(latent_dim, dtype="float32", name="mean")(x)
    log_variance = layers.Dense(latent_dim, dtype="float32", name="log_variance")(x)
    return keras.Model(images, [mean, log_variance], name="encoder")


def build_decoder(image_shape, latent_dim=200, filters=(128, 128, 128, 128)):
    """The encoder backwards, with a logit for each number of the image.

    Args, errors as in `build_encoder`.

    Returns:
        `keras.Model`, float (batch, latent_dim) -> float32 (batch, *image_shape), whose sigmoid is the image.  700,803
        weights for the book's (32, 32, 3).
    """
    start = (*reduced_size(image_shape, filters), filters[-1])
    latents = keras.Input((latent_dim,), name="latents")
    x = _normalize_and_activate(layers.Dense(math.prod(start))(latents))
    x = layers.Reshape(start)(x)
    for width in reversed(filters):
        x = _normalize_and_activate(layers.Conv2DTranspose(width, 3, strides=2, padding="same")(x))
    x = layers.Conv2DTranspose(image_shape[-1], 3, padding="same", name="logits")(x)
    return keras.Model(latents, in_float32(x), name="decoder")


def attribute_vector(latents, has, minus="others"):
    """The direction in latent space along which images gain an attribute.

    Args:
        latents: float array (n, latent_dim), the centres of encoded images.
        has: bool array (n,), which images have it.
        minus: "others": the mean of those that have it, minus the mean of those that have not (White 2016);
            "all": minus the mean of all images.

    Returns:
        float32 array (latent_dim,), not normalised: added once, it is the whole step from the one mean to the other.

    Raises:
        InputError: all images have it, or none.
    """
    has = np.asarray(has, bool)
    if has.all() or not has.any():
        raise InputError("An attribute that all images have, or none, has no direction.")
    check_one_of("minus", minus, ("others", "all"))
    rest = latents if minus == "all" else latents[~has]
    return (latents[has].mean(axis=0) - rest.mean(axis=0)).astype("float32")


def _normalize_and_activate(x):
    return layers.LeakyReLU(LEAK)(FusedBatchNormalization()(x))
