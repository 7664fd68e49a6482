"""Sample i has its own random numbers, whatever else is drawn."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from gdl_keras.samplers.noise import BLOCK, DrawnNoise, SampleNoise, random_normal, random_uniform


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
