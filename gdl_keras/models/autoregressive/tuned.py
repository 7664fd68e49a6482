"""What DPO and PPO share: a GPT that learns how people want a text to go on, and stays near to what it was."""

import tensorflow as tf

from gdl_keras import losses
from gdl_keras.errors import InputError
from gdl_keras.layers.settings import Setting
from gdl_keras.models.autoregressive.gpt import GPT
from gdl_keras.models.autoregressive.text import text_lengths
from gdl_keras.models.parts.copies import frozen_copy


class TunedGPT(GPT):
    """A policy and its reference.  A subclass writes `train_step`.

    In all passes networks leave nothing out (dropout): what differs between two of them is what was learnt.

    Args:
        network: as in `GPT`; the policy, which is trained, and which writes.
        reference: `keras.Model` of the same form, what the policy was like.  The model keeps a copy that nothing
            trains.
        vocabulary, length, one_text, seed: as in `GPT`.
        given_length: int, how many tokens at the head of each row were given.  They are read, and nothing is learnt
            from how likely they are.

    Raises:
        InputError: as in `GPT`, or all of a text is given.
    """

    given_length = Setting("not negative", lambda value: value >= 0)

    def __init__(self, network, reference, vocabulary, length=None, one_text=False, given_length=0, **kwargs):
        super().__init__(network, vocabulary, length, one_text, **kwargs)
        if given_length >= self.length:
            raise InputError(f"Of texts of {self.length} tokens {given_length} are given: none are left to write.")
        self.reference = frozen_copy(reference)
        self.given_length = given_length

    def log_probabilities(self, network, tokens):
        """log p(x_t | x_0 ... x_{t-1}) of a network such as the policy's: float32 tensor (batch, length).

        Args:
            network: as in `GPT`.
            tokens: int tensor (batch, length).
        """
        return -losses.class_crossentropy(tokens, network(self.before(tokens), training=False))

    def lengths(self, tokens):
        """How many tokens the text of each row has: int32 tensor (batch,)."""
        return text_lengths(tokens, self.vocabulary, self.one_text)

    def written(self, tokens):
        """1 for a text's tokens behind those given, its <end> included, 0 for others: float32 tensor (batch, length).

        Args:
            tokens: int tensor (batch, length).
        """
        places = tf.range(tf.shape(tokens)[1])
        is_written = (places >= self.given_length) & (places < self.lengths(tokens)[:, None])
        return tf.cast(is_written, tf.float32)
