"""Mixtures of logistics over levels: against scipy, and that they are probabilities."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax, logsumexp
from scipy.stats import logistic

from gdl_keras import logistic_mixture as mixtures

LEVELS = np.arange(256) / 127.5 - 1
# (mean, log of the scale): around a level, between two, at and beyond the ends, as narrow and as wide as can be.
EXTREMES = [(m, s) for m in (0.0, 0.003, -1.0, 1.0, 1.4, -40.0, 1000.0) for s in (-7.0, -3.0, 0.0, 7.0)]


def by_scipy(mean, log_scale):
    """log P of each of the 256 levels, float64."""
    borders = np.concatenate([[-np.inf], (LEVELS[1:] + LEVELS[:-1]) / 2, [np.inf]])
    scale = np.exp(log_scale)
    left = logistic.logcdf(borders, mean, scale)
    right = logistic.logsf(borders, mean, scale)
    # From the side on which the numbers are small: the difference of two that round to 1 would be 0.
    with np.errstate(invalid="ignore", divide="ignore"):
        of_left = left[1:] + np.log(-np.expm1(left[:-1] - left[1:]))
        of_right = right[:-1] + np.log(-np.expm1(right[1:] - right[:-1]))
    return np.where(left[1:] < right[:-1], of_left, of_right)


def outputs_for(channels, components=3, shape=(2, 3), seed=0, scale=1.5):
    count = components * mixtures.parameters_per_component(channels)
    return scale * np.random.default_rng(seed).normal(size=(*shape, count)).astype("float32")


def random_images(shape, seed=1):
    return (np.random.default_rng(seed).integers(0, 256, shape) / 255).astype("float32")


@pytest.mark.parametrize("mean, log_scale", EXTREMES)
def test_each_level_gets_what_scipy_gives_it_and_all_together_one(mean, log_scale):
    log_p = np.asarray(mixtures.level_log_probabilities(LEVELS, np.float32(mean), np.float32(log_scale)), "float64")
    expected = by_scipy(mean, log_scale)
    reached = expected > -1e4  # beyond that float32 has no digit left after the point
    np.testing.assert_allclose(log_p[reached], expected[reached], rtol=2e-4, atol=2e-4)
    assert np.exp(log_p).sum() == pytest.approx(1, abs=2e-5)
    assert np.isfinite(log_p).all()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_all_levels_of_a_channel_together_are_as_likely_as_one(channels, scale):
    mixture = mixtures.mixture_of(outputs_for(channels, scale=scale), channels)
    log_p = mixtures.conditional_log_probabilities(mixture, random_images((2, 3, channels)))
    assert log_p.shape == (2, 3, channels, 256)
    np.testing.assert_allclose(np.exp(np.asarray(log_p, "float64")).sum(axis=-1), 1, atol=2e-5)


def test_a_mixture_is_the_weighted_sum_that_scipy_gives():
    outputs = outputs_for(1, components=2, shape=(1,))[0]
    logits, means, log_scales = np.split(outputs.astype("float64"), 3)
    expected = logsumexp(
        [w + by_scipy(m, s) for w, m, s in zip(log_softmax(logits), means, np.clip(log_scales, -7, 7))], axis=0
    )
    images = (np.arange(256) / 255).astype("float32")[:, None]
    mixture = mixtures.mixture_of(np.repeat(outputs[None], 256, axis=0), 1)
    np.testing.assert_allclose(mixtures.log_probability(mixture, images), expected, atol=1e-4)


def test_means_of_green_and_blue_move_with_the_channels_before():
    """By hand, for one logistic: outputs are a weight, 3 means, 3 scales, and green-red, blue-red, blue-green."""
    outputs = np.array([0.3, 0.1, -0.2, 0.4, -1.0, -2.0, -1.5, 0.5, -0.7, 0.2], "float32")
    red, green, blue = 40, 180, 99
    x = LEVELS[[red, green, blue]]
    on_red, blue_on_red, blue_on_green = np.tanh(outputs[7:])
    means = [0.1, -0.2 + on_red * x[0], 0.4 + blue_on_red * x[0] + blue_on_green * x[1]]
    expected = [by_scipy(m, s)[level] for m, s, level in zip(means, (-1.0, -2.0, -1.5), (red, green, blue))]
    mixture = mixtures.mixture_of(outputs[None], 3)
    pixel = (np.array([[red, green, blue]]) / 255).astype("float32")
    assert float(mixtures.log_probability(mixture, pixel)[0]) == pytest.approx(sum(expected), abs=1e-4)


def test_channel_after_channel_is_as_likely_as_all_together():
    """log P(red) + log P(green | red) + log P(blue | red, green), the choice of a logistic shared by all three."""
    mixture = mixtures.mixture_of(outputs_for(3, components=4, shape=(50,)), 3)
    images = random_images((50, 3))
    of_each = np.asarray(mixtures.conditional_log_probabilities(mixture, images))
    levels = np.rint(images * 255).astype(int)
    chosen = np.take_along_axis(of_each, levels[..., None], axis=-1)[..., 0]
    np.testing.assert_allclose(chosen.sum(axis=-1), mixtures.log_probability(mixture, images), rtol=1e-4)


def test_a_channel_is_not_looked_at_by_itself_and_those_before_it():
    mixture, images = mixtures.mixture_of(outputs_for(3, shape=(20,)), 3), random_images((20, 3))
    log_p = np.asarray(mixtures.conditional_log_probabilities(mixture, images))
    for channel in range(3):
        changed = images.copy()
        changed[:, channel:] = 1 - changed[:, channel:]
        others = np.asarray(mixtures.conditional_log_probabilities(mixture, changed))
        np.testing.assert_array_equal(others[:, : channel + 1], log_p[:, : channel + 1])
        assert channel == 2 or not np.allclose(others[:, channel + 1], log_p[:, channel + 1])


@pytest.mark.parametrize("scale", [1.0, 100.0, 1e4])
def test_slopes_are_finite_however_wrong_the_parameters_are(scale):
    outputs = tf.Variable(outputs_for(3, scale=scale))
    with tf.GradientTape() as tape:
        log_p = mixtures.log_probability(mixtures.mixture_of(outputs, 3), random_images((2, 3, 3)))
    assert np.isfinite(log_p).all() and np.isfinite(tape.gradient(log_p, outputs)).all()
