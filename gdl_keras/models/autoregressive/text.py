"""What every model shares that writes text: strings in and strings out, the vocabulary saved inside."""

import keras
import numpy as np
import tensorflow as tf

from gdl_keras import losses
from gdl_keras.backend import full_float32
from gdl_keras.data.vocabulary import Vocabulary
from gdl_keras.errors import InputError
from gdl_keras.layers.settings import Setting
from gdl_keras.models.autoregressive.base import AutoregressiveModel

SHEET_TEXTS = 5

keras.saving.register_keras_serializable(package="gdl_keras")(Vocabulary)


class TextModel(AutoregressiveModel):
    """An autoregressive model of text.  A subclass writes `logits` and `train_step`.

    Args:
        vocabulary: a `data.Vocabulary`; it is saved with the model.
        length: int, how many tokens a text has unless it is told otherwise.
        one_text: whether a sample is one text, which is over at its <end>, and does not run on into the next.
    """

    makes = "text"
    learns_from = ("tokens",)
    evaluation_size = 200
    length = Setting("at least 1", lambda value: value >= 1)
    read_by_no_step = ("label_names", "one_text")

    def __init__(self, vocabulary, length=200, one_text=False, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary = vocabulary
        self.length = length
        self.one_text = one_text

    @property
    def vocabulary_size(self):
        return len(self.vocabulary)

    def to_tokens(self, samples):
        """Texts, all of as many tokens, or their tokens: int32 array (n, length).

        Raises:
            InputError: the texts differ in length.
        """
        if all(not isinstance(sample, str) for sample in samples):
            return np.asarray(samples, "int32")
        encoded = [self.vocabulary.encode(sample) for sample in samples]
        lengths = sorted({len(tokens) for tokens in encoded})
        if len(lengths) > 1:
            unit = self.vocabulary.unit
            raise InputError(f"These texts have {lengths[0]} to {lengths[-1]} {unit}: give texts of one length.")
        return np.stack(encoded)

    def to_samples(self, tokens):
        """The texts of int arrays (n, length): list of str."""
        return [self.vocabulary.decode(self._first_text(row) if self.one_text else row) for row in tokens]

    def _first_text(self, row):
        ends = np.flatnonzero(np.asarray(row) == self.vocabulary.end)
        return row[: ends[0]] if len(ends) else row

    def nats_per_token(self, tokens, **options):
        """-log p(x_t | x_0 ... x_{t-1}), place by place: float tensor (batch, length).

        Args:
            tokens: int tensor (batch, length).
            options: as in the model's own `logits`, such as `training`.
        """
        return losses.class_crossentropy(tokens, self.logits(tokens, **options))

    def counting(self, tokens):
        """1 for tokens of a text, its <end> included, and 0 for what fills up the row: float32 tensor (batch, length).

        Args:
            tokens: int tensor (batch, length).
        """
        is_end = tf.equal(tokens, self.vocabulary.end)
        return 1 - tf.pad(tf.cast(is_end[:, 1:] & is_end[:, :-1], tf.float32), [[0, 0], [1, 0]])

    @full_float32()
    def negative_log_likelihood(self, batch, seed=0, first=0):
        """-log p of each text: float64 array (n,), nats, exact.

        Args:
            batch: list of str, or int array (n, length).
        """
        parts = [self.to_tokens([text]) for text in batch] if isinstance(batch[0], str) else [self.to_tokens(batch)]
        nats = [np.asarray(self.nats_per_token(tf.constant(tokens)), "float64").sum(axis=1) for tokens in parts]
        return np.concatenate(nats)

    def sample_sheet(self, seed=0):
        return self.generate(SHEET_TEXTS, seed=seed), 1


def text_lengths(tokens, vocabulary, one_text):
    """How many tokens each row's text has: int32 tensor (batch,).

    Args:
        tokens: int tensor (batch, length).
        vocabulary: a `data.Vocabulary`.
        one_text: whether a row is one text, which is over at its first <end>; otherwise all of the row counts.
    """
    count, length = tf.unstack(tf.shape(tokens))
    if not one_text:
        return tf.fill([count], length)
    before_end = tf.math.cumprod(tf.cast(tf.not_equal(tokens, vocabulary.end), tf.int32), axis=1)
    return tf.minimum(tf.reduce_sum(before_end, axis=1) + 1, length)
