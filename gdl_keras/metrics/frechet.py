"""The Fréchet distance: how far apart two sets of images are, each seen as one normal distribution of features.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2)              (Dowson & Landau 1982; Heusel et al. 2017)

It falls when images look right and when they are of all kinds.  It is biased: fewer images give a larger number, so
compare numbers of equal counts alone (Bińkowski et al. 2018, section 3).
"""

import numpy as np

from gdl_keras.errors import InputError
from gdl_keras.metrics.extractors import features_of


class Moments:
    """Mean and covariance of features that come in batches; memory does not grow with their number.

    Attributes:
        count: int, rows so far.
        mean: float64 array (d,).
    """

    def __init__(self):
        self.count = 0
        self.mean = 0.0
        self._scatter = 0.0

    def update(self, features):
        """Adds features, float array (n, d), by the rule for two groups a and b (Chan, Golub & LeVeque 1983).

        scatter = scatter_a + scatter_b + d d^T n_a n_b / (n_a + n_b),      d = mean_b - mean_a
        """
        features = np.asarray(features, "float64")
        if not len(features):
            return
        mean = features.mean(axis=0)
        centred = features - mean
        total = self.count + len(features)
        shift = mean - self.mean
        # Squares of large means never meet each other: no digits are lost where features lie far from zero.
        self._scatter = (
            self._scatter + centred.T @ centred + np.outer(shift, shift) * (self.count * len(features) / total)
        )
        self.mean = self.mean + shift * (len(features) / total)
        self.count = total

    @property
    def covariance(self):
        """float64 array (d, d), the sum of products divided by count - 1.

        Raises:
            InputError: there are fewer than two rows.
        """
        if self.count < 2:
            raise InputError(f"A covariance takes at least 2 images, not {self.count}.")
        return self._scatter / (self.count - 1)


def moments(batches, extractor=None):
    """`Moments` of an array of images, or of an iterable of such arrays, which is read once.

    Args:
        batches: images (n, height, width, channels) in [0, 1]; without an extractor, features (n, d).
        extractor: function, images -> features.
    """
    result = Moments()
    for batch in [batches] if isinstance(batches, np.ndarray) else batches:
        result.update(features_of(batch, extractor))
    return result


def frechet_distance(first, second, extractor=None):
    """The Fréchet distance of two sets of images.

    Args:
        first, second: each as in `moments`, or the `Moments` themselves.
        extractor: function, images -> features.

    Returns:
        float, at least 0, in squared units of the features.

    Raises:
        InputError: there are fewer than two images, or the features differ in number.
    """
    first, second = (x if isinstance(x, Moments) else moments(x, extractor) for x in (first, second))
    if np.shape(first.mean) != np.shape(second.mean):
        raise InputError(f"Features of {np.shape(first.mean)} and {np.shape(second.mean)} numbers do not compare.")
    # With C = R R^T the last trace is the sum of the singular values of R1^T R2.  They keep the digits that
    # square roots of the eigenvalues of a product lose where covariances are singular.
    first_root, second_root = _root(first.covariance), _root(second.covariance)
    overlap = np.linalg.svd(first_root.T @ second_root, compute_uv=False).sum()
    spread = np.square(first_root).sum() + np.square(second_root).sum()
    return float(max(0.0, np.square(first.mean - second.mean).sum() + spread - 2 * overlap))


def _root(covariance):
    # (d, rank); eigenvalues that are no more than rounding are left out.
    values, vectors = np.linalg.eigh(covariance)
    kept = values > len(values) * np.finfo(float).eps * values[-1]
    return vectors[:, kept] * np.sqrt(values[kept])
