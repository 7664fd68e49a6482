"""The continuous flow: linear flows against closed forms, the estimated trace against the exact one, what it learns.

What it shares with the other flows is in `test_real_nvp.py`.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import linalg, stats

from gdl_keras.errors import InputError
from gdl_keras.models.flows import ContinuousFlow, build_velocity_network
from tests import flow_cases, harness
from tests.models.test_real_nvp import some_points, stirred

MATRIX = np.array([[0.5, -1.2], [0.9, -0.3]])
OFFSET = np.array([0.4, -0.7])


def linear_flow(**options):
    """A `ContinuousFlow` whose velocity is MATRIX x + OFFSET at all times."""
    network = build_velocity_network(units=())
    kernel, bias = network.layers[-1].weights
    kernel.assign(np.concatenate([MATRIX.T, np.zeros((1, 2))]))
    bias.assign(OFFSET)
    return ContinuousFlow(network, seed=1, **options)


@pytest.mark.parametrize("options", [{"steps": 20}, {"method": "adaptive", "tolerance": 1e-6}], ids=["rk4", "adaptive"])
def test_a_linear_flow_has_the_density_of_a_normal_distribution(options):
    """x(1) = exp(A) x(0) + A^-1 (exp(A) - 1) b is normal, and the trace of A is the log-determinant of exp(A)."""
    model = linear_flow(**options)
    factor = linalg.expm(MATRIX)
    mean = np.linalg.solve(MATRIX, (factor - np.eye(2)) @ OFFSET)
    points = some_points(2)
    expected = stats.multivariate_normal(mean, factor @ factor.T).logpdf(points)
    np.testing.assert_allclose(-model.negative_log_likelihood(points), expected, rtol=1e-4, atol=1e-4)
    _, log_det = model.forward(tf.constant(points))
    np.testing.assert_allclose(log_det, np.full(20, -np.trace(MATRIX)), rtol=1e-5)
    latents = model.sample_latents(9, seed=2)
    np.testing.assert_allclose(model.generate(latents=latents), latents @ factor.T + mean, rtol=1e-4, atol=1e-4)


def test_time_enters_the_velocity():
    """dx/dt = 2 t c, which moves every point by c and changes no density."""
    network = build_velocity_network(units=())
    network.layers[-1].kernel.assign([[0, 0], [0, 0], [2.0, -6.0]])
    model = ContinuousFlow(network, seed=1)
    points = some_points(2)
    latents, log_det = model.forward(tf.constant(points))
    np.testing.assert_allclose(latents, points - [1.0, -3.0], atol=1e-5)
    np.testing.assert_allclose(log_det, 0, atol=1e-6)


def test_all_methods_come_to_the_same_with_enough_steps():
    points = flow_cases.arc()
    reference = stirred(flow_cases.continuous_flow("adaptive", tolerance=1e-6))
    expected = reference.negative_log_likelihood(points)
    model = flow_cases.continuous_flow()
    model.set_weights(reference.get_weights())
    errors = {}
    for method, steps in (("euler", 50), ("midpoint", 50), ("heun", 50), ("rk4", 12), ("euler", 100)):
        model.method, model.steps = method, steps
        errors[method, steps] = np.abs(model.negative_log_likelihood(points) - expected).max()
    assert max(errors[method, steps] for method, steps in errors if method != "euler") < 2e-3
    assert errors["euler", 50] / errors["euler", 100] == pytest.approx(2, abs=0.3)


def test_the_trace_is_that_of_the_jacobian():
    model = stirred(flow_cases.continuous_flow())
    points = tf.constant(some_points(2))
    velocity, trace, squares = model.velocity_and_slopes(points, tf.constant(0.3), tf.unstack(tf.eye(2)))
    with tf.GradientTape() as tape:
        tape.watch(points)
        again = model.velocity_at(tf.constant(0.3), points)
    np.testing.assert_array_equal(velocity, again)
    jacobian = tape.batch_jacobian(again, points)
    np.testing.assert_allclose(trace, tf.linalg.trace(jacobian), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(squares, np.square(jacobian).sum(axis=(1, 2)), rtol=1e-4, atol=1e-6)


def test_the_price_of_a_way_is_the_integral_of_its_speed_and_its_slopes():
    """Of a linear flow the slopes are the matrix everywhere; the speed along the way by scipy's exponentials."""
    points = some_points(2)
    shares = (np.arange(400) + 0.5) / 400
    # From x(1) back to x(t): x(t) - x* = exp(-(1 - t) A) (x(1) - x*), around the point that stands still.
    still = np.linalg.solve(MATRIX, -OFFSET)
    ways = [(points - still) @ linalg.expm(-share * MATRIX).T for share in shares]
    speed = np.mean([np.square(way @ MATRIX.T).sum(axis=1) for way in ways], axis=0)
    for kinetic, jacobian in ((1.0, 0.0), (0.0, 1.0), (0.3, 0.2)):
        model = linear_flow(steps=20, kinetic_weight=kinetic, jacobian_weight=jacobian)
        *found, price = model.bend_at_a_price(tf.constant(points), tf.unstack(tf.eye(2)))
        np.testing.assert_allclose(price, kinetic * speed + jacobian * np.square(MATRIX).sum(), rtol=1e-3)
        for value, expected in zip(found, model.bend(tf.constant(points))):
            np.testing.assert_array_equal(value, expected)
        # In a step it counts in the loss, and not in the nats.
        nats, loss = model.nats_and_losses(points)
        np.testing.assert_allclose(nats, model.negative_log_likelihood(points), rtol=1e-4)
        np.testing.assert_allclose(loss - nats, price, rtol=1e-3, atol=1e-4)


def test_without_a_price_the_loss_is_the_likelihood():
    model = stirred(flow_cases.continuous_flow(kinetic_weight=0.0, jacobian_weight=0.0))
    nats, loss = model.nats_and_losses(some_points(2))
    np.testing.assert_array_equal(nats, loss)
    with pytest.raises(InputError, match="kinetic_weight is not negative, not -1"):
        flow_cases.continuous_flow(kinetic_weight=-1.0)


def test_hutchinsons_estimate_is_right_in_expectation():
    """In the mean over all vectors of signs it is the trace exactly; from random ones nearly, and with spread."""
    model = stirred(flow_cases.continuous_flow(steps=4, dimensions=3))
    points = tf.constant(some_points(3, 5))
    exact = model.bend(points)[1]
    all_signs = [tf.constant(signs) for signs in np.array(np.meshgrid(*[[-1.0, 1.0]] * 3), "float32").reshape(3, -1).T]
    estimates = np.stack([model.bend_probed(points, [signs])[1] for signs in all_signs])
    np.testing.assert_allclose(estimates.mean(axis=0), exact, atol=1e-5)
    assert estimates.std(axis=0).min() > 1e-3
    # As a step of training takes it: each example with a vector of its own.
    many = tf.repeat(points[:1], 2000, axis=0)
    surprises = np.asarray(model.surprise(many), "float64")
    assert len(np.unique(surprises.round(4))) > 1
    error = 4 * surprises.std() / 2000**0.5
    assert surprises.mean() == pytest.approx(model.negative_log_likelihood(points[:1])[0], abs=error)


def test_the_trace_is_estimated_beyond_the_plane_only_and_only_in_training():
    assert flow_cases.continuous_flow().trace_method == "exact"
    model = stirred(flow_cases.continuous_flow(dimensions=3))
    assert model.trace_method == "hutchinson" and model.likelihood_is == "exact"
    points = some_points(3)
    estimated = np.asarray(model.surprise(tf.constant(points)))
    assert not np.allclose(estimated, model.surprise(tf.constant(points)), atol=1e-4)
    model.trace_method = "exact"
    np.testing.assert_allclose(model.surprise(tf.constant(points)), model.negative_log_likelihood(points), rtol=1e-5)


def test_a_step_follows_its_settings():
    """Assigned between steps, they are the next step's."""
    model, points = stirred(flow_cases.continuous_flow("euler", steps=1)), flow_cases.arc()
    coarse = model.evaluate(points, verbose=0, return_dict=True)["nats"]
    assert coarse == pytest.approx(model.negative_log_likelihood(points).mean(), rel=1e-5)
    model.method, model.steps = "rk4", 12
    fine = model.evaluate(points, verbose=0, return_dict=True)["nats"]
    assert abs(fine - coarse) > 1e-4
    model.method, model.tolerance = "adaptive", 1e-6
    adaptive = model.evaluate(points, verbose=0, return_dict=True)["nats"]
    assert adaptive == pytest.approx(fine, abs=1e-3)


def test_arguments_out_of_range_are_refused():
    with pytest.raises(InputError, match="as many numbers as a point"):
        ContinuousFlow(build_velocity_network(3))
    network = build_velocity_network(units=(4,))
    for options in (
        {"steps": 0},
        {"steps": 2.5},
        {"method": "cubic"},
        {"tolerance": 0.0},
        {"trace_method": "guessed"},
        {"dimensions": 0},
    ):
        with pytest.raises(InputError):
            ContinuousFlow(network, **options)


def test_the_default_network_has_as_many_weights_as_it_says():
    assert build_velocity_network().count_params() == 8_706


def test_it_learns_where_points_lie():
    model = flow_cases.continuous_flow(steps=3)
    before = model.negative_log_likelihood(flow_cases.arc()).mean()
    model.optimizer.learning_rate = 0.02
    harness.many_steps(model, flow_cases.arc(), 150)
    assert model.negative_log_likelihood(flow_cases.arc()).mean() < before - 0.4


@pytest.mark.full
def test_learnt_with_estimated_traces_it_comes_to_nearly_the_same():
    keras.utils.set_random_seed(1)
    ends = []
    for trace in ("exact", "hutchinson"):
        model = flow_cases.continuous_flow(steps=3, trace_method=trace)
        model.optimizer.learning_rate = 0.02
        harness.many_steps(model, flow_cases.arc(), 400)
        ends.append(model.negative_log_likelihood(flow_cases.arc()).mean())
    assert ends[1] == pytest.approx(ends[0], abs=0.5)
