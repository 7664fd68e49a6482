"""Self-attention over the places of an image: each place reads from all others, however far away."""

import keras
import tensorflow as tf
from keras import layers, ops

from gdl_keras.layers.spectral_normalization import SpectralNormalization


@keras.saving.register_keras_serializable(package="gdl_keras")
class SelfAttention2D(keras.layers.Layer):
    """What each place of an image adds to itself from places that are like what it looks for.

        shares = softmax(theta(x) phi(x)^T),    y = x + gate * o(shares g(x))

    (Zhang et al. 2019, Self-attention generative adversarial networks, arXiv:1805.08318, equations 1 to 3.)  theta,
    phi, g and o are convolutions of 1x1 without bias.  The gate is one number that is learnt and starts at 0: at first
    the layer is the identity, and a network begins with what convolutions see.  Products are not divided by a root.

    Args:
        spectral: whether each of the four kernels is divided by its largest singular value.
        pooled: whether what is read from, phi and g, is reduced by maxima of 2x2 places, a quarter of the work.
        kernel_initializer: of the four kernels.

    Call arguments:
        x: float tensor (batch, height, width, channels), of known height, width and channels.

    Returns:
        float tensor of the shape of x.
    """

    def __init__(self, spectral=True, pooled=True, kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.spectral = spectral
        self.pooled = pooled
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        _, height, width, channels = input_shape
        self.places = height * width
        self.keys_width, self.values_width = max(1, channels // 8), max(1, channels // 2)
        self.theta, self.phi = (self._convolution(self.keys_width, name, input_shape) for name in ("theta", "phi"))
        self.g = self._convolution(self.values_width, "g", input_shape)
        self.o = self._convolution(channels, "o", (None, height, width, self.values_width))
        self.gate = self.add_weight(shape=(), initializer="zeros", name="gate")

    def call(self, x):
        shares = ops.cast(self.shares(x), self.compute_dtype)
        read = ops.matmul(shares, self._read_from(self.g(x), self.values_width))
        return x + self.gate * self.o(ops.reshape(read, (-1, *x.shape[1:3], self.values_width)))

    def shares(self, x):
        """How much each place takes from each: float32 tensor (batch, places, places read from), rows of sum 1.

        Places are counted row by row; those that are read from are a quarter as many where they are pooled.
        """
        asked = ops.reshape(self.theta(x), (-1, self.places, self.keys_width))
        keys = self._read_from(self.phi(x), self.keys_width)
        return ops.softmax(ops.cast(ops.matmul(asked, ops.transpose(keys, (0, 2, 1))), "float32"))

    def _read_from(self, x, width):
        if self.pooled:
            x = _maxima_of_squares(x)
        return ops.reshape(x, (-1, x.shape[1] * x.shape[2], width))

    def _convolution(self, filters, name, input_shape):
        options = {"kernel_initializer": self.kernel_initializer, "dtype": self.dtype_policy}
        layer = layers.Conv2D(filters, 1, use_bias=False, name=name, **options)
        layer = SpectralNormalization(layer, name=f"{name}_normalized") if self.spectral else layer
        layer.build(input_shape)
        return layer

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        initializer = keras.initializers.serialize(self.kernel_initializer)
        own = {"spectral": self.spectral, "pooled": self.pooled, "kernel_initializer": initializer}
        return {**super().get_config(), **own}


def _maxima_of_squares(x):
    """The maxima of 2x2 places.  Of a layer for it XLA has no gradient that is the same each time."""
    _, height, width, channels = x.shape
    x = tf.pad(x, [[0, 0], [0, height % 2], [0, width % 2], [0, 0]], "SYMMETRIC") if height % 2 or width % 2 else x
    return tf.reduce_max(tf.reshape(x, (-1, -(-height // 2), 2, -(-width // 2), 2, channels)), axis=(2, 4))
