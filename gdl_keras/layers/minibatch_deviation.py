"""How much the images of a batch differ, as one more feature: a judge then sees a generator that repeats itself."""

import keras
import tensorflow as tf
from keras import layers, ops

# The variance of images that are all the same has no root with a slope.
EPSILON = 1e-8


@keras.saving.register_keras_serializable(package="gdl_keras")
class MinibatchDeviation(layers.Layer):
    """Adds channels that hold the standard deviation over a group of examples (Karras et al. 2018, section 3).

        s = mean over places and features(sqrt(variance over the group + 1e-8))

    one number a group, which all of its examples get at all places.  Of n examples there are n // group_size groups, or
    one where there are fewer: example i is in group i modulo their number.  If n is no multiple of the group's size,
    some groups have more examples; none has fewer unless the batch has.

    Real and generated images go through it one after the other, so that no group has both.

    Args:
        group_size: int, examples in a group.
        channels: int, parts into which the features are divided, each with a number of its own.

    Call arguments:
        inputs: float tensor (batch, height, width, features), features a multiple of `channels`.

    Returns:
        float tensor (batch, height, width, features + channels); the numbers are computed in float32 under mixed
        precision.
    """

    def __init__(self, group_size=4, channels=1, **kwargs):
        super().__init__(**kwargs)
        self.group_size = group_size
        self.channels = channels

    def call(self, inputs):
        exact = tf.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        height, width, features = inputs.shape[1:]
        # A size that is known is a plain number: within a branch of a graph XLA knows of no other.
        known = exact.shape[0]
        count = tf.shape(exact)[0] if known is None else known
        groups = tf.maximum(count // self.group_size, 1) if known is None else max(count // self.group_size, 1)
        rows = -(-count // groups)
        # The last row of examples, one a group, may be short.
        filled = tf.pad(exact, [[0, rows * groups - count], [0, 0], [0, 0], [0, 0]])
        members = tf.reshape(filled, (rows, groups, height * width, self.channels, features // self.channels))
        is_there = tf.cast(tf.reshape(tf.range(rows * groups) < count, (rows, groups, 1, 1, 1)), exact.dtype)

        sizes = tf.reduce_sum(is_there, axis=0)
        mean = tf.reduce_sum(members, axis=0) / sizes
        variance = tf.reduce_sum(is_there * tf.square(members - mean), axis=0) / sizes
        deviation = tf.reduce_mean(tf.sqrt(variance + EPSILON), axis=(1, 3))
        of_examples = tf.tile(deviation, (rows, 1))[:count]
        planes = tf.broadcast_to(of_examples[:, None, None], (count, height, width, self.channels))
        return ops.concatenate([inputs, tf.cast(planes, inputs.dtype)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + self.channels)

    def get_config(self):
        return {**super().get_config(), "group_size": self.group_size, "channels": self.channels}
