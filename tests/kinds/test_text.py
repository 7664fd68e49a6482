"""Text as a kind: files, what is refused, and each number against an independent computation."""

import json
import math
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.distance import jensenshannon

from gdl_keras import cli, data
from gdl_keras.data import Vocabulary
from gdl_keras.errors import InputError
from gdl_keras.kinds import kind
from gdl_keras.metrics.ngrams import distinct_share, known_shares, ngram_divergence, ngrams
from gdl_keras.models import NGram

pytestmark = pytest.mark.eager
TEXT = kind("text")
WORDS = ["the", "cat", "sat", "on", "a", "mat", "and", "saw", "that", "rat", "had", "hat", "so", "ran"]


def written(seed, count):
    """Words at random, a full stop now and then."""
    rng = np.random.default_rng(seed)
    return " ".join(rng.choice(WORDS) + "." * int(rng.random() < 0.1) for _ in range(count))


@pytest.fixture
def book(tmp_path):
    """A folder with a text to learn from and one held out."""
    for split, seed, count in (("train", 0, 1500), ("test", 1, 1000)):
        (tmp_path / "book" / split).mkdir(parents=True)
        (tmp_path / "book" / split / "text.txt").write_text(written(seed, count))
    return str(tmp_path / "book")


@pytest.fixture
def parts(book):
    return [data.load(book, split, length=40) for split in ("train", "test")]


@pytest.fixture
def model(parts):
    model = NGram(parts[0].vocabulary, 4, length=50, seed=1)
    model.compile(None)
    model.fit(parts[0], verbose=0)
    return model


@pytest.mark.parametrize("samples", ["one text", [1, 2], np.zeros((2, 3)), ["", " \n"], []])
def test_what_is_no_list_of_texts_is_refused(samples):
    TEXT.check(["some", ""])
    with pytest.raises(InputError, match=r"Texts are a list of str|These texts are empty"):
        TEXT.check(samples)


def test_texts_are_written_one_after_the_other_and_as_a_list(tmp_path):
    texts = ["ein Süßes", "zwei\n\nAbsätze"]
    for suffix in (".txt", ".json"):
        TEXT.write(texts, tmp_path / f"texts{suffix}")
    TEXT.write_sheet(texts, 1, tmp_path / "page.txt")
    assert json.loads((tmp_path / "texts.json").read_text(encoding="utf-8")) == texts
    line = "-" * 40
    assert (tmp_path / "texts.txt").read_text(encoding="utf-8") == f"{texts[0]}\n\n{line}\n\n{texts[1]}\n"
    assert (tmp_path / "page.txt").read_bytes() == (tmp_path / "texts.txt").read_bytes()
    with pytest.raises(InputError, match=r"\.txt \(one after the other\) or \.json \(a list\)"):
        TEXT.write(texts, tmp_path / "texts.png")


# ---- n-grams ---------------------------------------------------------------------------------------------------------


def tuples(text, n):
    return [tuple(text[start : start + n]) for start in range(len(text) - n + 1)]


@pytest.mark.parametrize("n", [1, 3, 16])
def test_numbers_of_ngrams_are_as_different_as_they_are(n):
    text = np.random.default_rng(0).integers(0, 3, 5000)
    numbers, expected = ngrams(text, n), tuples(text.tolist(), n)
    assert len(numbers) == len(expected) == 5000 - n + 1
    assert len(set(zip(numbers.tolist(), expected))) == len(set(expected)) == len(set(numbers.tolist()))
    assert ngrams(text[: n - 1], n).shape == (0,)


def test_shares_and_divergence_are_those_of_python_and_scipy():
    rng = np.random.default_rng(0)
    texts, others = ([rng.integers(0, 4, length) for length in (50, 80)] for _ in range(2))
    grams, known = (Counter(gram for text in part for gram in tuples(text.tolist(), 3)) for part in (texts, others))
    assert distinct_share(texts, 3) == len(grams) / grams.total()
    numbers = np.unique(np.concatenate([ngrams(text, 3) for text in others]))
    shares = [np.mean([gram in known for gram in tuples(text.tolist(), 3)]) for text in texts]
    np.testing.assert_allclose(known_shares([*texts, np.array([1])], numbers, 3), shares)
    every = sorted(set(grams) | set(known))
    p, q = ([counts[gram] for gram in every] for counts in (grams, known))
    assert ngram_divergence(texts, others, 3) == pytest.approx(jensenshannon(p, q, base=2) ** 2)
    assert ngram_divergence(texts, texts[::-1], 3) == pytest.approx(0, abs=1e-12)
    assert ngram_divergence([np.zeros(5)], [np.ones(5)], 2) == 1


# ---- measuring -------------------------------------------------------------------------------------------------------


def test_likelihoods_are_those_of_every_held_out_token_but_the_first_of_a_window(model, parts):
    train, test = parts
    metrics = TEXT.measure(model, train, test, n=30)["metrics"]
    windows = test.rows("tokens", slice(None))
    means = np.array([np.asarray(model.nats_per_token(tf.constant(row[None])))[0, 1:].mean() for row in windows])
    nats = metrics["nats_per_token"]
    assert nats["value"] == pytest.approx(means.mean(), rel=1e-6)
    assert nats["standard_error"] == pytest.approx(means.std(ddof=1) / math.sqrt(len(means)), rel=1e-6)
    assert metrics["bits_per_character"]["value"] == pytest.approx(nats["value"] / math.log(2))
    assert metrics["perplexity"]["value"] == pytest.approx(math.exp(nats["value"]))
    assert metrics["training_nats_per_token"]["value"] < nats["value"]
    assert nats["floor"] is None and nats["better"] == "smaller"


def test_a_model_that_quotes_and_one_that_repeats_itself_are_found_out(model, parts):
    train, test = parts
    honest = TEXT.measure(model, train, test, n=30)["metrics"]
    whole = train.vocabulary.decode(train.rows("tokens", slice(None))[:, :-1].reshape(-1))

    def generate(n, seed, first):
        return [whole[40 * number : 40 * number + 50] for number in range(first, first + n)]

    model.generate = generate
    quoting = TEXT.measure(model, train, test, n=30)["metrics"]
    assert quoting["copied_ngrams"]["value"] == quoting["known_words"]["value"] == 1
    assert honest["copied_ngrams"]["value"] < 0.5 and quoting["copied_ngrams"]["floor"]["value"] < 0.5
    model.generate = lambda n, seed, first: ["the cat the cat the cat the cat the cat the cat"] * n
    repeating = TEXT.measure(model, train, test, n=30)["metrics"]
    assert repeating["distinct_ngrams"]["value"] < 0.1 < honest["distinct_ngrams"]["value"]
    assert repeating["ngram_divergence"]["value"] > 2 * honest["ngram_divergence"]["value"]
    model.generate = lambda n, seed, first: ["tha cet tha cet tha cet tha cet tha cet tha cet"] * n
    assert TEXT.measure(model, train, test, n=30)["metrics"]["known_words"]["value"] == 0


def test_the_floor_is_held_out_text_in_the_samples_place(model, parts):
    """Cut to the same length, and as many."""
    train, test = parts
    result = TEXT.measure(model, train, test, n=30, seed=2, ngram=5)
    order = np.random.default_rng(2).permutation(test.num_examples)
    others = [row[: result["length"]] for row in test.rows("tokens", order[30:60])]
    distinct = result["metrics"]["distinct_ngrams"]
    assert distinct["floor"]["value"] == distinct_share(others, 5) and distinct["n"] == 5
    assert result["held_out"]["texts"] == result["floor"]["texts"] == 30
    with pytest.raises(InputError, match="too few for an n-gram of 99"):
        TEXT.measure(model, train, test, n=30, ngram=99)


def test_a_model_is_asked_in_its_own_numbers(model, parts, tmp_path):
    """A data set whose vocabulary is in another order gives the same likelihood of the same text."""
    train, test = parts
    tokens = train.vocabulary.tokens
    other = Vocabulary(tokens[:2] + tokens[:1:-1])
    rows = np.stack([other.encode(train.vocabulary.decode(row)) for row in test.rows("tokens", slice(None))])
    turned = test.with_columns(tokens=rows)
    turned.vocabulary = other
    expected = TEXT.measure(model, train, test, n=30)["metrics"]["nats_per_token"]
    assert TEXT.measure(model, train, turned, n=30)["metrics"]["nats_per_token"] == expected


def test_held_out_text_is_followed_while_training(parts):
    train, test = parts
    model = NGram(train.vocabulary, 3, seed=1)
    model.compile(None)
    follow = TEXT.follow(1, test, n=20, seed=3)
    history = model.fit(train, epochs=2, steps_per_epoch=1, verbose=0, callbacks=[follow]).history
    chosen = test.only(np.random.default_rng(3).permutation(test.num_examples)[:20])
    expected = model.evaluate(chosen, verbose=0, return_dict=True)["nats_per_token"]
    assert history["held_out_nats_per_token"][1] == pytest.approx(expected, rel=1e-5)
    assert history["held_out_nats_per_token"][0] > history["held_out_nats_per_token"][1]
    model.likelihood_is = None
    history = model.fit(train, epochs=1, verbose=0, callbacks=[TEXT.follow(1, test, n=20)]).history
    assert 0 < history["ngram_divergence"][0] < 1


@pytest.mark.graph
@pytest.mark.parametrize("tokens", ["characters", pytest.param("words", marks=pytest.mark.full)])
def test_a_text_of_the_readers_own_through_the_commands(book, tokens, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run = [
        "run",
        "01_generative/02_ngram",
        "--preset",
        "smoke",
        "--dataset",
        book,
        "--tokens",
        tokens,
        "--length",
        "20",
    ]
    assert cli.main([*run, "--every", "1", "--out", "run"]) == 0
    assert cli.main(["sample", "run", "-n", "3", "--given", "the cat", "--temperature", "0.8", "--seed", "5"]) == 0
    texts = (tmp_path / "samples.txt").read_text().split("-" * 40)
    assert len(texts) == 3 and all(text.strip().startswith("the cat") for text in texts)
    again = ["sample", "run", "-n", "2", "--given", "the cat", "--temperature", "0.8", "--seed", "5", "-o", "two.json"]
    assert cli.main(again) == 0
    assert json.loads((tmp_path / "two.json").read_text()) == [text.strip("\n") for text in texts[:2]]
    capsys.readouterr()
    assert cli.main(["evaluate", "run", "-n", "20", "--ngram", "3"]) == 0
    told = capsys.readouterr().out
    assert f"tokens: {tokens}" in told and "nats_per_token" in told
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())["evaluation"]["metrics"]
    assert ("bits_per_character" in metrics) == (tokens == "characters")
    assert cli.main(["sample", "run", "--colour", "red"]) == 2
    assert "--temperature" in capsys.readouterr().err


@pytest.mark.full
def test_what_fills_up_short_texts_counts_nowhere(tmp_path, capsys):
    """The mean over the tokens of texts of several lengths, and over nothing of what is behind their ends."""
    for split, seed, count in (("train", 0, 60), ("test", 1, 24)):
        texts = [{"text": written(100 * seed + number, 6 + number % 7)} for number in range(count)]
        (tmp_path / "notes" / split).mkdir(parents=True)
        (tmp_path / "notes" / split / "notes.json").write_text(json.dumps(texts))
    train, test = (data.load(str(tmp_path / "notes"), split, length=50, example="text") for split in ("train", "test"))
    model = NGram(train.vocabulary, 3, length=50, one_text=True, seed=1)
    model.compile(None)
    model.fit(train, verbose=0)
    result = TEXT.measure(model, train, test, 10, seed=0, ngram=6)
    nats = []
    for text in test.texts(slice(None)):
        row = np.append(text, test.vocabulary.end)[None, : test.length + 1]
        nats.extend(np.asarray(model.nats_per_token(tf.constant(row)))[0, 1:])
    assert result["metrics"]["nats_per_token"]["value"] == pytest.approx(np.mean(nats), rel=1e-6)
    assert 0 < result["metrics"]["copied_ngrams"]["value"] <= 1
    texts = model.generate(30, seed=2)
    assert all("\n\n" not in text for text in texts) and len(set(map(len, texts))) > 3
