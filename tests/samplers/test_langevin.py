"""Langevin dynamics on energies whose samples, and the way there, are known in closed form."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from gdl_keras.samplers.langevin import langevin, noise_at

MEAN, SCALE = np.array([1.0, -2.0]), np.array([0.5, 1.5])


def slope(place):
    """That of the energy of a normal distribution with MEAN and SCALE."""
    return (place - tf.constant(MEAN, "float32")) / tf.constant(SCALE**2, "float32")


def normal(number, count):
    """The noise of a step."""
    return tf.random.stateless_normal((count, 2), tf.stack([5, number]))


def walked(count, steps, step_size, noise, start=3.0, **options):
    """Chains that begin at one point, down that energy: float64 array (count, 2)."""
    begun = tf.fill((count, 2), start)

    @tf.function
    def walk():
        return langevin(slope, begun, steps, step_size, noise, lambda i: normal(i, count), **options)

    return walk().numpy().astype("float64")


@pytest.mark.parametrize("steps", [1, 7, 400])
def test_on_the_energy_of_a_normal_distribution_mean_and_variance_are_the_closed_form_after_each_number_of_steps(steps):
    """x_k = m + a^k (x_0 - m) + noise sum_j a^j eps, with a = 1 - step_size / scale^2."""
    step_size, count = 0.1, 20_000
    noise = noise_at(1.0, step_size)
    places = walked(count, steps, step_size, noise)
    kept = 1 - step_size / SCALE**2
    mean = MEAN + kept**steps * (3.0 - MEAN)
    variance = noise**2 * (1 - kept ** (2 * steps)) / (1 - kept**2)
    assert np.abs(places.mean(axis=0) - mean).max() < 4 * np.sqrt(variance.max() / count)
    np.testing.assert_allclose(places.var(axis=0), variance, rtol=0.05)
    if steps == 1:
        assert stats.kstest(((places - mean) / np.sqrt(variance)).ravel(), "norm").pvalue > 1e-3


def test_small_steps_lead_to_the_mean_and_the_variance_of_the_energy_itself():
    places = walked(20_000, 1500, 0.01, noise_at(1.0, 0.01), start=0.0)
    np.testing.assert_allclose(places.mean(axis=0), MEAN, atol=0.05)
    # What a finite step adds: 1 / (1 - step_size / (2 scale^2)) times the variance.
    np.testing.assert_allclose(places.var(axis=0), SCALE**2 / (1 - 0.01 / (2 * SCALE**2)), rtol=0.05)
    np.testing.assert_allclose(places.var(axis=0), SCALE**2, rtol=0.07)


def test_a_temperature_multiplies_the_variance():
    places = walked(20_000, 400, 0.02, noise_at(0.25, 0.02))
    np.testing.assert_allclose(places.var(axis=0)[0], 0.25 * SCALE[0] ** 2, rtol=0.1)


def test_without_noise_it_is_gradient_descent():
    kept = (1 - 0.1 / SCALE**2) ** 9
    np.testing.assert_allclose(walked(3, 9, 0.1, 0.0), np.tile(MEAN + kept * (3 - MEAN), (3, 1)), rtol=1e-5)


def test_a_walk_in_two_parts_is_the_whole_walk():
    options = {"step_size": 0.1, "noise": 0.3, "normal": lambda i: normal(i, 4)}
    begun = tf.zeros((4, 2))
    part = langevin(slope, begun, 3, **options)
    whole, in_two = langevin(slope, begun, 8, **options), langevin(slope, part, 5, first_step=3, **options)
    np.testing.assert_array_equal(whole, in_two)
    assert not np.allclose(whole, langevin(slope, part, 5, **options))
    np.testing.assert_array_equal(langevin(slope, begun, 0, **options), begun)


def test_slopes_and_places_are_kept_within_their_bounds():
    # The slope at 3 is 8 and 2.2: clipped, both go down by as much.
    np.testing.assert_allclose(walked(2, 1, 0.1, 0.0, slope_clip=0.5), np.full((2, 2), 2.95), rtol=1e-6)
    np.testing.assert_allclose(walked(2, 1, 0.1, 0.0, start=-3.0, slope_clip=0.5)[0, 0], -2.95, rtol=1e-6)
    places = walked(500, 50, 0.1, 1.0, limit=1.5)
    assert places.min() == -1.5 and places.max() == 1.5


def test_no_gradient_passes_through_a_walk():
    begun = tf.Variable(tf.ones((2, 2)))
    with tf.GradientTape() as tape:
        end = langevin(slope, begun, 2, 0.1, 0.0, lambda i: tf.zeros((2, 2)))
    assert tape.gradient(end, begun) is None
