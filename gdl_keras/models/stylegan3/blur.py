"""A blur of what a discriminator sees at first, so that it cannot go by details before there is an image."""

import numpy as np
import tensorflow as tf

# Of this standard deviation, in pixels, neighbours have no weight in float32.
SMALLEST = 1e-3


def blurred(images, sigma):
    """Images behind a bell curve along both axes, whose weights within the image sum to 1 at every place.

    Args:
        images: float32 tensor (batch, height, width, channels).
        sigma: float32 scalar, its standard deviation in pixels; with 0 images are what they are, to the bit.

    Returns:
        float32 tensor of that shape.
    """
    rows, columns = (_weights(size, sigma) for size in images.shape[1:3])
    smooth = tf.einsum("lk,nikc->nilc", columns, tf.einsum("ij,njkc->nikc", rows, images))
    return tf.where(sigma > 0, smooth, images)


def _weights(size, sigma):
    places = np.arange(size, dtype="float32")
    weights = tf.exp(-(((places[:, None] - places) / tf.maximum(sigma, SMALLEST)) ** 2) / 2)
    return weights / tf.reduce_sum(weights, axis=1, keepdims=True)
