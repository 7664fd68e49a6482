"""An input that is no input: numbers that are the same for every example."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="gdl_keras")
class Constant(keras.layers.Layer):
    """The same numbers for every example: learnt, or drawn once and kept.

    Args:
        shape: of one example.
        trainable: whether they are learnt.

    Call arguments:
        inputs: tensor (batch, ...), which says for how many.

    Returns:
        float tensor (batch, *shape), drawn from N(0, 1) at the start.
    """

    def __init__(self, shape, trainable=True, **kwargs):
        super().__init__(trainable=trainable, **kwargs)
        self.shape = tuple(shape)

    def build(self, input_shape):
        normal = keras.initializers.RandomNormal(stddev=1.0)
        self.numbers = self.add_weight(shape=self.shape, initializer=normal, name="numbers")

    def call(self, inputs):
        numbers = ops.convert_to_tensor(self.numbers)
        return ops.broadcast_to(numbers[None], (ops.shape(inputs)[0], *self.shape))

    def compute_output_spec(self, inputs):
        return keras.KerasTensor((inputs.shape[0], *self.shape), self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "shape": self.shape}
