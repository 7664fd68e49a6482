"""Causal self-attention: each token looks at itself and at those before it.

Source: Vaswani et al. 2017, Attention is all you need, arXiv:1706.03762.
"""

import keras
import tensorflow as tf
from keras import layers
from keras.initializers import RandomNormal

from gdl_keras.errors import InputError
from gdl_keras.layers.place_dense import PlaceDense
from gdl_keras.layers.rotary import rotated

NEVER = float("-inf")


@keras.saving.register_keras_serializable(package="gdl_keras")
class CausalSelfAttention(layers.Layer):
    """Every token asks a question, and takes from itself and the earlier ones as much as their keys answer to it.

        y_t = sum_{s <= t} a_ts v_s W,    a_ts = softmax_s(q_t . k_s / sqrt(key_dim))       in each of the heads

    Queries, keys and values of all heads come from one product.  For the rest, `keras.ops.dot_product_attention`, Keras
    has a fused kernel on other backends and none on TensorFlow: it is composed here, in the order that was quickest.

    Args:
        num_heads: int.
        key_dim: int, numbers of a query, of a key and of a value, in one head.
        rotary: whether queries and keys are turned by their places, so that a score depends on the distance.
        window: int or None; a token sees itself and at most `window` - 1 before it; not causal, as many after it, too.
        output_stddev: float, how large the weights of the output are in the beginning.
        causal: bool; where not, tokens look both ways, and there is nothing to write token by token.

    Call arguments:
        x: float tensor (batch, length, dim).

    Returns:
        tensor of the same shape; place t does not depend on later ones, if causal.

    Raises:
        InputError: vectors of an odd `key_dim` are to be turned.
    """

    def __init__(self, num_heads, key_dim, rotary=False, window=None, output_stddev=0.02, causal=True, **kwargs):
        super().__init__(**kwargs)
        if rotary and key_dim % 2:
            raise InputError(f"Rotary positions turn pairs of numbers: key_dim is even, not {key_dim}.")
        self.num_heads = num_heads
        self.key_dim = key_dim
        self.rotary = rotary
        self.window = window
        self.output_stddev = output_stddev
        self.causal = causal
        self.query_key_value = PlaceDense(
            3 * num_heads * key_dim,
            kernel_initializer=RandomNormal(stddev=0.02),
            dtype=self.dtype_policy,
            name="query_key_value",
        )

    def build(self, input_shape):
        self.query_key_value.build(input_shape)
        self.output_dense = PlaceDense(
            input_shape[-1],
            kernel_initializer=RandomNormal(stddev=self.output_stddev),
            dtype=self.dtype_policy,
            name="output",
        )
        self.output_dense.build((*input_shape[:-1], self.num_heads * self.key_dim))

    def call(self, x):
        query, key, value = self._projected(x, tf.range(tf.shape(x)[1]))
        return self._output(self._weights(query, key, self._bias(tf.shape(x)[1])), value)

    def scores(self, x):
        """How much each token takes from which: float32 tensor (batch, heads, length, length).

        Row t is of the token at place t: it sums to 1, and is 0 after t, if causal.
        """
        query, key, _ = self._projected(x, tf.range(tf.shape(x)[1]))
        return self._weights(query, key, self._bias(tf.shape(x)[1]))

    def initial_state(self, count, length):
        """Room for the keys and the values of texts that will have `length` tokens: two tensors.

        Args:
            count, length: ints.

        Raises:
            InputError: tokens look both ways.
        """
        if not self.causal:
            raise InputError("Tokens that look at later ones cannot be read one by one: build it with causal=True.")
        size = length if self.window is None else min(length, self.window)
        room = tf.zeros((count, self.num_heads, size, self.key_dim), self.compute_dtype)
        return room, room

    def step(self, x, place, state):
        """One token more of each text: (what `call` gives at that place, new state).

        Args:
            x: float tensor (batch, dim).
            place: int tensor, how many tokens were read before.
            state: as `initial_state` gives it, or as it was given here for the place before.
        """
        query, key, value = self._projected(x[:, None], place[None])
        size = state[0].shape[2]
        # Past the window a token takes the room of one that is not seen any more.
        here = tf.equal(tf.range(size), place % size)[:, None]
        keys, values = (tf.where(here, new, kept) for new, kept in zip((key, value), state))
        bias = tf.where(tf.range(size) <= place, 0.0, NEVER)
        return self._output(self._weights(query, keys, bias), values)[:, 0], (keys, values)

    def _projected(self, x, places):
        """Queries, keys and values: three tensors (batch, heads, length, key_dim)."""
        batch, length = tf.shape(x)[0], tf.shape(x)[1]
        joined = tf.reshape(self.query_key_value(x), (batch, length, 3, self.num_heads, self.key_dim))
        query, key, value = tf.unstack(tf.transpose(joined, (2, 0, 3, 1, 4)))
        if self.rotary:
            query, key = rotated(query, places), rotated(key, places)
        return query * self.key_dim**-0.5, key, value

    def _bias(self, length):
        """What is added to scores: 0 where one token sees the other, minus infinity elsewhere; (length, length)."""
        distance = tf.range(length)[:, None] - tf.range(length)
        distance = distance if self.causal else tf.abs(distance)
        seen = (distance >= 0) & (distance < (self.window or length))
        return tf.where(seen, 0.0, NEVER)

    def _weights(self, query, key, bias):
        # In float32 whatever the precision: sums of many small numbers.
        return tf.nn.softmax(tf.cast(tf.matmul(query, key, transpose_b=True), tf.float32) + bias)

    def _output(self, weights, value):
        heads = tf.matmul(tf.cast(weights, value.dtype), value)
        joined = tf.transpose(heads, (0, 2, 1, 3))
        width = self.num_heads * self.key_dim
        return self.output_dense(tf.reshape(joined, (tf.shape(joined)[0], tf.shape(joined)[1], width)))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        names = ("num_heads", "key_dim", "rotary", "window", "output_stddev", "causal")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
