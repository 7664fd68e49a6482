"""The sampling layer: its distribution, its gradient, its streams of random numbers."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from gdl_keras.layers import Sampling, SeedGenerator


def draw(layer, mean, log_variance, training=True):
    return np.asarray(layer((np.float32(mean), np.float32(log_variance)), training=training))


def test_draws_are_normal_with_the_given_mean_and_variance():
    mean, variance = 1.5, 4.0
    shape = (50_000, 1)
    z = draw(Sampling(seed=3), np.full(shape, mean), np.full(shape, np.log(variance)))
    assert stats.kstest((z[:, 0] - mean) / np.sqrt(variance), "norm").pvalue > 1e-3


def test_gradient_against_finite_differences():
    """The same noise each time: the layer is made afresh from its seed."""
    mean, log_variance = tf.Variable([[0.3, -1.0]]), tf.Variable([[0.5, -0.7]])

    def total(m, v):
        return float(draw(Sampling(seed=3), m, v).sum(dtype="float64"))

    with tf.GradientTape() as tape:
        z = Sampling(seed=3)((mean, log_variance), training=True)
        value = tf.reduce_sum(z)
    gradients = tape.gradient(value, [mean, log_variance])
    for variable, gradient in zip((mean, log_variance), gradients):
        for index in np.ndindex(*variable.shape):
            step = np.zeros(variable.shape, "float32")
            step[index] = 1e-2
            shifted = [
                total(*(v + sign * step if v is variable else v for v in (mean, log_variance))) for sign in (1, -1)
            ]
            assert float(gradient[index]) == pytest.approx((shifted[0] - shifted[1]) / 2e-2, rel=1e-3, abs=1e-4)


def test_evaluation_does_not_touch_the_stream_of_training():
    zeros = np.zeros((4, 2))
    first, second = Sampling(seed=3), Sampling(seed=3)
    draw(first, zeros, zeros)
    draw(second, zeros, zeros)
    draw(second, zeros, zeros, training=False)
    np.testing.assert_array_equal(draw(first, zeros, zeros), draw(second, zeros, zeros))


def test_no_two_draws_are_the_same():
    layer = Sampling(seed=3)
    zeros = np.zeros((4, 2))
    draws = [draw(layer, zeros, zeros) for _ in range(3)]
    assert not np.array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[1], draws[2])


def test_two_replicas_draw_different_noise_and_the_same_in_every_run(two_replicas):
    def noise():
        with two_replicas.scope():
            generator = SeedGenerator(5)
        values = two_replicas.run(tf.function(lambda: keras.random.normal((4,), seed=generator)))
        return [np.asarray(v) for v in two_replicas.experimental_local_results(values)]

    first, second = noise(), noise()
    assert not np.array_equal(first[0], first[1])
    np.testing.assert_array_equal(first, second)


def test_config_round_trip():
    layer = Sampling(seed=3, name="cloud")
    assert Sampling.from_config(layer.get_config()).get_config() == layer.get_config()
