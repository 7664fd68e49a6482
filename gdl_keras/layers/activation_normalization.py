"""Scaling and shifting of each channel that begins where the first batch comes out with mean 0 and variance 1."""

import keras
import tensorflow as tf
from keras import layers, ops

# Added to the first batch's variances: a channel that is the same everywhere stays finite.
EPSILON = 1e-6


@keras.saving.register_keras_serializable(package="gdl_keras")
class ActivationNormalization(layers.Layer):
    """An invertible map with a shift and a scale for each channel (Kingma & Dhariwal 2018, "actnorm").

        y = (x + shift) exp(log_scale),      log |det dy/dx| = height * width * sum(log_scale)

    The first batch that it is trained on says where both begin: its outputs have mean 0 and variance 1 in each channel.
    From then on they are weights like others, and, unlike in batch normalisation, no example depends on another one.
    That it has begun is saved with it.  Replicas begin with the statistics of all their examples together.

    Call arguments:
        inputs: float32 tensor (batch, height, width, channels).
        training: bool; whether a first batch is begun with.

    Returns:
        (float32 tensor of that shape, log-determinants (batch,)).
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def build(self, input_shape):
        def weight(name, shape, start, trainable):
            # All replicas assign the same, so that their mean is what each has.
            return self.add_weight(shape, start, name=name, trainable=trainable, aggregation="mean")

        channels = (input_shape[-1],)
        self.shift = weight("shift", channels, "zeros", True)
        self.log_scale = weight("log_scale", channels, "zeros", True)
        self.untouched = weight("untouched", (), "ones", False)

    def call(self, inputs, training=False):
        if training:
            self._begin_with(inputs)
        outputs = (inputs + self.shift.value) * ops.exp(self.log_scale.value)
        return outputs, self._log_det(inputs)

    def inverse(self, outputs):
        """The inputs that outputs come from: float32 tensor of the same shape."""
        return outputs * ops.exp(-self.log_scale.value) - self.shift.value

    def _log_det(self, inputs):
        batch, height, width, _ = ops.shape(inputs)
        pixels = ops.cast(height * width, "float32")
        return pixels * ops.sum(self.log_scale.value) * ops.ones((batch,), "float32")

    def _begin_with(self, inputs):
        # No branch assigns: a `tf.cond` must not change what replicas share.
        first = self.untouched.value > 0
        mean, variance = _moments(ops.stop_gradient(inputs), first)
        self.shift.assign(ops.where(first, -mean, self.shift.value))
        self.log_scale.assign(ops.where(first, -0.5 * ops.log(variance + EPSILON), self.log_scale.value))
        self.untouched.assign(ops.zeros(()))


def _moments(inputs, wanted):
    """Mean and variance of each channel, over all replicas' examples: two float32 tensors (channels,).

    Where they are not `wanted`, a boolean tensor, they are 0, and no time is spent on them.
    """
    context = tf.distribute.get_replica_context()

    def average(function):
        values = tf.cond(wanted, lambda: ops.mean(function(inputs), (0, 1, 2)), lambda: tf.zeros(inputs.shape[-1]))
        if context is None or context.num_replicas_in_sync == 1:
            return values
        return context.all_reduce(tf.distribute.ReduceOp.MEAN, values)

    mean = average(lambda x: x)
    return mean, average(lambda x: ops.square(x - mean))
