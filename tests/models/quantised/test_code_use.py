"""How much of a codebook is made use of."""

import numpy as np
import pytest

from gdl_keras.models.quantised.code_use import CodesUsed, DeadCodes, Perplexity, PooledPSNR


def after(metric, *batches):
    """What a metric has come to."""
    for batch in batches:
        metric.update_state(np.asarray(batch))
    return float(metric.result())


def test_one_code_alone_has_the_perplexity_one_and_all_alike_have_as_many_as_there_are():
    assert after(Perplexity(16), np.full((4, 5), 3)) == pytest.approx(1)
    assert after(Perplexity(16), np.arange(16), np.arange(32) % 16) == pytest.approx(16)
    assert after(Perplexity(16)) == 0


def test_the_perplexity_is_that_of_all_batches_together():
    codes = np.random.default_rng(0).integers(0, 5, (3, 20))
    share = np.bincount(codes.ravel()) / codes.size
    assert after(Perplexity(8), *codes) == pytest.approx(np.exp(-(share * np.log(share)).sum()), rel=1e-5)


def test_used_and_dead_codes_are_counted_over_all_batches():
    batches = [0, 0, 1], [1, 5, 5]
    assert after(CodesUsed(8), *batches) == pytest.approx(3 / 8)
    metric = DeadCodes(8)
    assert after(metric, *batches) == 5
    metric.reset_state()
    assert after(metric) == 8


def test_the_pooled_psnr_is_that_of_the_mean_error_and_no_mean_of_psnrs():
    assert after(PooledPSNR(), [0.1], [0.001]) == pytest.approx(-10 * np.log10(0.0505), rel=1e-5)
