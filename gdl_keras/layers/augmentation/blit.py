"""Pixel blits: flips, quarter turns and shifts by whole pixels, which change no value (appendix B, pixel blitting)."""

import tensorflow as tf

from gdl_keras.layers.augmentation.places import reflected, taken

# The largest shift, as a share of the image.
REACH = 0.125


def random_blit(images, draws, strength):
    """Each of the three with probability `strength`; what it then is may be none at all, such as a turn by nothing."""
    height, width = images.shape[1:3]
    flips = draws.chosen(strength, draws.whole(2), 0)
    turns = draws.chosen(strength, draws.whole(4), 0)
    shifted = draws.happens(strength)
    rows, columns = (
        tf.where(shifted, tf.cast(tf.round(size * draws.uniform(-REACH, REACH)), tf.int32), 0)
        for size in (height, width)
    )
    return blit(images, flips, turns, rows, columns)


def blit(images, flips, turns, rows, columns):
    """Flips left and right, then turns, then shifts; what comes in from outside is the mirror image.

    Args:
        images: float32 tensor (batch, size, size, channels).
        flips: int32 tensor (batch,), 1 or 0.
        turns: int32 tensor (batch,), quarter turns against the clock, 0 to 3.
        rows, columns: int32 tensors (batch,), how far down and to the right.

    Returns:
        float32 tensor of the shape of `images`.
    """
    last = images.shape[1] - 1
    flips, turns, rows, columns = (tensor[:, None, None] for tensor in (flips, turns, rows, columns))
    places = tf.range(last + 1)
    # Where each pixel comes from: back along the way.  Twice its distance from the centre is a whole number.
    row = 2 * reflected(places[:, None] - rows, last + 1) - last
    column = 2 * reflected(places - columns, last + 1) - last
    cosine, sine = (tf.gather(tf.constant(values), turns) for values in ([1, 0, -1, 0], [0, 1, 0, -1]))
    row, column = cosine * row + sine * column, cosine * column - sine * row
    column = tf.where(flips == 1, -column, column)
    return taken(images, (row + last) // 2, (column + last) // 2)
