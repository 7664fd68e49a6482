"""Noise that a generator may use for what is left to chance in an image, such as how hairs lie."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="gdl_keras")
class NoiseInjection(keras.layers.Layer):
    """Adds noise to features, the same to all channels of a place, times a strength that is learnt and begins as 0.

    (Karras et al. 2019, arXiv:1812.04948, section 3.2; one strength for all channels as in arXiv:1912.04958.)  All
    layers of a network take theirs from one vector of numbers an image, which is the network's input: whoever calls it
    says what the noise is.

    Args:
        start: int, where in the vector the layer's own numbers begin; there are as many as places.

    Call arguments:
        inputs: (features, numbers), float tensors (batch, height, width, channels) and (batch, total).

    Returns:
        float tensor of the shape of the features.
    """

    def __init__(self, start=0, **kwargs):
        super().__init__(**kwargs)
        self.start = start

    def build(self, input_shape):
        self.strength = self.add_weight(shape=(), initializer="zeros", name="strength")

    def call(self, inputs):
        features, numbers = inputs
        height, width = features.shape[1:3]
        own = numbers[:, self.start : self.start + height * width]
        return features + self.strength * ops.reshape(own, (-1, height, width, 1))

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "start": self.start}
