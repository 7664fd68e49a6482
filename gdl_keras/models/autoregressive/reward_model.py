"""The reward model: which of two texts is the better one, learnt from people who said so.

The network that has learnt the language reads on, and in the place of logits it says one number, how good the text is
as far as it has read.  Only differences are learnt: the numbers have no zero.

Book: chapter 9, "From GPT to ChatGPT".  Papers: Christiano et al. 2017, arXiv:1706.03741; Ziegler et al. 2019,
Fine-tuning language models from human preferences, arXiv:1909.08593; Ouyang et al. 2022, arXiv:2203.02155.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from gdl_keras.errors import InputError
from gdl_keras.models.autoregressive.text import text_lengths
from gdl_keras.models.base import TapeModel
from gdl_keras.models.parts.inputs import pairs_of
from gdl_keras.preference_losses import bradley_terry

BATCH_SIZE = 256


def build_reward_network(network):
    """What a GPT's network knows of the language, and a number at each place in the stead of its logits.

    Serves as a reward network, whose last number is asked for, and as a critic, from whom all are.

    Args:
        network: `keras.Model`, as `build_gpt` makes it.  Its layers and weights are copied.

    Returns:
        `keras.Model`, int tokens (batch, length) -> values, float32 (batch, length), all 0 in the beginning; entry t is
        of what was read up to the token at t.
    """
    x = tokens = keras.Input((None,), dtype="int32", name="tokens")
    for layer in network.layers[1:]:
        if not layer.name.startswith("logits"):
            copy = type(layer).from_config(layer.get_config())
            x = copy(x)
            copy.set_weights(layer.get_weights())
    values = layers.Dense(1, kernel_initializer="zeros", dtype="float32", name="value")(x)
    return keras.Model(tokens, layers.Reshape((-1,), dtype="float32")(values), name="values")


def final_values(network, tokens, lengths, vocabulary, training=False):
    """The value of whole texts: float32 tensor (batch,).

    <end> is read first, as a language model does, so that the value of a text of n tokens stands at place n.

    Args:
        network: as `build_reward_network` makes it.
        tokens: int tensor (batch, length).
        lengths: int tensor (batch,), how many of them belong to the text.
        vocabulary: a `data.Vocabulary`.
    """
    read = tf.pad(tokens, [[0, 0], [1, 0]], constant_values=vocabulary.end)
    return tf.gather(network(read, training=training), lengths, axis=1, batch_dims=1)


@keras.saving.register_keras_serializable(package="gdl_keras")
class RewardModel(TapeModel):
    """Trains a network to give the better one of two texts the larger number.

        loss = -log sigmoid(r(chosen) - r(rejected))

    Args:
        network: `keras.Model`, as `build_reward_network` makes it.
        vocabulary: a `data.Vocabulary`; it is saved with the model.
        one_text: whether a row is one text, which is over at its <end>; otherwise all of the row counts.
        seed: int or None.

    Reports `loss`, nats a pair, and `accuracy`, how often the larger number is that of the chosen text.
    """

    metric_names = ("loss", "accuracy")
    learns_from = ("chosen", "rejected")

    def __init__(self, network, vocabulary, one_text=False, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.vocabulary = vocabulary
        self.one_text = one_text
        self._values_of = tf.function(self._final_values, reduce_retracing=True)

    @property
    def vocabulary_size(self):
        return len(self.vocabulary)

    @property
    def input_signature(self):
        return keras.InputSpec(shape=(None, None), dtype="int32", name="tokens")

    def call(self, tokens, training=False):
        """How good texts are: float32 tensor (batch,)."""
        return self._final_values(tokens, text_lengths(tokens, self.vocabulary, self.one_text), training)

    def train_step(self, data):
        texts = tf.concat(pairs_of(self, data), axis=0)
        with tf.GradientTape() as tape:
            chosen, rejected = tf.split(self(texts, training=True), 2)
            losses = bradley_terry(chosen, rejected)
            loss = ops.mean(losses)
        self.minimize(tape, loss, self.optimizer, self.trainable_variables)
        return self.report(loss=losses, accuracy=tf.cast(chosen > rejected, tf.float32))

    def test_step(self, data):
        chosen, rejected = tf.split(self(tf.concat(pairs_of(self, data), axis=0)), 2)
        return self.report(loss=bradley_terry(chosen, rejected), accuracy=tf.cast(chosen > rejected, tf.float32))

    def score(self, texts):
        """How good texts are, one number each: float32 array (n,).  Only differences between texts say anything.

        Args:
            texts: list of str, of any lengths; where a row is one text, each is taken to be over.  Or their tokens, int
                array (n, length).

        Raises:
            InputError: there are none.
        """
        if not len(texts):
            raise InputError("There are no texts: a score is of at least one.")
        tokens, lengths = self._rows_of(texts) if isinstance(texts[0], str) else self._read(texts)
        parts = [slice(start, start + BATCH_SIZE) for start in range(0, len(tokens), BATCH_SIZE)]
        return np.concatenate([self._values_of(tokens[part], lengths[part]) for part in parts])

    def _final_values(self, tokens, lengths, training=False):
        return final_values(self.network, tokens, lengths, self.vocabulary, training)

    def _read(self, tokens):
        tokens = np.asarray(tokens, "int32")
        return tokens, text_lengths(tf.constant(tokens), self.vocabulary, self.one_text).numpy()

    def _rows_of(self, texts):
        end = [self.vocabulary.end] * self.one_text
        rows = [np.append(self.vocabulary.encode(text), end) for text in texts]
        lengths = np.array([len(row) for row in rows], "int32")
        tokens = np.full((len(rows), lengths.max()), self.vocabulary.end, "int32")
        for filled, row in zip(tokens, rows):
            filled[: len(row)] = row
        return tokens, lengths
