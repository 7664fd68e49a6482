"""An input that is no input: numbers that are the same for every example."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="gdl_keras")
class Constant(keras.layers.Layer):
    """The same numbers for every example: learnt, or what they began as.

    Args:
        shape: of one example.
        trainable: whether they are learnt.
        initializer: str, what they begin as, the name of a Keras initializer; None: drawn from N(0, 1).

    Call arguments:
        inputs: tensor (batch, ...), which says for how many.

    Returns:
        float tensor (batch, *shape).
    """

    def __init__(self, shape, trainable=True, initializer=None, **kwargs):
        super().__init__(trainable=trainable, **kwargs)
        self.shape = tuple(shape)
        self.initializer = initializer

    def build(self, input_shape):
        initializer = self.initializer or keras.initializers.RandomNormal(stddev=1.0)
        self.numbers = self.add_weight(shape=self.shape, initializer=initializer, name="numbers")

    def call(self, inputs):
        numbers = ops.convert_to_tensor(self.numbers)
        return ops.broadcast_to(numbers[None], (ops.shape(inputs)[0], *self.shape))

    def compute_output_spec(self, inputs):
        return keras.KerasTensor((inputs.shape[0], *self.shape), self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "shape": self.shape, "initializer": self.initializer}
