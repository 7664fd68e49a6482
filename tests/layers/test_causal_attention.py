"""Attention against numpy, what it may look at, and positions that are angles."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from gdl_keras.errors import InputError
from gdl_keras.layers import CausalSelfAttention, LearnedPositions, TransformerBlock, rotated


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def attention(length=7, dim=6, **options):
    """A layer of two heads whose weights are large enough to matter, and what it reads."""
    layer = CausalSelfAttention(2, 4, **options)
    layer.build((None, length, dim))
    for number, weight in enumerate(layer.weights):
        weight.assign(random(*weight.shape, seed=number))
    return layer, random(3, length, dim, seed=9)


def by_numpy(layer, x, turned=lambda vectors: vectors, window=None):
    """(outputs, weights), one head and one place after the other."""
    kernel, bias, output, output_bias = (np.asarray(weight, "float64") for weight in layer.weights)
    query, key, value = np.split(x @ kernel + bias, 3, axis=-1)
    heads, all_weights = [], []
    for head in (slice(0, 4), slice(4, 8)):
        q, k, v = turned(query[..., head]), turned(key[..., head]), value[..., head]
        weights = np.zeros((len(x), x.shape[1], x.shape[1]))
        for place in range(x.shape[1]):
            first = max(0, place - (window or 99) + 1)
            seen = slice(first, place + 1)
            weights[:, place, seen] = softmax(np.einsum("bd,bsd->bs", q[:, place], k[:, seen]) / 2, axis=-1)
        heads.append(weights @ v)
        all_weights.append(weights)
    return np.concatenate(heads, axis=-1) @ output + output_bias, np.stack(all_weights, axis=1)


def turned_by_numpy(vectors):
    """As complex numbers, each pair times exp(i place speed)."""
    half = vectors.shape[-1] // 2
    places = np.arange(vectors.shape[-2])[:, None]
    numbers = (vectors[..., :half] + 1j * vectors[..., half:]) * np.exp(1j * places * 1e4 ** (-np.arange(half) / half))
    return np.concatenate([numbers.real, numbers.imag], axis=-1)


@pytest.mark.parametrize("window", [None, 3])
@pytest.mark.parametrize("rotary", [False, True])
def test_attention_is_what_numpy_makes_of_it(rotary, window):
    layer, x = attention(rotary=rotary, window=window)
    turned = turned_by_numpy if rotary else lambda vectors: vectors
    outputs, weights = by_numpy(layer, x, turned, window)
    np.testing.assert_allclose(layer(x), outputs, atol=2e-5)
    np.testing.assert_allclose(layer.scores(x), weights, atol=1e-5)


def test_rotary_scores_depend_on_distances_alone():
    query, key = random(1, 8), random(1, 8, seed=1)

    def score(place, other):
        return (np.asarray(rotated(query, [place])) * np.asarray(rotated(key, [other]))).sum()

    for distance in (0, 1, 5):
        scores = [score(start + distance, start) for start in (0, 3, 40, 200)]
        np.testing.assert_allclose(scores, scores[0], atol=1e-4)
    assert abs(score(5, 0) - score(0, 0)) > 0.1
    np.testing.assert_allclose(np.linalg.norm(rotated(query, [1000])), np.linalg.norm(query), rtol=1e-5)


def test_vectors_that_are_no_pairs_are_not_turned():
    with pytest.raises(InputError, match="even, not 5"):
        CausalSelfAttention(2, 5, rotary=True)


def test_there_is_a_position_for_each_place_and_no_more():
    layer, x = LearnedPositions(5), random(2, 5, 3)
    np.testing.assert_allclose(layer(x) - x, np.broadcast_to(layer.table, (2, 5, 3)), atol=1e-6)
    np.testing.assert_allclose(layer(x[:, :2]), layer(x)[:, :2])
    np.testing.assert_allclose(layer.step(x[:, 3], tf.constant(3)), layer(x)[:, 3])
    with pytest.raises(InputError, match="6 tokens are more than there are positions, 5"):
        layer(random(2, 6, 3))


@pytest.mark.parametrize("window", [None, 3])
@pytest.mark.parametrize("rotary", [False, True])
def test_attention_that_looks_both_ways_is_what_numpy_makes_of_it(rotary, window):
    layer, x = attention(rotary=rotary, window=window, causal=False)
    kernel, bias, output, output_bias = (np.asarray(weight, "float64") for weight in layer.weights)
    query, key, value = np.split(x @ kernel + bias, 3, axis=-1)
    distance = np.abs(np.subtract.outer(np.arange(7), np.arange(7)))
    heads = []
    for head in (slice(0, 4), slice(4, 8)):
        q, k = ((turned_by_numpy(part) if rotary else part) for part in (query[..., head], key[..., head]))
        scores = np.einsum("btd,bsd->bts", q, k) / 2
        heads.append(softmax(np.where(distance < (window or 7), scores, -np.inf), axis=-1) @ value[..., head])
    np.testing.assert_allclose(layer(x), np.concatenate(heads, axis=-1) @ output + output_bias, atol=2e-5)
    copy = CausalSelfAttention.from_config(layer.get_config())
    assert not copy.causal and CausalSelfAttention.from_config(attention()[0].get_config()).causal


def test_what_looks_both_ways_is_not_read_token_by_token():
    for layer in (CausalSelfAttention(2, 4, causal=False), TransformerBlock(2, 4, 8, causal=False)):
        with pytest.raises(InputError, match="causal=True"):
            layer.initial_state(3, 7)


def test_a_block_says_whether_it_is_causal_and_its_tanh_is_numpys():
    x = random(2, 5, 6)
    block = TransformerBlock(2, 3, 8, norm="pre", activation="tanh", causal=False)
    outputs = np.asarray(block(x))
    attended = x + np.asarray(block.attention(block.norms[0](x)))
    normed = np.asarray(block.norms[1](attended))
    inner = np.tanh(normed @ np.asarray(block.inner.kernel) + np.asarray(block.inner.bias))
    expected = attended + inner @ np.asarray(block.outer.kernel) + np.asarray(block.outer.bias)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    assert TransformerBlock.from_config(block.get_config()).attention.causal is False
    changed = x.copy()
    changed[:, -1, 0] += 5
    assert np.abs(np.asarray(block(changed))[:, 0] - outputs[:, 0]).max() > 1e-6
