"""The recurrent language model: the book's network, and that it foresees what can be foreseen."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from keras.optimizers import Adam
from scipy.special import log_softmax

from gdl_keras.errors import InputError
from gdl_keras.models import RecurrentLanguageModel, build_recurrent_network
from tests import cases
from tests.harness import many_steps

pytestmark = pytest.mark.eager
NETWORKS = pytest.mark.parametrize(
    "options",
    [{}, {"cell": "gru"}, {"units": (6, 5), "dropout": 0.3}, {"units": (6, 5), "cell": "gru"}],
    ids=["lstm", "gru", "two lstms with dropout", "two grus"],
)


def random_tokens(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 5, shape).astype("int32")


def test_the_books_network_has_its_number_of_weights():
    assert build_recurrent_network(10_000).count_params() == 2_407_248


def test_networks_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="'lstm' or 'gru'"):
        build_recurrent_network(10, cell="rnn")
    with pytest.raises(InputError, match="at least one"):
        build_recurrent_network(10, units=())


@NETWORKS
def test_reading_token_by_token_gives_what_the_whole_text_gives(options):
    model = cases.recurrent(**options)
    tokens = random_tokens((3, 9))
    whole = model.logits(tokens)
    state, before = model.initial_state(3, 9), np.full(3, -1, "int32")
    for place in range(9):
        logits, state = model.read(tf.constant(before), tf.constant(place), state)
        np.testing.assert_allclose(logits, whole[:, place], atol=1e-5)
        before = tokens[:, place]


@NETWORKS
def test_what_comes_later_has_no_influence_at_all(options):
    model = cases.recurrent(**options)
    tokens = random_tokens((2, 9))
    logits = np.asarray(model.logits(tokens))
    for place in range(9):
        changed = tokens.copy()
        changed[:, place:] = (changed[:, place:] + 1) % 5
        others = np.asarray(model.logits(changed))
        np.testing.assert_array_equal(others[:, : place + 1], logits[:, : place + 1])
        assert place == 8 or not np.allclose(others[:, place + 1], logits[:, place + 1])


def test_all_texts_together_are_as_likely_as_one():
    model = cases.recurrent()
    texts = np.array(list(itertools.product(range(5), repeat=4)), "int32")
    assert np.exp(-model.negative_log_likelihood(texts)).sum() == pytest.approx(1, abs=1e-5)


def test_the_loss_is_of_tokens_that_count():
    """The second row is a text of two letters and its end; what fills it up is the same again."""
    model = cases.recurrent()
    model.compile(Adam(0.0))
    rows = np.array([[2, 3, 4, 0, 2], [2, 4, 0, 0, 0]], "int32")
    counts = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    np.testing.assert_array_equal(model.counting(tf.constant(rows)), counts)
    log_p = np.take_along_axis(
        log_softmax(np.asarray(model.logits(rows), "float64"), axis=-1), rows[..., None], axis=-1
    )
    expected = -(log_p[..., 0] * counts)[:, 1:].sum() / counts[:, 1:].sum()
    for values in (model.evaluate(rows, verbose=0, return_dict=True), model.train_on_batch(rows, return_dict=True)):
        assert float(values["loss"]) == pytest.approx(expected, rel=1e-5)
        assert float(values["perplexity"]) == pytest.approx(np.exp(expected), rel=1e-5)


def test_what_fills_up_rows_teaches_nothing():
    """The step is the same however long rows are filled up, but for rounding."""
    moved = []
    for filled in (0, 6):
        tf.keras.utils.set_random_seed(0)
        model = cases.recurrent()
        model.compile("sgd")
        model.train_on_batch(np.array([[2, 3, 4, 0] + [0] * filled, [2, 4, 3, 0] + [0] * filled], "int32"))
        moved.append(model.get_weights())
    for one, other in zip(*moved):
        np.testing.assert_allclose(one, other, atol=1e-7)


@pytest.mark.graph
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_markov_source_is_foreseen_as_well_as_it_can_be(cell):
    """Perplexity exp(H), H = sum_i pi_i H(P_i), of a chain over three letters whose transitions are known."""
    transitions = np.array([[0.1, 0.7, 0.2], [0.2, 0.1, 0.7], [0.7, 0.2, 0.1]])
    entropy = -(transitions[0] * np.log(transitions[0])).sum()  # of every row, so of any mixture of them
    rng = np.random.default_rng(0)
    text = np.zeros((256, 17), "int32")
    for place in range(1, 17):
        uniform = rng.random(256)[:, None]
        text[:, place] = (transitions[text[:, place - 1]].cumsum(axis=1) < uniform).sum(axis=1)
    tf.keras.utils.set_random_seed(0)
    model = RecurrentLanguageModel(
        build_recurrent_network(5, 4, (8,), cell), cases.recurrent().vocabulary, length=17, seed=1
    )
    model.compile(Adam(1e-2))
    many_steps(model, text[:128] + 2, 200)
    loss, perplexity = model.evaluate(text[128:] + 2, verbose=0)
    assert loss == pytest.approx(entropy, abs=0.04)
    assert perplexity == pytest.approx(np.exp(loss), rel=1e-5)


def test_strings_go_in_and_come_out_and_a_prompt_stays():
    model = cases.recurrent()
    texts = model.generate(3, given="abca", seed=2, length=10)
    assert all(text.startswith("abca") for text in texts) and len(set(texts)) == 3
    assert model.generate(2, given=["a", "b"], seed=2)[1][0] == "b"
    assert model.generate(1, seed=2, first=1)[0] == model.generate(3, seed=2)[1]


@pytest.mark.graph
def test_one_loop_writes_at_all_temperatures_above_0_and_from_all_beginnings(monkeypatch):
    """Tracing it takes longer than writing: a second or two for each way to write."""
    model, traced = cases.recurrent((16,)), []
    for weight in model.trainable_weights:
        weight.assign(2 * np.random.default_rng(0).normal(size=weight.shape))
    state = model.initial_state
    monkeypatch.setattr(model, "initial_state", lambda *shape: traced.append(shape) or state(*shape))
    ways = [{}, {"temperature": 0.3}, {"temperature": 2}, {"given": "a"}, {"given": "abca", "temperature": 0.7}]
    written = [tuple(model.generate(8, seed=1, **way)) for way in ways]
    assert traced == [(8, 12)] and len(set(written)) == len(ways)
    likeliest = model.generate(8, seed=1, temperature=0)
    assert len(traced) == 2 and len(set(likeliest)) == 1
    with pytest.raises(InputError, match="temperature is not negative"):
        model.generate(8, temperature=-0.1)
