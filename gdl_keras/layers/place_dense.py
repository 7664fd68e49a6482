"""A dense layer for what stands at each of many places, as one product of two matrices."""

import keras
import tensorflow as tf

from gdl_keras.layers.naming import stored_as


@stored_as("Dense")
class PlaceDense(keras.layers.Dense):
    """`keras.layers.Dense` of the last axis, with all others joined to one before the product.

    TensorFlow adds the bias within its kernel for the product where the one directly follows the other.  Keras splits
    the axes in between.

    Call arguments:
        inputs: float tensor (..., dim), of known rank and dim.
    """

    def call(self, inputs, training=None):
        places = tf.shape(inputs)[:-1]
        joined = super().call(tf.reshape(inputs, (-1, inputs.shape[-1])), training=training)
        return tf.reshape(joined, tf.concat([places, [self.units]], axis=0))
