"""Densities of points: against scipy, counts, integrals and finite differences, and what they learn."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats

from gdl_keras import data
from gdl_keras.data.densities import Moons
from gdl_keras.errors import InputError
from gdl_keras.models import Gaussian, Mixture
from gdl_keras.models.densities import build_point_generator
from gdl_keras.models.densities.mixture import pick
from gdl_keras.models.densities.normal import log_scale_and_below, lower_factor, normal_log_density
from tests import cases, harness
from tests.models.test_histogram import counted, grid


def random_mixture(components=3, dimensions=2):
    """A `Mixture` of which no two numbers are alike."""
    model = Mixture(components, dimensions, seed=1)
    rng = np.random.default_rng(2)
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape) * 0.7)
    return model


def mixture_log_density(points, logits, means, log_scales, below):
    """log p of the points by scipy, float64 (n,)."""
    logs = []
    for logit, mean, log_scale, lower in zip(logits, means, log_scales, below):
        unit = np.eye(len(mean))
        unit[np.tril_indices(len(mean), -1)] = lower
        factor = np.exp(log_scale)[:, None] * unit
        logs.append(logit + stats.multivariate_normal(mean, factor @ factor.T).logpdf(points))
    return special.logsumexp(logs, axis=0) - special.logsumexp(logits)


# ---- normal distributions and mixtures of them -----------------------------------------------------------------------


@pytest.mark.parametrize("dimensions", [1, 2, 4])
def test_a_covariance_comes_back_from_its_numbers(dimensions):
    root = np.random.default_rng(0).normal(size=(dimensions, dimensions))
    covariance = root @ root.T + 0.1 * np.eye(dimensions)
    numbers = [tf.constant(part, "float32") for part in log_scale_and_below(covariance)]
    factor = lower_factor(*numbers).numpy()
    np.testing.assert_allclose(factor @ factor.T, covariance, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(np.triu(factor, 1), 0)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_log_densities_are_those_of_scipy(dimensions):
    model = random_mixture(4, dimensions)
    points = np.random.default_rng(3).normal(size=(50, dimensions)).astype("float32") * 2
    numbers = [np.asarray(weight, "float64") for weight in model.weights]
    expected = mixture_log_density(points, *numbers)
    np.testing.assert_allclose(-model.negative_log_likelihood(points), expected, rtol=2e-5, atol=2e-5)
    each = normal_log_density(points, *[weight.value for weight in model.weights[1:]])
    assert each.shape == (50, 4)


def test_a_density_far_from_all_components_does_not_vanish():
    assert random_mixture().negative_log_likelihood(np.full((1, 2), 200.0))[0] > 1000


def test_the_gradient_of_a_mixture_is_that_of_finite_differences():
    model = random_mixture()
    points = np.random.default_rng(4).normal(size=(40, 2)).astype("float32")
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(model.log_density(tf.constant(points)))
    gradients = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
    numbers = [np.asarray(weight, "float64") for weight in model.trainable_weights]
    for gradient, array in zip(gradients, numbers):
        for place in np.ndindex(array.shape):
            ends, kept = [], array[place]
            for step in (1e-5, -1e-5):
                array[place] = kept + step
                ends.append(-mixture_log_density(points, *numbers).mean())
            array[place] = kept
            assert gradient.numpy()[place] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=2e-3, abs=2e-5)


def test_solved_it_is_mean_and_covariance_and_the_gradient_is_zero_there(cloud):
    model = Gaussian(seed=1)
    model.solve(cloud)
    np.testing.assert_allclose(model.mean.numpy(), cloud.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(model.covariance, np.cov(cloud.T, bias=True), rtol=1e-5)
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(model.log_density(tf.constant(cloud)))
    for gradient in tape.gradient(loss, [weight.value for weight in model.trainable_weights]):
        np.testing.assert_allclose(gradient, 0, atol=1e-5)
    # At its maximum the mean log-likelihood is minus the entropy of the normal distribution itself.
    entropy = stats.multivariate_normal(cov=np.cov(cloud.T, bias=True)).entropy()
    assert model.negative_log_likelihood(cloud).mean() == pytest.approx(entropy, rel=1e-5)


@pytest.mark.parametrize("dimensions", [1, 2])
def test_gradient_ascent_ends_at_the_solution(cloud, dimensions):
    solved, climbed = (Gaussian(dimensions, seed=1) for _ in range(2))
    solved.solve(cloud[:, :dimensions])
    climbed.compile("adam")
    climbed.optimizer.learning_rate = 0.02
    harness.many_steps(climbed, cloud[:, :dimensions], 800)
    for one, other in zip(climbed.weights, solved.weights):
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-3)


def test_the_top_of_the_likelihood_is_at_the_solution(cloud):
    """The mean log-likelihood over a grid of means and standard deviations, by scipy and by the model."""
    column = cloud[:, :1]
    top = column.mean(dtype="float64"), column.std(dtype="float64")
    means, scales = top[0] + np.linspace(-0.5, 0.5, 21), top[1] * np.linspace(0.6, 1.6, 21)
    expected = np.array([[stats.norm(mean, scale).logpdf(column).mean() for mean in means] for scale in scales])
    model = Gaussian(1, seed=1)
    heights = np.empty_like(expected)
    for row, column_number in np.ndindex(heights.shape):
        model.mean.assign([means[column_number]])
        model.log_scale.assign([np.log(scales[row])])
        heights[row, column_number] = -model.negative_log_likelihood(column).mean()
    np.testing.assert_allclose(heights, expected, rtol=1e-5)
    assert np.unravel_index(heights.argmax(), heights.shape) == (8, 10)  # where 0.6 has grown to 1, and in the middle


def test_points_on_a_line_have_no_solution():
    with pytest.raises(InputError, match="on one line"):
        Gaussian().solve(np.stack([np.arange(5.0), 2 * np.arange(5.0)], axis=1))


def test_components_begin_on_different_examples(cloud):
    model = Mixture(5, seed=3)
    model.start_from(cloud)
    begun = {tuple(mean) for mean in model.means.numpy()}
    assert len(begun) == 5 and begun <= {tuple(point) for point in cloud}
    assert np.exp(model.log_scales.numpy()) == pytest.approx(np.tile(cloud.std(axis=0) / 5**0.5, (5, 1)), rel=1e-5)
    other = Mixture(5, seed=3)
    other.start_from(cloud)
    harness.assert_same(model.get_weights(), other.get_weights())
    with pytest.raises(InputError, match="too few for 5 components"):
        model.start_from(np.repeat(cloud[:4], 3, axis=0))


def test_a_mixture_finds_the_clouds_that_its_examples_come_from():
    centres = np.array([[-2.0, 0.0], [2.0, 1.0], [0.0, -2.0]])
    rng = np.random.default_rng(5)
    chosen = rng.choice(3, 3000, p=[0.5, 0.3, 0.2])
    examples = (centres[chosen] + 0.3 * rng.normal(size=(3000, 2))).astype("float32")
    model = Mixture(3, seed=1)
    model.start_from(examples)
    model.compile("adam")
    model.optimizer.learning_rate = 0.03
    harness.many_steps(model, examples, 400)
    order = [int(np.argmin(np.square(model.means.numpy() - centre).sum(axis=1))) for centre in centres]
    np.testing.assert_allclose(model.means.numpy()[order], centres, atol=0.05)
    np.testing.assert_allclose(model.shares[order], np.bincount(chosen) / 3000, atol=0.01)
    factors = lower_factor(model.log_scales.value, model.below.value).numpy()
    np.testing.assert_allclose(factors[order], np.tile(0.3 * np.eye(2), (3, 1, 1)), atol=0.03)


def test_kernels_on_examples_are_their_average(cloud):
    model = Mixture.on_examples(cloud, 0.2)
    points = cloud[:20] + 0.1
    expected = np.log([stats.norm(point, 0.2).pdf(cloud).prod(axis=1).mean() for point in points.astype("float64")])
    np.testing.assert_allclose(-model.negative_log_likelihood(points), expected, rtol=1e-4, atol=1e-4)
    with pytest.raises(InputError, match="larger than 0"):
        Mixture.on_examples(cloud, 0)


def test_a_memory_beats_the_truth_on_its_examples_and_on_no_others():
    train, test = (data.load("moons", split, count=300) for split in ("train", "test"))
    known, new = (part.rows("points", slice(None)) for part in (train, test))
    thin = Mixture.on_examples(known, 0.003)
    assert thin.negative_log_likelihood(known).mean() < -train.log_density(known).mean() - 2
    assert thin.negative_log_likelihood(new).mean() > -test.log_density(new).mean() + 100
    # Each halving of the width is worth 2 log 2 nats on what it knows, without end.
    thinner = Mixture.on_examples(known, 0.0015).negative_log_likelihood(known).mean()
    assert thin.negative_log_likelihood(known).mean() - thinner == pytest.approx(2 * np.log(2), abs=0.05)


@pytest.mark.full
@pytest.mark.parametrize("noise", [0.05, 0.1])
def test_sixteen_components_come_within_three_hundredths_of_the_entropy_of_two_moons(noise):
    from keras.optimizers import Adam
    from keras.optimizers.schedules import CosineDecay

    moons = type("Moons", (Moons,), {"noise": noise})()
    train, test = (moons.sample(10_000, [number, 1]).astype("float32") for number in (0, 1))
    model = Mixture(16, seed=1)
    model.start_from(train)
    model.compile(Adam(CosineDecay(0.05, 1000)))
    model.fit(train, batch_size=500, epochs=50, verbose=0)
    gaps = model.negative_log_likelihood(test) + moons.log_density(test)
    assert -0.005 < gaps.mean() < 0.03
    assert model.negative_log_likelihood(test).mean() < moons.entropy + 0.03


# ---- all of them -----------------------------------------------------------------------------------------------------


def trained(name, cloud):
    if name == "histogram":
        return counted(cloud)
    if name == "gaussian":
        model = Gaussian(seed=1)
        model.solve(cloud)
        return model
    return random_mixture()


every_density = pytest.mark.parametrize("name", ["histogram", "gaussian", "mixture"])


@every_density
def test_the_density_integrates_to_one(name, cloud):
    limits = ((-4, 4), (-4, 4)) if name == "histogram" else ((-12, 12), (-12, 12))
    points, area = grid(limits)
    assert np.exp(-trained(name, cloud).negative_log_likelihood(points)).sum() * area == pytest.approx(1, abs=2e-3)


@every_density
def test_samples_have_the_density_that_the_model_tells(name, cloud):
    """Chi-squared: how many samples fall into each of 144 cells, against the integral of the density over it."""
    model, n = trained(name, cloud), 20_000
    limits = ((-4, 4), (-4, 4))
    points, area = grid(limits, 240)
    density = np.exp(-model.negative_log_likelihood(points)).reshape(12, 20, 12, 20)
    expected = n * area * density.sum(axis=(1, 3))
    samples = model.generate(n, seed=4)
    seen, *_ = np.histogram2d(samples[:, 1], samples[:, 0], bins=12, range=limits[::-1])
    often = expected > 10
    statistic = np.square((seen - expected)[often]) / expected[often]
    assert 1e-4 < stats.chi2.sf(statistic.sum(), often.sum()) < 1 - 1e-4
    rare = expected[~often].sum()
    assert abs(seen[~often].sum() - rare) < 5 * rare**0.5 + 5


def test_components_are_picked_as_often_as_their_shares_say():
    uniform = (np.arange(1000) + 0.5) / 1000
    picked = pick(np.array([0.2, 0.0, 0.5, 0.3]), uniform)
    np.testing.assert_array_equal(np.bincount(picked, minlength=4), [200, 0, 500, 300])
    assert pick(np.array([0.1] * 10), np.array([np.nextafter(np.float32(1), np.float32(0))]))[0] == 9


def test_the_gan_has_as_many_weights_as_the_mixture_and_no_density():
    assert build_point_generator(units=(19,)).count_params() == 97
    assert sum(np.prod(weight.shape) for weight in Mixture(16).trainable_weights) == 96
    assert build_point_generator(units=(38,)).count_params() == 192
    model = cases.point_gan()
    assert model.likelihood_is is None and model.makes == "points"
    with pytest.raises(NotImplementedError, match="PointGAN has no likelihood"):
        model.negative_log_likelihood(cases.points())
