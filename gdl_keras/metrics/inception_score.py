"""The Inception Score: does each image look like one class, and do all together show many?"""

import numpy as np

from gdl_keras.errors import InputError


def inception_score(probabilities, extractor=None):
    """exp E_x KL(p(y|x) || p(y)), p(y) the mean over images (Salimans et al. 2016, section 4).

    It never looks at real images: one perfect picture of each class reaches the most, the number of classes.  Of
    another classifier than InceptionV3 it is a score of that classifier alone.

    Args:
        probabilities: float array (n, number of classes), rows that sum to 1; or
            images, float array (n, height, width, channels) in [0, 1], with
        extractor: an `Extractor`, whose probabilities are taken.

    Returns:
        float, from 1 to the number of classes.

    Raises:
        InputError: these are not probabilities.
    """
    if extractor is not None:
        _, probabilities = extractor.features_and_probabilities(probabilities)
    p = np.asarray(probabilities, "float64")
    if p.ndim != 2 or not len(p) or not np.allclose(p.sum(axis=1), 1, atol=1e-3) or (p < 0).any():
        raise InputError("The score takes one row of probabilities an image, each with the sum 1.")
    divergences = _p_log_p(p).sum(axis=1).mean() - _p_log_p(p.mean(axis=0)).sum()
    return float(np.exp(divergences))


def _p_log_p(p):
    return p * np.log(np.where(p > 0, p, 1))
