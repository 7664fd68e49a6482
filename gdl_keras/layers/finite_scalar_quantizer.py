"""Finite scalar quantisation: no codebook; each number of a vector is rounded to one of a few levels.

Paper: Mentzer et al. 2023, Finite scalar quantization: VQ-VAE made simple, arXiv:2309.15505.
"""

import math

import keras
import numpy as np
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.layers.quantizer import Quantizer

# How far beyond the outermost levels a number may get, so that rounding reaches them.
REACH = 1e-3


@keras.saving.register_keras_serializable(package="gdl_keras")
class FiniteScalarQuantizer(Quantizer):
    """Rounds number i of a vector to one of `levels[i]` levels in [-1, 1]; every combination of levels is a code.

        b_i(x) = h tanh(x + s) - o,   h = (L_i - 1)(1 + 1e-3) / 2,   o = 1/2 for even L_i, else 0,   s = atanh(o / h)
        output = round(b_i(x)) / floor(L_i / 2)                      (appendix A.1)

    Nothing is learnt, so no code can die, and there is nothing to pay: its losses are 0.  Papers' levels are (8, 6, 5)
    for 240 codes, (8, 5, 5, 5) for 1,000, (7, 5, 5, 5, 5) for 4,375.

    Args:
        levels: tuple of ints, each at least 2.
        decay, gradient: as in `Quantizer`.

    Raises:
        InputError: there are no levels, or too few.
    """

    def __init__(self, levels=(8, 5, 5, 5), decay=0.99, gradient="straight_through", **kwargs):
        if not levels or min(levels) < 2:
            raise InputError(f"Each number has at least 2 levels, not {tuple(levels)}.")
        self.levels = tuple(levels)
        super().__init__(math.prod(levels), len(levels), decay, gradient, **kwargs)
        self.built = True

    def placed(self, vectors):
        levels = np.array(self.levels, "float32")
        half = (levels - 1) * (1 + REACH) / 2
        offset = np.where(levels % 2 == 0, 0.5, 0.0).astype("float32")
        bounded = half * tf.tanh(vectors + np.arctanh(offset / half)) - offset
        return bounded / (levels // 2)

    def nearest(self, vectors):
        digits = tf.cast(tf.round(vectors * self._halves), tf.int32) + self._halves.astype("int32")
        return tf.reduce_sum(digits * self._bases, axis=-1)

    def table(self):
        digits = np.arange(self.num_codes)[:, None] // self._bases % np.array(self.levels)
        return tf.constant((digits - self._halves) / self._halves, tf.float32)

    @property
    def _halves(self):
        return (np.array(self.levels) // 2).astype("float32")

    @property
    def _bases(self):
        return np.cumprod([1, *self.levels[:-1]]).astype("int32")

    def get_config(self):
        config = super().get_config()
        return {
            **{name: config[name] for name in config if name not in ("num_codes", "code_dim")},
            "levels": self.levels,
        }
