"""The answers to this chapter's exercises: `python chapters/08_diffusion/answers.py` runs them all."""

import math

from gdl_keras.exercises import run_all
from gdl_keras import load
from gdl_keras.samplers.denoising import SCHEDULES, linear_schedule, sample, schedule_levels

import numpy as np
import tensorflow as tf


def many_steps_in_one():
    """Exercise 1: After 300 of DDPM's thousand little steps, x' = sqrt(1 - b) x + sqrt(b) epsilon, what is left of x?

    The share of the signal is the product of all sqrt(1 - b), and the variance of the noise what is missing from 1: one
    draw does for all steps.  It is what `linear_schedule` says at 0.3.
    """
    signal, variance = 1.0, 0.0
    for b in np.linspace(1e-4, 0.02, 1000)[:300]:
        signal, variance = math.sqrt(1 - b) * signal, (1 - b) * variance + b
    at_once = [float(share) for share in linear_schedule(tf.constant(0.3))]
    np.testing.assert_allclose(at_once, [signal, math.sqrt(variance)], rtol=1e-4)
    assert math.isclose(signal**2 + variance, 1)
    return {"signal": signal, "noise": math.sqrt(variance)}


def half_signal_half_noise():
    """Exercise 2: At what time do signal and noise have equal shares, under each of the schedules?

    Cosine: where the angle is 45 degrees, at half time, and lognormal likewise.  The book's offset cosine begins at the
    angle whose cosine is 0.95 and ends at that of 0.02: at 0.379.  DDPM's thousand steps: after 259.
    """
    times = {}
    for name, schedule in SCHEDULES.items():
        low, high = 0.0, 1.0
        for _ in range(20):
            middle = (low + high) / 2
            signal, noise = schedule(tf.constant(middle))
            low, high = (middle, high) if signal > noise else (low, middle)
        times[name] = middle
    first, last = math.acos(0.95), math.acos(0.02)
    signals = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))  # squared, after each step
    assert 1 + int(np.argmin(np.abs(signals - 0.5))) == 259 == round(1000 * times["linear"])
    expected = [0.5, 0.5, (math.pi / 4 - first) / (last - first)]
    np.testing.assert_allclose([times[name] for name in ("cosine", "lognormal", "offset_cosine")], expected, atol=1e-4)
    return times


def three_targets():
    """Exercise 3: x and the velocity v are known. What are the image and the noise, and what does an error of v cost?

    With shares s and n, (x, v) is (image, epsilon), turned: image = s x - n v, epsilon = n x + s v.  An error of v
    is n times as large in the image and s times in the noise, never larger.  Had the noise been asked for, an error of
    it would be n / s times as large in the image: 20 times at n = 0.9988.
    """
    rng = np.random.default_rng(1)
    image, epsilon = rng.normal(size=(2, 100))
    told = {}
    for n in (0.05, 0.6, 0.9988):
        s = math.sqrt(1 - n**2)
        x, v = s * image + n * epsilon, s * epsilon - n * image
        np.testing.assert_allclose([s * x - n * v, n * x + s * v], [image, epsilon])
        of_velocity = np.abs(s * x - n * (v + 1) - image).mean()
        of_noise = np.abs((x - n * (epsilon + 1)) / s - image).mean()
        np.testing.assert_allclose([of_velocity, of_noise], [n, n / s])
        told[f"by the velocity, n = {n}"], told[f"by the noise, n = {n}"] = of_velocity, of_noise
    return told


def steps_of_a_sampler():
    """Exercise 4: Why does one step not do? Let all pixels be N(0, 0.5^2), and the network know E[image | x].

    From noise alone it sees the mean, 0, and one step leads there, whatever the noise was.  Two steps come to a
    deviation of 0.20, twenty to 0.46, a hundred to 0.49.  So it is with the trained model: its garments of one step
    differ about a sixth as much from one another as those of twenty.
    """
    deviation = 0.5

    def denoise(x, signal, noise):
        return signal * deviation**2 / (signal**2 * deviation**2 + noise**2) * x

    x = tf.random.stateless_normal((20_000, 1), [1, 2])
    told = {f"{k} steps": float(np.std(sample(denoise, x, *schedule_levels("cosine", k)))) for k in (1, 2, 20, 100)}
    np.testing.assert_allclose(list(told.values()), [0, 0.20, 0.46, 0.49], atol=0.01)
    model = load("08_diffusion/01_ddm")
    one, twenty = (model.generate(12, seed=1, steps=k).std(axis=0).mean() for k in (1, 20))
    assert math.isclose(one / twenty, 1 / 6, abs_tol=0.04)
    return told | {"garments, 1 step": float(one), "garments, 20 steps": float(twenty)}


def guidance_of_a_class():
    """Exercise 5: All pixels are N(0, 1), those of one class N(0.5, 1). Where do its samples lie at guidance 3?

    At 1.5, three times as far from the middle as the class itself: they are more of their class than its examples are.
    Guidance 1 gives the class, 0 everything.
    """
    x = tf.random.stateless_normal((20_000, 1), [1, 2])
    means = {}
    for guidance in (0.0, 1.0, 3.0):

        def denoise(x, signal, noise, guidance=guidance):
            of_any, of_class = signal * x, 0.5 + signal * (x - signal * 0.5)  # E[image | x], of all and of the class
            return of_any + guidance * (of_class - of_any)

        means[guidance] = float(np.mean(sample(denoise, x, *schedule_levels("cosine", 50))))
    np.testing.assert_allclose(list(means.values()), [0, 0.5, 1.5], atol=0.02)
    return {f"mean at guidance {guidance:g}": mean for guidance, mean in means.items()}


if __name__ == "__main__":
    run_all(globals())
