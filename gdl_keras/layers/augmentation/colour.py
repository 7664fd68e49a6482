"""Brightness, contrast, luma flip, hue and saturation (appendix B, colour transformations)."""

import math

import numpy as np
import tensorflow as tf

BRIGHTNESS = 0.2
# Deviations in doublings.
CONTRAST = 0.5
SATURATION = 1.0

# Of homogeneous colours (red, green, blue, 1): what keeps the axis of greys, and what is across it.
ALONG_GREY = np.pad(np.full((3, 3), 1 / 3), (0, 1)).astype("float32")
ACROSS_GREY = np.diag([1, 1, 1, 0]).astype("float32") - ALONG_GREY
# The product with the unit vector of grey: a quarter turn of what is across it.
ROUND_GREY = np.pad(np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3), (0, 1)).astype("float32")
NOTHING = np.eye(4, dtype="float32")


def random_colour(images, draws, strength):
    """Each of the five with probability `strength`."""
    brightness = draws.chosen(strength, draws.normal(BRIGHTNESS), 0.0)
    contrast = 2 ** draws.chosen(strength, draws.normal(CONTRAST), 0.0)
    flip = tf.cast(draws.chosen(strength, draws.whole(2), 0), tf.float32)
    hue = draws.chosen(strength, draws.uniform(-math.pi, math.pi), 0.0)
    saturation = 2 ** draws.chosen(strength, draws.normal(SATURATION), 0.0)
    return recoloured(images, colour_matrices(brightness, contrast, flip, hue, saturation))


def colour_matrices(brightness, contrast, flip, hue, saturation):
    """What adds brightness, stretches contrast about mid-grey, exchanges light and dark, turns hues, and stretches the
    distance from grey, in this order.

        saturation:  I + (s - 1) A        A: across the axis of greys, v = (1, 1, 1) / sqrt(3)
        hue:         I + sin(t) [v]x + (cos(t) - 1) A
        luma flip:   I - 2 v v^T          (Householder's reflection)

    Args:
        brightness, contrast, flip, hue, saturation: float32 tensors (batch,): added to colours in [-1, 1]; a factor;
            1 or 0; radians; a factor.

    Returns:
        float32 tensor (batch, 4, 4).
    """
    brightness, contrast, flip, hue, saturation = (
        tensor[:, None, None] for tensor in (brightness, contrast, flip, hue, saturation)
    )
    white = np.pad(np.ones((3, 1), "float32"), ((0, 1), (3, 0)))
    return (
        (NOTHING + (saturation - 1) * ACROSS_GREY)
        @ (NOTHING + tf.sin(hue) * ROUND_GREY + (tf.cos(hue) - 1) * ACROSS_GREY)
        @ (NOTHING - 2 * flip * ALONG_GREY)
        @ (NOTHING + (contrast - 1) * (ALONG_GREY + ACROSS_GREY))
        @ (NOTHING + brightness * white)
    )


def recoloured(images, matrices):
    """Images of one or three channels; a grey one stays grey, as if it had three equal ones: it has no hue.

    Args:
        images: float32 tensor (batch, height, width, 1 or 3).
        matrices: float32 tensor (batch, 4, 4).
    """
    linear, added = matrices[:, :3, :3], matrices[:, None, None, :3, 3]
    if images.shape[-1] == 1:
        linear = tf.reduce_mean(tf.reduce_sum(linear, axis=2, keepdims=True), axis=1, keepdims=True)
        added = tf.reduce_mean(added, axis=-1, keepdims=True)
    return tf.einsum("nhwc,ndc->nhwd", images, linear) + added
