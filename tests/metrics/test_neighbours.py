"""Precision, recall, density and coverage against scikit-learn's neighbours and scipy's distances."""

import tracemalloc

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from gdl_keras.errors import InputError
from gdl_keras.metrics import density_coverage, neighbours, precision_recall


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def radii(x, k):
    """Distance to the k-th neighbour, itself not counted, by a tree that takes real differences."""
    return NearestNeighbors(n_neighbors=k + 1, algorithm="kd_tree").fit(x).kneighbors(x)[0][:, -1]


@pytest.mark.parametrize("k", [1, 3, 5])
def test_against_neighbours_and_distances_of_others(rng, monkeypatch, k):
    monkeypatch.setattr(neighbours, "ROWS", 7)  # several blocks, the last one not full
    reals, samples = rng.normal(size=(60, 4)), rng.normal(0.5, 0.8, (45, 4))
    distances = cdist(reals, samples)
    in_real, in_sampled = distances <= radii(reals, k)[:, None], distances <= radii(samples, k)
    assert precision_recall(reals, samples, k=k) == pytest.approx(
        (in_real.any(axis=0).mean(), in_sampled.any(axis=1).mean())
    )
    assert density_coverage(reals, samples, k=k) == pytest.approx(
        (in_real.sum() / (k * 45), in_real.any(axis=1).mean())
    )


def test_on_a_line_by_hand():
    """Balls of k = 1 around 0, 1, 3, 7 reach 1, 1, 2, 4 far; those around 2, 20, 21 reach 18, 1, 1."""
    reals, samples = np.array([[0.0], [1], [3], [7]]), np.array([[2.0], [20], [21]])
    assert precision_recall(reals, samples, k=1) == (pytest.approx(1 / 3), 1.0)
    assert density_coverage(reals, samples, k=1) == (pytest.approx(2 / 3), 0.5)


def test_a_collapsed_generator_is_precise_and_recalls_nothing(rng):
    reals = 1000 + rng.normal(size=(100, 8))
    samples = np.repeat(reals[:1], 50, axis=0)
    precision, recall = precision_recall(reals, samples)
    assert (precision, recall) == (1.0, 0.01)
    assert density_coverage(reals, samples).coverage < 0.2


def test_copies_lie_within_balls_without_extent(rng):
    """Four equal real images have balls of radius 0, all of which hold a copy: rounding must not push it out."""
    reals = np.repeat(1e3 + rng.normal(size=(25, 300)), 4, axis=0)
    for copy in reals[::4]:
        assert density_coverage(reals, copy[None], k=3) == (pytest.approx(4 / 3), 0.04)


def test_equal_distributions_have_equal_precision_and_recall_and_a_density_of_one(rng):
    reals, samples = rng.normal(size=(2, 2000, 4))
    precision, recall = precision_recall(reals, samples)
    assert precision == pytest.approx(recall, abs=0.03)
    assert density_coverage(reals, samples).density == pytest.approx(1, abs=0.05)


def test_memory_stays_far_below_all_distances(rng):
    reals, samples = rng.normal(size=(2, 5000, 4))
    for measure in (precision_recall, density_coverage):
        tracemalloc.start()
        measure(reals, samples)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 5000 * 5000 * 8 / 3


def test_too_few_images_are_refused(rng):
    with pytest.raises(InputError, match="more than 3 images, and there are 3"):
        precision_recall(rng.normal(size=(3, 2)), rng.normal(size=(9, 2)))


def test_the_nearest_of_examples_that_come_in_parts_are_those_of_scikit_learn(rng):
    samples, examples = rng.random((5, 4, 3, 2)), rng.random((50, 4, 3, 2))
    examples[31] = examples[7]  # of two equal ones the first comes first
    samples[0] = examples[7]
    found = neighbours.nearest_examples(samples, (examples[start : start + 9] for start in range(0, 50, 9)), 4)
    by_hand = NearestNeighbors(n_neighbors=4).fit(examples.reshape(50, -1)).kneighbors(samples.reshape(5, -1))[1]
    np.testing.assert_array_equal(found[1:], by_hand[1:])
    np.testing.assert_array_equal(found[0, :2], [7, 31])
    with pytest.raises(InputError, match="There are 3 examples, and the 4 nearest"):
        neighbours.nearest_examples(samples, [examples[:3]], 4)
