"""The wavelets' filters: what makes them orthogonal and smooth, and their matrices against scipy."""

from math import comb

import numpy as np
import pytest
import scipy.signal

from gdl_keras.layers.augmentation import wavelets
from gdl_keras.layers.augmentation.wavelets import SYM2, SYM6

BOTH = pytest.mark.parametrize("taps", [SYM2, SYM6], ids=["sym2", "sym6"])


def response(taps, frequencies):
    """sum_k h_k exp(-i w k)"""
    return np.exp(-1j * np.outer(frequencies, np.arange(len(taps)))) @ taps


@BOTH
def test_taps_are_orthonormal_to_themselves_moved_by_two(taps):
    assert taps.sum() == pytest.approx(np.sqrt(2), abs=1e-12)
    products = [taps[2 * shift :] @ taps[: len(taps) - 2 * shift] for shift in range(len(taps) // 2)]
    np.testing.assert_allclose(products, [1] + [0] * (len(taps) // 2 - 1), atol=1e-11)


@BOTH
def test_moments_of_the_wavelet_vanish(taps):
    """So that polynomials below half the number of taps stay with the low frequencies."""
    places = np.arange(len(taps)) / len(taps)
    moments = [(taps * (-1.0) ** np.arange(len(taps))) @ places**power for power in range(len(taps) // 2)]
    np.testing.assert_allclose(moments, 0, atol=1e-11)
    assert abs((taps * (-1.0) ** np.arange(len(taps))) @ places ** (len(taps) // 2)) > 1e-5


@BOTH
def test_power_is_daubechies_polynomial(taps):
    """|H(w)|^2 = 2 cos^2N(w / 2) sum_{k < N} (N - 1 + k over k) sin^2k(w / 2)"""
    order = len(taps) // 2
    frequencies = np.linspace(0, np.pi, 50)
    y = np.sin(frequencies / 2) ** 2
    power = 2 * (1 - y) ** order * sum(comb(order - 1 + k, k) * y**k for k in range(order))
    np.testing.assert_allclose(abs(response(taps, frequencies)) ** 2, power, atol=1e-10)


def test_of_all_filters_of_that_power_sym6_is_nearest_to_symmetry():
    """All others come of other choices among the zeros: their phases leave a straight line further."""
    order = len(SYM6) // 2
    polynomial = np.polynomial.Polynomial([comb(order - 1 + k, k) for k in range(order)])
    pairs = []
    for y in polynomial.roots():
        inner = min(np.roots([1, 4 * y - 2, 1]), key=abs)
        if y.imag > -1e-9:
            pairs.append({inner, inner.conjugate()} if abs(y.imag) > 1e-9 else {inner.real})
    frequencies = np.linspace(0, 2.5, 40)

    def bend(taps):
        phase = np.unwrap(np.angle(response(taps, frequencies)))
        return np.abs(phase - np.polyval(np.polyfit(frequencies, phase, 1), frequencies)).max()

    others = []
    for choice in range(2 ** len(pairs)):
        zeros = [1 / z if choice >> number & 1 else z for number, pair in enumerate(pairs) for z in pair]
        taps = np.real(np.poly([-1] * order + zeros))
        others.append(taps * np.sqrt(2) / taps.sum())
    assert len(others) == 8
    distances = [np.abs(taps - SYM6).max() for taps in others]
    assert min(distances) < 1e-7
    assert np.argmin(distances) in np.flatnonzero(np.isclose(list(map(bend, others)), min(map(bend, others))))


@pytest.mark.parametrize("size", [8, 15])
def test_upsampling_is_scipys_of_the_mirrored_row(size):
    row = np.random.default_rng(size).normal(size=size)
    full = scipy.signal.upfirdn(np.sqrt(2) * SYM6, np.pad(row, 5, mode="reflect"), up=2)
    np.testing.assert_allclose(wavelets.upsampling(size) @ row, full[10 : 2 * size + 20], atol=1e-5)


@pytest.mark.parametrize("size", [8, 15])
def test_downsampling_is_scipys_and_the_way_back(size):
    samples = np.random.default_rng(size).normal(size=2 * size + 10)
    full = scipy.signal.upfirdn(SYM6[::-1] / np.sqrt(2), samples, down=1)[11 : 2 * size + 10 : 2]
    np.testing.assert_allclose(wavelets.downsampling(size) @ samples, full, atol=1e-5)
    np.testing.assert_allclose(wavelets.downsampling(size) @ wavelets.upsampling(size), np.eye(size), atol=1e-6)


def test_a_finer_row_shows_the_places_that_it_says():
    """Of a ramp, away from its ends: each sample is the place that it shows."""
    samples = wavelets.upsampling(20) @ np.arange(20)
    places = (np.arange(50) - wavelets.SYM6_CENTRE) / 2
    np.testing.assert_allclose(samples[11:-11], places[11:-11], atol=1e-5)


def test_bands_let_their_frequencies_through():
    """Against the closed form: L(w) = cos^4(w / 2) (1 + 2 sin^2(w / 2)), H(w) = L(w + pi)."""
    frequencies = np.linspace(0, np.pi, 60)

    def low(w):
        return np.cos(w / 2) ** 4 * (1 + 2 * np.sin(w / 2) ** 2)

    def high(w):
        return low(w + np.pi)

    w = frequencies
    wanted = [low(w) * low(2 * w) * low(4 * w), low(w) * low(2 * w) * high(4 * w), low(w) * high(2 * w), high(w)]
    for taps, band in zip(wavelets.band_filters(), wanted):
        np.testing.assert_allclose(taps, taps[::-1], atol=1e-12)
        np.testing.assert_allclose(response(taps, w) * np.exp(1j * w * (len(taps) // 2)), band, atol=1e-12)
    np.testing.assert_allclose(sum(wanted), 1, atol=1e-12)
    middles = np.pi * np.array([1 / 32, 0.19, 0.37, 0.9])
    assert [int(np.argmax([np.interp(m, w, band) for band in wanted])) for m in middles] == [0, 1, 2, 3]
