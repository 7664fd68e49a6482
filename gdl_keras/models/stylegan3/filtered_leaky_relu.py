"""A rectifier that makes no frequencies which its pixels cannot hold."""

import keras
import numpy as np
from keras import ops

from gdl_keras.layers.upfirdn2d import upfirdn2d

# What float16, which ends at 65,504, holds sums of.
LARGEST = 256.0


@keras.saving.register_keras_serializable(package="gdl_keras")
class FilteredLeakyReLU(keras.layers.Layer):
    """Makes images finer, takes the leaky rectifier there, filters what is too fine, and makes them coarser.

        down(filter(gain max(x, slope x)))      of x = filter(up(images))

    A rectifier bends a smooth signal sharply, which takes frequencies without end; on the pixels themselves they would
    come back as a pattern that sticks to the grid (Karras et al. 2021, section 2.2).

    Args:
        up, down: int.
        up_taps: numbers (taps,), a low-pass filter of sum 1.
        down_taps: the same, or (taps, taps).
        padding: (before, after), of the finer images; negative where they are cut.
        slope: float, of what is below 0.
        gain: float, larger than 0.

    Call arguments:
        images: float tensor (batch, height, width, channels).

    Returns:
        float tensor (batch, height', width', channels).
    """

    def __init__(
        self, up=1, down=1, up_taps=(1.0,), down_taps=(1.0,), padding=(0, 0), slope=0.2, gain=2**0.5, **kwargs
    ):
        super().__init__(**kwargs)
        self.up, self.down = up, down
        self.up_taps, self.down_taps = np.asarray(up_taps).tolist(), np.asarray(down_taps).tolist()
        self.padding = tuple(padding)
        self.slope, self.gain = slope, gain

    def call(self, images):
        # The gain goes along with the filter, which is taken twice: a pass over the finer images less.
        fine = upfirdn2d(images, np.multiply(self.up * self.gain**0.5, self.up_taps), self.up, padding=self.padding)
        fine = ops.leaky_relu(fine, self.slope)
        if self.compute_dtype == "float16":
            fine = ops.clip(fine, -LARGEST, LARGEST)
        return upfirdn2d(fine, np.array(self.down_taps), down=self.down, padding=(0, 0))

    def compute_output_shape(self, input_shape):
        batch, *sizes, channels = input_shape
        added = sum(self.padding) - len(self.up_taps) - len(self.down_taps) + 1
        return (batch, *((size * self.up + added) // self.down + 1 for size in sizes), channels)

    def get_config(self):
        names = ("up", "down", "up_taps", "down_taps", "padding", "slope", "gain")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
