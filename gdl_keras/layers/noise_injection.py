"""Noise that a generator may use for what is left to chance in an image, such as how hairs lie."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="gdl_keras")
class NoiseInjection(keras.layers.Layer):
    """Adds noise to features, the same to all channels of a place, times a strength that is learnt and begins as 0.

    (Karras et al. 2019, arXiv:1812.04948, section 3.2, with a strength for each channel; Karras et al. 2020,
    arXiv:1912.04958, with one for all.)  All layers of a network take theirs from one vector of numbers an image, which
    is the network's input: whoever calls it says what the noise is.

    Args:
        start: int, where in the vector the layer's own numbers begin; there are as many as places.
        by_channel: whether each channel has a strength of its own.

    Call arguments:
        inputs: (features, numbers), float tensors (batch, height, width, channels) and (batch, total).

    Returns:
        float tensor of the shape of the features.
    """

    def __init__(self, start=0, by_channel=False, **kwargs):
        super().__init__(**kwargs)
        self.start = start
        self.by_channel = by_channel

    def build(self, input_shape):
        shape = input_shape[0][-1:] if self.by_channel else ()
        self.strength = self.add_weight(shape=shape, initializer="zeros", name="strength")

    def call(self, inputs):
        features, numbers = inputs
        height, width = features.shape[1:3]
        own = numbers[:, self.start : self.start + height * width]
        return features + self.strength * ops.reshape(own, (-1, height, width, 1))

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "start": self.start, "by_channel": self.by_channel}
