"""What the generator starts from: waves, a picture that is defined everywhere, and can be moved and turned exactly."""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import ops


def in_disc(count, radius, seed=None):
    """Points that are uniform in a disc around 0: float32 array (count, 2)."""
    rng = np.random.default_rng(seed)
    angles = rng.uniform(0, 2 * np.pi, count)
    radii = radius * np.sqrt(rng.uniform(0, 1, count))
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=-1).astype("float32")


@keras.saving.register_keras_serializable(package="gdl_keras")
class FourierInput(keras.layers.Layer):
    """Sine waves of random frequencies, turned and moved as the style says and then as the caller says, and mixed.

        x_k(p) = a_k sin(2 pi (f_k . M p + phase_k)),       outputs = W x / sqrt(channels)

    M = R T U: the matrix U of the caller, homogeneous, maps a place of the outcome to where it comes from; T and R are
    the shift and the turn that a dense layer reads from the style, none at the start.  a_k fades out what a caller's
    matrix makes too fast for the pixels (Karras et al. 2021, section 3.2 and appendix F).

    The frequencies are uniform in a disc, and stay; W is learnt.

    Args:
        channels: int, how many waves, and channels of the outcome.
        size: int, pixels a side.
        rate: int, pixels that make up the unit of length, the side of an image.
        bandwidth: float, the highest frequency.
        seed: int or None, of frequencies and phases.

    Call arguments:
        inputs: (styles, transforms), float32 tensors (batch, style_dim) and (batch, 3, 3), of (x, y, 1) with x to the
            right and y down, 0 in the middle of the image.

    Returns:
        float tensor (batch, size, size, channels).
    """

    def __init__(self, channels, size, rate, bandwidth, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.channels, self.size, self.rate, self.bandwidth, self.seed = channels, size, rate, bandwidth, seed

    def build(self, input_shape):
        kept = {"trainable": False, "autocast": False}
        rng = np.random.default_rng(self.seed)

        def frequencies(shape, dtype):
            return ops.convert_to_tensor(in_disc(shape[0], self.bandwidth, rng), dtype)

        def phases(shape, dtype):
            return ops.convert_to_tensor(rng.uniform(-0.5, 0.5, shape), dtype)

        def nowhere(shape, dtype):
            return ops.convert_to_tensor([1.0, 0.0, 0.0, 0.0], dtype)

        self.frequencies = self.add_weight((self.channels, 2), frequencies, name="frequencies", **kept)
        self.phases = self.add_weight((self.channels,), phases, name="phases", **kept)
        self.read_kernel = self.add_weight((input_shape[0][-1], 4), "zeros", name="read_kernel", autocast=False)
        self.read_bias = self.add_weight((4,), nowhere, name="read_bias", autocast=False)
        normal = keras.initializers.RandomNormal(stddev=1.0)
        self.kernel = self.add_weight((self.channels, self.channels), normal, name="kernel")

    def call(self, inputs):
        styles, transforms = (ops.cast(tensor, "float32") for tensor in inputs)
        matrices = self.read(styles) @ transforms
        frequencies = ops.matmul(self.frequencies, matrices[:, :2, :2])
        phases = self.phases + ops.matmul(self.frequencies, matrices[:, :2, 2:])[..., 0]
        places = (np.arange(self.size, dtype="float32") + 0.5 - self.size / 2) / self.rate
        x = frequencies[:, None, None, :, 0] * places[:, None]
        y = frequencies[:, None, None, :, 1] * places[:, None, None]
        waves = ops.sin(2 * math.pi * (x + y + phases[:, None, None]))
        speeds = ops.sqrt(ops.sum(ops.square(frequencies), axis=-1))
        room = self.rate / 2 - self.bandwidth
        waves = waves * ops.clip(1 - (speeds - self.bandwidth) / room, 0, 1)[:, None, None]
        return ops.matmul(ops.cast(waves, self.compute_dtype), self.kernel / math.sqrt(self.channels))

    def read(self, styles):
        """The turn and the shift that styles ask for: float32 tensor (batch, 3, 3)."""
        values = ops.matmul(styles, self.read_kernel / math.sqrt(styles.shape[-1])) + self.read_bias
        values = values / tf.norm(values[:, :2], axis=1, keepdims=True)
        cosine, sine, right, down = ops.unstack(values, axis=1)
        zero, one = ops.zeros_like(cosine), ops.ones_like(cosine)

        def matrix(*rows):
            return ops.stack([ops.stack(row, axis=-1) for row in rows], axis=-2)

        turn = matrix((cosine, -sine, zero), (sine, cosine, zero), (zero, zero, one))
        return turn @ matrix((one, zero, -right), (zero, one, -down), (zero, zero, one))

    def compute_output_shape(self, input_shape):
        return (input_shape[0][0], self.size, self.size, self.channels)

    def get_config(self):
        names = ("channels", "size", "rate", "bandwidth", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
