"""Every pixel's features brought to length 1, which keeps a generator's signals from running away."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="gdl_keras")
class PixelNormalization(layers.Layer):
    """Divides what stands at a place by its root mean square (Karras et al. 2018, arXiv:1710.10196, section 4.2).

        b = a / sqrt(mean over channels(a^2) + epsilon)

    It has no weights, and looks at no other place and no other example.  Of latent points it makes points on a sphere.

    Args:
        epsilon: float; a place where all is zero stays so.

    Call arguments:
        inputs: float tensor (..., channels).

    Returns:
        float tensor of that shape, computed in float32 under mixed precision.
    """

    def __init__(self, epsilon=1e-8, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def call(self, inputs):
        exact = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        scale = ops.rsqrt(ops.mean(ops.square(exact), axis=-1, keepdims=True) + self.epsilon)
        return ops.cast(exact * scale, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
