"""Scaling, turning and shifting by any amount (appendix B, general geometric transformations).

The four transforms of an image are one matrix, and its pixels are looked up once, in a version of twice the size: made
finer and coarser by a wavelet's orthogonal filter, an image that nothing happened to is what it was.
"""

import math

import tensorflow as tf

from gdl_keras.layers.augmentation.places import interpolated, reflected
from gdl_keras.layers.augmentation.wavelets import SYM6_CENTRE, downsampling, upsampling

# Deviations: of scales in doublings, of shifts as a share of the image.
SCALE = 0.2
REACH = 0.125


def random_geometry(images, draws, strength):
    """Each of scale, turn, stretch and shift with probability `strength`.

    There are two turns, before and after the stretch; that at least one happens has that probability.
    """
    turned = 1 - tf.sqrt(1 - strength)
    scale = 2 ** draws.chosen(strength, draws.normal(SCALE), 0.0)
    first = draws.chosen(turned, draws.uniform(-math.pi, math.pi), 0.0)
    stretch = 2 ** draws.chosen(strength, draws.normal(SCALE), 0.0)
    second = draws.chosen(turned, draws.uniform(-math.pi, math.pi), 0.0)
    shifted = draws.happens(strength)
    down, right = (tf.where(shifted, size * draws.normal(REACH), 0.0) for size in images.shape[1:3])
    return transformed(images, way_back(scale, first, stretch, second, right, down))


def way_back(scale, first, stretch, second, right, down):
    """Of each place of the image that is made, where in the given one it comes from.

    What is undone is, in this order: larger by `scale`; turned against the clock by `first`, radians; wider by
    `stretch` and lower by as much; turned by `second`; shifted by `right` and `down` pixels.

    Args:
        scale, first, stretch, second, right, down: float32 tensors (batch,).

    Returns:
        float32 tensor (batch, 3, 3), of (x, y, 1): pixels to the right and down from the centre.
    """
    return (
        scaling(1 / scale, 1 / scale)
        @ rotation(-first)
        @ scaling(1 / stretch, stretch)
        @ rotation(-second)
        @ translation(-right, -down)
    )


def scaling(x, y):
    """Wider by x and higher by y, tensors (batch,): float32 tensor (batch, 3, 3)."""
    return _matrices([[x, 0, 0], [0, y, 0], [0, 0, 1]])


def rotation(angle):
    """Turns by an angle in radians, a tensor (batch,), against the clock where y points down: as `scaling`."""
    cosine, sine = tf.cos(angle), tf.sin(angle)
    return _matrices([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])


def translation(x, y):
    """Shifts by x to the right and y down, in pixels: as `scaling`."""
    return _matrices([[1, 0, x], [0, 1, y], [0, 0, 1]])


def _matrices(rows):
    """float32 tensor (batch, 3, 3) of rows of tensors (batch,) and numbers that are the same for all."""
    like = next(value for row in rows for value in row if tf.is_tensor(value))
    return tf.stack([tf.stack([value + tf.zeros_like(like) for value in row], axis=-1) for row in rows], axis=-2)


def transformed(images, matrices):
    """Images whose pixels come from elsewhere; outside lie mirror images without end.

    Args:
        images: float32 tensor (batch, height, width, channels).
        matrices: float32 tensor (batch, 3, 3), as of `way_back`.

    Returns:
        float32 tensor of the shape of `images`.
    """
    height, width = images.shape[1:3]
    fine = along_rows_and_columns(images, upsampling(height), upsampling(width))
    y, x = (_places(size) for size in fine.shape[1:3])
    middle = (width - 1) / 2, (height - 1) / 2
    x, y = x - middle[0], y[:, None] - middle[1]
    across, down = (
        matrices[:, row, 0, None, None] * x + matrices[:, row, 1, None, None] * y + matrices[:, row, 2, None, None]
        for row in (0, 1)
    )
    seen = interpolated(fine, _samples(down + middle[1], height), _samples(across + middle[0], width))
    return along_rows_and_columns(seen, downsampling(height), downsampling(width))


def along_rows_and_columns(images, rows, columns):
    """Matrices applied to both axes: (batch, h, w, channels), (h', h), (w', w) -> (batch, h', w', channels)."""
    return tf.einsum("lk,nikc->nilc", columns, tf.einsum("ij,njkc->nikc", rows, images))


def _places(samples):
    """Which pixels the samples of a finer row show, as numbers between those of pixels: float32 tensor (samples,)."""
    return (tf.range(samples, dtype=tf.float32) - SYM6_CENTRE) / 2


def _samples(places, size):
    """Which samples of a finer row show these places; of those that lie beyond all samples, the mirror images."""
    samples = 2 * places + SYM6_CENTRE
    is_there = (samples >= 0) & (samples <= 2 * size + 9)
    return tf.where(is_there, samples, 2 * reflected(places, size) + SYM6_CENTRE)
