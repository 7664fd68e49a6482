"""Solvers of differential equations: their order, their tolerance, against closed forms and scipy."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.integrate import solve_ivp

from gdl_keras.errors import InputError
from gdl_keras.samplers.ode import FIXED_STEP_METHODS, integrate, integrate_adaptively

BEGINNINGS = np.array([[1.0, 0.3], [0.2, -1.0], [2.5, 0.1]])
END = 3.0


def pendulum(time, state):
    """A pendulum that is pushed to and fro: angle and speed, tensor (batch, 2)."""
    push = 0.3 * tf.cos(2 * time) * tf.ones_like(state[:, 0])
    return tf.stack([state[:, 1], push - tf.sin(state[:, 0])], axis=1)


@pytest.fixture(scope="module")
def reached():
    """Where the pendulums are at the end, by scipy: float64 (3, 2)."""

    def slope(time, state):
        return [state[1], 0.3 * np.cos(2 * time) - np.sin(state[0])]

    solutions = [solve_ivp(slope, (0, END), begun, rtol=1e-12, atol=1e-12) for begun in BEGINNINGS]
    return np.stack([solution.y[:, -1] for solution in solutions])


@pytest.mark.parametrize("method, order", [("euler", 1), ("midpoint", 2), ("heun", 2), ("rk4", 4)])
def test_the_error_shrinks_with_the_order_of_the_method(method, order, reached):
    errors = []
    for steps in (40, 80):
        run = tf.function(lambda steps=steps: integrate(pendulum, tf.constant(BEGINNINGS), 0.0, END, steps, method))
        errors.append(np.abs(run().numpy() - reached).max())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.1)


def test_one_step_of_each_is_the_beginning_of_the_series():
    """Of x' = x a step of length h is the exponential series up to the method's order."""
    series = {"euler": 1.1, "midpoint": 1.105, "heun": 1.105, "rk4": 1 + 0.1 + 0.1**2 / 2 + 0.1**3 / 6 + 0.1**4 / 24}
    assert set(series) == set(FIXED_STEP_METHODS)
    for method, expected in series.items():
        found = integrate(lambda time, x: x, tf.ones((1, 1), tf.float64), 0.0, 0.1, 1, method)
        assert float(found[0, 0]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6, 1e-8])
def test_adaptive_steps_keep_their_tolerance_and_lead_back(tolerance, reached):
    state, evaluations = integrate_adaptively(pendulum, tf.constant(BEGINNINGS), 0.0, END, tolerance, tolerance)
    assert np.abs(state.numpy() - reached).max() < 20 * tolerance
    # An error that grows with the fifth power of a step's length.
    assert evaluations.numpy().max() < 40 * (1e-4 / tolerance) ** 0.2 + 20
    back, _ = integrate_adaptively(pendulum, state, END, 0.0, tolerance, tolerance)
    np.testing.assert_allclose(back, BEGINNINGS, atol=40 * tolerance)


def test_every_example_has_steps_of_its_own():
    """A fast spin beside a slow one: each as it is alone, and the slow one asks less."""

    def slope(time, state):
        place, speed = state
        return speed[:, None] * tf.stack([-place[:, 1], place[:, 0]], axis=1), tf.zeros_like(speed)

    begun = (tf.constant([[1.0, 0.0], [1.0, 0.0]]), tf.constant([1.0, 30.0]))
    (together, _), evaluations = integrate_adaptively(slope, begun, 0.0, 1.0)
    alone, alone_evaluations = integrate_adaptively(slope, tuple(part[:1] for part in begun), 0.0, 1.0)
    np.testing.assert_array_equal(together[:1], alone[0])
    assert int(alone_evaluations[0]) == int(evaluations[0]) < int(evaluations[1]) / 5
    np.testing.assert_allclose(together, [[np.cos(1), np.sin(1)], [np.cos(30), np.sin(30)]], atol=2e-3)


def test_time_comes_as_one_number_for_all_or_as_one_for_each():
    """x' = 2 t, which leads to t^2, of state in two parts, one of them without a second axis."""
    shapes = set()

    def slope(time, state):
        shapes.add(tuple(time.shape))
        speed = 2 * time * tf.ones(3)
        return speed[:, None] * tf.ones((3, 2)), speed

    begun = (tf.zeros((3, 2)), tf.zeros(3))
    for found in (integrate(slope, begun, 1.0, 3.0, 5, "heun"), integrate_adaptively(slope, begun, 1.0, 3.0)[0]):
        np.testing.assert_allclose(found[0], np.full((3, 2), 8.0), rtol=1e-5)
        np.testing.assert_allclose(found[1], np.full(3, 8.0), rtol=1e-5)
    assert shapes == {(), (3,)}


@pytest.mark.parametrize("solver", ["fixed", "adaptive"])
def test_both_have_the_slope_of_their_end(solver):
    """d x(1) / d x(0) of x' = x (1 - x), whose solution is known."""

    @tf.function
    def end_of(begun):
        if solver == "fixed":
            return integrate(lambda time, x: x * (1 - x), begun, 0.0, 1.0, 20)
        return integrate_adaptively(lambda time, x: x * (1 - x), begun, 0.0, 1.0, 1e-8, 1e-8)[0]

    begun = tf.constant([[0.1], [0.7]], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(begun)
        end = end_of(begun)
    growth = np.e / (1 + begun.numpy() * (np.e - 1)) ** 2
    np.testing.assert_allclose(end, begun * np.e / (1 + begun * (np.e - 1)), rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(end, begun), growth, rtol=1e-5)


def test_who_needs_too_many_steps_ends_as_no_number():
    """x' = x^2 leaves to infinity at time 1 / x(0); the other example arrives."""
    state, _ = integrate_adaptively(lambda time, x: x**2, tf.constant([[2.0], [0.5]]), 0.0, 1.0, most_steps=200)
    assert np.isnan(state[0, 0]) and float(state[1, 0]) == pytest.approx(1.0, rel=1e-4)


def test_arguments_out_of_range_are_refused():
    def still(time, state):
        return tf.zeros_like(state)

    for arguments in ({"steps": 0}, {"steps": 3, "method": "cubic"}):
        with pytest.raises(InputError):
            integrate(still, tf.zeros((1, 1)), 0.0, 1.0, **arguments)
    for tolerances in ((0, 1e-3), (1e-3, -1.0), (float("nan"), 1e-3)):
        with pytest.raises(InputError, match="above 0"):
            integrate_adaptively(still, tf.zeros((1, 1)), 0.0, 1.0, *tolerances)
