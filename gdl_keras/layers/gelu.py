"""GELU, x times the probability that a normal number is below x, quicker in training on a processor."""

import math

import tensorflow as tf

from gdl_keras.backend import on_gpu


def gelu(x, training=False):
    """x Phi(x), Phi the distribution function of the normal distribution: `keras.activations.gelu`, unapproximated.

    TensorFlow composes the value, and again its slope, of a dozen operations.  In training each of the two is one here,
    which XLA compiles for each new shape.  A GPU, where the whole step is compiled, has no need of that, and a text
    that is written token by token would wait for it.

    Source: Hendrycks & Gimpel 2016, Gaussian error linear units, arXiv:1606.08415.

    Args:
        x: float tensor of any shape.
        training: bool.

    Returns:
        tensor of its shape and dtype.
    """
    if not training or on_gpu():
        return tf.nn.gelu(x, approximate=False)
    return _compiled(x)


@tf.custom_gradient
def _compiled(x):
    return _value(x), lambda upstream: _slope(x, upstream)


@tf.function(jit_compile=True)
def _value(x):
    return tf.cast(_float32(x) * _below(_float32(x)), x.dtype)


@tf.function(jit_compile=True)
def _slope(x, upstream):
    x32 = _float32(x)
    density = tf.exp(-0.5 * tf.square(x32)) / math.sqrt(2 * math.pi)
    return tf.cast(_float32(upstream) * (_below(x32) + x32 * density), x.dtype)


def _below(x):
    # XLA's erf comes no closer to -1 than 2e-7, which a large negative number would multiply.
    return tf.where(x < -6.0, 0.0, 0.5 + 0.5 * tf.math.erf(x * math.sqrt(0.5)))


def _float32(x):
    return tf.cast(x, tf.float32)
