"""Batch normalisation in one pass over the batch, and over the whole batch where devices share it."""

import keras
import tensorflow as tf
from keras import ops

from gdl_keras.backend import on_gpu
from gdl_keras.layers.naming import stored_as


@stored_as("BatchNormalization")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization`, computed by TensorFlow's fused kernel.

        y = gamma (x - mean) / sqrt(variance + epsilon) + beta           (Ioffe & Szegedy 2015, algorithm 1)

    Keras composes mean, variance and scaling of operations that each read the batch again.  The fused kernel computes
    all of them in float32, also where the batch is float16 or bfloat16.  Same arguments, weights and moving averages.

    Under a `tf.distribute` strategy mean and variance are those of all replicas' examples together, in outputs,
    gradients and moving averages: several devices take the step that one would.  (With Keras each replica has its own,
    and the moving averages are the first one's.)  No fused kernel does that; it is composed, in float32 as well.

    Call arguments:
        inputs: float tensor, channels last.
        training: bool; whether statistics are those of the batch.
    """

    def call(self, inputs, training=False, mask=None):
        training = training and self.trainable
        # No fused kernel counts in float64, leaves elements out, or averages over replicas.
        composed = inputs.dtype == tf.float64 or mask is not None or not self._is_fusible()
        # That of a GPU has no gradient without the batch's statistics, where numbers are to be the same each time.
        if composed or (_other_replicas() if training else on_gpu()):
            return super().call(inputs, training=training, mask=mask)
        images = inputs if len(inputs.shape) == 4 else ops.reshape(inputs, (-1, 1, 1, inputs.shape[-1]))
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=images,
            scale=tf.convert_to_tensor(self.gamma) if self.scale else tf.ones(images.shape[-1]),
            offset=tf.convert_to_tensor(self.beta) if self.center else tf.zeros(images.shape[-1]),
            mean=[] if training else tf.convert_to_tensor(self.moving_mean),
            variance=[] if training else tf.convert_to_tensor(self.moving_variance),
            epsilon=self.epsilon,
            is_training=training,
        )
        if training:
            # The kernel answers with the unbiased variance, sum / (n - 1); Keras keeps sum / n.
            count = ops.cast(ops.size(images) // images.shape[-1], "float32")
            self._follow(self.moving_mean, mean)
            self._follow(self.moving_variance, variance * (count - 1) / count)
        return outputs if len(inputs.shape) == 4 else ops.reshape(outputs, ops.shape(inputs))

    def _is_fusible(self):
        last = self.axis in (-1, self.input_spec.ndim - 1)
        # Both or neither: what has neither is scaled and shifted by another layer.
        return last and self.center == self.scale and not self.renorm and not self.synchronized

    def _moments(self, inputs, mask):
        """Keras asks for them in its `call`: mean and variance, sum / n, of the whole batch."""
        replicas = _other_replicas()
        if replicas is None:
            return super()._moments(inputs, mask)

        def total(values):
            counted = values if mask is None else ops.where(ops.expand_dims(mask, -1), values, 0)
            return ops.sum(counted, axis=self._reduction_axes, keepdims=True)

        # The mean first, then the squares of what is left, instead of a difference of two large numbers.
        count, mean = replicas.all_reduce(tf.distribute.ReduceOp.SUM, [total(ops.ones_like(inputs)), total(inputs)])
        count = ops.maximum(count, 1)  # a mask may leave nothing
        mean = mean / count
        variance = replicas.all_reduce(tf.distribute.ReduceOp.SUM, total(ops.square(inputs - mean))) / count
        return ops.reshape(mean, (-1,)), ops.reshape(variance, (-1,))

    def _follow(self, average, value):
        average.assign(self.momentum * average + (1 - self.momentum) * value)


def _other_replicas():
    """The replica's context, by which it reaches the others; None where there are none, or outside of replicas."""
    context = tf.distribute.get_replica_context()
    return context if context is not None and context.num_replicas_in_sync > 1 else None
