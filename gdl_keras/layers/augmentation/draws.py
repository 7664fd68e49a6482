"""The random numbers of one call of a pipeline."""

import tensorflow as tf


class Draws:
    """Random numbers for each image of a batch, other ones at each call of a method.

    Args:
        seed: int32 tensor (2,), on which all of them depend.
        count: int or int tensor, how many images.
    """

    def __init__(self, seed, count):
        self.seed = seed
        self.count = count
        self.drawn = 0

    def uniform(self, low=0.0, high=1.0):
        """float32 tensor (count,), in [low, high)."""
        return tf.random.stateless_uniform((self.count,), self._next_seed(), low, high)

    def normal(self, deviation=1.0, shape=()):
        """float32 tensor (count, *shape), of mean 0."""
        return tf.random.stateless_normal((self.count, *shape), self._next_seed(), stddev=deviation)

    def whole(self, choices):
        """int32 tensor (count,) of 0, 1, ..., choices - 1, each as probable."""
        return tf.random.stateless_uniform((self.count,), self._next_seed(), maxval=choices, dtype=tf.int32)

    def happens(self, probability):
        """bool tensor (count,)."""
        return self.uniform() < probability

    def chosen(self, probability, values, otherwise):
        """Each of `values`, a tensor (count,), with that probability, and `otherwise`, a number, in the place of it."""
        return tf.where(self.happens(probability), values, otherwise)

    def _next_seed(self):
        self.drawn += 1
        return tf.random.experimental.stateless_fold_in(self.seed, self.drawn)
