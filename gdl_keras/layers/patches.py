"""Squares of pixels as channels, and back: what a convolution costs falls with the number of places it visits."""

import keras
import tensorflow as tf


class _Patches(keras.layers.Layer):
    def __init__(self, size=2, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def get_config(self):
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable(package="gdl_keras")
class ToPatches(_Patches):
    """Squares of `size` x `size` pixels become one: (batch, h, w, c) -> (batch, h / size, w / size, c size^2)."""

    def call(self, images):
        return images if self.size == 1 else tf.nn.space_to_depth(images, self.size)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return batch, height // self.size, width // self.size, channels * self.size**2


@keras.saving.register_keras_serializable(package="gdl_keras")
class FromPatches(_Patches):
    """The inverse of `ToPatches`: (batch, h, w, c) -> (batch, h size, w size, c / size^2)."""

    def call(self, images):
        return images if self.size == 1 else tf.nn.depth_to_space(images, self.size)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return batch, height * self.size, width * self.size, channels // self.size**2
