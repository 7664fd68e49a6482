"""A convolution whose input channels an image's style makes louder or softer, with outputs brought to scale."""

import math

import keras
import tensorflow as tf
from keras import ops

from gdl_keras.layers.upfirdn2d import TAPS, low_pass, upfirdn2d

# A kernel of zeros stays one, and does not become NaN.
EPSILON = 1e-8


@keras.saving.register_keras_serializable(package="gdl_keras")
class ModulatedConv2D(keras.layers.Layer):
    """A convolution with a kernel of its own for each image, made from one kernel w and the image's style s.

        w'_kio = s_i w_kio,    w''_kio = w'_kio / sqrt(sum_ki w'_kio^2 + 1e-8)     k: place, i: input, o: output channel

    so that inputs of unit variance give outputs of unit variance, whatever the style is (Karras et al. 2020, Analyzing
    and improving the image quality of StyleGAN, arXiv:1912.04958, equations 1 and 3).  No such kernel is ever made: it
    is the same to scale the inputs by s, convolve all images with w, and divide the outputs by the root, which for all
    images is one product of two matrices.

    The learning rate is equalised: w is drawn from N(0, 1) and divided by the root of the number of its inputs here.

    Args:
        filters: int, channels of the outputs.
        kernel_size: int, odd.
        up: 1, or 2 for images twice as large, by a transposed convolution and a filter.
        demodulate: bool, whether kernels are divided by the root.
        gain: float, by which outputs are multiplied, before the bias.
        taps: of the filter that goes with `up=2`.

    Call arguments:
        inputs: (images, styles), float tensors (batch, height, width, channels) and (batch, channels).

    Returns:
        float tensor (batch, up height, up width, filters).
    """

    def __init__(self, filters, kernel_size=3, up=1, demodulate=True, gain=1.0, taps=TAPS, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.up = up
        self.demodulate = demodulate
        self.gain = gain
        self.taps = tuple(taps)

    def build(self, input_shape):
        channels = input_shape[0][-1]
        shape = (self.kernel_size, self.kernel_size, channels, self.filters)
        # The root is taken in float32, whatever the images are in.
        self.kernel = self.add_weight(
            shape=shape, initializer=keras.initializers.RandomNormal(stddev=1.0), name="kernel", autocast=False
        )
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, inputs):
        images, styles = inputs
        kernel = self.kernel / math.sqrt(math.prod(self.kernel.shape[:-1]))
        outputs = self.convolve(images * styles[:, None, None, :], ops.cast(kernel, images.dtype))
        scale = self.gain * (self.roots(kernel, styles) if self.demodulate else 1.0)
        return outputs * ops.cast(scale, outputs.dtype) + self.bias

    def roots(self, kernel, styles):
        """1 / sqrt(sum_ki w'_kio^2): float32 tensor (batch, 1, 1, filters)."""
        squares = ops.matmul(ops.square(ops.cast(styles, "float32")), ops.sum(ops.square(kernel), axis=(0, 1)))
        return ops.rsqrt(squares + EPSILON)[:, None, None, :]

    def convolve(self, images, kernel):
        """The convolution of all images with one kernel."""
        if self.up == 1:
            return tf.nn.conv2d(images, kernel, 1, "SAME")
        batch, height, width, _ = (tf.shape(images)[0], *images.shape[1:])
        size, taps, up = self.kernel_size, len(self.taps), self.up
        shape = (batch, (height - 1) * up + size, (width - 1) * up + size, self.filters)
        larger = tf.nn.conv2d_transpose(images, tf.transpose(kernel, (0, 1, 3, 2)), shape, up, "VALID")
        before = size // 2 + (taps + up - 1) // 2 - (size - 1)
        after = size // 2 + (taps - up) // 2 - (size - up)
        return upfirdn2d(larger, low_pass(self.taps, up), padding=(before, after))

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape[0]
        return (batch, height * self.up, width * self.up, self.filters)

    def get_config(self):
        own = ("filters", "kernel_size", "up", "demodulate", "gain", "taps")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
