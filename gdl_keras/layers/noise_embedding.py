"""How much noise there is, as a vector that a network can tell apart: sines and cosines of many frequencies."""

import math

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="gdl_keras")
class NoiseEmbedding(keras.layers.Layer):
    """Sines and then cosines of a number, at frequencies that grow geometrically (Vaswani et al. 2017).

    Float32 (batch,) -> (batch, 2 * frequencies); computed in float32, whose sines of large angles are still right.

    Args:
        frequencies: int, how many.
        lowest, highest: floats, in turns per unit of the number.
        of: "level": of the number itself, as in the book; "logit": of log(level / (1 - level)), which tells levels
            near 0 and near 1 apart.  Levels lie in [0, 1].
    """

    def __init__(self, frequencies=16, lowest=1.0, highest=1000.0, of="level", **kwargs):
        # The level must not be rounded to float16 on its way in.
        super().__init__(**{"autocast": False, **kwargs})
        self.frequencies, self.lowest, self.highest, self.of = frequencies, lowest, highest, of

    def call(self, levels):
        x = tf.cast(levels, "float32")
        if self.of == "logit":
            x = tf.clip_by_value(x, 1e-6, 1 - 1e-6)
            x = tf.math.log(x) - tf.math.log1p(-x)
        exponents = tf.linspace(math.log(self.lowest), math.log(self.highest), self.frequencies)
        angles = 2 * math.pi * tf.cast(tf.exp(exponents), "float32") * x[:, None]
        return tf.cast(tf.concat([tf.sin(angles), tf.cos(angles)], axis=1), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:1], 2 * self.frequencies)

    def get_config(self):
        settings = {name: getattr(self, name) for name in ("frequencies", "lowest", "highest", "of")}
        return {**super().get_config(), **settings}
