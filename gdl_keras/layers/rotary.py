"""Rotary positions: where a token stands, as an angle by which its numbers are turned.

Source: Su et al. 2021, RoFormer: enhanced transformer with rotary position embedding, arXiv:2104.09864.
"""

import tensorflow as tf

SLOWEST = 10_000.0


def rotated(x, places):
    """Vectors turned by angles that grow with their places, pair by pair.

        (x_j, x_{j + dim/2})  turned by  place * 10000^(-2j / dim),   j < dim/2

    The scalar product of two of them, turned so, depends on the two vectors and on how far apart their places are.

    Args:
        x: float tensor (..., length, dim), dim even.
        places: int tensor (length,).

    Returns:
        tensor of the shape and dtype of `x`.
    """
    half = x.shape[-1] // 2
    speeds = SLOWEST ** (-tf.range(half, dtype=tf.float32) / half)
    angles = tf.cast(places, tf.float32)[:, None] * speeds
    # float16 cannot tell late places apart, but their sines.
    cosine, sine = (tf.cast(wave(angles), x.dtype) for wave in (tf.cos, tf.sin))
    first, second = tf.split(x, 2, axis=-1)  # slices would cost twice as much on the way back
    return tf.concat([first * cosine - second * sine, second * cosine + first * sine], axis=-1)
