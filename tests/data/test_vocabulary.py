"""Numbers of texts: there and back."""

import json
from collections import Counter

import numpy as np
import pytest

from gdl_keras.data import Vocabulary
from gdl_keras.errors import InputError


def of(text, unit="characters", size=None):
    pieces = text if unit == "characters" else text.split()
    return Vocabulary.of_counts(Counter(pieces), unit, size)


def test_the_most_frequent_come_first_and_the_alphabet_settles_ties():
    assert of("banana cab").tokens == ["<end>", "<unknown>", "a", "b", "n", " ", "c"]
    assert of("banana cab", size=4).tokens == ["<end>", "<unknown>", "a", "b"]


def test_characters_there_and_back():
    text = "Füße 東京 🎹\n\ttabs"
    vocabulary = of(text)
    ids = vocabulary.encode(text)
    assert ids.dtype == np.int32 and ids.tolist() == [vocabulary.tokens.index(letter) for letter in text]
    assert vocabulary.decode(ids) == text
    assert vocabulary.encode("").shape == (0,) and vocabulary.decode([]) == ""
    assert vocabulary.decode(vocabulary.encode("Fuß!")) == "F\ufffdß\ufffd"
    assert of("").encode("abc").tolist() == [1, 1, 1]
    assert vocabulary.encode("\U0010ffff\0").tolist() == [1, 1]


def test_words_there_and_back():
    words = "the cat ( a tom ) , don ' t — \" say : “ meow ” ! 3 . 5 % _ under"
    vocabulary = of(words, "words")
    text = "The cat (a Tom), don't — \"say: “meow”! 3.5% _under"
    ids = vocabulary.encode(text)
    assert [vocabulary.tokens[number] for number in ids] == words.split()
    shown = vocabulary.decode(ids)
    assert shown.startswith("the cat (a tom), don't")
    np.testing.assert_array_equal(vocabulary.encode(shown), ids)
    assert vocabulary.decode([vocabulary.unknown, vocabulary.tokens.index("cat")]) == "\ufffd cat"


def test_the_end_of_a_text_is_an_empty_line():
    letters, words = of("ab"), of("a b", "words")
    assert letters.decode([2, 0, 3]) == words.decode([2, 0, 3]) == "a\n\nb"
    assert words.decode([2, 3, 0]) == "a b\n\n"


def test_it_survives_json():
    for vocabulary in (of("Füße"), of("a b", "words")):
        again = Vocabulary.from_config(json.loads(json.dumps(vocabulary.to_config())))
        assert again == vocabulary and len(again) == len(vocabulary)
        np.testing.assert_array_equal(again.encode("Fab a b"), vocabulary.encode("Fab a b"))
    assert of("ab") != of("abb")


@pytest.mark.parametrize("ids", [[-1], [0, 4], np.array([[2, 99]])])
def test_numbers_that_are_no_tokens(ids):
    with pytest.raises(InputError, match="numbered from 0 to 3"):
        of("ab").decode(ids)


@pytest.mark.parametrize(
    "make",
    [
        lambda: of("ab", size=2),
        lambda: Vocabulary(["a", "b"]),
        lambda: Vocabulary(["<end>", "<unknown>", "a", "a"]),
        lambda: Vocabulary(["<end>", "<unknown>"], "bytes"),
    ],
)
def test_vocabularies_that_cannot_be(make):
    with pytest.raises(InputError):
        make()
