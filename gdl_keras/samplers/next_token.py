"""Which token comes next: from the logits of a model to a choice, and the loop that writes a sequence.

Papers: Fan et al. 2018, Hierarchical neural story generation, arXiv:1805.04833, for top-k; Holtzman et al. 2020, The
curious case of neural text degeneration, arXiv:1904.09751, for top-p.
"""

from gdl_keras.backend import use_tensorflow
from gdl_keras.errors import InputError

use_tensorflow()

import tensorflow as tf  # noqa: E402

NEVER = float("-inf")


def next_token_logits(logits, temperature=1.0, top_k=None, top_p=None):
    """The logits that a token is drawn with.

        p_i ~ exp(logit_i / temperature)   among the `top_k` likeliest tokens, or among the fewest that reach `top_p`

    Args:
        logits: float tensor (batch, vocabulary).
        temperature: float, at least 0; below 1 likely tokens become likelier, at 0 the likeliest one is certain.  A
            tensor, which is not looked at, is above 0.
        top_k: int or None; tokens outside the k likeliest are never drawn.
        top_p: float in (0, 1] or None; kept are the likeliest tokens whose probabilities together first reach p.

    Returns:
        float32 tensor (batch, vocabulary); minus infinity where a token is never drawn.

    Raises:
        InputError: an argument is out of range.
    """
    if not tf.is_tensor(temperature):
        check_options(temperature, top_k, top_p)
    logits = tf.cast(logits, tf.float32)
    if not tf.is_tensor(temperature) and temperature == 0:
        likeliest = tf.argmax(logits, axis=-1)
        return tf.where(tf.one_hot(likeliest, logits.shape[-1]) > 0, 0.0, NEVER)
    logits = logits / temperature
    if top_k is not None and top_k < logits.shape[-1]:
        lowest = tf.math.top_k(logits, top_k).values[:, -1:]
        logits = tf.where(logits >= lowest, logits, NEVER)
    if top_p is not None and top_p < 1:
        descending = tf.sort(logits, axis=-1, direction="DESCENDING")
        before = tf.cumsum(tf.nn.softmax(descending), axis=-1, exclusive=True)
        lowest = tf.reduce_min(tf.where(before < top_p, descending, float("inf")), axis=-1, keepdims=True)
        logits = tf.where(logits >= lowest, logits, NEVER)
    return logits


def check_options(temperature=1.0, top_k=None, top_p=None):
    """Raises InputError where an option of `next_token_logits`, a number, is out of range."""
    if temperature < 0 or (top_k is not None and top_k < 1) or (top_p is not None and not 0 < top_p <= 1):
        raise InputError(
            "temperature is not negative, top_k is at least 1, and top_p lies above 0 and up to 1; "
            f"they are {temperature}, {top_k} and {top_p}."
        )


def choose(logits, uniform):
    """The token where the cumulative probability first exceeds a number uniform in [0, 1): int32 tensor (batch,).

    Args:
        logits: float32 tensor (batch, vocabulary).
        uniform: float32 tensor (batch,).
    """
    cumulative = tf.cumsum(tf.nn.softmax(logits), axis=-1)
    # Rounding may leave the sum a little below 1: a number beyond it means the last token that can be drawn.
    tokens = tf.reduce_sum(tf.cast(cumulative <= uniform[:, None], tf.int32), axis=-1)
    possible = tf.range(logits.shape[-1]) * tf.cast(logits > NEVER, tf.int32)
    return tf.minimum(tokens, tf.reduce_max(possible, axis=-1))


def write_tokens(logits_of, tokens, start, noise, **options):
    """Writes each sequence on from place `start` to its end, one token after the other.

    Args:
        logits_of: function (tokens, place) -> logits of the token at that place, (batch, vocabulary); it must not look
            at the tokens from that place on.
        tokens: int32 tensor (batch, length), right up to `start`.
        start: int, the first place to write.
        noise: a `SampleNoise` of the batch.
        options: as in `next_token_logits`.

    Returns:
        int32 tensor (batch, length).
    """
    for place in tf.range(start, tokens.shape[1]):
        logits = next_token_logits(logits_of(tokens, place), **options)
        tokens = _with_token(tokens, place, choose(logits, noise.uniform(place)))
    return tokens


def read_and_write(read, state, tokens, start, noise, **options):
    """The same for what remembers what it has read: it reads each token once.

    Args:
        read: function (token, place, state) -> (logits of the token at that place, (batch, vocabulary), new state); it
            is given the token before the place, int32 tensor (batch,), -1 where there is none.
        state: nested structure of tensors, what it remembers of nothing; their shapes do not change.
        tokens, start, noise, options: as in `write_tokens`; noise may be a `DrawnNoise`, and their number unknown.

    Returns:
        int32 tensor (batch, length).
    """
    before = tf.fill(tf.shape(tokens)[:1], -1)
    for place in tf.range(tokens.shape[1]):
        logits, state = read(before, place, state)
        before = tokens[:, place]
        if place >= start:
            before = choose(next_token_logits(logits, **options), noise.uniform(place))
            tokens = _with_token(tokens, place, before)
    return tokens


def _with_token(tokens, place, chosen):
    here = tf.one_hot(place, tokens.shape[1], on_value=True, off_value=False, dtype=tf.bool)
    return tf.where(here[None], chosen[:, None], tokens)
