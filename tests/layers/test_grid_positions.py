"""Positions in a grid, against sums that are written out."""

import math

import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.layers import GridPositions


def places(height, width, channels):
    """(row, column, channel) of each token, in the order in which they are written."""
    return [(i, j, c) for i in range(height) for j in range(width) for c in range(channels)]


@pytest.mark.parametrize("channels", [1, 3])
def test_learned_vectors_of_row_column_and_channel_are_added(channels):
    layer = GridPositions(2, 3, channels)
    x = np.random.default_rng(0).normal(size=(2, 6 * channels, 4)).astype("float32")
    layer(x)
    tables = [np.asarray(weight) for weight in layer.weights]
    assert [table.shape for table in tables] == [(2, 4), (3, 4), (channels, 4)][: len(tables)]
    assert len(tables) == (2 if channels == 1 else 3)
    for t, place in enumerate(places(2, 3, channels)):
        wanted = x[:, t] + sum(table[number] for table, number in zip(tables, place))
        np.testing.assert_allclose(layer(x)[:, t], wanted, rtol=1e-6)
        np.testing.assert_allclose(layer.step(x[:, t], tf.constant(t)), wanted, rtol=1e-6)


@pytest.mark.parametrize("channels, dim", [(1, 16), (3, 18)])
def test_fixed_ones_are_sines_and_cosines_of_shares_of_the_grid(channels, dim):
    layer = GridPositions(2, 3, channels, "fixed")
    x = np.zeros((1, 6 * channels, dim), "float32")
    added = np.asarray(layer(x))[0]
    assert not layer.weights
    octaves = dim // (4 if channels == 1 else 6)
    for t, (i, j, c) in enumerate(places(2, 3, channels)):
        shares = [j / 3, i / 2, c / channels][: 2 if channels == 1 else 3]
        wanted = [f(2**k * share) for share in shares for k in range(octaves) for f in (math.sin, math.cos)]
        np.testing.assert_allclose(added[t], wanted, atol=1e-6)
        np.testing.assert_allclose(layer.step(x[:, t], tf.constant(t))[0], wanted, atol=1e-6)


def test_a_part_of_a_grid_has_the_positions_of_the_whole():
    layer = GridPositions(2, 3)
    whole = layer(np.zeros((1, 6, 4), "float32"))
    np.testing.assert_array_equal(layer(np.zeros((1, 4, 4), "float32")), whole[:, :4])


def test_its_configuration_makes_it_again():
    config = GridPositions(2, 3, 3, "fixed").get_config()
    assert GridPositions.from_config(config).get_config() == config


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match="7 tokens"):
        GridPositions(2, 3)(np.zeros((1, 7, 4), "float32"))
    with pytest.raises(InputError, match="multiple of 4"):
        GridPositions(2, 3, kind="fixed")(np.zeros((1, 6, 6), "float32"))
    with pytest.raises(InputError, match="at least 1"):
        GridPositions(0, 3)
    with pytest.raises(InputError, match="kind"):
        GridPositions(2, 3, kind="rotary")


def test_sines_are_those_of_the_formula_and_nothing_is_trained():
    height, width, dim = 3, 5, 8
    layer = GridPositions(height, width, kind="sines")
    x = np.random.default_rng(0).normal(size=(2, height * width, dim)).astype("float32")
    added = np.asarray(layer(x)) - x
    assert not layer.weights
    for place in range(height * width):
        row, column = divmod(place, width)
        expected = [
            function(along / 1e4 ** (k / 2))
            for along in (column, row)
            for k in range(2)
            for function in (np.sin, np.cos)
        ]
        np.testing.assert_allclose(added[:, place], np.tile(expected, (2, 1)), atol=1e-5)
    np.testing.assert_allclose(layer.step(x[:, 7], tf.constant(7)), layer(x)[:, 7], atol=1e-6)
    copy = GridPositions.from_config(layer.get_config())
    np.testing.assert_array_equal(copy(x), layer(x))


def test_neighbours_are_more_alike_than_others():
    table = np.asarray(GridPositions(8, 8, kind="sines")(np.zeros((1, 64, 64), "float32")))[0].reshape(8, 8, 64)
    apart = [np.linalg.norm(table[4, 2] - table[4, 2 + distance]) for distance in range(4)]
    assert apart == sorted(apart) and apart[0] == 0 and apart[3] > 2 * apart[1]
