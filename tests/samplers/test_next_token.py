"""The choice of the next token, against numpy and against frequencies."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from gdl_keras.errors import InputError
from gdl_keras.samplers.next_token import choose, next_token_logits, read_and_write, write_tokens
from gdl_keras.samplers.noise import SampleNoise

LOGITS = np.log(np.array([[0.1, 0.5, 0.05, 0.35]], "float32"))


def probabilities(**options):
    return softmax(np.asarray(next_token_logits(LOGITS, **options)), axis=-1)[0]


def test_temperature_sharpens_and_flattens():
    p = np.array([0.1, 0.5, 0.05, 0.35])
    for temperature in (0.25, 1.0, 3.0):
        expected = p ** (1 / temperature) / (p ** (1 / temperature)).sum()
        np.testing.assert_allclose(probabilities(temperature=temperature), expected, rtol=1e-5)
    np.testing.assert_array_equal(probabilities(temperature=0), [0, 1, 0, 0])


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"top_k": 1}, [1]),
        ({"top_k": 2}, [1, 3]),
        ({"top_k": 9}, [0, 1, 2, 3]),
        ({"top_p": 0.4}, [1]),  # the likeliest alone reaches it
        ({"top_p": 0.6}, [1, 3]),
        ({"top_p": 0.9}, [0, 1, 3]),
        ({"top_p": 1.0}, [0, 1, 2, 3]),
    ],
)
def test_only_likely_tokens_are_kept(options, kept):
    p = np.array([0.1, 0.5, 0.05, 0.35])
    expected = np.where(np.isin(np.arange(4), kept), p, 0)
    np.testing.assert_allclose(probabilities(**options), expected / expected.sum(), rtol=1e-4)


@pytest.mark.parametrize("options", [{"temperature": -1}, {"top_k": 0}, {"top_p": 0}, {"top_p": 1.1}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(InputError, match="temperature is not negative"):
        next_token_logits(LOGITS, **options)


def test_choices_are_as_frequent_as_probable_and_never_impossible():
    logits = next_token_logits(np.repeat(LOGITS, 40_000, axis=0), top_k=3)
    chosen = np.asarray(choose(logits, np.linspace(0, 1, 40_000, endpoint=False, dtype="float32")))
    np.testing.assert_allclose(np.bincount(chosen, minlength=4) / 40_000, probabilities(top_k=3), atol=1e-4)
    edge = np.nextafter(np.float32([1]), np.float32(0))
    np.testing.assert_array_equal(choose(next_token_logits(LOGITS, top_k=2), edge), [3])
    np.testing.assert_array_equal(choose(next_token_logits(LOGITS, top_k=2), np.zeros(1, "float32")), [1])


def test_a_sequence_is_written_from_its_start_on_and_sees_what_was_written():
    """The next token is the sum of all before it, modulo 5, for certain."""

    def logits_of(tokens, place):
        seen = tf.reduce_sum(tf.where(tf.range(tokens.shape[1]) < place, tokens, 0), axis=1)
        return tf.where(tf.one_hot(seen % 5, 5) > 0, 0.0, -1e9)

    tokens = tf.constant([[1, 2, 0, 0, 0, 0], [4, 4, 0, 0, 0, 0]])
    written = tf.function(lambda t: write_tokens(logits_of, t, 2, SampleNoise(0, 0, 2)))(tokens)
    np.testing.assert_array_equal(written, [[1, 2, 3, 1, 2, 4], [4, 4, 3, 1, 2, 4]])


@pytest.mark.parametrize("options", [{}, {"temperature": 0.5, "top_k": 3}, {"temperature": 0}], ids=str)
def test_what_remembers_writes_the_same_as_what_looks_again(options):
    """The logits are of the number of tokens so far and of their sum, which one of the two carries along."""
    table = np.random.default_rng(0).normal(size=(8, 40, 5)).astype("float32")

    def logits_of(tokens, place):
        seen = tf.reduce_sum(tf.where(tf.range(tokens.shape[1]) < place, tokens, 0), axis=1)
        return tf.gather(tf.gather(table, place), seen)

    def read(token, place, total):
        total += tf.maximum(token, 0)
        return tf.gather(tf.gather(table, place), total), total

    tokens = tf.constant([[1, 2, 0, 0, 0, 0, 0, 0], [4, 4, 0, 0, 0, 0, 0, 0], [0, 3, 0, 0, 0, 0, 0, 0]])
    noise = SampleNoise(1, 0, 3)
    looked = tf.function(lambda: write_tokens(logits_of, tokens, 2, noise, **options))()
    carried = tf.function(lambda: read_and_write(read, tf.zeros(3, tf.int32), tokens, 2, noise, **options))()
    np.testing.assert_array_equal(carried, looked)
    np.testing.assert_array_equal(carried[:, :2], tokens[:, :2])
