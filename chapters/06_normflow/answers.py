"""The answers to this chapter's exercises: `python chapters/06_normflow/answers.py` runs them all."""

import math
from functools import cache

from gdl_keras.exercises import run_all
from gdl_keras import load, losses
from gdl_keras.samplers.ode import integrate

import numpy as np
import tensorflow as tf


@cache
def flow():
    """The trained RealNVP of two thin moons."""
    return load("06_normflow/01_realnvp")


def density_of_an_affine_map():
    """Exercise 1: z is standard normal, and x = A z + b. What is log p(x) by the change of variables?

    log N(A^-1 (x - b); 0, I) - log |det A|, which is the normal distribution of mean b and covariance A A^T.
    """
    rng = np.random.default_rng(1)
    a, b = np.array([[2.0, 0.5], [-1.0, 1.5]]), np.array([1.0, -3.0])
    x = b + rng.normal(size=(100, 2)) @ a.T
    z = np.linalg.solve(a, (x - b).T).T
    by_change = losses.normal_log_density(z.astype("float32")) - np.linalg.slogdet(a)[1]

    covariance, away = a @ a.T, x - b
    squares = np.einsum("ni,ij,nj->n", away, np.linalg.inv(covariance), away)
    directly = -0.5 * (squares + np.linalg.slogdet(2 * np.pi * covariance)[1])
    np.testing.assert_allclose(by_change, directly, atol=1e-4)
    return {"mean of log p": directly.mean(), "log |det A|": np.linalg.slogdet(a)[1]}


def determinant_of_the_flow():
    """Exercise 2: Is the log-determinant that the trained RealNVP adds up, coupling by coupling, that of its Jacobian?

    Yes, at every point, though nobody computes a determinant; and the way back leads to where the way there began.
    """
    points = tf.constant(flow().generate(50, seed=1))
    with tf.GradientTape() as tape:
        tape.watch(points)
        latents, log_det = flow().forward(points)
    jacobians = np.asarray(tape.batch_jacobian(latents, points), "float64")
    np.testing.assert_allclose(log_det, np.linalg.slogdet(jacobians)[1], atol=1e-4)
    error = np.abs(flow().inverse(latents) - points).max()
    assert error < 1e-5
    return {"smallest log-determinant": np.min(log_det), "largest": np.max(log_det), "error of the way back": error}


def probability_of_the_plane():
    """Exercise 3: How much probability has the whole plane under the trained RealNVP, and how much room does half need?

    1, as far as a grid can tell, without anybody having normalised it; half of it lies within 0.98 units of area.  Half
    of a standard normal distribution, which has the same variances, needs 2 pi log 2, that is 4.4.
    """
    side, step = np.linspace(-4, 4, 401, retstep=True)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)

    def total_and_half(nats):
        shares = np.sort(np.exp(-nats))[::-1] * step**2
        return shares.sum(), np.count_nonzero(np.cumsum(shares) < 0.5) * step**2

    total, half = total_and_half(flow().negative_log_likelihood(grid))
    normal_total, normal_half = total_and_half(-np.asarray(losses.normal_log_density(grid)))
    np.testing.assert_allclose([total, normal_total], 1, atol=1e-3)
    np.testing.assert_allclose([half, normal_half], [0.98, 2 * np.pi * np.log(2)], rtol=0.02)
    return {"probability": total, "area of half of it": half, "of half a normal distribution": normal_half}


def cooler_samples():
    """Exercise 4: By how many nats are samples likelier at temperature T = 0.5, and by how many would you think?

    In the latent plane by (1 - T^2) d / 2 = 0.75, since |z|^2 is T^2 d in the mean.  The trained flow gains a third of
    that, 0.26: nearer to the middle of its cloud it stretches more, which costs the other half nat.
    """
    points = {t: tf.constant(flow().generate(5000, seed=1, temperature=t)) for t in (1.0, 0.5)}
    (latents, log_det), (cool_latents, cool_log_det) = (flow().forward(points[t]) for t in (1.0, 0.5))
    in_the_latents = float(tf.reduce_mean(tf.square(latents)) - tf.reduce_mean(tf.square(cool_latents)))
    stretched = float(tf.reduce_mean(log_det) - tf.reduce_mean(cool_log_det))
    nats, cool_nats = (flow().negative_log_likelihood(points[t]).mean() for t in (1.0, 0.5))
    assert math.isclose(in_the_latents, 0.75, rel_tol=0.05)
    assert math.isclose(nats - cool_nats, in_the_latents - stretched, abs_tol=1e-4)
    assert math.isclose(nats - cool_nats, 0.26, abs_tol=0.03)
    return {"nats in the latent plane": in_the_latents, "lost to the stretching": stretched, "gained": nats - cool_nats}


def errors_of_solvers():
    """Exercise 5: A continuous flow with the velocity v(x) = a x: where does it lead, and what do finer steps gain?

    From x to x e^a, and a square in the plane becomes e^2a times as large: the trace of the Jacobian is 2 a
    everywhere.  Twice as many steps halve the error of Euler's method, and that of `rk4` shrinks to a sixteenth.
    """
    a, told = 0.8, {}
    start = tf.ones((1, 2), tf.float64), tf.zeros((1,), tf.float64)

    def slope(time, state):
        return a * state[0], 2 * a * tf.ones_like(state[1])

    for method, order in (("euler", 1), ("rk4", 4)):
        coarse, fine = (integrate(slope, start, 0.0, 1.0, steps, method) for steps in (20, 40))
        errors = [abs(float(end[0][0, 0]) - math.exp(a)) for end in (coarse, fine)]
        assert math.isclose(errors[0] / errors[1], 2**order, rel_tol=0.1)
        assert math.isclose(float(fine[1][0]), 2 * a, rel_tol=1e-6)
        told[f"error of {method}, 20 steps"], told[f"error of {method}, 40 steps"] = errors
    return told


if __name__ == "__main__":
    run_all(globals())
