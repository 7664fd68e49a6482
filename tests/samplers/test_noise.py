"""Sample i has its own random numbers, whatever else is drawn."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from gdl_keras.samplers.noise import (
    BLOCK,
    DrawnNoise,
    SampleNoise,
    random_normal,
    random_truncated_normal,
    random_uniform,
)


@pytest.mark.parametrize("draw", [random_normal, random_uniform])
@pytest.mark.parametrize("width", [1, 3, 128])
def test_a_sample_does_not_depend_on_how_many_are_drawn(draw, width):
    many = draw((301, width), seed=5)
    assert many.dtype == "float32"
    np.testing.assert_array_equal(draw((7, width), seed=5), many[:7])
    np.testing.assert_array_equal(draw((9, width), seed=5, first=250), many[250:259])
    assert not np.array_equal(draw((301, width), seed=6), many)
    assert not np.array_equal(draw((3, width)), draw((3, width)))


@pytest.mark.parametrize("first", [0, 1, BLOCK - 1, BLOCK, 3 * BLOCK + 5])
@pytest.mark.parametrize("count", [1, 2, BLOCK, 2 * BLOCK + 1])
def test_noise_inside_a_loop_belongs_to_the_sample(first, count):
    whole = np.asarray(SampleNoise(3, 0, 7 * BLOCK).normal(11, (2, 5)))
    part = np.asarray(SampleNoise(3, first, count).normal(11, (2, 5)))
    np.testing.assert_array_equal(part, whole[first : first + count])


def test_noise_is_the_same_compiled_with_tensors_for_seed_first_and_step():
    @tf.function
    def compiled(seed, first, step):
        return SampleNoise(seed, first, 70).uniform(step, (3,))

    expected = SampleNoise(9, 100, 70).uniform(4, (3,))
    np.testing.assert_array_equal(compiled(tf.constant(9), tf.constant(100), tf.constant(4)), expected)


def test_noise_has_its_distribution_and_no_step_repeats_another():
    noise = SampleNoise(1, 0, 2000)
    normal = np.asarray(noise.normal(0, (3,)))
    assert stats.kstest(normal.ravel(), "norm").pvalue > 0.001
    assert stats.kstest(np.asarray(noise.uniform(0)), "uniform").pvalue > 0.001
    for other in (noise.normal(1, (3,)), SampleNoise(2, 0, 2000).normal(0, (3,)), np.roll(normal, BLOCK, axis=0)):
        assert abs(np.corrcoef(normal.ravel(), np.asarray(other).ravel())[0, 1]) < 0.05


def test_numbers_that_were_drawn_before_come_step_by_step():
    numbers = np.random.default_rng(0).random((3, 4)).astype("float32")
    step_of = tf.function(lambda numbers, step: DrawnNoise(numbers).uniform(step))
    for step in range(4):
        np.testing.assert_array_equal(DrawnNoise(numbers).uniform(step), numbers[:, step])
        np.testing.assert_array_equal(step_of(tf.constant(numbers), tf.constant(step)), numbers[:, step])


@pytest.mark.parametrize(("threshold", "variance"), [(2.0, 0.7737), (1.0, 0.2912), (0.5, 0.0806), (0.04, 0.000533)])
def test_truncated_normal_numbers_are_those_that_are_drawn_again_until_they_lie_within(threshold, variance):
    numbers = random_truncated_normal((1000, 120), threshold, seed=4).astype("float64")
    assert np.abs(numbers).max() <= np.float32(threshold)
    assert numbers.var() == pytest.approx(variance, rel=0.01)
    assert stats.truncnorm.var(-threshold, threshold) == pytest.approx(variance, rel=1e-3)
    assert stats.kstest(numbers.ravel(), stats.truncnorm(-threshold, threshold).cdf).pvalue > 1e-3


def test_under_a_far_threshold_numbers_are_normal():
    numbers = random_truncated_normal((1000, 20), 12.0, seed=4)
    assert np.isfinite(numbers).all()
    assert stats.kstest(numbers.ravel(), stats.norm.cdf).pvalue > 1e-3


def test_a_truncated_sample_belongs_to_its_number_and_shrinks_with_the_threshold():
    many = random_truncated_normal((301, 3), 1.0, seed=5)
    assert many.dtype == "float32"
    np.testing.assert_array_equal(random_truncated_normal((9, 3), 1.0, seed=5, first=250), many[250:259])
    fewer = random_truncated_normal((301, 3), 0.5, seed=5)
    assert (np.sign(fewer) == np.sign(many)).all() and (np.abs(fewer) <= np.abs(many)).all()
