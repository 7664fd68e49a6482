"""How much of its codebook a codec makes use of, over a whole epoch: in one batch many codes have no chance to come."""

import keras
import tensorflow as tf
from keras import ops


class CodeUse(keras.metrics.Metric):
    """Counts how often each code is chosen; a subclass says what of.

    Args:
        num_codes: int.
    """

    def __init__(self, num_codes, **kwargs):
        super().__init__(**kwargs)
        self.num_codes = num_codes
        self.counts = self.add_weight(shape=(num_codes,), initializer="zeros", name="counts")

    def update_state(self, codes):
        """Args: codes: int tensor of any shape."""
        codes = tf.reshape(codes, (-1,))
        ones = tf.ones_like(codes, self.counts.dtype)
        self.counts.assign_add(tf.math.unsorted_segment_sum(ones, codes, self.num_codes))


class Perplexity(CodeUse):
    """exp(-sum_k p_k log p_k), p_k the share of code k: how many codes it would be if all were chosen alike.

    1 where one code is chosen always, `num_codes` where all are alike, and 0 before any was.
    """

    def result(self):
        share = self.counts / ops.maximum(ops.sum(self.counts), 1.0)
        entropy = -ops.sum(tf.math.xlogy(share, share))
        return ops.where(ops.sum(self.counts) > 0, ops.exp(entropy), 0.0)


class DeadCodes(CodeUse):
    """How many codes were never chosen."""

    def result(self):
        return ops.sum(ops.cast(ops.equal(self.counts, 0), "float32"))


class CodesUsed(CodeUse):
    """The share of the codes that were chosen at least once."""

    def result(self):
        return ops.mean(ops.cast(self.counts > 0, "float32"))


class PooledPSNR(keras.metrics.Mean):
    """10 log10(1 / e), in decibels, e the mean of the squared errors of all numbers in [0, 1] that were reported."""

    def result(self):
        return -10 * ops.log10(ops.maximum(super().result(), 1e-10))
