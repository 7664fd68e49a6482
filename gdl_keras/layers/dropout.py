"""Dropout whose masks differ from replica to replica, and go on after a stop as if there had been none."""

import keras
import tensorflow as tf

from gdl_keras.layers.naming import stored_as
from gdl_keras.layers.seeds import SeedGenerator

# Of a random number of 16 bits.
LEVELS = 2**16


@stored_as("Dropout")
class ReplicaDropout(keras.layers.Layer):
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
        # Two random numbers of 16 bits out of each that is drawn: half the cost of a float32 for each element.
        size = tf.size(inputs)
        drawn = tf.random.stateless_uniform(
            ((size + 1) // 2,), self.seed_generator.next(), minval=None, maxval=None, dtype=tf.uint32
        )
        numbers = tf.reshape(tf.reshape(tf.bitcast(drawn, tf.uint16), (-1,))[:size], tf.shape(inputs))
        dropped = min(round(self.rate * LEVELS), LEVELS - 1)
        scale = tf.constant(LEVELS / (LEVELS - dropped), inputs.dtype)
        return inputs * tf.where(numbers >= dropped, scale, tf.zeros_like(scale))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
