"""A 1x1 convolution that can be undone: it mixes the channels of each pixel, and its determinant is easily told."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


@keras.saving.register_keras_serializable(package="gdl_keras")
class InvertibleConvolution(layers.Layer):
    """Each pixel's channels times one square matrix, kept as its LU decomposition (Kingma & Dhariwal 2018, eq. 10).

        W = P L (U + diag(sign exp(log_scale))),      y = x W,      log |det dy/dx| = height * width * sum(log_scale)

    P is a permutation and stays, L has ones on its diagonal and weights below, U has weights above; so the determinant
    is a sum instead of a computation that grows with the cube of the channels, and W can never become singular.  It
    begins as a random rotation.

    Call arguments:
        inputs: float32 tensor (batch, height, width, channels).

    Returns:
        (float32 tensor of that shape, log-determinants (batch,)).
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def build(self, input_shape):
        channels = input_shape[-1]
        square, row = (channels, channels), (channels,)
        rotation = keras.initializers.Orthogonal()(square)
        both, rows = (np.asarray(part) for part in tf.linalg.lu(rotation))
        diagonal = np.diagonal(both)
        self.order = self._kept("order", row, np.argsort(rows), "int32", trainable=False)
        self.sign = self._kept("sign", row, np.sign(diagonal), trainable=False)
        self.log_scale = self._kept("log_scale", row, np.log(np.abs(diagonal)))
        self.below = self._kept("below", square, np.tril(both, -1))
        self.above = self._kept("above", square, np.triu(both, 1))

    def _kept(self, name, shape, value, dtype="float32", trainable=True):
        weight = self.add_weight(shape, "zeros", name=name, dtype=dtype, trainable=trainable)
        weight.assign(value)
        return weight

    def call(self, inputs):
        batch, height, width, _ = ops.shape(inputs)
        log_det = ops.cast(height * width, "float32") * ops.sum(self.log_scale.value)
        return ops.matmul(inputs, self.matrix()), log_det * ops.ones((batch,), "float32")

    def inverse(self, outputs):
        """The inputs that outputs come from: float32 tensor of the same shape."""
        lower, upper = self._factors()
        # W = P L U, so 1/W = 1/U 1/L P^T: two triangular systems, and rows back in their order.
        solved = tf.linalg.triangular_solve(lower, ops.eye(lower.shape[0]))
        solved = tf.linalg.triangular_solve(upper, solved, lower=False)
        return ops.matmul(outputs, ops.take(solved, self.order.value, axis=1))

    def matrix(self):
        """W: float32 tensor (channels, channels)."""
        lower, upper = self._factors()
        return ops.take(ops.matmul(lower, upper), self.order.value, axis=0)

    def _factors(self):
        lower = tf.linalg.set_diag(tf.linalg.band_part(self.below.value, -1, 0), tf.ones(self.below.shape[0]))
        upper = tf.linalg.set_diag(
            tf.linalg.band_part(self.above.value, 0, -1), self.sign.value * ops.exp(self.log_scale.value)
        )
        return lower, upper
