"""The n-gram model against counts in dicts, against sums over all sequences, and on a source of known entropy."""

import itertools
import math
from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.data import Vocabulary
from gdl_keras.errors import InputError
from gdl_keras.models import NGram
from tests import cases

pytestmark = pytest.mark.eager
LETTERS = Vocabulary(["<end>", "<unknown>", *"abc"])
SIZE = len(LETTERS)
smoothings = pytest.mark.parametrize("smoothing", ["kneser_ney", "additive"])


def learnt(windows, order, **options):
    """A model that has counted all windows at once."""
    model = NGram(LETTERS, order, seed=1, **options)
    model.compile(None)
    model.fit(np.asarray(windows, "int32"), batch_size=len(windows), verbose=0)
    return model


def by_hand(windows, order, smoothing, discount=0.75, alpha=1.0):
    """p(token, tokens before it), of dicts."""
    grams = {order: Counter(tuple(row[i : i + order]) for row in windows for i in range(len(row) - order + 1))}
    for n in range(order - 1, 0, -1):
        if smoothing == "kneser_ney":
            grams[n] = Counter(gram[1:] for gram in set(grams[n + 1]))
        else:
            grams[n] = Counter(gram[1:] for gram in grams[n + 1].elements())

    def probability(token, before):
        p = 1 / SIZE
        for n in range(1, min(order, len(before) + 1) + 1):
            context = tuple(before[len(before) - n + 1 :])
            after = {gram[-1]: count for gram, count in grams[n].items() if gram[:-1] == context}
            total = sum(after.values())
            if smoothing == "additive":
                p = (after.get(token, 0) + alpha) / (total + alpha * SIZE)
            elif total:
                p = (max(after.get(token, 0) - discount, 0) + discount * len(after) * p) / total
        return p

    return probability


@smoothings
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_probabilities_are_those_of_counts_in_dicts(order, smoothing):
    windows = [[int(token) for token in row] for row in cases.tokens(4, 9)]
    model, expected = learnt(windows, order, smoothing=smoothing), by_hand(windows, order, smoothing)
    texts = np.random.default_rng(1).integers(0, SIZE, (6, 7)).astype("int32")
    texts[:3] = np.array(windows)[:3, :7]
    log_p = np.log([[expected(int(row[t]), row[:t].tolist()) for t in range(7)] for row in texts])
    np.testing.assert_allclose(model.nats_per_token(tf.constant(texts)), -log_p, rtol=1e-12)
    np.testing.assert_allclose(model.negative_log_likelihood(texts), -log_p.sum(axis=1), rtol=1e-12)
    logits = np.asarray(model.logits(tf.constant(texts)))
    np.testing.assert_allclose(np.take_along_axis(logits, texts[..., None], 2)[..., 0], log_p, rtol=1e-5)
    for place in range(7):
        at_place = model.logits_at(tf.constant(texts), tf.constant(place))
        np.testing.assert_allclose(at_place, logits[:, place], rtol=1e-6)


@smoothings
def test_all_sequences_together_have_probability_one(smoothing):
    model = learnt(cases.tokens(4, 9), 3, smoothing=smoothing)
    for length in (1, 2, 4):
        every = np.array(list(itertools.product(range(SIZE), repeat=length)), "int32")
        assert np.exp(-model.negative_log_likelihood(every)).sum() == pytest.approx(1, abs=1e-12)
    # After whatever came before, seen or not.
    contexts = np.array(list(itertools.product(range(SIZE), repeat=3)), "int32")
    p = np.exp(np.asarray(model.logits(tf.constant(np.pad(contexts, ((0, 0), (0, 1)))))).astype("float64"))
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-6)


def test_the_perplexity_of_a_markov_source_comes_to_its_entropy():
    """Nearer the more is counted, and never below."""
    rng = np.random.default_rng(0)
    transition = np.array([[0.1, 0.6, 0.3], [0.8, 0.1, 0.1], [0.3, 0.3, 0.4]])
    values, vectors = np.linalg.eig(transition.T)
    at_rest = np.real(vectors[:, np.argmax(np.real(values))])
    entropy = -(at_rest / at_rest.sum()) @ (transition * np.log(transition)).sum(axis=1)

    def drawn(count):
        states, uniform = [0], rng.random(count)
        for number in uniform:
            states.append(int((np.cumsum(transition[states[-1]]) <= number).sum()))
        return 2 + np.array(states, "int32")[None]

    test = drawn(100_000)
    excess = []
    for count in (300, 3_000, 100_000):
        model = learnt(drawn(count), 2)
        excess.append(float(np.mean(np.asarray(model.nats_per_token(tf.constant(test)))[:, 1:])) - entropy)
    # What is learnt of 6 free numbers costs about 6 / (2 count) nats; the test text itself is 0.002 off its entropy.
    assert excess[0] > excess[1] > excess[2] - 0.002
    assert abs(excess[2]) < 0.005
    wrong = learnt(drawn(100_000), 1)
    assert float(np.mean(wrong.nats_per_token(tf.constant(test)))) - entropy > 0.1


@smoothings
def test_counting_is_maximum_likelihood(smoothing):
    """With next to no smoothing, no other table gives the text a larger likelihood."""
    windows = cases.tokens(6, 9)
    model = learnt(windows, 2, smoothing=smoothing, discount=1e-9, alpha=1e-9)
    nats = float(np.asarray(model.nats_per_token(tf.constant(windows)))[:, 1:].sum())
    pairs = Counter((int(a), int(b)) for row in windows for a, b in itertools.pairwise(row))
    starts = Counter(a for a, _ in pairs.elements())
    best = -sum(count * math.log(count / starts[a]) for (a, _), count in pairs.items())
    assert nats == pytest.approx(best, rel=1e-6)


def test_how_windows_are_batched_does_not_matter():
    windows = cases.tokens(8, 9)
    at_once, in_parts = learnt(windows, 3), NGram(LETTERS, 3, seed=1)
    in_parts.compile(None)
    in_parts.fit(windows[::-1].copy(), batch_size=2, shuffle=False, verbose=0)
    for one, other in zip(at_once.weights, in_parts.weights):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


@pytest.mark.graph
def test_two_replicas_count_the_whole_batch(two_replicas):
    windows = cases.tokens(8, 9)
    with two_replicas.scope():
        on_two = NGram(LETTERS, 3, seed=1)
        on_two.compile(None)
    on_two.fit(windows, batch_size=8, verbose=0)
    for one, other in zip(learnt(windows, 3).weights, on_two.weights):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_what_is_reported_was_foreseen_before_it_was_counted():
    windows = cases.tokens(4, 9)
    model = NGram(LETTERS, 2, seed=1)
    model.compile(None)
    first = model.fit(windows, batch_size=4, verbose=0).history["nats_per_token"]
    assert first == [pytest.approx(math.log(SIZE), rel=1e-6)]
    again = model.evaluate(windows, verbose=0, return_dict=True)["nats_per_token"]
    assert again < 0.9 * first[0]
    expected = np.asarray(model.nats_per_token(tf.constant(windows)))[:, 1:].mean()
    assert again == pytest.approx(expected, rel=1e-6)


# ---- writing ---------------------------------------------------------------------------------------------------------


@pytest.mark.graph
def test_texts_go_in_and_come_out_of_a_loaded_model(tmp_path):
    model = learnt(cases.tokens(), 3)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.vocabulary == LETTERS
    texts = loaded.generate(3, given="abc", length=9, seed=2)
    assert texts == model.generate(3, given="abc", length=9, seed=2)
    assert all(text.startswith("abc") and len(LETTERS.encode(text)) >= 9 for text in texts)
    assert loaded.generate(given=["ab", "cc"], length=5, seed=2)[1].startswith("cc")
    nats = loaded.negative_log_likelihood(["abc", "a"])
    np.testing.assert_allclose(nats, [model.negative_log_likelihood([text])[0] for text in ("abc", "a")])
    with pytest.raises(InputError, match="texts have 1 to 2 characters: give texts of one length"):
        loaded.generate(given=["ab", "c"], length=5)
    with pytest.raises(InputError, match="3 tokens are given, and samples have 2"):
        loaded.generate(1, given="abc", length=2)


def test_the_frequency_of_what_it_writes_is_what_it_says():
    model = learnt(cases.tokens(), 2)
    texts = model.generate(3000, given="a", length=2, seed=1)
    shares = Counter(LETTERS.encode(text)[1] if len(text) == 2 else 0 for text in texts)
    p = np.exp(np.asarray(model.logits(tf.constant(LETTERS.encode("ab")[None])))[0, 1].astype("float64"))
    for token in range(SIZE):
        assert shares[token] / 3000 == pytest.approx(p[token], abs=4 * math.sqrt(p[token] / 3000) + 1e-3)


def test_at_temperature_zero_the_likeliest_token_comes_and_top_k_leaves_out_the_rest():
    model = learnt(cases.tokens(), 2)
    [greedy] = model.generate(1, given="a", length=10, temperature=0.0, seed=1)
    tokens = LETTERS.encode(greedy)
    logits = np.asarray(model.logits(tf.constant(tokens[None])))[0]
    assert tokens[1:].tolist() == logits.argmax(axis=-1)[1:].tolist()
    assert model.generate(4, given="a", length=10, top_k=1, seed=3) == [greedy] * 4


def test_words_are_tokens_as_well():
    vocabulary = Vocabulary(["<end>", "<unknown>", "the", "cat", "sat", "."], "words")
    model = NGram(vocabulary, 3, seed=1)
    model.compile(None)
    model.fit(vocabulary.encode("The cat sat. The cat sat. The cat sat.")[None], verbose=0)
    assert model.generate(1, given="The cat", length=8, temperature=0.0) == ["the cat sat. the cat sat."]


def test_what_cannot_be_is_refused_in_a_sentence():
    for options, words in (
        ({"order": 0}, "order is at least 1, not 0"),
        ({"discount": 1.0}, "discount is between 0 and 1, not 1.0"),
        ({"discount": 0.0}, "discount is between 0 and 1, not 0.0"),
        ({"alpha": 0.0}, "alpha is larger than 0, not 0.0"),
    ):
        with pytest.raises(InputError, match=words):
            NGram(LETTERS, **options)
    with pytest.raises(InputError, match="smoothing"):
        NGram(LETTERS, smoothing="none")
    many = Vocabulary(["<end>", "<unknown>", *(f"w{number}" for number in range(9998))], "words")
    NGram(many, 4, capacity=10)
    with pytest.raises(InputError, match="There are 10,000 tokens, and too many sequences of 5"):
        NGram(many, 5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="no room for more than 2"):
        learnt(cases.tokens(), 3, capacity=2)
