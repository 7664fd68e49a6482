"""The energy distance: how far apart two sets of points are, with nothing to choose and no density needed.

    2 E |x - y| - E |x - x'| - E |y - y'|                                        (Székely & Rizzo 2013, equation 2)

It is 0 where both sets come from one distribution, and only there.  Its estimate is unbiased, so that it may fall below
0 then.
"""

import numpy as np

from gdl_keras.metrics.extractors import features_of
from gdl_keras.metrics.kernel import mean_over_blocks

ROWS = 512


def energy_distance(first, second, *, seed=0):
    """The energy distance of two sets of points, the mean over disjoint blocks of them, as `kernel_distance`.

    Args:
        first, second: arrays (n, d), at least 20 points each.
        seed: int, decides which points share a block.

    Returns:
        a `KernelDistance`, in the unit of the points.
    """
    return mean_over_blocks(features_of(first), features_of(second), unbiased_energy, seed)


def unbiased_energy(x, y):
    """The unbiased estimate from two arrays (n, d) and (m, d): float."""
    x, y = np.asarray(x, "float64"), np.asarray(y, "float64")
    # A point paired with itself tells nothing of how points differ: that would be the bias.
    within = sum(_sum_of_distances(z, z) / (len(z) * (len(z) - 1)) for z in (x, y))
    return 2 * _sum_of_distances(x, y) / (len(x) * len(y)) - within


def _sum_of_distances(x, y):
    parts = [x[start : start + ROWS] for start in range(0, len(x), ROWS)]
    return float(sum(np.sqrt(np.square(part[:, None] - y).sum(axis=-1)).sum() for part in parts))
