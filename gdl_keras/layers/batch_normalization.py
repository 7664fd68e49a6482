"""Batch normalisation in one pass over the batch."""

import keras
import tensorflow as tf
from keras import ops

from gdl_keras.layers.naming import stored_as


@stored_as("BatchNormalization")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization`, computed by TensorFlow's fused kernel.

        y = gamma (x - mean) / sqrt(variance + epsilon) + beta           (Ioffe & Szegedy 2015, algorithm 1)

    Keras composes mean, variance and scaling of operations that each read the batch again.  The fused kernel computes
    all of them in float32, also where the batch is float16 or bfloat16.  Same arguments, weights and moving averages.

    Call arguments:
        inputs: float tensor, channels last.
        training: bool; whether statistics are those of the batch.
    """

    def call(self, inputs, training=False, mask=None):
        # No fused kernel counts in float64, leaves elements out, or averages over replicas.
        if inputs.dtype == tf.float64 or mask is not None or not self._is_fusible():
            return super().call(inputs, training=training, mask=mask)
        images = inputs if len(inputs.shape) == 4 else ops.reshape(inputs, (-1, 1, 1, inputs.shape[-1]))
        training = training and self.trainable
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=images,
            scale=tf.convert_to_tensor(self.gamma),
            offset=tf.convert_to_tensor(self.beta),
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
        return last and self.center and self.scale and not self.renorm and not self.synchronized

    def _follow(self, average, value):
        average.assign(self.momentum * average + (1 - self.momentum) * value)
