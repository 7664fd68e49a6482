"""Resizing by a filter: zeros between the pixels, a low-pass filter over them, and every so manieth pixel kept.

Doubling an image by repeating its pixels, or halving it by leaving some out, lets frequencies through that the grid
cannot hold, and they come back as patterns that stick to it.  The filter takes them out.  (Zhang 2019, Making
convolutional networks shift-invariant again, arXiv:1904.11486; Karras et al. 2020, arXiv:1912.04958, appendix B.)
"""

import keras
import numpy as np
import tensorflow as tf

from gdl_keras.errors import InputError

# Binomial coefficients: nearly a bell curve, with a zero where the finest pattern of the grid lies.
TAPS = (1, 3, 3, 1)


def upfirdn2d(images, kernel, up=1, down=1, padding=None):
    """Upsamples, filters and downsamples images, as `scipy.signal.upfirdn` does along each axis.

        y[j] = sum_i x[i] k[j down + q - i up],   q = taps - 1 - before

    The kernel is constant.  The transposed map is of the same form, with `up` and `down` exchanged; so are gradients of
    any order.

    Args:
        images: float tensor (batch, height, width, channels), of known shape but for the batch.
        kernel: array (taps,), which stands for its outer product with itself, or (taps, taps).
        up: int, how many pixels each one becomes, `up` - 1 of them zeros behind it.
        down: int, of how many pixels one is kept.
        padding: (before, after), ints, zeros at each end of both axes after the first step, negative where pixels are
            cut off; None: such that images come out `up` / `down` times as large, with the filter centred.

    Returns:
        tensor (batch, height', width', channels),   height' = (height up + before + after - taps) // down + 1.

    Raises:
        InputError: nothing would be left of an image.
    """
    kernel = np.asarray(kernel, "float32")
    kernel = np.outer(kernel, kernel) if kernel.ndim == 1 else kernel
    taps, sizes = len(kernel), images.shape[1:3]
    before, after = centred(taps, up, down) if padding is None else padding
    smaller = [(size * up + before + after - taps) // down + 1 for size in sizes]
    if min(smaller) < 1:
        raise InputError(f"A filter of {taps} taps leaves nothing of images of {sizes[0]}x{sizes[1]}: pad them more.")
    return _resampled(images, kernel, up, down, before, smaller)


def centred(taps, up=1, down=1):
    """The padding with which the filter's middle lies on the middle of what it makes a pixel of: (before, after)."""
    before = (taps - down + up) // 2
    return before, taps - down - before


def _resampled(images, kernel, up, down, before, sizes):
    taps, old_sizes = len(kernel), images.shape[1:3]

    @tf.custom_gradient
    def function(images):
        resample = _gathered if up == 1 else _spread
        outputs = resample(images, kernel, up, down, before, sizes)

        def gradient(upstream):
            upstream = tf.ensure_shape(upstream, outputs.shape)
            return _resampled(upstream, kernel[::-1, ::-1], down, up, taps - 1 - before, old_sizes)

        return outputs, gradient

    return function(images)


def _gathered(images, kernel, up, down, before, sizes):
    """Without upsampling: each pixel of the outcome is a sum over a window, and only those are computed that stay."""
    windows = [(before, (size - 1) * down + len(kernel) - before - old) for size, old in zip(sizes, images.shape[1:3])]
    turned = _by_channel(kernel[::-1, ::-1], images)
    return tf.nn.depthwise_conv2d(_padded(images, windows), turned, (1, down, down, 1), "VALID")


def _spread(images, kernel, up, down, before, sizes):
    """With upsampling: each pixel adds its multiple of the kernel to what lies around it, and zeros cost nothing."""
    batch, height, width, channels = tf.shape(images)[0], *images.shape[1:]
    taps = len(kernel)
    full = [(size - 1) * up + taps for size in (height, width)]
    spread = tf.nn.depthwise_conv2d_backprop_input(
        (batch, *full, channels), _by_channel(kernel, images), images, (1, up, up, 1), "VALID"
    )
    spread = tf.ensure_shape(spread, (None, *full, channels))
    start = before - taps + 1
    spread = _padded(spread, [(start, (size - 1) * down + 1 - start - old) for size, old in zip(sizes, full)])
    return spread if down == 1 else spread[:, ::down, ::down]


def _by_channel(kernel, images):
    return tf.tile(tf.cast(kernel, images.dtype)[:, :, None, None], (1, 1, images.shape[-1], 1))


def _padded(images, ends):
    """Zeros at the ends of both axes, ((before, after), (before, after)); where negative, pixels are cut off."""
    rows, columns = (
        slice(max(-before, 0), size - max(-after, 0)) for (before, after), size in zip(ends, images.shape[1:3])
    )
    zeros = [[0, 0], *([max(before, 0), max(after, 0)] for before, after in ends), [0, 0]]
    images = images[:, rows, columns]
    return tf.pad(images, zeros) if np.any(zeros) else images


@keras.saving.register_keras_serializable(package="gdl_keras")
class Resampling2D(keras.layers.Layer):
    """Images enlarged, shrunk or blurred by `upfirdn2d`; a constant image stays what it is, but for its rim.

    Args:
        up, down: int, how many times as large, how many times as small.
        taps: the filter along each axis, numbers that need not sum to 1.
        padding: (before, after) as in `upfirdn2d`, or None.

    Call arguments:
        images: float tensor (batch, height, width, channels).

    Returns:
        float tensor (batch, height', width', channels).
    """

    def __init__(self, up=1, down=1, taps=TAPS, padding=None, **kwargs):
        super().__init__(**kwargs)
        self.up = up
        self.down = down
        self.taps = tuple(taps)
        self.padding = None if padding is None else tuple(padding)

    def call(self, images):
        return upfirdn2d(images, low_pass(self.taps, self.up), self.up, self.down, self.padding)

    def compute_output_shape(self, input_shape):
        before, after = centred(len(self.taps), self.up, self.down) if self.padding is None else self.padding
        batch, *sizes, channels = input_shape
        smaller = [(size * self.up + before + after - len(self.taps)) // self.down + 1 for size in sizes]
        return (batch, *smaller, channels)

    def get_config(self):
        own = {"up": self.up, "down": self.down, "taps": self.taps, "padding": self.padding}
        return {**super().get_config(), **own}


def low_pass(taps, up=1):
    """The taps of one axis such that a constant passes unchanged among `up` - 1 zeros for each pixel: float32 array."""
    taps = np.asarray(taps, "float32")
    return up * taps / taps.sum()
