"""A block of a transformer: attention moves numbers between places, a small network works on them at each place."""

import keras
import tensorflow as tf
from keras import layers
from keras.initializers import RandomNormal

from gdl_keras.errors import check_one_of
from gdl_keras.layers.causal_attention import CausalSelfAttention
from gdl_keras.layers.dropout import ReplicaDropout
from gdl_keras.layers.gelu import gelu
from gdl_keras.layers.layer_normalization import TokenNormalization
from gdl_keras.layers.place_dense import PlaceDense

NORMS = ("post", "pre")
ACTIVATIONS = ("relu", "gelu", "tanh")


@keras.saving.register_keras_serializable(package="gdl_keras")
class TransformerBlock(layers.Layer):
    """Self-attention, causal unless told otherwise, and a network of two layers, each added to what it read.

        post:  x = norm(x + attention(x)),   x = norm(x + feed_forward(x))       (Vaswani et al. 2017, arXiv:1706.03762)
        pre:   x = x + attention(norm(x)),   x = x + feed_forward(norm(x))       (Xiong et al. 2020, arXiv:2002.04745)

    With the normalisation before, a path without any leads through all blocks, and many of them train without a slow
    start.

    Args:
        num_heads, key_dim, rotary, window, causal: as in `CausalSelfAttention`.
        feed_forward_dim: int, the width of the inner layer.
        dropout: float in [0, 1), the share of numbers that is left out in training of what is added.
        norm: "post" or "pre".
        activation: "relu", "gelu" or "tanh", of the inner layer.
        output_stddev: float, how large those weights are in the beginning that write into the sum.

    Call arguments:
        x: float tensor (batch, length, dim).
        training: bool, whether numbers are left out.

    Returns:
        tensor of the same shape; place t does not depend on later ones, if causal.

    Raises:
        InputError: an argument is out of range.
    """

    def __init__(
        self,
        num_heads,
        key_dim,
        feed_forward_dim,
        dropout=0.0,
        norm="post",
        activation="relu",
        rotary=False,
        window=None,
        output_stddev=0.02,
        causal=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_one_of("norm", norm, NORMS)
        check_one_of("activation", activation, ACTIVATIONS)
        self.feed_forward_dim = feed_forward_dim
        self.rate = dropout
        self.norm = norm
        self.activation = activation
        policy = self.dtype_policy
        self.attention = CausalSelfAttention(
            num_heads, key_dim, rotary, window, output_stddev, causal, dtype=policy, name="attention"
        )
        self.inner = PlaceDense(
            feed_forward_dim, kernel_initializer=RandomNormal(stddev=0.02), dtype=policy, name="inner"
        )
        self.norms = [TokenNormalization(epsilon=1e-5, dtype=policy, name=f"norm_{n}") for n in (1, 2)]
        self.dropouts = [ReplicaDropout(dropout, dtype=policy) for _ in range(2)]

    def build(self, input_shape):
        self.outer = PlaceDense(
            input_shape[-1],
            kernel_initializer=RandomNormal(stddev=self.attention.output_stddev),
            dtype=self.dtype_policy,
            name="outer",
        )
        for layer in (self.attention, self.inner, *self.norms, *self.dropouts):
            layer.build(input_shape)
        self.outer.build((*input_shape[:-1], self.feed_forward_dim))

    def call(self, x, training=False):
        return self._written(x, self.attention(self._read(x, 0)), training)

    def scores(self, x):
        """As in `CausalSelfAttention`: how much each token takes from which."""
        return self.attention.scores(self._read(x, 0))

    def initial_state(self, count, length):
        """As in `CausalSelfAttention`."""
        return self.attention.initial_state(count, length)

    def step(self, x, place, state):
        """As in `CausalSelfAttention`: one token more of each text."""
        attended, state = self.attention.step(self._read(x, 0), place, state)
        return self._written(x, attended), state

    def _read(self, x, number):
        return self.norms[number](x) if self.norm == "pre" else x

    def _written(self, x, attended, training=False):
        x = self._added(x, attended, 0, training)
        inner = self._activated(self.inner(self._read(x, 1)), training)
        return self._added(x, self.outer(inner), 1, training)

    def _activated(self, x, training):
        if self.activation == "gelu":
            return gelu(x, training)
        return tf.nn.relu(x) if self.activation == "relu" else tf.tanh(x)

    def _added(self, x, change, number, training):
        x = x + self.dropouts[number](change, training=training)
        return self.norms[number](x) if self.norm == "post" else x

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        names = ("num_heads", "key_dim", "rotary", "window", "causal")
        attention = {name: getattr(self.attention, name) for name in names}
        own = {"feed_forward_dim": self.feed_forward_dim, "dropout": self.rate, "norm": self.norm}
        rest = {"activation": self.activation, "output_stddev": self.attention.output_stddev}
        return {**super().get_config(), **attention, **own, **rest}
