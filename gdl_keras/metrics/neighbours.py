"""Are the samples where real images are, and are they everywhere there?  Asked of each image's nearest neighbours.

Around every image of a set lies a ball that reaches to its k-th nearest neighbour of that set; the balls together stand
for the region that the set fills.

- precision, recall: the share of samples within the real region, and of real images within the samples' region
  (Kynkäänniemi et al. 2019, section 2);
- density, coverage: how many real balls hold a sample, on average and divided by k, and the share of real balls that
  hold any (Naeem et al. 2020, section 3).  Real balls alone are asked: outliers among the samples do no harm.

The features are held in memory, in float64, and 512 rows of distances at a time.
"""

from typing import NamedTuple

import numpy as np

from gdl_keras.errors import InputError
from gdl_keras.metrics.extractors import features_of

ROWS = 512
# Squared distances below this share of the squared lengths are what rounding leaves between equal rows.
ROUNDING = 1e-13


class PrecisionRecall(NamedTuple):
    """Attributes: precision, recall: float in [0, 1]."""

    precision: float
    recall: float


class DensityCoverage(NamedTuple):
    """Attributes: density: float, near 1 for real images, possibly above; coverage: float in [0, 1]."""

    density: float
    coverage: float


def precision_recall(reals, samples, extractor=None, *, k=3):
    """Precision and recall of samples.

    Args:
        reals, samples: images (n, height, width, channels) in [0, 1]; without an extractor, features (n, d).
        extractor: function, images -> features.
        k: int, which neighbour a ball reaches to; by default the paper's.

    Returns:
        a `PrecisionRecall`.

    Raises:
        InputError: a set has too few images for a k-th neighbour.
    """
    reals, samples = _prepared(reals, samples, extractor)
    real_radii, sample_radii = _squared_radii(reals, k), _squared_radii(samples, k)
    within_real, within_sampled = np.zeros(len(samples), bool), np.zeros(len(reals), bool)
    for rows, distances in _squared_distances(samples, reals):
        within_real[rows] = (distances <= real_radii).any(axis=1)
        within_sampled |= (distances <= sample_radii[rows, None]).any(axis=0)
    return PrecisionRecall(float(within_real.mean()), float(within_sampled.mean()))


def density_coverage(reals, samples, extractor=None, *, k=5):
    """Density and coverage of samples.

    Args, errors as in `precision_recall`; by default k is this paper's.

    Returns:
        a `DensityCoverage`.
    """
    reals, samples = _prepared(reals, samples, extractor)
    radii = _squared_radii(reals, k)
    pairs, covered = 0, np.zeros(len(reals), bool)
    for _, distances in _squared_distances(samples, reals):
        inside = distances <= radii
        pairs += int(np.count_nonzero(inside))
        covered |= inside.any(axis=0)
    return DensityCoverage(pairs / (k * len(samples)), float(covered.mean()))


def nearest_distances(samples, reals):
    """How far each sample is from the nearest real one: float64 array (n,).

    Args:
        samples, reals: features (n, d) and (m, d).
    """
    reals, samples = _prepared(reals, samples, None)
    parts = [distances.min(axis=1) for _, distances in _squared_distances(samples, reals)]
    return np.sqrt(np.maximum(np.concatenate(parts), 0))


def nearest_examples(samples, parts, k):
    """Which examples lie nearest to each sample: int array (n, k), their numbers, the nearest first.

    Args:
        samples: array (n, ...), such as images; distances are those of all their numbers.
        parts: iterable of arrays (m, ...): the examples, part by part, so that they need not be in memory at once.
        k: int.

    Raises:
        InputError: there are fewer than k examples.
    """
    samples = np.asarray(samples, "float64").reshape(len(samples), -1)
    distances, numbers, before = np.empty((len(samples), 0)), np.empty((len(samples), 0), int), 0
    for part in parts:
        part = np.asarray(part, "float64").reshape(len(part), -1)
        to_part = np.concatenate([block for _, block in _squared_distances(samples, part)])
        distances = np.concatenate([distances, to_part], axis=1)
        part_numbers = np.broadcast_to(np.arange(before, before + len(part)), (len(samples), len(part)))
        numbers = np.concatenate([numbers, part_numbers], axis=1)
        nearest = np.argsort(distances, axis=1, kind="stable")[:, :k]
        distances, numbers = (np.take_along_axis(array, nearest, axis=1) for array in (distances, numbers))
        before += len(part)
    if before < k:
        raise InputError(f"There are {before} examples, and the {k} nearest are asked for.")
    return numbers


def _prepared(reals, samples, extractor):
    reals, samples = (np.asarray(features_of(images, extractor), "float64") for images in (reals, samples))
    # Around zero the lengths are short, and so the difference below loses few digits.
    centre = reals.mean(axis=0)
    return reals - centre, samples - centre


def _squared_radii(features, k):
    # An image is its own neighbour number 0.
    if len(features) <= k:
        raise InputError(f"A neighbour number {k} takes more than {k} images, and there are {len(features)}.")
    radii = np.empty(len(features))
    for rows, distances in _squared_distances(features, features):
        distances.partition(k, axis=1)
        radii[rows] = distances[:, k]
    return radii


def _squared_distances(x, y):
    """Pairs (slice of x, float64 array (rows, len(y)))."""
    x_lengths, y_lengths = np.square(x).sum(axis=1), np.square(y).sum(axis=1)
    for start in range(0, len(x), ROWS):
        rows = slice(start, start + ROWS)
        distances = x[rows] @ y.T
        distances *= -2
        distances += x_lengths[rows, None]
        distances += y_lengths
        # Equal rows have equal lengths, so one of the two says how much rounding there may be.
        distances[distances < ROUNDING * x_lengths[rows, None]] = 0
        yield rows, distances
