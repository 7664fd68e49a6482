"""Metrics of codecs against NumPy's one number at a time, and against closed forms."""

import math

import numpy as np
import pytest

from gdl_keras.errors import InputError
from gdl_keras.metrics.codecs import counts_of, perplexity_of, pooled_psnr


def test_pooled_psnr_against_a_loop():
    x, y = np.random.default_rng(0).uniform(0, 1, (2, 3, 8, 6, 2)).astype("float32")
    errors = [
        (float(x[n, row, column, c]) - float(y[n, row, column, c])) ** 2
        for n in range(3)
        for row in range(2, 6)
        for column in range(2, 4)
        for c in range(2)
    ]
    assert pooled_psnr(x, y, border=2) == pytest.approx(10 * math.log10(len(errors) / math.fsum(errors)), rel=1e-9)


def test_errors_are_pooled_before_the_logarithm():
    x = np.zeros((2, 4, 4, 1))
    y = x + np.array([0.1, 0.3])[:, None, None, None]
    assert pooled_psnr(x, y) == pytest.approx(-10 * math.log10((0.01 + 0.09) / 2))
    assert pooled_psnr(x, x) == math.inf


@pytest.mark.parametrize("border", [-1, 2])
def test_a_border_lies_within(border):
    with pytest.raises(InputError, match="border"):
        pooled_psnr(np.zeros((1, 4, 4, 1)), np.zeros((1, 4, 4, 1)), border)


def test_pairs_are_wanted():
    with pytest.raises(InputError, match="differ"):
        pooled_psnr(np.zeros((2, 4, 4, 1)), np.zeros((1, 4, 4, 1)))


def test_perplexity_of_known_uses():
    assert perplexity_of(np.arange(12).reshape(3, 4) % 6, 9) == pytest.approx(6)
    assert perplexity_of([4, 4, 4], 9) == pytest.approx(1)
    # Shares of 1/2, 1/4, 1/4: an entropy of 1.5 bits.
    assert perplexity_of([0, 0, 1, 2], 3) == pytest.approx(2**1.5)
    assert counts_of([[0, 2], [2, 2]], 4).tolist() == [1, 0, 3, 0]
