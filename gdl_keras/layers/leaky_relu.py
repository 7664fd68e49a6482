"""A leaky rectifier whose second-order gradient is free of charge."""

import keras
import tensorflow as tf

from gdl_keras.layers.naming import stored_as


@stored_as("LeakyReLU")
class ZeroCurvatureLeakyReLU(keras.layers.LeakyReLU):
    """`keras.layers.LeakyReLU`, for critics under a gradient penalty.

    On both sides of zero the slope is constant, so its own derivative is zero.  TensorFlow knows that, and answers with
    a tensor of zeros, which then passes backwards through the whole critic.  Here there is no tensor, and no such pass.
    """

    def call(self, inputs):
        @tf.custom_gradient
        def leaky_relu(x):
            def gradient(upstream):
                return tf.raw_ops.LeakyReluGrad(
                    gradients=upstream, features=tf.stop_gradient(x), alpha=self.negative_slope
                )

            return tf.nn.leaky_relu(x, self.negative_slope), gradient

        return leaky_relu(inputs)
