"""Noise, and a square that is painted over (appendix B, image-space corruptions)."""

import tensorflow as tf

# Deviation of the deviation of an image's noise.
NOISE = 0.1
# The side of the square, as a share of the image's.
HOLE = 0.5


def random_noise(images, draws, strength):
    """Noise, of a deviation of its own for each image, with probability `strength`."""
    deviations = draws.chosen(strength, tf.abs(draws.normal(NOISE)), 0.0)
    return images + deviations[:, None, None, None] * draws.normal(shape=images.shape[1:])


def random_cutout(images, draws, strength):
    """A hole anywhere, also across an edge, with probability `strength`."""
    size = draws.chosen(strength, HOLE, 0.0)
    return cutout(images, size, draws.uniform(), draws.uniform())


def cutout(images, size, row, column):
    """Images with a rectangle of mid-grey, which is 0.

    Args:
        images: float32 tensor (batch, height, width, channels).
        size: float32 tensor (batch,), its sides as a share of the image's.
        row, column: float32 tensors (batch,), its centre, from 0 to 1.
    """
    rows, columns = (
        tf.abs((tf.range(pixels, dtype=tf.float32) + 0.5) / pixels - centre[:, None]) < size[:, None] / 2
        for pixels, centre in ((images.shape[1], row), (images.shape[2], column))
    )
    hole = (rows[:, :, None] & columns[:, None, :])[..., None]
    return tf.where(hole, 0.0, images)
