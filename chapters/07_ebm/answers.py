"""The answers to this chapter's exercises: `python chapters/07_ebm/answers.py` runs them all."""

import math

from gdl_keras.exercises import run_all
from gdl_keras.models import Mixture, ScoreMatching, build_point_energy_network
from gdl_keras.samplers.langevin import langevin, noise_at

import keras
import numpy as np
import tensorflow as tf

CHAINS = 20_000


def chains_of(slope, steps, step_size, temperature=1.0):
    """Where chains in one dimension are that began at 0: float32 array (CHAINS,)."""
    noise = noise_at(temperature, step_size)
    place = langevin(
        slope, tf.zeros(CHAINS), steps, step_size, noise, lambda step: tf.random.stateless_normal((CHAINS,), [1, step])
    )
    return place.numpy()


def variance_of_the_walk():
    """Exercise 1: Langevin dynamics of step e in the energy x^2 / (2 s^2): what is the variance of its samples?

    s^2 / (1 - e / (2 s^2)), by v = (1 - e / s^2)^2 v + 2 e, and not s^2: only ever smaller steps come to the density.
    At e = 0.5 and s = 1 it is a third too large.
    """
    told = {}
    for step_size in (0.05, 0.5, 1.0):
        variance = chains_of(lambda x: x, steps=200, step_size=step_size).var()
        assert math.isclose(variance, 1 / (1 - step_size / 2), rel_tol=0.04)
        told[f"variance at e = {step_size}"] = float(variance)
    return told


def books_temperature():
    """Exercise 2: At what temperature do the book's chains walk, with steps of 10 and noise of 0.005?

    At T = noise^2 / (2 step) = 1.25 millionths.  In a valley x^2 / (2 s^2) with s = 10, whose samples lie about 10 away
    from the bottom, they stay about s sqrt(T / (1 - step / (2 s^2))) = 0.011 away: they go down, and that is all.
    """
    temperature = 0.005**2 / (2 * 10)
    assert math.isclose(noise_at(temperature, 10), 0.005)
    deviation = chains_of(lambda x: x / 10**2, steps=200, step_size=10, temperature=temperature).std()
    assert math.isclose(deviation, 10 * (temperature / (1 - 10 / (2 * 10**2))) ** 0.5, rel_tol=0.02)
    return {"temperature": temperature, "deviation of the chains": float(deviation)}


def energy_and_a_constant():
    """Exercise 3: What becomes of a model to whose energies 7 is added?

    Nothing: log Z falls by 7, and the likelihood, the slopes and the samples are what they were.
    """
    keras.utils.set_random_seed(1)
    network = build_point_energy_network(units=(16,))
    higher = keras.Model(network.inputs, network.output + 7.0)
    points = np.random.default_rng(1).normal(size=(50, 2)).astype("float32")
    model, other = ScoreMatching(network), ScoreMatching(higher)
    fallen = model.log_partition() - other.log_partition()
    assert math.isclose(fallen, 7, abs_tol=1e-4)
    np.testing.assert_allclose(model.negative_log_likelihood(points), other.negative_log_likelihood(points), atol=1e-4)
    np.testing.assert_allclose(model.scores(points), other.scores(points), atol=1e-6)
    samples = [each.generate(20, seed=1, steps=50) for each in (model, other)]
    np.testing.assert_allclose(*samples, atol=1e-4)
    return {"log Z has fallen by": fallen}


def slope_of_the_constant():
    """Exercise 4: The energy is a x^4 / 4. What is the mean of x^4 under it, by the slope of log Z alone?

    Z is a^(-1/4) times what does not depend on a.  The slope of log Z is minus the mean slope of the energy, so that
    -1 / (4 a) = -E[x^4] / 4, and E[x^4] = 1 / a: training can go by samples where Z is not known.
    """
    a = 2.0
    x = np.linspace(-5, 5, 10_001)
    p = np.exp(-a * x**4 / 4)
    by_integral = np.sum(p * x**4) / np.sum(p)
    chains = chains_of(lambda x: a * x**3, steps=500, step_size=0.01)
    assert math.isclose(by_integral, 1 / a, rel_tol=1e-6)
    assert math.isclose(np.mean(chains**4), 1 / a, rel_tol=0.06)
    return {"by integral": by_integral, "by Langevin dynamics": float(np.mean(chains**4))}


def way_back():
    """Exercise 5: Examples x_k are spoilt by normal noise s. What is the slope of the log-density of a spoilt point y?

    (E[x | y] - y) / s^2, where E[x | y] is the mean of the examples, each weighed by exp(-|y - x_k|^2 / (2 s^2)): the
    way back to what y may have been.  The mixture with a component on each example has that very slope.
    """
    rng = np.random.default_rng(1)
    examples, y, s = rng.normal(size=(30, 2)), tf.constant(rng.normal(size=(200, 2)), tf.float32), 0.3
    blurred = Mixture.on_examples(examples.astype("float32"), s)
    with tf.GradientTape() as tape:
        tape.watch(y)
        log_density = blurred.log_density(y)
    slopes = tape.gradient(log_density, y)

    exponents = -np.square(y.numpy()[:, None] - examples).sum(axis=-1) / (2 * s**2)
    weights = np.exp(exponents) / np.exp(exponents).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(slopes, (weights @ examples - y) / s**2, atol=1e-3)
    return {"steepest slope": float(np.abs(slopes).max())}


if __name__ == "__main__":
    run_all(globals())
