"""Values of images at places: on pixels and between them, within the picture and in the mirror of its edges."""

import tensorflow as tf


def reflected(places, size):
    """The places of [0, size - 1] that these are mirror images of; the edge itself is not repeated.

    ... 2 1 [0 1 2 ... size - 1] size - 2 ...

    Args:
        places: int or float tensor, any numbers.
        size: int, at least 2.
    """
    period = 2 * (size - 1)
    places = tf.math.floormod(places, period)
    return tf.minimum(places, period - places)


def taken(images, rows, columns):
    """The pixels in these rows and columns.

    Args:
        images: float32 tensor (batch, height, width, channels).
        rows, columns: int32 tensors of one shape (batch, ...), from 0 to height - 1 and to width - 1.

    Returns:
        float32 tensor (batch, ..., channels).
    """
    _, height, width, channels = images.shape
    pixels = tf.reshape(images, (-1, height * width, channels))
    return tf.gather(pixels, rows * width + columns, batch_dims=1)


def interpolated(images, rows, columns):
    """Between four pixels, the mean of them by how near they are: as `taken`, with float32 rows and columns."""
    top, left = (
        tf.clip_by_value(tf.cast(tf.floor(places), tf.int32), 0, size - 2)
        for places, size in ((rows, images.shape[1]), (columns, images.shape[2]))
    )
    below, beyond = rows - tf.cast(top, tf.float32), columns - tf.cast(left, tf.float32)
    values = 0.0
    for row, row_share in ((top, 1 - below), (top + 1, below)):
        for column, column_share in ((left, 1 - beyond), (left + 1, beyond)):
            values += (row_share * column_share)[..., None] * taken(images, row, column)
    return values
