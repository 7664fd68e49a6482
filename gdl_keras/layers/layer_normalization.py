"""Layer normalisation whose gradient is written out, in fewer passes over the numbers."""

import keras
import tensorflow as tf

from gdl_keras.layers.naming import stored_as


@stored_as("LayerNormalization")
class TokenNormalization(keras.layers.LayerNormalization):
    """`keras.layers.LayerNormalization` of the last axis, with scale and offset.

        h = (x - mean) / sqrt(variance + epsilon),   y = gamma h + beta       (Ba et al. 2016, arXiv:1607.06450, eq. 4)

        dL/dx = (d - mean(d) - h mean(d h)) / sqrt(variance + epsilon),   d = gamma dL/dy

    Keras leaves the gradient to TensorFlow, which differentiates mean, variance and root one by one.
    """

    def call(self, inputs):
        gamma, beta = tf.convert_to_tensor(self.gamma), tf.convert_to_tensor(self.beta)

        @tf.custom_gradient
        def normalized(x, gamma, beta):
            centred = x - tf.reduce_mean(x, axis=-1, keepdims=True)
            scale = tf.math.rsqrt(tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True) + self.epsilon)
            h = centred * scale

            def gradient(upstream):
                d = upstream * gamma
                slope = d - tf.reduce_mean(d, axis=-1, keepdims=True)
                slope -= h * tf.reduce_mean(d * h, axis=-1, keepdims=True)
                others = list(range(x.shape.rank - 1))
                return slope * scale, tf.reduce_sum(upstream * h, others), tf.reduce_sum(upstream, others)

            return gamma * h + beta, gradient

        # As precise as the weights, float32 under mixed precision: sums of many numbers.
        return tf.cast(normalized(tf.cast(inputs, gamma.dtype), gamma, beta), self.compute_dtype)
