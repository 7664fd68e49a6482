"""A clock that counts the images that a model has learnt from, and an average of its generator by that clock.

Papers on large GANs measure training in thousands of real images, kimg: a number that means the same whatever the size
of a batch.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from gdl_keras.errors import InputError
from gdl_keras.layers.settings import Annealed
from gdl_keras.models.parts.replicas import sum_over_replicas


class Latest(keras.metrics.Mean):
    """A metric that gives the last value of an epoch: what a clock shows, not what it showed on average."""

    def update_state(self, value):
        self.reset_state()
        super().update_state(value)


class KimgClock:
    """For models with a `generator`, in the list of bases before `AdversarialModel`: `count_images` in each step.

    How far the average of the generator reaches back is a number of images, too: after half_life thousands of them,
    half of what it was is left (Karras et al. 2019, arXiv:1812.04948, appendix C, halves in 10).

        average += (1 - decay) (weight - average)
        decay = 0.5 ^ (thousands of images since the average moved last / half_life)
        half_life = min(ema_half_life, ema_ramp * thousands of images so far)

    Args:
        ema_half_life: float, thousands of images; None for no average.  It may be annealed.
        ema_ramp: float, the share of the images so far beyond which the half-life does not go (Karras et al. 2020,
            arXiv:2006.06676, use 0.05), so that a short run has no average of where it began; None for no such bound.

    Attributes:
        images_seen: `keras.Variable`, int64 scalar.  It is saved with the model.

    Raises:
        InputError: `ema_decay` is given, too, or an argument is out of range.
    """

    ema_half_life = Annealed("None or larger than 0", lambda value: value > 0, optional=True)
    ema_ramp = Annealed("None or larger than 0", lambda value: value > 0, optional=True)

    def __init__(self, generator, *, ema_half_life=10.0, ema_ramp=0.05, **kwargs):
        super().__init__(generator, **kwargs)
        if self.ema_decay is not None:
            raise InputError(f"{type(self).__name__} averages by images: give it ema_half_life, not ema_decay.")
        self.images_seen = self._counter("images_seen")
        self.ema_half_life, self.ema_ramp = ema_half_life, ema_ramp
        if self.is_averaging:
            self.begin_average()

    def count_images(self, images):
        """Adds a batch to the clock, of all replicas.

        Args:
            images: tensor (batch, ...), the real images of a step.
        """
        count = tf.cast(tf.shape(images)[0], tf.int64)
        if tf.distribute.get_strategy().num_replicas_in_sync > 1:
            count = sum_over_replicas(count)
        self.images_seen.assign(self.images_seen.value + count)

    @property
    def kimg(self):
        """Thousands of images that the model has learnt from: a float, or, in a traced step, a float32 scalar."""
        if tf.executing_eagerly():
            return int(np.asarray(self.images_seen)) / 1000
        return ops.cast(self.images_seen.value, "float32") / 1000

    @property
    def is_averaging(self):
        # Asked before there is a half-life, too.
        return getattr(self, "ema_half_life", None) is not None

    def begin_average(self):
        super().begin_average()
        self.averaged_images = self._counter("averaged_images")

    def kept_share(self, moved):
        half_life = self.ema_half_life
        if self.ema_ramp is not None:
            half_life = ops.minimum(half_life, self.ema_ramp * self.kimg)
        new = ops.cast(self.images_seen.value - self.averaged_images.value, "float32") / 1000
        self.averaged_images.assign(ops.where(moved > 0, self.images_seen.value, self.averaged_images.value))
        return 0.5 ** (new / half_life)

    def _counter(self, name):
        return self.add_weight(shape=(), initializer="zeros", dtype="int64", trainable=False, name=name)
