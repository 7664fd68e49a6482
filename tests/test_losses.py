"""Losses against scipy's densities, closed forms and Monte Carlo."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from scipy.special import log_softmax, logit, softmax

from gdl_keras import losses


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_bernoulli_likelihood_of_black_and_white_images(rng):
    x = rng.integers(0, 2, (3, 4, 5, 1)).astype("float32")
    p = rng.uniform(0.01, 0.99, x.shape).astype("float32")
    expected = -stats.bernoulli.logpmf(x, p).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(losses.bernoulli_negative_log_likelihood(x, logit(p)), expected, rtol=1e-4)


def test_binary_crossentropy_is_the_mean_of_what_the_likelihood_sums(rng):
    x, p = rng.uniform(0, 1, (2, 3, 4, 5, 2)).astype("float32")
    np.testing.assert_allclose(
        losses.binary_crossentropy(x, p) * (4 * 5 * 2), losses.bernoulli_negative_log_likelihood(x, p), rtol=1e-5
    )


def test_certain_and_wrong_costs_what_its_logits_say():
    x, logits = np.ones((1, 2, 2, 1), "float32"), np.full((1, 2, 2, 1), -1000, "float32")
    np.testing.assert_allclose(losses.bernoulli_negative_log_likelihood(x, logits), [4000])


def test_class_crossentropy_is_that_of_scipys_softmax_and_has_a_slope_everywhere(rng):
    logits, labels = 30 * rng.normal(size=(7, 4)).astype("float32"), rng.integers(0, 4, 7)
    expected = -log_softmax(logits.astype("float64"), axis=1)[np.arange(7), labels]
    tensor = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        values = losses.class_crossentropy(labels, tensor)
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(tape.gradient(values, tensor), softmax(logits, axis=1) - np.eye(4)[labels], atol=1e-5)


def test_gaussian_likelihood(rng):
    x, mean = rng.normal(size=(2, 3, 4, 4, 2)).astype("float32")
    expected = -stats.norm.logpdf(x, mean, 0.3).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(losses.gaussian_negative_log_likelihood(x, mean, 0.3), expected, rtol=1e-5)


def test_squared_error(rng):
    x, y = rng.normal(size=(2, 3, 4, 4, 2)).astype("float32")
    np.testing.assert_allclose(losses.squared_error(x, y), ((x - y) ** 2).mean(axis=(1, 2, 3)), rtol=1e-5)


def test_absolute_error(rng):
    x, y = rng.normal(size=(2, 3, 4, 4, 2)).astype("float32")
    np.testing.assert_allclose(losses.absolute_error(x, y), np.abs(x - y).mean(axis=(1, 2, 3)), rtol=1e-5)


def test_feature_distance_is_of_directions_and_has_a_slope_where_there_is_none(rng):
    first = [rng.normal(size=(2, size, size, size)).astype("float32") for size in (3, 5)]
    second = [rng.normal(size=maps.shape).astype("float32") for maps in first]
    cosines = [
        ((f * g).sum(axis=-1) / np.linalg.norm(f, axis=-1) / np.linalg.norm(g, axis=-1)).mean(axis=(1, 2))
        for f, g in zip(first, second)
    ]
    # |x - y|^2 = 2 - 2 cos for vectors of length 1.
    expected = 2 - 2 * np.mean(cosines, axis=0)
    np.testing.assert_allclose(losses.feature_distance(first, second), expected, rtol=1e-3)
    longer = [3 * maps for maps in first]
    np.testing.assert_allclose(losses.feature_distance(longer, second), expected, rtol=1e-3)
    np.testing.assert_allclose(losses.feature_distance(first, [-maps for maps in first]), 4, rtol=1e-3)
    nothing = tf.zeros((2, 3, 3, 3))
    with tf.GradientTape() as tape:
        tape.watch(nothing)
        value = losses.feature_distance([nothing], second[:1])
    assert np.isfinite(tape.gradient(value, nothing)).all()


def test_squared_slope_is_that_of_a_plane_per_unit_of_minus_one_to_one(rng):
    plane, images = rng.normal(size=(2, 2, 1)).astype("float32"), tf.zeros((3, 2, 2, 1))
    found = losses.squared_slope(lambda x: tf.reduce_sum(plane * x, axis=(1, 2, 3)), images)
    np.testing.assert_allclose(found, np.full(3, (plane**2).sum() / 4), rtol=1e-4)


def test_root_squared_error_has_a_slope_everywhere(rng):
    x, y = rng.normal(size=(2, 3, 4, 4, 2)).astype("float32")
    expected = np.sqrt(((x - y).astype("float64") ** 2).mean(axis=(1, 2, 3)))
    np.testing.assert_allclose(losses.root_squared_error(x, y), expected, rtol=1e-5)
    y[0] = x[0]
    y = tf.Variable(y)
    with tf.GradientTape() as tape:
        errors = losses.root_squared_error(x, y)
    gradient = tape.gradient(errors, y).numpy()
    assert errors[0] < 2e-6 and (gradient[0] == 0).all()
    # d sqrt(mean(e^2)) / de = e / (number of pixels * sqrt(mean(e^2)))
    np.testing.assert_allclose(gradient[1], (y.numpy() - x)[1] / (32 * expected[1]), rtol=1e-4, atol=1e-7)


def test_normal_log_density(rng):
    z, mean, log_variance = rng.normal(size=(3, 4, 2)).astype("float32")
    expected = [
        stats.multivariate_normal(m, np.diag(np.exp(v))).logpdf(point)
        for point, m, v in zip(z, mean.astype("float64"), log_variance.astype("float64"))
    ]
    np.testing.assert_allclose(losses.normal_log_density(z, mean, log_variance), expected, rtol=1e-5)
    np.testing.assert_allclose(losses.normal_log_density(z), stats.norm.logpdf(z).sum(axis=1), rtol=1e-5)


def test_kl_against_the_general_formula_for_two_normals(rng):
    """KL(N0 || N1) = 1/2 (tr(S1^-1 S0) + (m1 - m0)' S1^-1 (m1 - m0) - k + ln det S1 / det S0)."""
    mean, log_variance = rng.normal(size=(2, 5, 3))
    expected = []
    for m, v in zip(mean, log_variance):
        covariance = np.diag(np.exp(v))
        expected.append(0.5 * (np.trace(covariance) + m @ m - 3 - np.linalg.slogdet(covariance)[1]))
    actual = losses.kl_to_standard_normal(mean.astype("float32"), log_variance.astype("float32"))
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


def test_kl_by_monte_carlo(rng):
    """KL = E_q [log q(z) - log p(z)], estimated from a million draws; the tolerance is 5 standard errors."""
    mean, stddev = np.array([0.7, -1.2]), np.array([0.4, 1.5])
    z = rng.normal(mean, stddev, (1_000_000, 2))
    difference = (stats.norm.logpdf(z, mean, stddev) - stats.norm.logpdf(z)).sum(axis=1)
    standard_error = difference.std() / np.sqrt(len(z))
    actual = losses.kl_to_standard_normal(mean[None], 2 * np.log(stddev)[None])[0]
    assert abs(actual - difference.mean()) < 5 * standard_error


def test_kl_is_zero_for_the_standard_normal_alone():
    assert losses.kl_to_standard_normal(np.zeros((1, 4)), np.zeros((1, 4)))[0] == 0
    assert losses.kl_to_standard_normal(np.full((1, 4), 0.1), np.zeros((1, 4)))[0] > 0
    assert losses.kl_to_standard_normal(np.zeros((1, 4)), np.full((1, 4), 0.1))[0] > 0


@pytest.mark.parametrize(
    "loss",
    [
        losses.binary_crossentropy,
        losses.bernoulli_negative_log_likelihood,
        losses.squared_error,
        losses.root_squared_error,
        lambda x, y: losses.gaussian_negative_log_likelihood(x, y, 1.0),
        losses.kl_to_standard_normal,
    ],
)
def test_losses_are_one_float32_number_per_example_under_half_precision(loss, rng):
    x, y = rng.uniform(0.1, 0.9, (2, 3, 8)).astype("float16")
    assert loss(x, y).shape == (3,)
    assert loss(x, y).dtype == "float32"


def test_orthogonality_penalty_is_the_sum_over_pairs_of_outputs(rng):
    kernel = rng.normal(size=(3, 3, 2, 5)).astype("float32")
    columns = kernel.reshape(-1, 5).astype("float64")
    expected = sum((columns[:, i] @ columns[:, j]) ** 2 for i in range(5) for j in range(i))
    assert float(losses.orthogonality_penalty(kernel)) == pytest.approx(expected, rel=1e-5)
    # (1, 2) . (3, 4) = 11
    assert float(losses.orthogonality_penalty(tf.constant([[1.0, 3.0], [2.0, 4.0]]))) == pytest.approx(121)


def test_orthogonality_penalty_is_zero_of_orthogonal_outputs_of_any_lengths(rng):
    orthogonal = stats.ortho_group.rvs(6, random_state=0).astype("float32")
    assert float(losses.orthogonality_penalty(orthogonal)) == pytest.approx(0, abs=1e-10)
    assert float(losses.orthogonality_penalty(orthogonal * rng.uniform(1, 9, 6).astype("float32"))) < 1e-8


def test_slope_of_the_orthogonality_penalty_is_its_closed_form(rng):
    kernel = tf.constant(rng.normal(size=(3, 3, 2, 5)), "float32")
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        penalty = losses.orthogonality_penalty(kernel)
    w = np.asarray(kernel, "float64").reshape(-1, 5).T
    expected = 2 * ((w @ w.T) * (1 - np.eye(5))) @ w
    np.testing.assert_allclose(tape.gradient(penalty, kernel), expected.T.reshape(kernel.shape), rtol=1e-4, atol=1e-4)
