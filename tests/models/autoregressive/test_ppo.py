"""PPO: the policy that it comes to, what it writes and reports, and what it leaves alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay
from scipy.special import log_softmax, softmax

from gdl_keras.errors import InputError
from gdl_keras.models import GPT, PPO, build_reward_network, copied
from gdl_keras.samplers.next_token import choose
from tests import cases, harness, text_cases
from tests.models.autoregressive.test_gpt import lively

pytestmark = pytest.mark.eager


def log_p(network, tokens):
    """log p of each token by a pass over whole texts: float64 (batch, length)."""
    logits = GPT(network, cases.gpt().vocabulary).logits(tokens)
    return np.take_along_axis(log_softmax(np.asarray(logits, "float64"), axis=-1), tokens[..., None], 2)[..., 0]


def traced_texts(model, rows, monkeypatch):
    """What the model writes in one step, and what it then reports."""
    write_on, texts = model.write_on, []
    monkeypatch.setattr(model, "write_on", lambda rows: texts.append(write_on(rows)) or texts[0])
    reported = model.train_step(tf.constant(rows))
    return texts[0].numpy(), {name: float(value) for name, value in reported.items()}


@pytest.mark.full
def test_on_a_bandit_it_comes_to_the_policy_in_closed_form():
    """Texts of one token with a reward each: pi is pi_ref exp(r / kl_weight) / Z."""
    rewards, weight = np.array([0.4, -0.6, 0.8, 0.0, -0.3]), 0.5
    language = lively()
    reference = softmax(np.asarray(language.logits(np.zeros((1, 1), "int32"))[0, 0], "float64"))
    model = PPO(
        copied(language.network),
        language.network,
        text_cases.table_of_rewards(rewards),
        build_reward_network(language.network),
        language.vocabulary,
        length=1,
        kl_weight=weight,
        seed=1,
    )
    model.compile(Adam(CosineDecay(1e-2, 400)), Adam(1e-2))
    harness.many_steps(model, np.zeros((512, 1), "int32"), 100)
    policy = softmax(np.asarray(model.logits(np.zeros((1, 1), "int32"))[0, 0], "float64"))
    expected = softmax(np.log(reference) + rewards / weight)
    assert abs(expected - reference).max() > 0.2
    np.testing.assert_allclose(policy, expected, atol=0.02)


@pytest.mark.graph
def test_what_it_writes_is_what_passes_over_whole_texts_would_write():
    model, rows = cases.ppo(), cases.tokens(4)
    model.network.set_weights(lively().get_weights())
    state = np.asarray(model.seed_generator.state)
    texts = model.write_on(tf.constant(rows)).numpy()
    model.seed_generator.state.assign(state)
    uniform = keras.random.uniform(texts.shape, seed=model.seed_generator)
    expected = np.zeros_like(texts)
    expected[:, :3] = rows[:, :3]
    for place in range(3, 9):
        expected[:, place] = choose(model.logits(expected)[:, place], uniform[:, place])
    np.testing.assert_array_equal(texts, expected)
    assert (texts != model.write_on(tf.constant(rows)).numpy()).any()


def test_what_it_reports_is_what_passes_over_whole_texts_say(monkeypatch):
    model = cases.ppo(updates=1)
    policy, reference, reward, critic = map(copied, (model.network, model.reference, model.reward, model.critic))
    texts, reported = traced_texts(model, cases.tokens(), monkeypatch)
    kl = (log_p(policy, texts) - log_p(reference, texts))[:, 3:]
    scores = reward(np.pad(texts, ((0, 0), (1, 0)))).numpy()[:, -1]
    expected = {
        "reward": scores.mean(),
        "kl": kl.sum(axis=1).mean(),
        "clipped": 0,
        "entropy": -log_p(policy, texts)[:, 3:].mean(),
    }
    assert {name: reported[name] for name in expected} == pytest.approx(expected, rel=1e-4, abs=1e-6)
    # The critic, of the first update, says 0: by how much it is wrong is the discounted sum of what follows.
    np.testing.assert_array_equal(critic(texts), 0)
    rewards = -0.1 * kl
    rewards[:, -1] += scores
    decay = 0.95 ** np.maximum(np.arange(6) - np.arange(6)[:, None], 0) * np.triu(np.ones((6, 6)))
    assert reported["value_error"] == pytest.approx(np.square(rewards @ decay.T).mean(), rel=1e-4)


def test_a_text_that_is_over_is_filled_up_and_rewarded_at_its_end(monkeypatch):
    model = cases.ppo(one_text=True, kl_weight=0.0)
    texts, reported = traced_texts(model, cases.tokens(16), monkeypatch)
    lengths = [int(np.flatnonzero(row == 0)[0]) + 1 if (row == 0).any() else 9 for row in texts]
    assert 3 < min(lengths) < 9 and len(set(lengths)) > 2
    at_the_end = model.at_the_end(tf.range(1.0, 17.0), texts).numpy()
    for row, written, rewards, length, score in zip(texts, model.written(texts), at_the_end, lengths, range(1, 17)):
        assert (row[length:] == 0).all() and (row[3 : length - 1] != 0).all()
        assert written.numpy().tolist() == [float(3 <= place < length) for place in range(9)]
        assert rewards.tolist() == [score * (place == length - 1) for place in range(9)]
    read = [np.array([[0, *row[:length]]]) for row, length in zip(texts, lengths)]
    scores = [float(model.reward(text)[0, -1]) for text in read]
    assert reported["reward"] == pytest.approx(np.mean(scores), rel=1e-4)


def test_only_what_was_written_has_a_slope(monkeypatch):
    model = cases.ppo(one_text=True, updates=1)
    policy = tf.Variable(np.random.default_rng(0).normal(size=(16, 9)).astype("float32"))
    other, slopes, texts = model.log_probabilities, [], []
    write_on = model.write_on
    monkeypatch.setattr(
        model,
        "log_probabilities",
        lambda network, tokens: 1.0 * policy if network is model.network else other(network, tokens),
    )
    monkeypatch.setattr(model, "write_on", lambda rows: texts.append(write_on(rows)) or texts[0])
    monkeypatch.setattr(model, "minimize", lambda tape, loss, *_: slopes.append(tape.gradient(loss, policy)))
    model.train_step(tf.constant(cases.tokens()))
    of_policy, of_critic = slopes
    np.testing.assert_array_equal(of_policy.numpy() != 0, model.written(texts[0]).numpy() == 1)
    assert of_critic is None


@pytest.mark.full
def test_policy_and_critic_move_and_nothing_else():
    language = cases.gpt()
    reward = text_cases.reward_network()
    model = PPO(
        copied(language.network),
        language.network,
        reward,
        copied(reward),
        language.vocabulary,
        length=9,
        given_length=3,
        seed=1,
    )
    model.compile("adam", "adam")
    still = [*language.network.weights, *reward.weights]
    moving = [*model.network.weights, *model.critic.weights]
    before = [np.asarray(weight) for weight in still]
    kept = [*model.reference.weights, *model.reward.weights]
    history = model.fit(cases.tokens(10), batch_size=4, validation_data=cases.tokens(4), epochs=2, verbose=0).history
    assert set(history) == {"reward", "kl", "value_error", "clipped", "entropy", "val_loss", "val_perplexity"}
    harness.assert_same(before, [np.asarray(weight) for weight in still])
    harness.assert_same(before, [np.asarray(weight) for weight in kept])
    assert all((old != np.asarray(new)).any() for old, new in zip(before, moving))
    assert language.trainable_variables and reward.trainable_variables


def test_held_out_rows_say_how_well_it_knows_the_language():
    model, rows = cases.ppo(), tf.constant(cases.tokens())
    policy = GPT(model.network, model.vocabulary)
    assert model.test_step(rows) == policy.test_step(rows)
    assert list(model.test_step(rows)) == ["loss", "perplexity"]


def test_what_cannot_be_is_refused():
    language = cases.gpt()
    networks = (language.network, language.network, text_cases.reward_network(), build_reward_network(language.network))
    for sentence, options in {"9 tokens 9 are given": {"given_length": 9}, "at most 11": {"length": 12}}.items():
        with pytest.raises(InputError, match=sentence):
            PPO(*networks, language.vocabulary, **{"length": 9, **options})
    model = PPO(*networks, language.vocabulary, length=9, given_length=3)
    wrong = {"kl_weight": -1.0, "clip": 0.0, "updates": 0, "trace": 1.5, "discount": -0.1}
    for name, value in wrong.items():
        with pytest.raises(InputError, match=f"{name} is"):
            setattr(model, name, value)
    with pytest.raises(InputError, match="network_optimizer and critic_optimizer"):
        model.compile("adam")
    with pytest.raises(InputError, match="given_length is 3, and these rows have 2"):
        model.write_on(tf.constant(cases.tokens()[:, :2]))


@pytest.mark.full
def test_xla_compiles_its_step():
    """What it writes there are other texts than without: XLA has random numbers of its own."""
    model = cases.ppo(one_text=True)
    model.compile("adam", "adam", jit_compile=True)
    before = [np.asarray(weight) for weight in model.trainable_weights]
    harness.assert_finite(model.fit(cases.tokens(), batch_size=8, shuffle=False, epochs=2, verbose=0).history)
    assert model.jit_compile
    assert any((np.asarray(weight) != old).any() for weight, old in zip(model.trainable_weights, before))


@pytest.mark.full
def test_it_comes_to_write_what_is_liked():
    """Every "a" of a text is worth 1; the nearer it is to stay, the fewer it writes."""
    tokens = keras.Input((None,), dtype="int32")
    table = keras.layers.Embedding(5, 1)
    reward = keras.Model(tokens, keras.ops.cumsum(keras.layers.Reshape((-1,))(table(tokens)), axis=1))
    table.set_weights([np.array([[0.0], [0.0], [1.0], [0.0], [0.0]])])
    written = []
    for kl_weight in (0.1, 2.0):
        keras.utils.set_random_seed(0)
        language = cases.gpt()
        critic = build_reward_network(language.network)
        networks = (copied(language.network), language.network, reward, critic, language.vocabulary)
        model = PPO(*networks, length=9, given_length=3, kl_weight=kl_weight, seed=1)
        model.compile(Adam(3e-3), Adam(3e-3))
        harness.many_steps(model, cases.tokens(64), 60)
        texts = model.write_on(tf.constant(cases.tokens(64))).numpy()
        written.append((texts[:, 3:] == 2).sum(axis=1).mean())
    assert written[0] > 5 > 3.5 > written[1] > 1.2
