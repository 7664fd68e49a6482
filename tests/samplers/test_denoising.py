"""Schedules at known points, and each sampler against its closed form where the network is linear."""

import math

import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.samplers.denoising import (
    SCHEDULES,
    check_solver,
    ddim_step,
    ddpm_step,
    karras_levels,
    posterior_deviation,
    sample,
    schedule_levels,
)
from gdl_keras.samplers.noise import SampleNoise


def rates(schedule, *times):
    """[signals, noises] of a schedule at some times."""
    return np.array([np.asarray(share) for share in SCHEDULES[schedule](tf.constant(times, "float32"))])


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_shares_are_those_of_variances_and_noise_only_grows(schedule):
    signals, noises = rates(schedule, *np.linspace(0, 1, 101))
    np.testing.assert_allclose(signals**2 + noises**2, 1, atol=1e-5)
    assert (np.diff(noises) >= 0).all() and (np.diff(signals) <= 0).all()


def test_the_linear_schedule_is_ddpms():
    kept = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
    signals, noises = rates("linear", 0.0, 0.001, 0.25, 0.5, 1.0)
    np.testing.assert_allclose(signals[1:] ** 2, kept[[0, 249, 499, 999]], rtol=1e-4)
    assert signals[0] == 1 and noises[0] == 0
    assert signals[-1] ** 2 == pytest.approx(4.0358e-5, rel=1e-3)
    assert noises[1] ** 2 == pytest.approx(1e-4, rel=1e-3)


def test_the_cosine_schedules_at_known_points():
    np.testing.assert_allclose(rates("cosine", 0.0, 1 / 3, 0.5)[0], [1, math.sqrt(3) / 2, math.sqrt(0.5)], atol=1e-6)
    np.testing.assert_allclose(rates("offset_cosine", 0.0, 1.0)[0], [0.95, 0.02], atol=1e-6)
    middle = math.cos((math.acos(0.95) + math.acos(0.02)) / 2)
    assert rates("offset_cosine", 0.5)[0, 0] == pytest.approx(middle, abs=1e-6)


def test_the_lognormal_schedule_has_its_quantiles():
    signals, noises = rates("lognormal", 0.5, 0.8413447, 0.0227501)
    np.testing.assert_allclose(np.log(noises / signals), [0, 1.2, -2.4], atol=1e-4)


def test_levels_end_in_the_image():
    signals, noises = schedule_levels("offset_cosine", 4)
    np.testing.assert_allclose(signals[:4], rates("offset_cosine", 1.0, 0.75, 0.5, 0.25)[0], atol=1e-6)
    assert (signals[4], noises[4]) == (1, 0)
    signals, noises = karras_levels(3, highest=9.0, lowest=1.0, exponent=2.0)
    np.testing.assert_allclose(noises[:3] / signals[:3], [9, 4, 1], rtol=1e-5)
    assert (signals[3], noises[3]) == (1, 0)
    assert karras_levels(1)[1].shape == (2,)


def test_what_does_not_fit_is_refused():
    for call in (
        lambda: schedule_levels("linear", 0),
        lambda: karras_levels(2.5),
        lambda: schedule_levels("quadratic", 3),
        lambda: check_solver("euler", 0.0),
        lambda: check_solver("ddim", 1.5),
        lambda: check_solver("dpm", 0.5),
    ):
        with pytest.raises(InputError):
            call()


def test_ddim_at_eta_1_is_the_ancestral_draw():
    """Variance and mean; beta-tilde of Ho et al. 2020, equation 7, in float64."""
    kept = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
    for at, to in ((999, 949), (500, 499), (20, 3)):
        step_kept = kept[at] / kept[to]
        expected = math.sqrt((1 - kept[to]) / (1 - kept[at]) * (1 - step_kept))
        here, there = ([tf.constant(v, "float32") for v in (kept[i] ** 0.5, (1 - kept[i]) ** 0.5)] for i in (at, to))
        assert float(posterior_deviation(here, there)) == pytest.approx(expected, rel=1e-3)
        x, image, fresh = (tf.random.stateless_normal((5, 3), (at, k)) for k in range(3))
        np.testing.assert_allclose(
            ddim_step(x, image, here, there, 1.0, fresh), ddpm_step(x, image, here, there, fresh), atol=2e-4
        )


# ---- a whole walk: images are normal, N(0, STDDEV^2), and the best network is linear ---------------------------------

STDDEV = 0.5


def linear_share(signal, noise):
    """E[image | x] = share * x."""
    return signal * STDDEV**2 / (signal**2 * STDDEV**2 + noise**2)


def walk(solver, steps, eta=0.0, count=6):
    """(where a walk begins, where it ends, its levels in float64)."""
    levels = karras_levels(steps, 20.0, 0.05)
    noise = SampleNoise(3, 0, count)
    start = noise.normal(100, (2,))
    end = sample(
        lambda x, signal, noise: linear_share(signal, noise) * x,
        start,
        *map(tf.constant, levels),
        solver,
        eta,
        lambda step: noise.normal(step, (2,)),
    )
    return np.asarray(start, "float64"), np.asarray(end), [level.astype("float64") for level in levels], noise


def ddim_factor(signals, noises, step, drawn=0.0):
    share = linear_share(signals[step], noises[step])
    seen = (1 - signals[step] * share) / noises[step]
    return signals[step + 1] * share + np.sqrt(noises[step + 1] ** 2 - drawn**2) * seen


def test_ddim_multiplies_by_the_product_of_its_factors():
    start, end, levels, _ = walk("ddim", 7)
    np.testing.assert_allclose(end, start * np.prod([ddim_factor(*levels, step) for step in range(7)]), rtol=1e-4)


@pytest.mark.parametrize(("solver", "eta"), [("ddim", 0.4), ("ddim", 1.0), ("ddpm", 0.0)])
def test_walks_with_noise_are_a_linear_recursion(solver, eta):
    x, end, (signals, noises), noise = walk(solver, 7, eta)
    for step in range(7):
        kept = signals[step] / signals[step + 1]
        beta_tilde = (noises[step + 1] / noises[step]) ** 2 * (1 - kept**2)
        drawn = (1.0 if solver == "ddpm" else eta) * math.sqrt(beta_tilde)
        x = ddim_factor(signals, noises, step, drawn) * x + drawn * np.asarray(noise.normal(step, (2,)))
    np.testing.assert_allclose(end, x, atol=1e-4)


def test_the_second_order_solver_is_its_recursion():
    x, end, (signals, noises), _ = walk("dpm", 7)
    logs, before = np.log(signals[:-1] / noises[:-1]), None
    for step in range(7):
        image = linear_share(signals[step], noises[step]) * x
        data, h = image, None
        if 0 < step < 6:
            h, h_before = logs[step + 1] - logs[step], logs[step] - logs[step - 1]
            ratio = h_before / h
            data = (1 + 1 / (2 * ratio)) * image - 1 / (2 * ratio) * before
        scale = noises[step + 1] / noises[step]
        x = scale * x + (signals[step + 1] - signals[step] * scale) * data
        before = image
    np.testing.assert_allclose(end, x, rtol=1e-4)


def error_of(solver, steps):
    """How far from the exact flow of a normal distribution a walk down to a fixed level ends."""
    ratios = np.geomspace(20.0, 0.05, steps + 1)
    signals = 1 / np.sqrt(1 + ratios**2)
    noises = ratios * signals
    levels = [tf.constant(level, "float32") for level in (signals, noises)]
    end = sample(lambda x, s, n: linear_share(s, n) * x, tf.ones((1, 1)), *levels, solver)
    deviation = np.sqrt(signals**2 * STDDEV**2 + noises**2)
    return abs(float(end[0, 0]) - deviation[-1] / deviation[0])


def test_the_order_of_convergence_is_one_and_two():
    for solver, order in (("ddim", 1), ("dpm", 2)):
        observed = math.log2(error_of(solver, 32) / error_of(solver, 64))
        assert observed == pytest.approx(order, abs=0.3), solver


def test_a_long_walk_with_noise_reaches_the_data():
    _, end, _, _ = walk("ddpm", 100, count=600)
    assert end.std() == pytest.approx(STDDEV, rel=0.08)
    assert end.mean() == pytest.approx(0, abs=0.05)
