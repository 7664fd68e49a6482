"""Convolutions that look at pixels above, and at those to the left in the same row: never at what comes later.

Pixels are read as text is, row by row from the top, and their channels one after the other.  Paper: van den Oord et al.
2016, Pixel recurrent neural networks, arXiv:1601.06759, section 3.4.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from gdl_keras.errors import InputError, check_one_of


@keras.saving.register_keras_serializable(package="gdl_keras")
class MaskedConv2D(layers.Conv2D):
    """`keras.layers.Conv2D` whose kernel is multiplied by a mask of ones and zeros.

    A copy of the kernel is multiplied: the call changes no weight, and can be differentiated, compiled and saved.  What
    lies below the middle row is masked as a whole and is not even computed.

    Args:
        filters: int.
        kernel_size: odd int or pair of them.
        mask: "A" hides the pixel itself as well, for the layer that sees the image; "B" shows it, for layers that see
            what such a layer has made.
        channels: int, of the image.  With several, number i of a layer's features belongs to channel i % channels:
            in the pixel itself, those of channel c see channels before c (A), and up to c (B).
        kwargs: as in `keras.layers.Conv2D`; strides, dilation, groups and padding stay as they are.

    Raises:
        InputError: an argument does not go.
    """

    def __init__(self, filters, kernel_size, mask, channels=1, **kwargs):
        super().__init__(filters, kernel_size, **{"padding": "same", **kwargs})
        check_one_of("mask", mask, ("A", "B"))
        if any(size % 2 == 0 for size in self.kernel_size):
            raise InputError(f"A masked kernel has a middle: its sizes are odd, not {self.kernel_size}.")
        fixed = self.strides, self.dilation_rate, self.groups, self.padding, self.data_format
        if fixed != ((1, 1), (1, 1), 1, "same", "channels_last"):
            raise InputError("MaskedConv2D goes from pixel to pixel: leave strides, dilation, groups and padding away.")
        if filters % channels:
            raise InputError(f"{filters} filters cannot be dealt out among {channels} channels: take a multiple.")
        self.mask = mask
        self.channels = channels

    def build(self, input_shape):
        super().build(input_shape)
        self.visible = causal_mask(self.kernel.shape, self.mask, self.channels)

    def masked_kernel(self):
        """The upper part of the kernel, masked: tensor (height // 2 + 1, width, inputs, filters)."""
        upper = tf.convert_to_tensor(self.kernel)[: self.kernel_size[0] // 2 + 1]
        return upper * tf.cast(self.visible, upper.dtype)

    def convolution_op(self, inputs, kernel):
        above, aside = (size // 2 for size in self.kernel_size)
        padded = tf.pad(inputs, [[0, 0], [above, 0], [aside, aside], [0, 0]])
        return tf.nn.conv2d(padded, self.masked_kernel(), 1, "VALID")

    def get_config(self):
        return {**super().get_config(), "mask": self.mask, "channels": self.channels}


def causal_mask(kernel_shape, mask, channels=1):
    """Ones where a kernel may look: float32 array (height // 2 + 1, width, inputs, filters), down to the middle row.

    Args:
        kernel_shape: (height, width, inputs, filters).
        mask, channels: as in `MaskedConv2D`.
    """
    height, width, inputs, filters = kernel_shape
    ones = np.ones((height // 2 + 1, width, inputs, filters), "float32")
    seen, seeing = np.arange(inputs)[:, None] % channels, np.arange(filters) % channels
    ones[-1, width // 2] = seen < seeing if mask == "A" else seen <= seeing
    ones[-1, width // 2 + 1 :] = 0
    return ones


@keras.saving.register_keras_serializable(package="gdl_keras")
class UpperConv2D(layers.Conv2D):
    """A convolution that looks at rows above and at the whole of its own row, to both sides.

    What it makes may be shown to a pixel of the next row only, through `RowAbove`.

    Args:
        filters: int.
        kernel_size: (height, width): its own row and height - 1 above; the width is odd.
        kwargs: as in `keras.layers.Conv2D`; strides, dilation, groups and padding stay as they are.
    """

    def __init__(self, filters, kernel_size, **kwargs):
        super().__init__(filters, kernel_size, **{"padding": "valid", **kwargs})
        if self.kernel_size[1] % 2 == 0:
            raise InputError(f"A kernel that looks to both sides has an odd width, not {self.kernel_size[1]}.")
        if (self.strides, self.dilation_rate, self.padding) != ((1, 1), (1, 1), "valid"):
            raise InputError("UpperConv2D goes from pixel to pixel: leave strides, dilation and padding away.")

    def call(self, inputs):
        height, width = self.kernel_size
        return super().call(ops.pad(inputs, [[0, 0], [height - 1, 0], [width // 2, width // 2], [0, 0]]))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)


@keras.saving.register_keras_serializable(package="gdl_keras")
class RowAbove(layers.Layer):
    """Each pixel gets what was made of the pixel above it; zeros in the first row."""

    def call(self, inputs):
        return ops.pad(inputs, [[0, 0], [1, 0], [0, 0], [0, 0]])[:, :-1]


@keras.saving.register_keras_serializable(package="gdl_keras")
class Gate(layers.Layer):
    """tanh of one half of the features times the sigmoid of the other: (..., 2 n) -> (..., n).

    Paper: van den Oord et al. 2016, arXiv:1606.05328, equation 2.
    """

    def call(self, inputs):
        features, gate = ops.split(inputs, 2, axis=-1)
        return ops.tanh(features) * ops.sigmoid(gate)
