"""How a level of noise tells a layer what to do: each channel is scaled and shifted by numbers made from it."""

import keras
import tensorflow as tf
from keras import ops


@keras.saving.register_keras_serializable(package="gdl_keras")
class ModulatedNormalization(keras.layers.Layer):
    """Features of an image at one size, each channel then scaled and shifted as a vector says.

        y = x / sqrt(mean(x^2) + epsilon) * (1 + scale(vector)) + shift(vector)

    The mean is over all pixels and channels of an image, so that examples do not see each other.  (Perez et al. 2018,
    FiLM, arXiv:1709.07871; Zhang & Sennrich 2019, Root mean square layer normalization, arXiv:1910.07467.)

    Args:
        epsilon: float.

    Call arguments:
        inputs: (x, vector), float tensors (batch, height, width, channels) and (batch, size).

    Returns:
        float tensor of the shape of x.
    """

    def __init__(self, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        (*_, channels), (_, size) = input_shape
        self.kernel = self.add_weight(shape=(size, 2 * channels), initializer="zeros", name="kernel")
        self.bias = self.add_weight(shape=(2 * channels,), initializer="zeros", name="bias")

    def call(self, inputs):
        x, vector = inputs
        # The sum of many squares is more than float16 holds.
        square = ops.mean(ops.square(ops.cast(x, "float32")), axis=(1, 2, 3), keepdims=True)
        scale, shift = tf.split((ops.matmul(vector, self.kernel) + self.bias)[:, None, None, :], 2, axis=-1)
        # The numbers of a channel first: what is done to each pixel takes the time.
        return x * (ops.cast(ops.rsqrt(square + self.epsilon), x.dtype) * (1 + scale)) + shift

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
