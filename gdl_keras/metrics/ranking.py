"""How well a score tells two groups apart."""

import numpy as np

from gdl_keras.errors import InputError


def auroc(scores, is_positive):
    """The area under the ROC curve: how probably a positive example has the higher score of a random pair.

        (sum of the positives' ranks - p (p + 1) / 2) / (p q)       p positives, q negatives; equal scores share a rank

    1 is a perfect order, 0.5 what a score without meaning gets, 0 the perfect order upside down.  Equal scores count
    half.  This is the statistic of Mann & Whitney 1947, divided by the number of pairs (Hanley & McNeil 1982).

    Args:
        scores: float array (n,).
        is_positive: bool array (n,), which examples should have the high scores.

    Returns:
        float in [0, 1].

    Raises:
        InputError: there are no positive or no negative examples, the lengths differ, or a score is not a number.
    """
    scores, is_positive = np.asarray(scores, "float64"), np.asarray(is_positive, bool)
    if scores.ndim != 1 or scores.shape != is_positive.shape:
        raise InputError(f"auroc takes one score an example, not {scores.shape} for {is_positive.shape} examples.")
    if np.isnan(scores).any():
        raise InputError("Some scores are not numbers: leave those examples out.")
    positives = int(is_positive.sum())
    negatives = len(scores) - positives
    if not positives or not negatives:
        raise InputError(f"auroc compares two groups, and one is empty: {positives} positive, {negatives} negative.")
    ranks = _ranks(scores)
    return float((ranks[is_positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def _ranks(values):
    # From 1 up; equal values share the mean of the ranks that they take up together.
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(sizes) - (sizes - 1) / 2)[group]
