"""The reward model: what is copied, what is read, and that fitted rewards are those of largest likelihood."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.optimize import minimize
from scipy.special import expit

from gdl_keras.data import Vocabulary
from gdl_keras.errors import InputError
from gdl_keras.models import RewardModel, build_reward_network
from tests import cases, text_cases
from tests.harness import many_steps

pytestmark = pytest.mark.eager
NETWORKS = pytest.mark.parametrize("options", [{}, cases.DEEPER], ids=["as the book's", "deeper and tied"])
VOCABULARY = Vocabulary(["<end>", "<unknown>", "a", "b", "c"])


def random_tokens(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 5, shape).astype("int32")


@NETWORKS
def test_the_network_is_a_copy_of_the_language_models_body_and_values_of_0(options):
    language, tokens = cases.gpt(**options).network, random_tokens((3, 8))
    network = build_reward_network(language)
    np.testing.assert_array_equal(network(tokens), np.zeros((3, 8), "float32"))
    *_, last = [layer for layer in language.layers if not layer.name.startswith("logits")]
    body = keras.Model(language.inputs, last.output)
    kernel = np.random.default_rng(0).normal(size=(8, 1)).astype("float32")
    network.get_layer("value").set_weights([kernel, np.ones(1)])
    values = network(tokens).numpy()
    np.testing.assert_allclose(values, (body(tokens).numpy() @ kernel)[..., 0] + 1, atol=1e-5)
    assert values.dtype == "float32"
    # It is a copy: what the language model learns later changes nothing.
    for weight in language.weights:
        weight.assign(weight + 1)
    np.testing.assert_array_equal(network(tokens), values)


@NETWORKS
def test_a_value_is_of_what_was_read_and_of_nothing_later(options):
    network, tokens = build_reward_network(cases.gpt(**options).network), random_tokens((2, 7))
    network.set_weights([w + 0.3 * np.random.default_rng(0).normal(size=w.shape) for w in network.get_weights()])
    values = network(tokens).numpy()
    for place in range(7):
        changed = tokens.copy()
        changed[:, place] = (changed[:, place] + 1) % 5
        others = network(changed).numpy()
        np.testing.assert_array_equal(others[:, :place], values[:, :place])
        assert (others[:, place:] != values[:, place:]).all()


@pytest.mark.graph
def test_the_rewards_of_a_tournament_are_those_of_largest_likelihood():
    """Three players; how often who won against whom does not fit three strengths exactly."""
    a, b, c = 2, 3, 4
    wins = {(a, b): 7, (b, a): 3, (b, c): 6, (c, b): 5, (a, c): 4, (c, a): 5}
    pairs = np.array([pair for pair, times in wins.items() for _ in range(times)], "int32")
    model = RewardModel(text_cases.table_of_rewards(np.zeros(5)), VOCABULARY, seed=1)
    model.compile(keras.optimizers.SGD(4.0))
    many_steps(model, (pairs[:, :1], pairs[:, 1:]), 150)

    def nats(strengths):
        r = dict(zip((a, b, c), strengths))
        return -sum(times * np.log(expit(r[winner] - r[loser])) for (winner, loser), times in wins.items())

    best = minimize(nats, np.zeros(3)).x
    fitted = model.score(np.array([[a], [b], [c]]))
    np.testing.assert_allclose(fitted - fitted.mean(), best - best.mean(), atol=1e-3)
    loss, accuracy = model.evaluate(pairs[:, :1], pairs[:, 1:], verbose=0, batch_size=len(pairs))
    assert loss == pytest.approx(nats(best) / len(pairs), rel=1e-5)
    right = sum(times for (winner, loser), times in wins.items() if fitted[winner - 2] > fitted[loser - 2])
    assert accuracy == pytest.approx(right / len(pairs))


@pytest.mark.parametrize("one_text", [False, True])
def test_a_text_is_scored_where_it_is_over(one_text):
    network = text_cases.reward_network()
    model = RewardModel(network, VOCABULARY, one_text=one_text)
    rows = np.array([[2, 3, 4, 2, 3], [2, 3, 0, 0, 0], [2, 3, 0, 4, 4]], "int32")
    read = [[0, 2, 3, 4, 2, 3], [0, 2, 3, 0], [0, 2, 3, 0]] if one_text else np.pad(rows, ((0, 0), (1, 0)))
    expected = [float(network(np.array([row]))[0, -1]) for row in read]
    np.testing.assert_allclose(model.score(rows), expected, atol=1e-6)
    np.testing.assert_allclose(model(tf.constant(rows)), expected, atol=1e-6)
    np.testing.assert_allclose(model.predict(rows, verbose=0), expected, atol=1e-6)


@pytest.mark.parametrize("one_text", [False, True])
def test_texts_of_any_lengths_are_scored_as_their_tokens(one_text):
    model = RewardModel(text_cases.reward_network(), VOCABULARY, one_text=one_text)
    texts = ["abc", "", "cabba", "b"]
    alone = [
        model.score(np.array([[*VOCABULARY.encode(text), *[0] * one_text]], "int32").reshape(1, -1)) for text in texts
    ]
    np.testing.assert_allclose(model.score(texts), np.concatenate(alone), atol=1e-6)
    assert model.score(["ab"] * 300).shape == (300,)


def test_pairs_that_are_none_are_refused_in_one_sentence():
    model, (chosen, rejected) = cases.reward_model(), cases.pairs()
    wrong = {
        "9 tokens.*8": (chosen, rejected[:, :8]),
        "numbers from 0 to 4": (chosen, rejected + 5),
        "chosen and rejected": (chosen, None),
        "integers": (chosen.astype("float32"), rejected),
        "16 chosen and 15 rejected": (chosen, rejected[1:]),
    }
    for sentence, pairs in wrong.items():
        with pytest.raises(InputError, match=sentence):
            model.fit(*pairs, verbose=0)
    with pytest.raises(InputError, match="There are no texts"):
        model.score([])
    with pytest.raises(InputError, match="does not weigh"):
        model.fit(chosen, rejected, sample_weight=np.ones(16), verbose=0)


@pytest.mark.full
def test_it_learns_what_is_preferred_and_knows_texts_that_it_has_not_seen():
    """The text with more "a" is the better one."""
    first, second = random_tokens((2, 600, 8)) % 3 + 2
    more = (first == 2).sum(axis=1) - (second == 2).sum(axis=1)
    first, second, more = first[more != 0], second[more != 0], more[more != 0][:, None]
    chosen, rejected = np.where(more > 0, first, second), np.where(more > 0, second, first)
    keras.utils.set_random_seed(0)
    model = cases.reward_model()
    model.compile(keras.optimizers.Adam(1e-2))
    many_steps(model, (chosen[:200], rejected[:200]), 150)
    _, accuracy = model.evaluate(chosen[200:], rejected[200:], verbose=0)
    assert accuracy > 0.95
