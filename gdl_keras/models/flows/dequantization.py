"""Noise that fills the gaps between the bytes of images, so that a density can be learnt of them.

A density of bytes has no bound: it can put an infinite spike onto each of 256 levels.  So each byte b gets an offset u
in [0, 1], and the density is learnt of b + u.  What is then said about the bytes is a bound (Theis et al. 2016,
arXiv:1511.01844; Ho et al. 2019, Flow++, arXiv:1902.00275):

    log P(b) = log integral p(b + u) du  >=  E_q[log p(b + u) - log q(u | b)]

With q uniform the model must learn boxes, which a smooth map is bad at.  A q that is learnt puts the offsets where the
model likes them, and the bound is tighter.
"""

import math

import keras
import tensorflow as tf
from keras import layers, ops

from gdl_keras import losses
from gdl_keras.layers import AffineCoupling, InvertibleConvolution


@keras.saving.register_keras_serializable(package="gdl_keras")
class UniformDequantization(layers.Layer):
    """Offsets that are uniform whatever the image is: q(u | b) = 1.

    Call arguments:
        images: float32 tensor (batch, height, width, channels) in [0, 1].
        noise: float32 tensor of that shape, drawn as `noise_is` says.

    Returns:
        (offsets in [0, 1], float32 tensor of that shape; log q of them (batch,)).
    """

    noise_is = "uniform"

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, images, noise):
        return noise, ops.zeros((ops.shape(images)[0],), "float32")


@keras.saving.register_keras_serializable(package="gdl_keras")
class VariationalDequantization(layers.Layer):
    """Offsets from a flow that sees the image, which begins as uniform (Ho et al. 2019, section 3.1).

        u = Phi(g(e; b)),     e ~ N(0, I),     log q(u | b) = log N(e) - log |det dg/de| - log N(g(e; b))

    Phi is the normal distribution function: where g changes nothing, u is uniform, and log q is 0.

    Args:
        steps: int, couplings of g.
        filters: int, of their networks, and features of the image that they see.

    Call arguments, returns as in `UniformDequantization`.
    """

    noise_is = "normal"

    def __init__(self, steps=4, filters=16, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.steps = steps
        self.filters = filters

    def build(self, input_shape):
        height, width, channels = input_shape[1:]
        squeezed = (height // 2, width // 2, 4 * channels)
        images = keras.Input(squeezed, name="images")
        x = layers.Conv2D(self.filters, 3, padding="same", activation="relu", name="neighbours")(images)
        features = layers.Conv2D(self.filters, 3, padding="same", dtype="float32", name="features")(x)
        self.context = keras.Model(images, features, name="context")
        # A name decides in which order TensorFlow sums gradients: a loaded model goes on with the same ones.
        self.mixings = [InvertibleConvolution(name=f"mixing_{step}") for step in range(self.steps)]
        self.couplings = [AffineCoupling(self.filters, name=f"coupling_{step}") for step in range(self.steps)]
        for mixing, coupling in zip(self.mixings, self.couplings):
            mixing.build((None, *squeezed))
            coupling.build((None, *squeezed), self.context.output_shape)

    def call(self, images, noise):
        context = self.context(tf.nn.space_to_depth(images, 2) - 0.5)
        x, log_det = tf.nn.space_to_depth(noise, 2), 0.0
        for mixing, coupling in zip(self.mixings, self.couplings):
            x, mixed = mixing(x)
            x, coupled = coupling(x, context)
            log_det = log_det + mixed + coupled
        x = tf.nn.depth_to_space(x, 2)
        return ops.clip(0.5 * ops.erfc(-x / math.sqrt(2)), 0, 1), _log_normal(noise) - log_det - _log_normal(x)

    def get_config(self):
        return {**super().get_config(), "steps": self.steps, "filters": self.filters}


def _log_normal(images):
    return losses.normal_log_density(ops.reshape(images, (ops.shape(images)[0], -1)))
