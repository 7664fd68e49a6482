"""How noise becomes an image: schedules of noise, and the samplers that walk down them.

A noisy image is a mixture of an image and normal noise, and everything here is said in the two shares:

    x = signal * image + noise * epsilon,        signal^2 + noise^2 = 1

A sampler begins with noise alone.  At each level it asks `denoise`, a function of (x, signal, noise), what image it
sees behind x, and mixes that image and the noise that it sees anew, with a little more signal.  The samplers know
nothing of networks, and networks nothing of samplers.

Papers: Ho et al. 2020, Denoising diffusion probabilistic models, arXiv:2006.11239 (`ddpm`); Song et al. 2021, Denoising
diffusion implicit models, arXiv:2010.02502 (`ddim`); Lu et al. 2022, DPM-Solver++, arXiv:2211.01095 (`dpm`); Karras et
al. 2022, Elucidating the design space of diffusion-based generative models, arXiv:2206.00364 (`karras_levels`).
"""

import math

import numpy as np
import tensorflow as tf

from gdl_keras.errors import InputError, check_one_of

# The steps of Ho et al. 2020, and how much noise the first and the last of them add.
DDPM_STEPS, DDPM_FIRST, DDPM_LAST = 1000, 1e-4, 0.02
# The shares of signal with which the book's schedule begins and ends.
OFFSET_FIRST, OFFSET_LAST = 0.95, 0.02
# log(noise / signal) is normal in training, with this mean and standard deviation.
LOG_MEAN, LOG_STDDEV = 0.0, 1.2
# Between these values of noise / signal, and with this exponent, `karras_levels` go down.
KARRAS_HIGHEST, KARRAS_LOWEST, KARRAS_EXPONENT = 80.0, 0.02, 7.0
SOLVERS = ("ddim", "ddpm", "dpm")


def linear_schedule(times):
    """DDPM's: the variances of a thousand little steps go from 0.0001 to 0.02.

    At t = i / 1000 the shares are exactly those after i steps; between two steps their logarithm is a straight line.

    Args:
        times: float32 tensor, from 0, the image, to 1, noise.

    Returns:
        (signal, noise), float32 tensors of the same shape.
    """
    log_signals = 0.5 * np.cumsum(np.log1p(-np.linspace(DDPM_FIRST, DDPM_LAST, DDPM_STEPS)))
    table = tf.constant(np.concatenate([[0.0], log_signals]), "float32")
    place = times * DDPM_STEPS
    below = tf.clip_by_value(tf.cast(place, "int32"), 0, DDPM_STEPS - 1)
    share = place - tf.cast(below, "float32")
    log_signal = (1 - share) * tf.gather(table, below) + share * tf.gather(table, below + 1)
    return tf.exp(log_signal), tf.sqrt(-tf.math.expm1(2 * log_signal))


def cosine_schedule(times):
    """The book's second: signal and noise are cosine and sine of an angle that grows evenly.  As above."""
    return tf.cos(math.pi / 2 * times), tf.sin(math.pi / 2 * times)


def offset_cosine_schedule(times):
    """The book's third, which it trains with: the angle begins where signal is 0.95 and ends where it is 0.02."""
    first, last = math.acos(OFFSET_FIRST), math.acos(OFFSET_LAST)
    angle = first + times * (last - first)
    return tf.cos(angle), tf.sin(angle)


def lognormal_schedule(times):
    """Of Karras et al. 2022: noise / signal is log-normal, so that training dwells where there is most to be learnt."""
    log_ratio = LOG_MEAN + LOG_STDDEV * tf.math.ndtri(tf.clip_by_value(times, 1e-4, 1 - 1e-4))
    return tf.sqrt(tf.sigmoid(-2 * log_ratio)), tf.sqrt(tf.sigmoid(2 * log_ratio))


SCHEDULES = {
    "linear": linear_schedule,
    "cosine": cosine_schedule,
    "offset_cosine": offset_cosine_schedule,
    "lognormal": lognormal_schedule,
}


def schedule_levels(schedule, steps):
    """The levels at evenly spaced times of a schedule, from noise to the image.

    Args:
        schedule: str, a name in `SCHEDULES`.
        steps: int.

    Returns:
        (signals, noises), float32 arrays (steps + 1,); the last are 1 and 0, the image itself.

    Raises:
        InputError: `steps` is below 1, or there is no such schedule.
    """
    check_steps(steps)
    check_one_of("schedule", schedule, tuple(SCHEDULES))
    times = 1 - np.arange(steps, dtype="float32") / steps
    signals, noises = SCHEDULES[schedule](tf.constant(times))
    return np.append(signals, np.float32(1)), np.append(noises, np.float32(0))


def karras_levels(steps, highest=KARRAS_HIGHEST, lowest=KARRAS_LOWEST, exponent=KARRAS_EXPONENT):
    """Levels that lie the closer the less noise there is (Karras et al. 2022, equation 5).

        ratio_i = (highest^(1/e) + i / (steps - 1) (lowest^(1/e) - highest^(1/e)))^e,      ratio = noise / signal

    Args:
        steps: int.
        highest, lowest: floats, noise / signal of the first level and of the last one before the image.
        exponent: float, e; 1 spaces them evenly.

    Returns, raises as `schedule_levels`.
    """
    check_steps(steps)
    share = np.arange(steps) / max(1, steps - 1)
    roots = highest ** (1 / exponent) + share * (lowest ** (1 / exponent) - highest ** (1 / exponent))
    ratios = np.append(roots**exponent, 0.0)
    signals = 1 / np.sqrt(1 + ratios**2)
    return signals.astype("float32"), (ratios * signals).astype("float32")


def check_steps(steps):
    """Raises InputError unless a sampler can take so many steps."""
    if not isinstance(steps, (int, np.integer)) or steps < 1:
        raise InputError(f"A sampler takes at least 1 step, not {steps}.")


def check_solver(solver, eta):
    """Raises InputError unless there is a sampler of that name that takes this `eta`."""
    check_one_of("solver", solver, SOLVERS)
    if not 0 <= eta <= 1:
        raise InputError(f"eta lies between 0 and 1, not {eta}.")
    if eta and solver != "ddim":
        raise InputError(f"eta belongs to the solver ddim, and this is {solver}: leave eta away.")


def sample(denoise, x, signals, noises, solver="ddim", eta=0.0, fresh=None):
    """Walks down the levels, from noise to an image.

    Args:
        denoise: function (x, signal, noise) -> images of the shape of x; signal and noise are float32 scalars.
        x: float32 tensor (n, ...), standard normal numbers.
        signals, noises: float32 tensors (steps + 1,), as from `schedule_levels`.
        solver: "ddim", "ddpm" or "dpm".
        eta: float, of ddim: 0 adds no noise on the way, 1 as much as ddpm.
        fresh: function of the number of a step, an int tensor, -> standard normal numbers of the shape of x; None
            for a walk without noise.

    Returns:
        float32 tensor of the shape of x.
    """
    ratios = noises / signals

    def take(step, x, image_before):
        here, there = (signals[step], noises[step]), (signals[step + 1], noises[step + 1])
        image = denoise(x, *here)
        if solver == "dpm":
            x = dpm_step(x, image, image_before, step, ratios, here, there)
        elif solver == "ddpm":
            x = ddpm_step(x, image, here, there, fresh(step))
        else:
            x = ddim_step(x, image, here, there, eta, fresh(step) if eta else 0.0)
        return step + 1, tf.ensure_shape(x, image_before.shape), image

    steps = tf.shape(signals)[0] - 1
    return tf.while_loop(lambda step, *_: step < steps, take, (tf.constant(0), x, tf.zeros_like(x)))[1]


def added_variance(here, there):
    """1 - signal^2 / signal'^2, the variance of the noise that leads from there to here: a float32 scalar.

    Args:
        here, there: pairs (signal, noise), that with more noise first.
    """
    (signal, noise), (next_signal, next_noise) = here, there
    # The same difference twice; of the smaller numbers more digits are left.
    by_noise, by_signal = noise**2 - next_noise**2, next_signal**2 - signal**2
    return tf.maximum(tf.where(noise < signal, by_noise, by_signal), 0.0) / next_signal**2


def posterior_deviation(here, there):
    """Standard deviation of x there, given x here and the image: a float32 scalar (Ho et al. 2020, equation 7).

    noise' / noise * sqrt(1 - signal^2 / signal'^2)
    """
    return there[1] / here[1] * tf.sqrt(added_variance(here, there))


def ddim_step(x, image, here, there, eta, fresh):
    """The image and the noise seen in x, mixed anew; `eta` says how much of the noise is drawn afresh.

    Song et al. 2021, equation 12.
    """
    (signal, noise), (next_signal, next_noise) = here, there
    seen = (x - signal * image) / noise
    drawn = eta * posterior_deviation(here, there)
    return next_signal * image + tf.sqrt(tf.maximum(next_noise**2 - drawn**2, 0.0)) * seen + drawn * fresh


def ddpm_step(x, image, here, there, fresh):
    """A draw from where x came from if the image were the right one: q(x' | x, image), Ho et al. 2020, equation 7."""
    (signal, noise), (next_signal, next_noise) = here, there
    added = added_variance(here, there)
    mean = (next_signal * added * image + signal / next_signal * next_noise**2 * x) / noise**2
    return mean + posterior_deviation(here, there) * fresh


def dpm_step(x, image, image_before, step, ratios, here, there):
    """DPM-Solver++(2M): the image is assumed to go on moving as it did in the step before; second order.

    The first step has none before it, and the last one ends in the image itself: both are those of ddim.
    """
    ratio, next_ratio = ratios[step], ratios[step + 1]
    log_step = tf.math.log(ratio / tf.maximum(next_ratio, 1e-12))
    log_before = tf.math.log(ratios[tf.maximum(step - 1, 0)] / ratio)
    is_inner = (step > 0) & (next_ratio > 0)
    ahead = tf.where(is_inner, 0.5 * log_step / tf.where(is_inner, log_before, 1.0), 0.0)
    return ddim_step(x, image, here, there, 0.0, 0.0) + (there[0] - here[0] * there[1] / here[1]) * ahead * (
        image - image_before
    )
