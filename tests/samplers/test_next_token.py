"""The choice of the next token, against numpy and against frequencies."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from gdl_keras.errors import InputError
from gdl_keras.samplers.next_token import choose, next_token_logits, write_tokens
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
