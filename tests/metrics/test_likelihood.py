"""Units of likelihood by hand."""

import math

import numpy as np
import pytest

from gdl_keras.metrics import bits_per_dim, nats


def test_a_coin_for_each_pixel_is_one_bit():
    assert bits_per_dim(12 * math.log(2), (2, 2, 3)) == pytest.approx(1)


def test_bytes_that_are_all_equally_likely_take_eight_bits():
    """256 values 1/255 apart, with the density 255/256 over a width of 256/255."""
    assert bits_per_dim(-12 * math.log(255 / 256), (2, 2, 3), bin_width=1 / 255) == pytest.approx(8)


def test_there_and_back():
    losses = np.array([700.0, -50.0])
    for bin_width in (1, 1 / 255):
        bits = bits_per_dim(losses, (32, 32, 1), bin_width)
        np.testing.assert_allclose(nats(bits, (32, 32, 1), bin_width), losses, rtol=1e-12)
