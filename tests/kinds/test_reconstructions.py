"""The distance of reconstructions: against the formula in NumPy, and of a codec that changes nothing."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from gdl_keras.kinds.base import halves
from gdl_keras.kinds.reconstructions import reconstruction_distance


class Table:
    num_examples, image_shape, class_names = 400, (16, 16, 1), None
    images = np.random.default_rng(0).uniform(0, 1, (400, 16, 16, 1)).astype("float32")

    def rows(self, column, indices):
        return self.images[indices]


class Means:
    """Features of an image: the means of its four quarters."""

    kind = "classifier"

    def __call__(self, images):
        return np.asarray(images).reshape(len(images), 2, 8, 2, 8).mean(axis=(2, 4)).reshape(-1, 4)

    def features_and_probabilities(self, images):
        return self(images), np.full((len(images), 2), 0.5, "float32")


class Codec:
    def __init__(self, factor):
        self.factor = factor

    def predict(self, images, verbose):
        return self.factor * images


def distance(x, y):
    covariances = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = sqrtm(covariances[0] @ covariances[1]).real
    return np.square(x.mean(0) - y.mean(0)).sum() + np.trace(covariances[0] + covariances[1] - 2 * root)


@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_against_the_formula(factor):
    [(name, result)] = reconstruction_distance(Codec(factor), Table(), seed=1, extractor=Means()).items()
    first, second = (Means()(Table.images[half]).astype("float64") for half in halves(400, 5000, 1))
    assert name == "frechet_classifier_distance"
    assert result["value"] == pytest.approx(distance(factor * first, second), rel=1e-3, abs=1e-7)
    assert result["floor"] == pytest.approx(distance(first, second), rel=1e-3, abs=1e-7)


def test_too_few_images_have_none():
    assert reconstruction_distance(Codec(1.0), Table(), n=5, extractor=Means()) == {}
