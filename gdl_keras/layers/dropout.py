"""Dropout whose masks differ from replica to replica, and go on after a stop as if there had been none."""

import keras

from gdl_keras.layers.seeds import SeedGenerator


@keras.saving.register_keras_serializable(package="gdl_keras")
class Dropout(keras.layers.Layer):
    """Sets each number to 0 with probability `rate` in training, and divides the others by 1 - rate.

    The same as `keras.layers.Dropout`, whose replicas all draw one mask.  Source: Srivastava et al. 2014, Dropout: a
    simple way to prevent neural networks from overfitting, JMLR 15.

    Args:
        rate: float in [0, 1).
        seed: int or None, start of the random numbers.

    Call arguments:
        inputs: float tensor of any shape.
        training: bool; outside training nothing changes.
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)
        self.supports_masking = True

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        return keras.random.dropout(inputs, self.rate, seed=self.seed_generator)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
