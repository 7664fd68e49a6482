"""The kernel distance (KID): how far apart two sets of images are, without bias and without assuming a normal
distribution.

    E k(x, x') + E k(y, y') - 2 E k(x, y),      k(x, y) = (x . y / d + 1)^3         (Bińkowski et al. 2018, section 4)

It is the squared maximum mean discrepancy: it compares all first, second and third moments of the features.  Its
estimate is unbiased, so it may fall below 0 where both sets come from the same place.
"""

from math import ceil
from typing import NamedTuple

import numpy as np

from gdl_keras.errors import InputError
from gdl_keras.metrics.extractors import features_of

BLOCK_SIZE = 1000
MIN_BLOCKS = 10


class KernelDistance(NamedTuple):
    """Attributes: value, standard_error: float; blocks: int."""

    value: float
    standard_error: float
    blocks: int


def kernel_distance(first, second, extractor=None, *, seed=0):
    """The kernel distance of two sets of images, the mean over disjoint blocks of them.

    Both sets are shuffled and cut into as many blocks, at least 10 and of at most 1,000 images, fewer only where there
    would be less than 2 images in one; memory is bounded by the block.  Blocks are independent, so their spread gives
    the standard error.

    Args:
        first, second: images (n, height, width, channels) in [0, 1]; without an extractor, features (n, d).
        extractor: function, images -> features.
        seed: int, decides which images share a block.

    Returns:
        a `KernelDistance`.

    Raises:
        InputError: a set has fewer than 4 images.
    """
    return mean_over_blocks(
        features_of(first, extractor), features_of(second, extractor), squared_mean_discrepancy, seed
    )


def mean_over_blocks(first, second, distance, seed=0):
    """A distance of two sets, from that of disjoint blocks of them: a `KernelDistance`.

    Args:
        first, second: arrays (n, d).
        distance: function of two such arrays, an unbiased estimate: float.
        seed: int, decides which rows share a block.

    Raises:
        InputError: a set has fewer than 4 rows.
    """
    smaller = min(len(first), len(second))
    blocks = min(max(MIN_BLOCKS, ceil(max(len(first), len(second)) / BLOCK_SIZE)), smaller // 2)
    if blocks < 2:
        raise InputError(f"A distance needs 4 examples on each side, and there are {smaller}.")
    rng = np.random.default_rng(seed)
    parts = [np.array_split(features[rng.permutation(len(features))], blocks) for features in (first, second)]
    distances = np.array([distance(x, y) for x, y in zip(*parts)])
    return KernelDistance(float(distances.mean()), float(distances.std(ddof=1) / np.sqrt(blocks)), blocks)


def squared_mean_discrepancy(x, y):
    """The unbiased estimate from two arrays of features, (n, d) and (m, d): float (Gretton et al. 2012, equation 3)."""
    x, y = np.asarray(x, "float64"), np.asarray(y, "float64")
    return _mean_of_pairs(x) + _mean_of_pairs(y) - 2 * _kernel(x, y).mean()


def _kernel(x, y):
    base = x @ y.T / x.shape[1] + 1
    return base * base * base


def _mean_of_pairs(x):
    # An image paired with itself tells nothing of how images differ: that would be the bias.
    products = _kernel(x, x)
    return (products.sum() - np.trace(products)) / (len(x) * (len(x) - 1))
