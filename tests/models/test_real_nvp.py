"""RealNVP, and what it shares with the other flows: the map both ways, its determinant, the density, what it learns."""

from itertools import pairwise

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from gdl_keras import data
from gdl_keras.errors import InputError
from gdl_keras.models.flows import RealNVP, build_coupling_network, build_coupling_networks
from tests import flow_cases, harness

CASES = {
    "two": lambda: flow_cases.real_nvp(2),
    "six": lambda: flow_cases.real_nvp(6, units=(16, 16)),
    "wide steps": lambda: flow_cases.real_nvp(4, log_scale_bound=3.0),
    "three dimensions": lambda: flow_cases.real_nvp(4, dimensions=3),
    "continuous": lambda: flow_cases.continuous_flow(steps=8),
    "continuous, heun": lambda: flow_cases.continuous_flow("heun", steps=64),
    "continuous, adaptive": lambda: flow_cases.continuous_flow("adaptive", tolerance=1e-6),
    "continuous, three dimensions": lambda: flow_cases.continuous_flow(steps=16, dimensions=3),
}
LONG = {"wide steps", "continuous, heun", "continuous, adaptive", "continuous, three dimensions"}
flows = pytest.mark.parametrize("name", [harness.long(name, when=name in LONG) for name in CASES])


def stirred(model):
    """The model with weights that bend the plane a good deal, and no two of them alike."""
    rng = np.random.default_rng(3)
    for weight in model.trainable_weights:
        weight.assign(weight + 0.2 * rng.normal(size=weight.shape))
    return model


def some_points(dimensions, n=20):
    return np.random.default_rng(4).normal(1.0, 2.0, (n, dimensions)).astype("float32")


# ---- the map, of every flow of points --------------------------------------------------------------------------------


@flows
def test_the_log_determinant_is_that_of_the_jacobian(name):
    model = stirred(CASES[name]())
    points = tf.constant(some_points(model.dimensions))

    with tf.GradientTape(persistent=True) as tape:
        tape.watch(points)
        latents, log_det = model.forward(points)
        columns = tf.unstack(latents, axis=1)
    jacobian = tf.stack([tape.gradient(column, points) for column in columns], axis=1)
    sign, expected = np.linalg.slogdet(jacobian.numpy().astype("float64"))
    assert (sign == 1).all() and np.ptp(expected) > 0.1
    np.testing.assert_allclose(log_det, expected, atol=2e-4 if "continuous" in name else 2e-5)


@flows
def test_there_and_back_again(name):
    model = stirred(CASES[name]())
    points = some_points(model.dimensions, 200)
    latents = model.encode(points)
    assert np.abs(latents - points).max() > 0.3
    tolerance = 1e-4 if "adaptive" in name else 1e-5
    np.testing.assert_allclose(model.generate(latents=latents), points, rtol=tolerance, atol=tolerance)
    normal = model.sample_latents(200, seed=2)
    np.testing.assert_allclose(model.encode(model.generate(latents=normal)), normal, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["six", "continuous"])
def test_the_probabilities_of_the_plane_add_up_to_one(name):
    model = stirred(CASES[name]())
    samples = model.generate(4000, seed=0)
    low, high = samples.min(axis=0) - 2, samples.max(axis=0) + 2
    x, y = (np.linspace(a, b, 250, endpoint=False) for a, b in zip(low, high))
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    density = np.exp(-model.negative_log_likelihood(grid))
    cell = np.prod((high - low) / 250)
    assert density.sum() * cell == pytest.approx(1, abs=2e-3)
    # And the samples are where the density is: the mean of log p over them is minus the entropy.
    entropy = -(density * np.log(np.maximum(density, 1e-300))).sum() * cell
    nats = model.negative_log_likelihood(samples)
    assert nats.mean() == pytest.approx(entropy, abs=5 * nats.std() / 4000**0.5)


@flows
def test_the_way_begins_at_the_latent_points_and_ends_at_the_samples(name):
    model = stirred(CASES[name]())
    latents = model.sample_latents(5, seed=1)
    way = model.way(latents)
    np.testing.assert_array_equal(way[0], latents)
    samples = np.asarray(way[-1]) * np.asarray(model.scale) + np.asarray(model.mean)
    np.testing.assert_allclose(samples, model.generate(5, seed=1), rtol=1e-4, atol=1e-4)
    assert all(np.abs(before - after).max() > 1e-3 for before, after in pairwise(way))


@pytest.mark.parametrize("name", ["two", "continuous"])
def test_standardisation_is_part_of_the_density(name):
    """The same points in other units: the density is that of the points as they are given."""
    points, factor, offset = flow_cases.arc(), np.array([100.0, 0.01], "float32"), np.array([5.0, -3.0], "float32")
    first, other = CASES[name](), CASES[name]()
    other.set_weights(first.get_weights())
    other.standardise_by(points * factor + offset)
    np.testing.assert_allclose(other.encode(points * factor + offset), first.encode(points), atol=1e-4)
    differences = other.negative_log_likelihood(points * factor + offset) - first.negative_log_likelihood(points)
    np.testing.assert_allclose(differences, np.log(factor).sum(), atol=1e-3)
    assert not {"mean", "scale"} & {weight.name for weight in first.trainable_weights}
    with pytest.raises(InputError, match="same everywhere"):
        first.standardise_by(np.ones((5, 2)))


def test_a_flow_that_does_nothing_is_the_normal_distribution():
    model = flow_cases.real_nvp()
    for weight in model.trainable_weights:
        weight.assign(tf.zeros_like(weight))
    points = some_points(2)
    expected = stats.multivariate_normal(np.asarray(model.mean), np.diag(np.asarray(model.scale) ** 2)).logpdf(points)
    np.testing.assert_allclose(-model.negative_log_likelihood(points), expected, rtol=1e-5)
    np.testing.assert_allclose(model(points), expected, rtol=1e-5)
    # Many at a time, and none left out at the end.
    model.chunk = 7
    np.testing.assert_allclose(-model.negative_log_likelihood(points), expected, rtol=1e-5)


def test_temperature_brings_latent_points_nearer_to_the_middle():
    model = stirred(flow_cases.real_nvp())
    latents = model.sample_latents(9, seed=3)
    cooled = model.generate(9, seed=3, temperature=0.5)
    np.testing.assert_allclose(cooled, model.generate(latents=0.5 * latents), rtol=1e-5, atol=1e-5)
    assert np.ptp(model.generate(9, seed=3, temperature=0.0), axis=0).max() < 1e-5 < np.ptp(cooled, axis=0).min()
    with pytest.raises(InputError, match="not negative"):
        model.generate(9, temperature=-1.0)


# ---- RealNVP itself --------------------------------------------------------------------------------------------------


def test_the_books_networks_have_the_books_weights():
    network = build_coupling_network()
    assert network.count_params() == 397_316
    model = RealNVP(build_coupling_networks(2, l2=0.01), seed=1)
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 794_632
    assert len(model.losses) == 20


def test_a_coupling_is_its_formula_and_leaves_one_coordinate_alone():
    model = stirred(flow_cases.real_nvp(2, log_scale_bound=0.7))
    points = some_points(2)
    moved = points.astype("float64")
    for index, network in enumerate(model.networks):
        kept, other = (0, 1) if index % 2 == 0 else (1, 0)
        shown = np.zeros_like(points)
        shown[:, kept] = moved[:, kept]
        outputs, shift = (np.asarray(part, "float64") for part in network(shown))
        moved[:, other] = moved[:, other] * np.exp(0.7 * np.tanh(outputs[:, other] / 0.7)) + shift[:, other]
    np.testing.assert_allclose(model.bend(tf.constant(points))[0], moved, rtol=1e-4, atol=1e-5)


def test_every_coordinate_is_moved():
    model = stirred(flow_cases.real_nvp(2, dimensions=3))
    points = some_points(3)
    assert (np.abs(model.bend(tf.constant(points))[0] - points).min(axis=0) > 0).all()


def test_the_penalties_count():
    model = flow_cases.real_nvp(l2=0.1)
    kernels = [np.asarray(weight, "float64") for weight in model.trainable_weights if weight.name == "kernel"]
    expected = 0.1 * sum(np.square(kernel).sum() for kernel in kernels)
    result = model.evaluate(flow_cases.arc(), verbose=0, return_dict=True)
    assert result["nats"] == pytest.approx(model.negative_log_likelihood(flow_cases.arc()).mean(), rel=1e-5)
    assert result["loss"] - result["nats"] == pytest.approx(expected, rel=1e-4)
    # They shrink what the likelihood does not ask for.
    free = flow_cases.real_nvp()
    free.set_weights(model.get_weights())
    for each in (model, free):
        each.optimizer.learning_rate = 0.01
        harness.many_steps(each, flow_cases.arc(), 40)
    sizes = [sum(float(tf.norm(weight)) for weight in each.trainable_weights) for each in (model, free)]
    assert sizes[0] < 0.8 * sizes[1]


def test_weights_of_examples_are_counted():
    points, model = flow_cases.arc(), flow_cases.real_nvp()
    twice = np.array([2.0] * 4 + [1.0] * 12)
    nats = model.negative_log_likelihood(points)
    result = model.evaluate(points, sample_weight=twice, verbose=0, return_dict=True)
    assert result["nats"] == pytest.approx((twice * nats).sum() / 16, rel=1e-4)


def test_arguments_out_of_range_are_refused():
    for build in (
        lambda: flow_cases.real_nvp(1),
        lambda: flow_cases.real_nvp(dimensions=1),
        lambda: flow_cases.real_nvp(log_scale_bound=0.0),
    ):
        with pytest.raises(InputError):
            build()


def test_it_learns_a_few_points_by_heart():
    model = flow_cases.real_nvp(4, units=(32, 32))
    before = model.negative_log_likelihood(flow_cases.arc()).mean()
    model.optimizer.learning_rate = 0.01
    harness.many_steps(model, flow_cases.arc(), 300)
    assert model.negative_log_likelihood(flow_cases.arc()).mean() < before - 1.5


def test_what_is_saved_is_what_is_loaded(tmp_path):
    model = stirred(flow_cases.real_nvp(3))
    model.save(tmp_path / "flow.keras")
    loaded = keras.saving.load_model(tmp_path / "flow.keras")
    points = flow_cases.arc()
    np.testing.assert_array_equal(model.negative_log_likelihood(points), loaded.negative_log_likelihood(points))


@pytest.mark.full
def test_it_comes_near_to_the_entropy_of_moons():
    from keras.optimizers import Adam
    from keras.optimizers.schedules import CosineDecay

    train, test = (data.load("moons", split) for split in ("train", "test"))
    model = RealNVP(build_coupling_networks(8, units=(48, 48)), seed=1)
    model.compile(Adam(CosineDecay(5e-3, 1500)))
    model.fit(train, epochs=1, steps_per_epoch=1500, verbose=0)
    points = test.rows("points", slice(0, 4000))
    gap = (model.negative_log_likelihood(points) + test.log_density(points)).mean()
    assert 0 < gap < 0.4
