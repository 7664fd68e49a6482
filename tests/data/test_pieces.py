"""Byte-pair pieces: learnt on the spot, kept with the vocabulary, and put together to the text that there was."""

import builtins

import numpy as np
import pytest

import gdl_keras
from gdl_keras import data
from gdl_keras.data import Vocabulary
from gdl_keras.errors import InputError
from gdl_keras.kinds import kind
from gdl_keras.models import RecurrentLanguageModel, build_recurrent_network

POEM = "Tyger Tyger, burning bright,\nIn the forests of the night;\nWhat immortal hand or eye\n" * 20

pytest.importorskip("sentencepiece")


@pytest.fixture
def poem(tmp_path):
    (tmp_path / "poem.txt").write_text(POEM)
    return str(tmp_path / "poem.txt")


def test_a_text_comes_back_as_it_was_with_spaces_and_lines():
    vocabulary = Vocabulary.of_texts([POEM], 60)
    for text in (POEM, "  the  bright\n\n eye ", "night\n", "", " "):
        assert vocabulary.decode(vocabulary.encode(text)) == text
    assert vocabulary.tokens[:2] == ["<end>", "<unknown>"] and len(vocabulary) == 60
    assert vocabulary.decode([0]) == "\n\n" and "\ufffd" in vocabulary.decode(vocabulary.encode("z"))
    assert Vocabulary.from_config(vocabulary.to_config()) == vocabulary


def test_neighbours_that_come_most_often_are_joined_first():
    """In "ab xab yab ac" the pair a b comes three times: the first piece beyond the six characters."""
    vocabulary = Vocabulary.of_texts(["ab xab yab ac"], 10)
    joined = [token for token in vocabulary.tokens[3:] if len(token) > 1]
    assert joined == ["ab"]
    assert len(vocabulary.encode("ab")) == 1 and len(vocabulary.encode("ac")) == 2


def test_fewer_tokens_than_characters_and_the_same_each_time(poem):
    pieces, characters = (
        data.load(poem, tokens=unit, length=8, vocabulary_size=size)
        for unit, size in (("pieces", 80), ("characters", None))
    )
    assert pieces.num_tokens < 0.5 * characters.num_tokens
    assert Vocabulary.of_texts([POEM[: len(POEM) - len(POEM) // 10]], 80) == pieces.vocabulary
    rows = pieces.rows("tokens", slice(None))
    text = pieces.vocabulary.decode(np.append(rows[:, :-1].reshape(-1), rows[-1, -1]))
    assert POEM.startswith(text) and len(text) > 0.8 * len(POEM)


def test_a_size_that_cannot_be_and_a_missing_library_are_said(poem, monkeypatch):
    with pytest.raises(InputError, match="No 5 pieces can be learnt from these texts"):
        data.load(poem, tokens="pieces", length=8, vocabulary_size=5)
    real = builtins.__import__

    def without(name, *arguments, **options):
        if name == "sentencepiece":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match="pip install sentencepiece"):
        data.load(poem, tokens="pieces", length=8, vocabulary_size=70)


def test_a_model_keeps_its_pieces_and_is_measured_by_characters(poem, tmp_path):
    train, test = (data.load(poem, split, tokens="pieces", length=8, vocabulary_size=60) for split in ("train", "test"))
    model = RecurrentLanguageModel(build_recurrent_network(60, 4, (8,)), train.vocabulary, length=20, seed=1)
    model.compile("adam")
    model.fit(train, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = gdl_keras.load(tmp_path / "model.keras")
    assert loaded.vocabulary == train.vocabulary
    assert loaded.generate(2, given="the night", seed=1) == model.generate(2, given="the night", seed=1)
    metrics = kind("text").measure(model, train, test, 4, ngram=3)["metrics"]
    rows = test.rows("tokens", slice(None))
    nats = np.asarray(model.nats_per_token(rows), "float64")[:, 1:].sum()
    characters = sum(len(test.vocabulary.decode(row[1:])) for row in rows)
    assert metrics["bits_per_character"]["value"] == pytest.approx(nats / np.log(2) / characters, rel=1e-5)
    other = data.load(poem, "test", tokens="pieces", length=8, vocabulary_size=70)
    with pytest.raises(InputError, match="cut into other pieces"):
        kind("text").measure(model, train, other, 4, ngram=3)
