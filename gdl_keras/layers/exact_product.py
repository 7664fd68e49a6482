"""Products of matrices whose float32 must not be rounded, such as those of which small differences are taken."""

import tensorflow as tf

from gdl_keras.backend import on_gpu

# TF32 keeps 10 of the 23 bits of a float32's mantissa.
KEPT = 0xFFFFE000


def exact_product(a, b):
    """`a @ b` to float32's own precision, also on a GPU that rounds what it multiplies to TF32.

        a b  ~  high(a) high(b) + high(a) low(b) + low(a) high(b),      a = high(a) + low(a)

    high(a) has no more bits than TF32 keeps, low(a) what is left; what is missing is 2^-22 of the product.

    Args:
        a, b: float32 tensors (n, k) and (k, m).

    Returns:
        float32 tensor (n, m).
    """
    return _in_parts(a, b) if on_gpu() else tf.matmul(a, b)


@tf.custom_gradient
def _in_parts(a, b):
    (high_a, low_a), (high_b, low_b) = _parts(a), _parts(b)

    def gradient(upstream):
        return _in_parts(upstream, tf.transpose(b)), _in_parts(tf.transpose(a), upstream)

    return tf.matmul(high_a, high_b) + (tf.matmul(high_a, low_b) + tf.matmul(low_a, high_b)), gradient


def _parts(values):
    high = tf.bitcast(tf.bitwise.bitwise_and(tf.bitcast(values, tf.uint32), tf.constant(KEPT, tf.uint32)), tf.float32)
    return high, values - high
