"""Positions in a grid by sines of falling speed: against the formula, one number after the other."""

import numpy as np
import tensorflow as tf

from gdl_keras.layers import GridPositions


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
