"""Images enlarged by making a square of each pixel."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="gdl_keras")
class Doubling2D(keras.layers.Layer):
    """`keras.layers.UpSampling2D(2)`, whose sizes stay known, which a LiteRT export asks for.

    Call arguments:
        inputs: float tensor (batch, height, width, channels), of known size.

    Returns:
        float tensor (batch, 2 height, 2 width, channels).
    """

    def call(self, inputs):
        return enlarged(inputs, 2)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return batch, 2 * height, 2 * width, channels


def enlarged(images, times):
    """Every pixel as a square of times x times: float tensor (batch, times height, times width, channels)."""
    _, height, width, channels = images.shape
    squares = (tf.shape(images)[0], height, times, width, times, channels)
    pixels = tf.reshape(images, (-1, height, 1, width, 1, channels))
    return tf.reshape(tf.broadcast_to(pixels, squares), (-1, times * height, times * width, channels))
