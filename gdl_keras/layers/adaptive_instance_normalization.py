"""How a style comes into a layer: each feature of an image is brought to scale, and scaled and shifted as it says."""

import keras
import tensorflow as tf
from keras import layers, ops

from gdl_keras.layers.equalized import EqualizedDense


@keras.saving.register_keras_serializable(package="gdl_keras")
class AdaptiveInstanceNormalization(layers.Layer):
    """Features of an image, each with mean 0 and variance 1 over its places, and then with those that the style names.

        y = (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon) * (1 + scale(style)) + bias(style)

    Means are over the places of one channel of one image.  Scale and bias are a dense layer's, all zero for a style of
    zeros; how loud a feature was before leaves no trace.  (Huang & Belongie 2017, arXiv:1703.06868; Karras et al.
    2019, arXiv:1812.04948, section 2.)

    Args:
        epsilon: float; a feature that is the same at all places becomes the bias.

    Call arguments:
        inputs: (x, style), float tensors (batch, height, width, channels) and (batch, style_dim).

    Returns:
        float tensor of the shape of x, computed in float32 under mixed precision.
    """

    def __init__(self, epsilon=1e-8, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        (*_, channels), style_shape = input_shape
        self.affine = EqualizedDense(2 * channels, gain=1.0, dtype=keras.config.floatx(), name="affine")
        self.affine.build(style_shape)

    def call(self, inputs):
        x, style = inputs
        exact = ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
        scale, bias = tf.split(self.affine(style)[:, None, None], 2, axis=-1)
        centred = exact - ops.mean(exact, axis=(1, 2), keepdims=True)
        variance = ops.mean(ops.square(centred), axis=(1, 2), keepdims=True)
        # The numbers of a channel first: what is done to each pixel takes the time.
        return ops.cast(centred * (ops.rsqrt(variance + self.epsilon) * (1 + scale)) + bias, x.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
