"""The mapping network: from a latent point, which is normal, to a style, which may lie as the data wants it to."""

import keras
from keras import layers

from gdl_keras.layers import EqualizedDense, PixelNormalization, ZeroCurvatureLeakyReLU
from gdl_keras.models.parts.labels import label_input

LEAK = 0.2


def build_mapping(
    latent_dim=512, style_dim=512, num_layers=8, num_classes=None, attributes=False, learning_rate_multiplier=0.01
):
    """Dense layers behind latent points that are brought to a sphere.

    A label's embedding, of the same length, stands beside the point (Karras et al. 2020, arXiv:2006.06676).

    Args:
        latent_dim, style_dim: int, numbers of a latent point and of a style.
        num_layers: int.
        num_classes: int, classes or attributes; None for neither.
        attributes: whether labels are rows of attributes.
        learning_rate_multiplier: float, by how much these layers learn more slowly than others.

    Returns:
        `keras.Model`, latent points (batch, latent_dim), or [points, labels], -> float32 (batch, style_dim); all in
        float32, also under mixed precision.
    """
    inputs = latents = keras.Input((latent_dim,), name="latents")
    x = PixelNormalization(dtype=keras.config.floatx())(latents)
    if num_classes is not None:
        labels, vectors = label_input(num_classes, attributes)
        inputs = [latents, labels]
        x = layers.Concatenate(dtype=keras.config.floatx())([x, embedded(vectors, style_dim)])
    return keras.Model(inputs, mapped(x, style_dim, num_layers, learning_rate_multiplier), name="mapping")


def embedded(vectors, units):
    """Labels, vectors (batch, k), as points of a sphere (batch, units)."""
    float32 = keras.config.floatx()
    return PixelNormalization(dtype=float32)(EqualizedDense(units, gain=1.0, dtype=float32)(vectors))


def mapped(x, units, num_layers, learning_rate_multiplier):
    """Dense layers with leaky rectifiers."""
    float32 = keras.config.floatx()
    for _ in range(num_layers):
        x = EqualizedDense(units, learning_rate_multiplier=learning_rate_multiplier, dtype=float32)(x)
        x = ZeroCurvatureLeakyReLU(LEAK, dtype=float32)(x)
    return x
