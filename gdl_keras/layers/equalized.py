"""Dense layers and convolutions whose weights all learn at one rate: the scale of a layer stands outside its weights.

Adam moves every weight by about the same distance, however large it is.  Where He's initialisation draws the weights of
a wide layer small, a step changes them by more of themselves than those of a narrow one.  Here all are drawn from
N(0, 1), and what the initialisation would have made of them is multiplied on wherever they are used.
"""

import math

import keras
import tensorflow as tf
from keras import layers, ops


class Equalized(layers.Layer):
    """What the two kinds have in common (Karras et al. 2018, Progressive growing of GANs, arXiv:1710.10196, 4.1).

        effective kernel = gain multiplier / sqrt(fan_in) * kernel,     kernel ~ N(0, 1) / multiplier
        effective bias   = multiplier * bias

    With a `learning_rate_multiplier` below 1 the layer begins as without, and its optimizer moves it by less: Adam by
    the multiplier, plain gradient descent by its square (Karras et al. 2019, arXiv:1812.04948, appendix C).

    Args:
        gain: float; the root of 2 before a rectifier, 1 where none follows.
        learning_rate_multiplier: float, larger than 0.
        use_bias: bool.
        bias_initializer: what the effective bias begins as, a Keras initializer or its name.
    """

    def __init__(self, gain=2**0.5, learning_rate_multiplier=1.0, use_bias=True, bias_initializer="zeros", **kwargs):
        super().__init__(**kwargs)
        self.gain = gain
        self.learning_rate_multiplier = learning_rate_multiplier
        self.use_bias = use_bias
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def add_weights(self, kernel_shape):
        """Adds kernel and bias; the last axis of a kernel counts outputs, all others what one of them reads."""
        multiplier = self.learning_rate_multiplier
        normal = keras.initializers.RandomNormal(stddev=1 / multiplier)
        self.scale = self.gain * multiplier / math.sqrt(math.prod(kernel_shape[:-1]))
        self.kernel = self.add_weight(kernel_shape, normal, name="kernel")
        if self.use_bias:

            def bias(shape, dtype):
                return self.bias_initializer(shape, dtype=dtype) / multiplier

            self.bias = self.add_weight(kernel_shape[-1:], bias, name="bias")

    def effective_kernel(self):
        """The kernel that the layer computes with, a tensor."""
        return self.kernel * self.scale

    def biased(self, outputs):
        """`outputs` with the effective bias added, where there is one."""
        return tf.nn.bias_add(outputs, self.bias * self.learning_rate_multiplier) if self.use_bias else outputs

    def get_config(self):
        return {
            **super().get_config(),
            "gain": self.gain,
            "learning_rate_multiplier": self.learning_rate_multiplier,
            "use_bias": self.use_bias,
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }


@keras.saving.register_keras_serializable(package="gdl_keras")
class EqualizedDense(Equalized):
    """A dense layer, of the last axis, at an equalised learning rate.

    Args:
        units: int, numbers that it puts out.
        gain, learning_rate_multiplier, use_bias, bias_initializer: as in `Equalized`.

    Call arguments:
        inputs: float tensor (..., dim).

    Returns:
        float tensor (..., units).
    """

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.add_weights((input_shape[-1], self.units))

    def call(self, inputs):
        return self.biased(ops.matmul(inputs, self.effective_kernel()))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="gdl_keras")
class EqualizedConv2D(Equalized):
    """A convolution of images at an equalised learning rate.

    With `resize` images are doubled before it, each pixel to a square, or halved after it, each four pixels to their
    mean.  Either is one convolution, or a transposed one, with stride 2 and a kernel of one place more, which has less
    than half as much to multiply.

    Args:
        filters: int, channels that it puts out.
        kernel_size: int, height and width of the kernel.
        strides: int.
        padding: "same" or "valid".
        resize: None, "double" or "halve", for an odd `kernel_size`, images of even size, and no other strides or
            padding.
        gain, learning_rate_multiplier, use_bias, bias_initializer: as in `Equalized`.

    Call arguments:
        inputs: float tensor (batch, height, width, channels).

    Returns:
        float tensor (batch, new_height, new_width, filters).
    """

    def __init__(self, filters, kernel_size, strides=1, padding="same", resize=None, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.padding = padding
        self.resize = resize

    def build(self, input_shape):
        self.add_weights((self.kernel_size, self.kernel_size, input_shape[-1], self.filters))

    def call(self, inputs):
        return self.biased(self.convolved(inputs, self.effective_kernel()))

    def convolved(self, inputs, kernel):
        if self.resize == "halve":
            return tf.nn.conv2d(inputs, over_squares(kernel) / 4, 2, "SAME")
        if self.resize == "double":
            batch, (height, width) = tf.shape(inputs)[0], inputs.shape[1:3]
            turned = tf.transpose(tf.reverse(kernel, (0, 1)), (0, 1, 3, 2))
            shape = (batch, 2 * height, 2 * width, self.filters)
            return tf.nn.conv2d_transpose(inputs, over_squares(turned), shape, 2, "SAME")
        return tf.nn.conv2d(inputs, kernel, self.strides, self.padding.upper())

    def get_config(self):
        own = ("filters", "kernel_size", "strides", "padding", "resize")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


def over_squares(kernel):
    """The sum of a kernel at the four places of a square of pixels: a kernel of one place more, height and width."""
    return sum(
        tf.pad(kernel, [[row, 1 - row], [column, 1 - column], [0, 0], [0, 0]]) for row in (0, 1) for column in (0, 1)
    )
