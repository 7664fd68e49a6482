"""The energy distance against scipy and against a loop; distances to the nearest example."""

import numpy as np
import pytest
from scipy import spatial, stats

from gdl_keras.errors import InputError
from gdl_keras.metrics.energy import energy_distance, unbiased_energy
from gdl_keras.metrics.neighbours import nearest_distances


def test_on_the_line_it_is_that_of_scipy():
    """Scipy's is the root of the estimate that counts pairs of a point with itself."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=700), 0.3 + 1.2 * rng.normal(size=600)
    with_pairs_of_one = stats.energy_distance(x, y) ** 2
    spreads = [spatial.distance.pdist(z[:, None]).mean() for z in (x, y)]
    correction = spreads[0] / len(x) + spreads[1] / len(y)
    assert unbiased_energy(x[:, None], y[:, None]) == pytest.approx(with_pairs_of_one - correction, rel=1e-9)


def test_in_the_plane_it_is_the_mean_over_pairs():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(30, 2)), rng.normal(size=(40, 2)) + 1
    between = spatial.distance.cdist(x, y).mean()
    within = spatial.distance.pdist(x).mean() + spatial.distance.pdist(y).mean()
    assert unbiased_energy(x, y) == pytest.approx(2 * between - within, rel=1e-12)


def test_without_bias_and_with_an_honest_error():
    """Of equal distributions the mean over many trials is 0, and the reported errors fit the spread."""
    rng = np.random.default_rng(2)
    distances = [energy_distance(*rng.normal(size=(2, 200, 2)), seed=trial) for trial in range(60)]
    values = np.array([distance.value for distance in distances])
    assert abs(values.mean()) < 4 * values.std() / 60**0.5
    errors = np.mean([distance.standard_error for distance in distances])
    assert 0.7 < errors / values.std() < 1.4
    shifted = energy_distance(rng.normal(size=(500, 2)), rng.normal(size=(500, 2)) + [1, 0])
    assert shifted.value > 5 * shifted.standard_error


def test_too_few_points_are_refused():
    with pytest.raises(InputError, match="needs 4 examples"):
        energy_distance(np.zeros((3, 2)), np.zeros((30, 2)))


def test_the_nearest_example_is_that_of_a_tree():
    rng = np.random.default_rng(3)
    samples, examples = rng.normal(size=(1100, 2)), rng.normal(size=(400, 2))
    expected, _ = spatial.cKDTree(examples).query(samples)
    np.testing.assert_allclose(nearest_distances(samples, examples), expected, atol=1e-7)
    np.testing.assert_array_equal(nearest_distances(examples[:5], examples), 0)
