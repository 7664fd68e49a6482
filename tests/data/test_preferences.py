"""What people are played to like is what is stated, and they choose by it as often as Bradley and Terry say."""

import numpy as np
import pytest

from gdl_keras.data.preferences import PLEASANT, UNPLEASANT, choices, pairs, preference
from gdl_keras.errors import InputError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("She was happy, and it was a pleasure.", 2),
        ("Happy, happy, HAPPY!", 1),  # a word counts once
        ("happy in grief", 0),
        ("pain and misery; a happy day", -1),
        ("unhappyish happinesses", 0),  # whole words
        ("", 0),
    ],
)
def test_pleasant_words_count_once_less_unpleasant_ones(text, value):
    assert preference("pleasant")(text) == value


def test_no_word_is_pleasant_and_unpleasant_and_all_are_single_small_words():
    assert not PLEASANT & UNPLEASANT
    assert all(word.isalpha() and word == word.lower() for word in PLEASANT | UNPLEASANT)


@pytest.mark.parametrize(
    ("text", "value"), [("It is, a fact!", (2 + 2 + 1 + 4) / 4), ("ever-so good", 10 / 3), ("-- !", 0), ("", 0)]
)
def test_the_length_of_words_is_a_mean_without_punctuation(text, value):
    assert preference("length")(text) == pytest.approx(value)


@pytest.mark.parametrize(("text", "value"), [("Ever, 3 eels", 4 / 8), ("nothing", 0), ("123", 0), ("", 0)])
def test_the_share_of_a_letter_is_among_letters_small_or_capital(text, value):
    assert preference("letter", "e")(text) == preference("letter", "E")(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("name", "letter", "sentence"), [("size", "e", "'pleasant', 'length' or 'letter'"), ("letter", "ee", "'ee'")]
)
def test_what_nobody_can_like_is_refused(name, letter, sentence):
    with pytest.raises(InputError, match=sentence):
        preference(name, letter)


@pytest.mark.parametrize("certainty", [0.0, 0.5, 3.0])
def test_choices_are_as_frequent_as_bradley_and_terry_say(certainty):
    """Two pairs many times; of all values 0, 1, 0, -2 the standard deviation is 1.09."""
    n = 40_000
    values = np.tile([[0.0, 1.0], [0.0, -2.0]], (n, 1))
    firsts = (choices(values, certainty, seed=1) == 0).reshape(n, 2).mean(axis=0)
    expected = 1 / (1 + np.exp(-certainty * np.array([-1.0, 2.0]) / np.std([0.0, 1.0, 0.0, -2.0])))
    np.testing.assert_allclose(firsts, expected, atol=4 * 0.5 / n**0.5)


def test_who_is_certain_errs_never_and_draws_lots_where_there_is_no_difference():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(500, 2))
    np.testing.assert_array_equal(choices(values, 1e9, seed=2), values.argmax(axis=1))
    assert 0.4 < choices(np.ones((1000, 2)), 1e9, seed=2).mean() < 0.6
    with pytest.raises(InputError, match="-1"):
        choices(values, -1, seed=2)


def test_a_table_of_pairs_holds_both_texts_the_chosen_one_first():
    rng = np.random.default_rng(0)
    texts, values = rng.integers(2, 9, (300, 2, 5)), rng.normal(size=(300, 2))
    table = pairs(texts, values, certainty=1.0, batch_size=16, seed=3)
    assert table.kind == "pairs" and table.batch_size == 16 and table.num_examples == 300
    chosen, rejected, lead = (table.rows(name, slice(None)) for name in ("chosen", "rejected", "lead"))
    taken = choices(values, 1.0, seed=3)
    for number in range(300):
        np.testing.assert_array_equal(chosen[number], texts[number, taken[number]])
        np.testing.assert_array_equal(rejected[number], texts[number, 1 - taken[number]])
    np.testing.assert_allclose(lead, np.where(taken == 0, 1, -1) * (values[:, 0] - values[:, 1]), rtol=1e-6)
    assert 0 < (lead < 0).mean() < 0.5  # people err, and not most of the time
    assert chosen.dtype == rejected.dtype == np.int32
    again, other = (pairs(texts, values, 1.0, batch_size=16, seed=seed) for seed in (3, 4))
    assert again.identity == table.identity != other.identity
