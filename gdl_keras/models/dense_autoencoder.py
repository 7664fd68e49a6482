"""Dense networks for the autoencoder: each unit sees all pixels, and nothing says which of them are neighbours.

Three autoencoders in one pair of functions:

- stacked: hidden layers in front of the latent points and behind them, `units=(100,)`, the default;
- dense: no hidden layer at all, `units=()`, which leaves the sigmoid of the pixels as the only curved thing;
- linear: `units=()`, and `final_activation="linear"` in the `Autoencoder`.  With the mean squared error its best
  reconstructions are those of principal component analysis: the decoder's weights span the plane of the first
  `latent_dim` principal directions (Bourlard & Kamp 1988; Baldi & Hornik 1989).  The latent axes within that plane stay
  arbitrary;
  `principal_components` takes the directions themselves.

Book: Géron, Hands-On Machine Learning, chapter 17.  Paper: Klambauer et al. 2017, Self-normalizing neural networks,
arXiv:1706.02515, for SELU and the initialisation that it needs.
"""

import math

import keras
import numpy as np
from keras import layers

from gdl_keras.errors import InputError


def build_dense_encoder(image_shape, latent_dim=30, units=(100,), activation="selu"):
    """A flat image through dense layers, the last one without activation.

    Args:
        image_shape: (height, width, channels).
        latent_dim: int, numbers per image.
        units: widths of the hidden layers, from the image to the latent points.
        activation: of the hidden layers.

    Returns:
        `keras.Model`, images (batch, *image_shape) in [0, 1] -> float32 (batch, latent_dim).  81,530 weights for
        (28, 28, 1) and the default sizes.
    """
    images = keras.Input(image_shape, name="images")
    x = _hidden(layers.Flatten()(images), units, activation)
    latents = layers.Dense(latent_dim, dtype="float32", name="latents")(x)
    return keras.Model(images, latents, name="encoder")


def build_dense_decoder(image_shape, latent_dim=30, units=(100,), activation="selu"):
    """The encoder backwards, without an activation at its end.

    Args:
        units: widths of the hidden layers as the encoder has them; the decoder takes them from the last to the first.
        image_shape, latent_dim, activation: as in `build_dense_encoder`.

    Returns:
        `keras.Model`, float (batch, latent_dim) -> float32 (batch, *image_shape), of which `Autoencoder` makes
        images.  82,284 weights for (28, 28, 1) and the default sizes.
    """
    latents = keras.Input((latent_dim,), name="latents")
    x = _hidden(latents, reversed(units), activation)
    x = layers.Dense(math.prod(image_shape), dtype="float32", name="pixels")(x)
    return keras.Model(latents, layers.Reshape(image_shape, dtype="float32")(x), name="decoder")


def principal_components(images, latent_dim=30):
    """The linear networks that need no training: their weights are worked out (Pearson 1901; Hotelling 1933).

        latents = W (x - m),   image = m + W^T latents

    m is the mean image; the rows of W are the eigenvectors of the pixels' covariance with the largest eigenvalues.  The
    time grows with the third power of the number of pixels: about a second for 1,024, minutes for 10,000.

    Args:
        images: float array (n, height, width, channels); with more of them than `latent_dim` all directions count.
        latent_dim: int, how many directions.

    Returns:
        (encoder, decoder), built as by `build_dense_encoder` and `build_dense_decoder` with `units=()`, for an
        `Autoencoder` with `final_activation="linear"`.

    Raises:
        InputError: there are fewer than two images, or fewer pixels than directions.
    """
    flat = images.reshape(len(images), -1)
    if len(flat) < 2 or latent_dim > flat.shape[1]:
        raise InputError(f"{len(flat)} images of {flat.shape[1]} pixels do not have {latent_dim} principal directions.")
    _, directions = np.linalg.eigh(np.cov(flat, rowvar=False))
    mean, largest = flat.mean(axis=0), directions[:, : -latent_dim - 1 : -1]
    encoder = build_dense_encoder(images.shape[1:], latent_dim, units=())
    decoder = build_dense_decoder(images.shape[1:], latent_dim, units=())
    encoder.set_weights([largest, -mean @ largest])
    decoder.set_weights([largest.T, mean])
    return encoder, decoder


def _hidden(x, units, activation):
    for width in units:
        x = layers.Dense(width, activation=activation, kernel_initializer="lecun_normal")(x)
    return x
