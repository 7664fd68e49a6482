"""The Inception Score against scipy's divergence and its two extremes."""

import numpy as np
import pytest
from scipy.stats import entropy

from gdl_keras import data
from gdl_keras.errors import InputError
from gdl_keras.metrics import JudgeExtractor, inception_score


def test_against_the_divergence_of_scipy():
    p = np.random.default_rng(0).dirichlet(np.full(7, 0.3), 200)
    expected = np.exp(np.mean([entropy(row, p.mean(axis=0)) for row in p]))
    assert inception_score(p) == pytest.approx(expected, rel=1e-10)


def test_an_extractor_gives_the_probabilities():
    images = data.load("fashion_mini", "test", image_size=28).sample(30)
    judge = JudgeExtractor("fashion")
    _, probabilities = judge.features_and_probabilities(images)
    assert inception_score(images, judge) == inception_score(probabilities) > 3


def test_the_extremes():
    """Certain and all of ten classes: 10.  The same answer for every image, certain or not: 1."""
    assert inception_score(np.eye(10)[np.arange(50) % 10]) == pytest.approx(10)
    assert inception_score(np.eye(10)[np.zeros(50, int)]) == pytest.approx(1)
    assert inception_score(np.full((50, 10), 0.1)) == pytest.approx(1)


@pytest.mark.parametrize("wrong", [np.ones((3, 4)), np.zeros((0, 4)), np.full(4, 0.25), [[1.5, -0.5]]])
def test_what_are_no_probabilities_is_refused(wrong):
    with pytest.raises(InputError, match="probabilities"):
        inception_score(wrong)
