"""Class numbers as vectors."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="gdl_keras")
class OneHot(keras.layers.Layer):
    """Class k of `num_classes` becomes a vector with 1 at place k and 0 elsewhere.

    Args:
        num_classes: int.

    Call arguments:
        labels: integer tensor (batch, ...) in [0, num_classes).

    Returns:
        float tensor (batch, ..., num_classes).
    """

    def __init__(self, num_classes, **kwargs):
        # The numbers of classes are not to be rounded to float16.
        super().__init__(autocast=False, **kwargs)
        self.num_classes = num_classes

    def call(self, labels):
        return ops.one_hot(labels, self.num_classes, dtype=self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.num_classes)

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}
