"""The answers to this chapter's exercises: `python chapters/09_transformer/answers.py` runs them all."""

from functools import cache

from gdl_keras.exercises import run_all
from gdl_keras import load
from gdl_keras.layers import CausalSelfAttention
from gdl_keras.models import build_gpt
from gdl_keras.preference_losses import bradley_terry, direct_preference

import numpy as np
import tensorflow as tf

TEXT = "It is a truth universally"


@cache
def gpt():
    """The trained model of characters, and the tokens of a sentence."""
    model = load("09_transformer/01_gpt")
    return model, model.to_tokens([TEXT])


def weights_by_hand():
    """Exercise 1: How many weights has the book's GPT: 10,000 tokens, 80 places, one block, 256 numbers everywhere?

    5,809,168: two tables, of tokens and of places; queries, keys and values of two heads of 256, and what leads back;
    two normalisations; two dense layers; the logits.
    """
    tokens, places, width, heads = 10_000, 80, 256, 2
    tables = (tokens + places) * width
    attention = (width + 1) * 3 * heads * width + (heads * width + 1) * width
    feed_forward = 2 * (width + 1) * width
    normalisations = 2 * 2 * width
    logits = (width + 1) * tokens
    by_hand = tables + attention + feed_forward + normalisations + logits
    assert build_gpt(tokens, places).count_params() == by_hand == 5_809_168
    return {"weights": by_hand, "of them in tables and logits": tables + logits}


def nothing_from_the_future():
    """Exercise 2: The twentieth character of a text is exchanged. What changes in what the trained GPT expects?

    Nothing at the first twenty places, to the last bit; everything behind.
    """
    model, tokens = gpt()
    other = tokens.copy()
    other[0, 19] = (other[0, 19] + 1) % model.vocabulary_size
    change = np.abs(model.logits(tokens) - model.logits(other)).max(axis=-1)[0]
    assert (change[:20] == 0).all()
    assert (change[20:] > 0).all()
    return {"largest change up to it": float(change[:20].max()), "smallest behind it": float(change[20:].min())}


def attention_by_hand():
    """Exercise 3: How much does each place take from which, computed from queries and keys place by place?

    The softmax of q_t . k_s / sqrt(d) over the places up to t: the first takes all from itself.
    """
    heads, d, length = 2, 4, 5
    layer = CausalSelfAttention(heads, d)
    x = np.random.default_rng(1).normal(size=(1, length, 8)).astype("float32")
    layer.build(x.shape)
    projection = layer.query_key_value
    projection.kernel.assign(np.random.default_rng(2).normal(size=projection.kernel.shape))
    queries, keys, _ = np.split((x[0] @ projection.kernel.numpy()).reshape(length, 3, heads, d), 3, axis=1)
    shares = np.zeros((heads, length, length))
    for head in range(heads):
        for t in range(length):
            scores = [np.exp(queries[t, 0, head] @ keys[s, 0, head] / d**0.5) for s in range(t + 1)]
            shares[head, t, : t + 1] = np.array(scores) / np.sum(scores)
    np.testing.assert_allclose(layer.scores(tf.constant(x))[0], shares, atol=1e-5)
    return {"share that the last place takes from itself": shares[0, -1, -1]}


def cache_and_whole_text():
    """Exercise 4: Does the trained GPT expect the same if it reads a text token by token, and keeps keys and values?

    Yes, but for rounding; each token then passes through the network once.
    """
    model, tokens = gpt()
    state = model.initial_state(1, tokens.shape[1])
    before = tf.constant([-1])
    steps = []
    for place in range(tokens.shape[1]):
        logits, state = model.read(before, tf.constant(place), state)
        steps.append(logits[0])
        before = tf.constant(tokens[:, place])
    difference = float(np.abs(np.stack(steps) - model.logits(tokens)[0]).max())
    assert difference < 1e-3
    return {"largest difference of logits": difference}


def rewards_and_policies():
    """Exercise 5: Which policy is worth most, if each nat from the reference costs b, and what does DPO say of it?

    The reference times e^(r / b), normalised.  b log(policy / reference) is then the reward less one constant for all
    texts, so that DPO's loss of any pair is that of the rewards themselves: `bradley_terry` does not see constants.
    """
    rng = np.random.default_rng(1)
    b, rewards, reference = 0.4, rng.normal(size=6), rng.dirichlet(np.ones(6))
    policy = reference * np.exp(rewards / b)
    z = policy.sum()
    policy /= z

    def worth(p):
        return p @ rewards - b * p @ np.log(p / reference)

    others = rng.dirichlet(np.ones(6), size=1000)
    assert max(map(worth, others)) < worth(policy)
    assert np.isclose(worth(policy), b * np.log(z))
    chosen, rejected = np.meshgrid(range(6), range(6))
    logs = [np.log(p)[texts] for p in (policy, reference) for texts in (chosen, rejected)]
    told = direct_preference(logs[0], logs[1], logs[2], logs[3], b)
    np.testing.assert_allclose(told, bradley_terry(rewards[chosen], rewards[rejected]), atol=1e-6)
    np.testing.assert_allclose(told, bradley_terry(rewards[chosen] + 3, rewards[rejected] + 3), atol=1e-6)
    return {"worth of the best policy": worth(policy), "of the reference": worth(reference)}


if __name__ == "__main__":
    run_all(globals())
