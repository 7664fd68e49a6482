"""Images that are kept in their range where somebody looks at them."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="gdl_keras")
class ClipOutsideTraining(layers.Layer):
    """Clips to [0, 1], but not in training, where what is clipped would have no slope that leads back.

    Call arguments:
        inputs: float tensor.
        training: bool.
    """

    def call(self, inputs, training=False):
        return inputs if training else ops.clip(inputs, 0.0, 1.0)

    def compute_output_shape(self, input_shape):
        return input_shape
