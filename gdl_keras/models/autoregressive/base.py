"""What every model shares that makes a sample one token after the other."""

from functools import partial

import keras
import numpy as np
import tensorflow as tf

from gdl_keras.backend import full_float32
from gdl_keras.errors import InputError
from gdl_keras.models.generative import GenerativeModel
from gdl_keras.samplers.next_token import check_options, read_and_write, write_tokens
from gdl_keras.samplers.noise import SampleNoise, seed_or_any


class AutoregressiveModel(GenerativeModel):
    """A model that makes samples token by token: letters, words, pixels.

        p(x) = prod_t p(x_t | x_0 ... x_{t-1})

    A subclass writes `logits`, and keeps `vocabulary_size` and `length`, how many tokens a sample has by default.
    Where samples are no tokens, it writes `to_tokens` and `to_samples` as well.
    """

    likelihood_is = "exact"

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._write = {}

    def trace_anew(self):
        super().trace_anew()
        self._write = {}

    def call(self, tokens):
        """`logits` of tokens (batch, length)."""
        return self.logits(tokens)

    @property
    def input_signature(self):
        return keras.InputSpec(shape=(None, None), dtype="int32", name="tokens")

    def logits(self, tokens, **conditions):
        """What the model expects at each place, having seen the places before it.

        Args:
            tokens: int32 tensor (batch, length).
            conditions: tensors with one entry a sample.

        Returns:
            float32 tensor (batch, length, vocabulary_size); entry t does not depend on the tokens from t on.
        """
        raise NotImplementedError(f"{type(self).__name__} gives no logits.")

    def logits_at(self, tokens, place, **conditions):
        """Those of one place alone, an int tensor: (batch, vocabulary_size); a model may know a shorter way to them."""
        return tf.gather(self.logits(tokens, **conditions), place, axis=1)

    def initial_state(self, count, length):
        """What the model remembers before it has read anything: a nested structure of tensors, for `read`.

        None for a model without a memory, which looks at all tokens again for each that it writes.

        Args:
            count: int, how many samples are written at once.
            length: int, how many tokens they will have.
        """
        return None  # noqa: RET501 - TensorFlow does not trace a function that is a docstring alone

    def read(self, token, place, state, **conditions):
        """Reads one token more of each sample: (logits of the token at `place`, what it remembers then).

        Args:
            token: int32 tensor (batch,), the token before that place; -1 where there is none.
            place: int tensor.
            state: as `initial_state` gives it, or as it was given here for the place before.
            conditions: as in `logits`.

        Returns:
            float32 tensor (batch, vocabulary_size), the same as `logits_at`, and the new state, of the same shapes.
        """
        raise NotImplementedError(f"{type(self).__name__} does not read token by token.")

    def check_length(self, length):
        """Raises InputError where samples of so many tokens are longer than the model can make; by default none is."""

    def to_tokens(self, samples):
        """Samples, or the first part of each, as the model reads them: int32 array (n, length)."""
        return np.asarray(samples, "int32")

    def to_samples(self, tokens):
        """What `generate` returns, of int32 array (n, length)."""
        return tokens

    def draw(self, count, seed, first=0, *, length=None, temperature=1.0, top_k=None, top_p=None, **given):
        """Token after token, int32 array (count, length).

        Args:
            length: int, how many tokens, those given included; by default the model's own.
            temperature, top_k, top_p: as in `samplers.next_token.next_token_logits`.
            given: `tokens`, int32 array (count, g): how each sample begins; and the conditions.
        """
        tokens = given.pop("tokens", np.zeros((count, 0), "int32"))
        length = length or self.length
        self.check_length(max(length, tokens.shape[1]))
        if tokens.shape[1] > length:
            raise InputError(f"{tokens.shape[1]} tokens are given, and samples have {length}: ask for a larger length.")
        padded = np.zeros((count, length), "int32")
        padded[:, : tokens.shape[1]] = tokens
        check_options(temperature, top_k, top_p)
        write = self._writer(temperature == 0, top_k, top_p)
        numbers = map(tf.constant, (float(temperature), tokens.shape[1], seed, first))
        return write(tf.constant(padded), *numbers, **given).numpy()

    def generate(self, n=None, *, given: str | list | np.ndarray = None, seed=None, first=0, batch_size=256, **options):
        """New samples, from nothing or from how they begin.

        Args:
            given: how the samples begin, one for all or one each: a text, the first rows of images; None for nothing.
            n, seed, first, batch_size: as in `GenerativeModel.generate`.
            options: `length`, `temperature`, `top_k`, `top_p` as in `draw`; conditions.

        Raises:
            InputError: an argument does not fit.
        """
        if given is None:
            return self.to_samples(super().generate(n, seed=seed, first=first, batch_size=batch_size, **options))
        one_each = isinstance(given, (list, np.ndarray))
        tokens = self.to_tokens(given if one_each else [given])
        n = len(tokens) if n is None else n
        if n < 1 or len(tokens) not in (1, n):
            raise InputError(f"There are {len(tokens)} beginnings for {n} samples: give one for all, or one each.")
        tokens = np.repeat(tokens, n // len(tokens), axis=0)
        own = {name: options.pop(name) for name in list(options) if name in self.draw_options()}
        per_sample = {"tokens": tokens, **self.conditions.check(n, type(self).__name__, **options)}
        return self.to_samples(self._in_batches(n, seed_or_any(seed), first, batch_size, per_sample, own))

    @full_float32()
    def negative_log_likelihood(self, batch, seed=0, first=0):
        """-log p of each sample: float64 array (n,), nats, exact."""
        tokens = tf.constant(self.to_tokens(batch))
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tokens, self.logits(tokens))
        return np.asarray(losses, "float64").sum(axis=1)

    def _writer(self, greedy, top_k, top_p):
        """The loop that writes, compiled for these settings: one for all temperatures above 0, and all beginnings."""
        key = (greedy, top_k, top_p)
        if key not in self._write:

            @tf.function  # noise wants to know how many samples there are: another number is traced anew
            def write(tokens, temperature, start, seed, first, **conditions):
                options = {"temperature": 0 if greedy else temperature, "top_k": top_k, "top_p": top_p}
                noise = SampleNoise(seed, first, tokens.shape[0])
                state = self.initial_state(*tokens.shape)
                if state is None:
                    return write_tokens(partial(self.logits_at, **conditions), tokens, start, noise, **options)
                return read_and_write(partial(self.read, **conditions), state, tokens, start, noise, **options)

            self._write[key] = write
        return self._write[key]
