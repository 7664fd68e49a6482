"""DPO: its loss against numpy, the policy that it comes to, and what it leaves alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.optimizers import Adam
from scipy.special import expit, log_softmax, softmax

from gdl_keras.errors import InputError
from gdl_keras.models import DPO, GPT, copied
from tests import cases, harness
from tests.models.autoregressive.test_gpt import lively

pytestmark = pytest.mark.eager


def bandit(**options):
    """A model of texts of one token, whose reference likes some tokens more than others."""
    language = lively()
    return DPO(copied(language.network), language.network, language.vocabulary, length=1, seed=1, **options)


@pytest.mark.graph
def test_on_a_bandit_it_comes_to_the_policy_in_closed_form():
    """Arms a, b, c with rewards 0, log 2, log 4; in 15 matches of each pair every arm wins as often as it should."""
    a, b, c = 2, 3, 4
    wins = {(b, a): 10, (a, b): 5, (c, b): 10, (b, c): 5, (c, a): 12, (a, c): 3}
    pairs = np.array([pair for pair, times in wins.items() for _ in range(times)], "int32")
    model = bandit(beta=0.5)
    model.compile(Adam(2e-2))
    reference = np.asarray(model.log_probabilities(model.reference, np.array([[a], [b], [c]])))[:, 0]
    harness.many_steps(model, (pairs[:, :1], pairs[:, 1:]), 150)
    policy = np.asarray(model.log_probabilities(model.network, np.array([[a], [b], [c]])))[:, 0]
    expected = softmax(reference + np.log([1, 2, 4]) / 0.5)
    np.testing.assert_allclose(softmax(policy), expected, atol=2e-3)
    assert abs(expected - softmax(reference)).max() > 0.2
    # As no token but these was compared, its rewards are those of the arms but for a constant.
    rewards = 0.5 * (policy - reference)
    np.testing.assert_allclose(rewards - rewards[0], np.log([1, 2, 4]), atol=1e-2)


@pytest.mark.parametrize("one_text", [False, True])
def test_what_it_reports_is_what_numpy_says_of_the_continuations(one_text):
    model = cases.dpo(given_length=2, one_text=one_text)
    chosen = np.array([[2, 3, 4, 0, 2], [2, 4, 0, 0, 0], [3, 3, 3, 2, 2]], "int32")
    rejected = np.array([[2, 3, 2, 2, 2], [2, 4, 3, 3, 0], [3, 3, 0, 4, 4]], "int32")
    counts = {
        False: [[[0, 0, 1, 1, 1]] * 3] * 2,
        True: [
            [[0, 0, 1, 1, 0], [0, 0, 1, 0, 0], [0, 0, 1, 1, 1]],
            [[0, 0, 1, 1, 1], [0, 0, 1, 1, 1], [0, 0, 1, 0, 0]],
        ],
    }
    counts = np.array(counts[one_text])

    def log_p(network, tokens):
        logits = GPT(network, model.vocabulary).logits(tokens)
        return np.take_along_axis(log_softmax(np.asarray(logits, "float64"), axis=-1), tokens[..., None], 2)[..., 0]

    texts = (chosen, rejected)
    policy, reference = ([log_p(network, text) for text in texts] for network in (model.network, model.reference))
    margins = 0.5 * ((policy[0] - reference[0]) * counts[0] - (policy[1] - reference[1]) * counts[1]).sum(axis=1)
    expected = {
        "loss": -np.log(expit(margins)).mean(),
        "accuracy": (margins > 0).mean(),
        "margin": margins.mean(),
        "nats": -(policy[0] * counts[0]).sum() / counts[0].sum(),
    }
    assert abs(margins).min() > 1e-3
    for step in (model.test_step, model.train_step):
        model.reset_metrics()
        reported = {name: float(value) for name, value in step((chosen, rejected)).items()}
        assert reported == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_only_what_was_written_has_a_slope():
    model = cases.dpo(one_text=True)
    texts = np.concatenate(cases.pairs())
    texts[3, 6:] = texts[20, 4:] = 0
    policy, reference = tf.random.normal((2, *texts.shape), seed=1)
    written = model.written(texts)
    with tf.GradientTape() as tape:
        tape.watch(policy)
        loss = model.compared(policy, reference, written)["loss"]
    slopes = np.asarray(tape.gradient(loss, policy))
    assert written[3].numpy().tolist() == [0, 0, 0, 1, 1, 1, 1, 0, 0]
    assert written[20].numpy().tolist() == [0, 0, 0, 1, 1, 0, 0, 0, 0]
    np.testing.assert_array_equal(slopes != 0, written.numpy() == 1)


def test_the_policy_moves_and_the_reference_does_not():
    language = cases.gpt()
    model = DPO(copied(language.network), language.network, language.vocabulary, length=9, seed=1)
    model.compile("adam")
    before = [np.asarray(weight) for weight in language.network.weights]
    for _ in range(2):
        model.train_step(cases.pairs())
    harness.assert_same(before, [np.asarray(weight) for weight in language.network.weights])
    harness.assert_same(before, [np.asarray(weight) for weight in model.reference.weights])
    assert any((old != np.asarray(new)).any() for old, new in zip(before, model.network.weights))
    assert language.trainable_variables and not model.reference.trainable_variables


def test_a_loaded_one_goes_on_from_the_same_policy_and_the_same_reference(tmp_path):
    model = cases.dpo()
    model.train_step(cases.pairs())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    harness.assert_same(harness.weights(model), harness.weights(loaded))
    for one in (model, loaded):
        one.train_step(cases.pairs())
    harness.assert_same(harness.weights(model), harness.weights(loaded))


def test_it_is_a_language_model_as_its_policy_is():
    model, rows = cases.dpo(), cases.tokens()
    policy = GPT(model.network, model.vocabulary, length=9)
    assert model.generate(3, given="ab", seed=4) == policy.generate(3, given="ab", seed=4)
    np.testing.assert_array_equal(model.negative_log_likelihood(rows), policy.negative_log_likelihood(rows))
    np.testing.assert_array_equal(model.predict(rows, verbose=0), policy.predict(rows, verbose=0))


@pytest.mark.graph
def test_beta_may_be_annealed():
    model = bandit(beta=0.5)
    model.compile("sgd")
    pairs = np.array([[2], [3]], "int32"), np.array([[3], [4]], "int32")
    model.network.get_layer("logits").bias.assign_add([0.0, 0.0, 1.0, 0.0, 0.0])
    texts = np.concatenate(pairs)
    log_p = [model.log_probabilities(network, texts) for network in (model.network, model.reference)]
    margin_of = tf.function(lambda: model.compared(*log_p, model.written(texts))["margin"])
    margin = margin_of().numpy()
    model.beta = 1.0
    np.testing.assert_allclose(margin_of(), 2 * margin, rtol=1e-5)
    assert margin[0] > 0.4


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match="9 tokens 9 are given"):
        cases.dpo(given_length=9)
    model, (chosen, rejected) = cases.dpo(), cases.pairs()
    with pytest.raises(InputError, match="given_length is not negative"):
        model.given_length = -1
    with pytest.raises(InputError, match="beta is larger than 0"):
        model.beta = 0.0
    with pytest.raises(InputError, match=r"9 tokens.*8"):
        model.fit(chosen, rejected[:, :8], verbose=0)
