"""The area under the ROC curve against scikit-learn and against all pairs, one by one."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gdl_keras.errors import InputError
from gdl_keras.metrics.ranking import auroc


@pytest.mark.parametrize("levels", [2, 5, 1000])
def test_against_scikit_learn_and_all_pairs(levels):
    """With few levels most scores are tied."""
    rng = np.random.default_rng(levels)
    is_positive = rng.random(200) < 0.3
    scores = rng.integers(0, levels, 200) + is_positive * levels // 3
    difference = scores[is_positive][:, None] - scores[~is_positive]
    by_pairs = ((difference > 0) + 0.5 * (difference == 0)).mean()
    assert auroc(scores, is_positive) == pytest.approx(by_pairs, rel=1e-12)
    assert auroc(scores, is_positive) == pytest.approx(roc_auc_score(is_positive, scores), rel=1e-12)
    assert auroc(-scores, is_positive) == pytest.approx(1 - by_pairs, rel=1e-12)


def test_perfect_upside_down_and_meaningless():
    is_positive = [False, False, True, True]
    assert auroc([1, 2, 3, np.inf], is_positive) == 1
    assert auroc([-np.inf, 3, -np.inf, -np.inf], is_positive) == 0.25
    assert auroc([4, 3, 2, 1], is_positive) == 0
    assert auroc([7, 7, 7, 7], is_positive) == 0.5


def test_bad_input_is_refused():
    for is_positive in ([True, True], [False, False]):
        with pytest.raises(InputError, match="one is empty"):
            auroc([1, 2], is_positive)
    with pytest.raises(InputError, match="not numbers"):
        auroc([1, np.nan], [True, False])
    with pytest.raises(InputError, match="one score an example"):
        auroc([1, 2, 3], [True, False])
