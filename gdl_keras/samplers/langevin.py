"""Langevin dynamics: a walk down the slope of an energy, with so much noise that it does not end at the bottom.

    x <- x - step_size * slope(x) + noise * epsilon,      epsilon ~ N(0, I)

Where the noise is sqrt(2 * step_size * T), small steps lead from anywhere to samples of exp(-E(x) / T) / Z, and Z need
not be known: the slope of an energy does not see a constant.  T is a temperature.  With less noise than at T = 1 the
walk keeps nearer to the valleys of the energy.

Papers: Langevin 1908; Roberts & Tweedie 1996, Exponential convergence of Langevin distributions and their discrete
approximations; Welling & Teh 2011, Bayesian learning via stochastic gradient Langevin dynamics.
"""

import tensorflow as tf


def langevin(slope, start, steps, step_size, noise, normal, slope_clip=None, limit=None, first_step=0):
    """Takes `steps` steps of Langevin dynamics, in one loop that can be compiled; no gradient passes through it.

    Args:
        slope: tensor (n, ...) -> tensor of that shape, the slope of the energy of each of the n chains.
        start: float tensor (n, ...), where the chains are.
        steps: int or int tensor.
        step_size, noise: floats or scalar tensors.
        normal: int tensor -> tensor like `start`, the standard normal numbers of step number i.
        slope_clip: float or scalar tensor, what each number of a slope is kept within, up and down; None for no bound.
        limit: float, what each number of a chain is kept within after each step, up and down; None for no bound.
        first_step: int or int tensor, the number of the first step: a walk in two parts is the whole walk.

    Returns:
        float tensor (n, ...), where the chains are then.
    """

    def step(number, place):
        down = slope(place)
        if slope_clip is not None:
            down = tf.clip_by_value(down, -slope_clip, slope_clip)
        place = place - step_size * down + noise * normal(number)
        if limit is not None:
            place = tf.clip_by_value(place, -limit, limit)
        return number + 1, place

    first = tf.convert_to_tensor(first_step, tf.int32)
    end = first + tf.cast(steps, tf.int32)
    _, place = tf.while_loop(lambda number, _: number < end, step, (first, start), parallel_iterations=1)
    return tf.stop_gradient(place)


def noise_at(temperature, step_size):
    """How much noise a step needs, for chains to become samples at that temperature: sqrt(2 * step_size * T)."""
    return (2 * step_size * temperature) ** 0.5
