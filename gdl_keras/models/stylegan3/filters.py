"""Low-pass filters: a sinc, or where no direction may be special a jinc, behind a Kaiser window (appendix C)."""

import numpy as np


def kaiser_filter(taps, cutoff, width, rate):
    """A low-pass filter along one axis, of sum 1.

    Args:
        taps: int; 1 for no filter.
        cutoff: float, the frequency of which half is left.
        width: float, of the transition around it; together with `taps` it decides on the window.
        rate: float, samples per unit of length, the frequencies' unit being the other way round.

    Returns:
        float64 array (taps,).
    """
    places = _places(taps, rate)
    return _scaled(2 * cutoff * np.sinc(2 * cutoff * places) * _window(taps, width, rate))


def radial_filter(taps, cutoff, width, rate):
    """One that is the same in every direction, but for the window: J1(2 pi cutoff r) / r, scaled to the sum 1.

    Args:
        as in `kaiser_filter`.

    Returns:
        float64 array (taps, taps).
    """
    places = _places(taps, rate)
    radius = np.hypot(places, places[:, None])
    window = _window(taps, width, rate)
    return _scaled(jinc(2 * np.pi * cutoff * radius) * np.outer(window, window))


def _places(taps, rate):
    return (np.arange(taps) - (taps - 1) / 2) / rate


def _scaled(taps):
    return taps / taps.sum()


def _window(taps, width, rate):
    """Kaiser's, with the damping that so many taps allow in a transition of that width, and its rule for beta."""
    damping = 2.285 * (taps - 1) * np.pi * width / (rate / 2) + 7.95
    if damping > 50:
        beta = 0.1102 * (damping - 8.7)
    elif damping > 21:
        beta = 0.5842 * (damping - 21) ** 0.4 + 0.07886 * (damping - 21)
    else:
        beta = 0.0
    return np.kaiser(taps, beta)


def jinc(x):
    """J1(x) / x, by Bessel's integral: J1(x) = mean over t of cos(t - x sin(t)), to all digits for x up to 30."""
    turns = np.linspace(0, 2 * np.pi, 128, endpoint=False)
    bessel = np.cos(turns - x[..., None] * np.sin(turns)).mean(axis=-1)
    return np.where(x == 0, 0.5, bessel / np.where(x == 0, 1, x))
