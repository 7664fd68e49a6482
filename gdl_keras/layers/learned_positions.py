"""Learned positions: a vector for each place, added to the token that stands there."""

import keras
import tensorflow as tf

from gdl_keras.errors import InputError


@keras.saving.register_keras_serializable(package="gdl_keras")
class LearnedPositions(keras.layers.Layer):
    """Adds to the vector at place t the t-th of `max_length` vectors, which are learnt.

    Args:
        max_length: int, how many places there are.

    Call arguments:
        x: float tensor (batch, length, dim), length at most `max_length`.

    Raises:
        InputError: it is longer.
    """

    def __init__(self, max_length, **kwargs):
        super().__init__(**kwargs)
        self.max_length = max_length

    def build(self, input_shape):
        self.table = self.add_weight(
            shape=(self.max_length, input_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="table",
        )

    def call(self, x):
        length = x.shape[1]
        if length is not None and length > self.max_length:
            raise InputError(
                f"{length} tokens are more than there are positions, {self.max_length}: give shorter texts, or build "
                "the network with a larger max_length or with rotary positions."
            )
        return x + tf.convert_to_tensor(self.table)[: tf.shape(x)[1]]

    def step(self, x, place):
        """The same for vectors (batch, dim) that all stand at one place, an int tensor."""
        return x + tf.cast(tf.gather(tf.convert_to_tensor(self.table), place), x.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "max_length": self.max_length}
