"""The n-gram model: the next token is as likely as it was after the same few tokens before.  No network, no gradient.

    p(x) = prod_t p(x_t | x_{t-n+1} ... x_{t-1})

The likelihood of a text is largest where p(w | h) = c(h w) / c(h): training is counting.  What was never seen would
then be impossible, so counts are smoothed:

    additive      p(w | h) = (c(h w) + alpha) / (c(h) + alpha V)
    Kneser-Ney    p(w | h) = (max(c(h w) - D, 0) + D d(h) p(w | h')) / c(h)

V is the size of the vocabulary, d(h) how many different tokens came after h, and h' is h without its first token.
Kneser-Ney takes the discount D from all that was seen, and gives it to what the shorter context expects.  Of the
longest n-grams, c is how often they came; of shorter ones, how many different tokens came before them: "Francisco" is a
frequent word, and a rare guess after any word but one.  After less than a whole context, the shorter ones decide alone.

Markov 1913; Shannon 1948, A mathematical theory of communication; Kneser and Ney 1995, Improved backing-off for m-gram
language modeling, interpolated as in Chen and Goodman 1999, An empirical study of smoothing techniques.
"""

import keras
import tensorflow as tf

from gdl_keras.errors import InputError, check_one_of
from gdl_keras.layers import Counts
from gdl_keras.layers.settings import Setting
from gdl_keras.models.autoregressive.text import TextModel
from gdl_keras.models.base import inputs_of
from gdl_keras.models.parts.weights import refuse_weights, weights_of

SMOOTHINGS = ("kneser_ney", "additive")


@keras.saving.register_keras_serializable(package="gdl_keras")
class NGram(TextModel):
    """An n-gram model.  One pass over the data is all there is to learn; a second one counts everything twice.

    Args:
        vocabulary: a `data.Vocabulary`.
        order: int, n: a token is guessed from the n - 1 before it.
        smoothing: "kneser_ney" or "additive".
        discount: float in (0, 1), D.
        alpha: float above 0.
        capacity: int, the most different n-grams of one length that there is room for; a text has no more than tokens.
        length: int, how many tokens a text has unless `generate` is told otherwise.
        seed: as for every `TapeModel`; nothing in training is random.

    Raises:
        InputError: an argument is out of range, or there are more n-grams than can be numbered.
    """

    metric_names = ("nats_per_token",)
    discount = Setting("between 0 and 1", lambda value: 0 < value < 1)
    alpha = Setting("larger than 0", lambda value: value > 0)

    def __init__(
        self,
        vocabulary,
        order=5,
        smoothing="kneser_ney",
        discount=0.75,
        alpha=1.0,
        capacity=2**20,
        length=200,
        **kwargs,
    ):
        super().__init__(vocabulary, length, **kwargs)
        check_one_of("smoothing", smoothing, SMOOTHINGS)
        if order < 1:
            raise InputError(f"order is at least 1, not {order}.")
        if len(vocabulary) ** order >= 2**63:
            raise InputError(
                f"There are {len(vocabulary):,} tokens, and too many sequences of {order} of them to tell apart: "
                "take a smaller order or a smaller vocabulary."
            )
        self.order = order
        self.smoothing = smoothing
        self.discount = discount
        self.alpha = alpha
        self.capacity = capacity
        # A table for each length, the shortest first; an n-gram is a number with a token for each digit.
        sizes = [min(capacity, len(vocabulary) ** length) for length in range(1, order + 1)]
        self.counts = [Counts(size, name=f"counts_{n}") for n, size in enumerate(sizes, start=1)]

    def train_step(self, data):
        tokens = self._tokens_of(data)
        nats = self._foreseen(tokens)  # before it counts them
        grams = _of_all_replicas(self._grams(tokens))
        for n, counts in reversed(list(enumerate(self.counts))):
            new = counts.add(grams)
            grams = (new if self.smoothing == "kneser_ney" else grams) % self.vocabulary_size**n
        return self.report(nats_per_token=nats)

    def test_step(self, data):
        return self.report(nats_per_token=self._foreseen(self._tokens_of(data)))

    def probability(self, token, before):
        """p(token | the tokens before it): float64 tensor.

        Args:
            token: int64 tensor.
            before: list of n - 1 int64 tensors, the nearest token first, -1 where there is none; all broadcast.
        """
        size = self.vocabulary_size
        p, context = tf.constant(1 / size, tf.float64), tf.constant(0, tf.int64)
        for n, counts in enumerate(self.counts):
            if n > 0:
                is_known = (context >= 0) & (before[n - 1] >= 0)
                context = tf.where(is_known, context + before[n - 1] * size ** (n - 1), -1)
            gram = context * size + token
            seen, _ = _floats(counts.between(gram, gram + 1))
            total, different = _floats(counts.between(context * size, context * size + size))
            if self.smoothing == "additive":
                p = tf.where(context >= 0, (seen + self.alpha) / (total + self.alpha * size), p)
            else:
                rest = self.discount * different * p
                p = tf.where(total > 0, (tf.maximum(seen - self.discount, 0) + rest) / tf.maximum(total, 1), p)
        return p

    def nats_per_token(self, tokens):
        """As in `TextModel`, float64, without the probabilities of all other tokens."""
        tokens = tf.cast(tokens, tf.int64)
        return -tf.math.log(self.probability(tokens, self._before(tokens)))

    def logits(self, tokens):
        tokens = tf.cast(tokens, tf.int64)
        before = [token[..., None] for token in self._before(tokens)]
        return self._all_logits(before, tf.shape(tokens))

    def logits_at(self, tokens, place):
        tokens = tf.cast(tokens, tf.int64)
        before = [
            tf.where(place >= n, tf.gather(tokens, tf.maximum(place - n, 0), axis=1), -1)[:, None]
            for n in range(1, self.order)
        ]
        return self._all_logits(before, tf.shape(tokens)[:1])

    def _tokens_of(self, data):
        if weights_of(data) is not None:
            refuse_weights(self)  # counts are whole numbers
        return inputs_of(data, "int32")

    def _foreseen(self, tokens):
        # Of each token but a window's first, which the window before it ends with.
        return tf.cast(self.nats_per_token(tokens)[:, 1:], tf.float32)

    def _all_logits(self, before, shape):
        p = self.probability(tf.range(self.vocabulary_size, dtype=tf.int64), before)
        return tf.cast(tf.math.log(tf.broadcast_to(p, tf.concat([shape, [self.vocabulary_size]], axis=0))), tf.float32)

    def _before(self, tokens):
        # The token n places before each, -1 before the beginning.
        length = tf.shape(tokens)[1]
        return [tf.pad(tokens, [[0, 0], [n, 0]], constant_values=-1)[:, :length] for n in range(1, self.order)]

    def _grams(self, tokens):
        # The number of each n-gram that lies in a text.
        tokens = tf.cast(tokens, tf.int64)
        count = tf.maximum(tf.shape(tokens)[1] - self.order + 1, 0)
        digits = [tokens[:, n : n + count] * self.vocabulary_size ** (self.order - 1 - n) for n in range(self.order)]
        return tf.reshape(tf.add_n(digits), [-1])


def _floats(pair):
    return [tf.cast(number, tf.float64) for number in pair]


def _of_all_replicas(numbers):
    # Each replica reads a part of the batch, and all count the whole.
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return numbers
    return tf.distribute.get_replica_context().all_gather(numbers, axis=0)
