"""Energies in the plane: the density that they make, and what two ways of training them learn of a known one."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from gdl_keras.errors import InputError
from gdl_keras.models import PointEBM, ScoreMatching, build_point_energy_network
from tests import harness
from tests.energy_cases import point_ebm, score_matching
from tests.models.test_histogram import grid

CENTRES, SPREAD, SHARES = np.array([[-1.0, 0.5], [1.2, -0.6]]), 0.5, np.array([0.4, 0.6])


def two_clouds(count, seed=0):
    """Points of a mixture of two normal distributions: float32 (count, 2)."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(2, count, p=SHARES)
    return (CENTRES[chosen] + SPREAD * rng.normal(size=(count, 2))).astype("float32")


def scores_of_clouds(points, sigma=0.0):
    """The slope of the log-density of that mixture, blurred by sigma: float64 (n, 2)."""
    variance = SPREAD**2 + sigma**2
    away = CENTRES - np.asarray(points, "float64")[:, None]
    weights = SHARES * np.exp(-np.square(away).sum(axis=-1) / (2 * variance))
    weights /= weights.sum(axis=1, keepdims=True)
    return (weights[..., None] * away).sum(axis=1) / variance


def bowl(width=1.0):
    """A network whose energy is that of a round normal distribution, with one weight, the logarithm of its width."""

    class Width(keras.layers.Layer):
        def build(self, shape):
            self.log_width = self.add_weight(shape=(), initializer="zeros", name="log_width")

        def call(self, points):
            return keras.ops.sum(points**2, axis=1, keepdims=True) / (2 * keras.ops.exp(2 * self.log_width))

    points = keras.Input((2,))
    network = keras.Model(points, Width()(points))
    network.weights[0].assign(np.log(width))
    return network


def relative_error(scores, truth):
    """Of slopes against the true ones, both (n, 2): float, 0 where they are the same and 1 for no slope at all."""
    return float(np.square(scores - truth).sum() / np.square(truth).sum())


@pytest.mark.parametrize("build", [point_ebm, score_matching])
def test_the_density_integrates_to_one(build):
    points, area = grid(((-9, 9), (-9, 9)), 270)
    assert np.exp(-build().negative_log_likelihood(points)).sum() * area == pytest.approx(1, abs=1e-3)


def test_likelihood_and_score_of_a_normal_distribution_are_those_of_scipy():
    model = PointEBM(bowl(0.8), seed=1)
    points = two_clouds(50)
    truth = stats.multivariate_normal(cov=0.64 * np.eye(2)).logpdf(points)
    np.testing.assert_allclose(-model.negative_log_likelihood(points), truth, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(model.scores(points), -points / 0.64, rtol=1e-4, atol=1e-5)


def test_far_out_the_bowl_holds_everything_together():
    network = build_point_energy_network(units=(8,), width=2.0)
    network.get_layer("energy").kernel.assign(np.zeros((8, 1)))
    assert network(np.array([[30.0, 40.0]])).numpy() == pytest.approx(2500 / 8)
    assert build_point_energy_network().count_params() == 4416


def test_only_in_the_plane_there_is_a_sum_for_the_constant():
    model = PointEBM(build_point_energy_network(3, (4,)), buffer_size=4)
    assert model.generate(2, seed=1, steps=1).shape == (2, 3)
    with pytest.raises(InputError, match="sum over the plane"):
        model.negative_log_likelihood(np.zeros((1, 3)))


def test_samples_of_a_normal_energy_have_its_mean_and_variance():
    model = PointEBM(bowl(0.8), step_size=0.02, seed=1)
    samples = model.generate(2000, seed=3, steps=300, batch_size=2000)
    np.testing.assert_allclose(samples.mean(axis=0), 0, atol=0.08)
    np.testing.assert_allclose(samples.var(axis=0), 0.64, rtol=0.12)


# ---- denoising score matching ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sigma", [0.2, 0.6])
def test_its_minimum_over_the_widths_of_a_normal_distribution_is_the_blurred_width(sigma):
    """Of points of width s the best energy of one bowl is that of width sqrt(s^2 + sigma^2)."""
    points = tf.constant(np.random.default_rng(1).normal(size=(200_000, 2)).astype("float32") * SPREAD)
    model, losses = ScoreMatching(bowl(), sigma, seed=1), []
    widths = np.sqrt(SPREAD**2 + sigma**2) * np.array([0.9, 0.97, 1.0, 1.03, 1.1])
    for width in widths:
        model.network.weights[0].assign(np.log(width))
        model.seed_generator.state.assign([7, 0])  # the same noise for all
        losses.append(float(tf.reduce_mean(model.denoising_loss(points, model.seed_generator))))
    assert np.argmin(losses) == 2
    # And there it is the closed form: what nobody can foresee of the noise.
    assert losses[2] == pytest.approx(SPREAD**2 / (SPREAD**2 + sigma**2), rel=0.01)


def test_its_slope_is_that_of_matching_the_true_scores():
    """Vincent's identity: the gradient with respect to the weights is that of the distance from the true score."""
    sigma, points = 0.4, two_clouds(100_000)
    model = score_matching(sigma=sigma)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model.denoising_loss(tf.constant(points), model.seed_generator))
    by_noise = tape.gradient(loss, model.trainable_weights)
    blurred = points + sigma * np.random.default_rng(9).normal(size=points.shape).astype("float32")
    truth = tf.constant(scores_of_clouds(blurred, sigma).astype("float32"))
    with tf.GradientTape() as tape:
        apart = truth + model.slope_at(tf.constant(blurred))
        loss = 0.5 * sigma**2 * tf.reduce_mean(tf.reduce_sum(apart**2, axis=1))
    for one, other in zip(by_noise, tape.gradient(loss, model.trainable_weights)):
        np.testing.assert_allclose(one, other, atol=0.02 * np.abs(other).max() + 2e-3)


def test_it_recovers_the_score_of_a_mixture():
    sigma = 0.2
    model = score_matching(units=(32, 32), sigma=sigma)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.01, 800)))
    model.fit(two_clouds(20_000), batch_size=500, epochs=20, verbose=0)
    points = two_clouds(2000, seed=1)
    points = points + sigma * np.random.default_rng(2).normal(size=points.shape).astype("float32")
    error = relative_error(model.scores(points), scores_of_clouds(points, sigma))
    assert error < 0.01
    # It is the score of the blurred mixture, not of the mixture itself.
    assert relative_error(model.scores(points), scores_of_clouds(points)) > 2 * error
    nats = model.negative_log_likelihood(points)
    truth = (
        SHARES
        * np.array([stats.multivariate_normal(c, (SPREAD**2 + sigma**2) * np.eye(2)).pdf(points) for c in CENTRES]).T
    )
    assert -0.01 < (nats + np.log(truth.sum(axis=1))).mean() < 0.03


def test_validation_has_random_numbers_of_its_own():
    model = score_matching()
    state = np.asarray(model.seed_generator.state)
    model.evaluate(two_clouds(50), verbose=0)
    np.testing.assert_array_equal(state, np.asarray(model.seed_generator.state))


# ---- contrastive divergence ------------------------------------------------------------------------------------------


def test_contrastive_divergence_finds_the_width_of_a_normal_distribution():
    points = np.random.default_rng(1).normal(size=(4000, 2)).astype("float32") * SPREAD
    model = PointEBM(bowl(), steps=20, step_size=0.01, buffer_size=2000, fresh=0.0, data_noise=0.0, seed=1)
    model.compile(keras.optimizers.Adam(0.02))
    harness.many_steps(model, points[:500], 150)
    width = float(np.exp(np.asarray(model.network.weights[0])))
    assert width == pytest.approx(points[:500].std(), rel=0.06)
