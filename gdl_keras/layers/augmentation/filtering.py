"""Frequencies that are stronger or weaker than they were (appendix B, image-space filtering)."""

import numpy as np
import tensorflow as tf

from gdl_keras.layers.augmentation.wavelets import bands

# Deviation of a band's gain, in doublings.
GAIN = 1.0
# How much of the power of photographs, 1 / frequency^2, lies in each band.
POWER = np.array([10, 1, 1, 1], "float32") / 13


def random_filtering(images, draws, strength):
    """Each of the four bands with probability `strength`."""
    factors = [2 ** draws.chosen(strength, draws.normal(GAIN), 0.0) for _ in POWER]
    return filtered(images, gains(tf.stack(factors, axis=-1)))


def gains(factors):
    """What the bands are multiplied by, so that an image of usual power keeps it, whichever band is changed.

        g_i = t_i / prod_j sqrt(1 + power_j (t_j^2 - 1))

    Args:
        factors: float32 tensor (batch, 4), t.

    Returns:
        float32 tensor (batch, 4).
    """
    powers = 1 + POWER * (tf.square(factors) - 1)
    return factors * tf.math.rsqrt(tf.reduce_prod(powers, axis=-1, keepdims=True))


def filtered(images, gains):
    """Images filtered along both axes by the sum of the four bands, each times its gain.

    Args:
        images: float32 tensor (batch, height, width, channels).
        gains: float32 tensor (batch, 4).
    """
    rows, columns = (tf.einsum("nb,bij->nij", gains, bands(size)) for size in images.shape[1:3])
    return tf.einsum("nlk,nikc->nilc", columns, tf.einsum("nij,njkc->nikc", rows, images))
