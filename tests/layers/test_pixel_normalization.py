"""Pixel normalisation: length 1 everywhere, and nothing else changed."""

import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.layers import PixelNormalization


@pytest.mark.parametrize("shape", [(5, 7), (2, 3, 4, 7)], ids=["points", "images"])
def test_mean_of_squares_over_channels_is_1_and_directions_stay(shape):
    x = (100 * np.random.default_rng(0).normal(size=shape)).astype("float32")
    y = np.asarray(PixelNormalization()(x))
    np.testing.assert_allclose(np.mean(y**2, axis=-1), 1, rtol=1e-5)
    np.testing.assert_allclose(y, x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True)), rtol=1e-5)


def test_zero_stays_zero_with_a_finite_slope():
    x = tf.zeros((1, 2, 2, 3))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = PixelNormalization()(x)
    np.testing.assert_array_equal(y, 0)
    np.testing.assert_allclose(tape.gradient(y, x), 1e4, rtol=1e-5)


def test_half_precision_does_not_overflow_in_the_squares():
    x = np.full((1, 3), 1000, "float16")
    y = PixelNormalization(dtype="mixed_float16")(x)
    assert y.dtype == "float16"
    np.testing.assert_array_equal(y, 1)


def test_second_order_gradient_is_that_of_finite_differences():
    rng = np.random.default_rng(0)
    x, direction, weights = (tf.constant(rng.normal(size=(3, 5))) for _ in range(3))
    layer = PixelNormalization(dtype="float64")

    def slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(weights * layer(x) ** 3)
        return tf.reduce_sum(tape.gradient(loss, x) ** 2)

    with tf.GradientTape() as tape:
        tape.watch(x)
        value = slope(x)
    computed = tf.reduce_sum(tape.gradient(value, x) * direction)
    measured = (slope(x + 1e-6 * direction) - slope(x - 1e-6 * direction)) / 2e-6
    np.testing.assert_allclose(computed, measured, rtol=1e-6)


def test_saved_and_loaded():
    layer = PixelNormalization(1e-6)
    assert PixelNormalization.from_config(layer.get_config()).get_config() == layer.get_config()
