"""The histogram as a density: against counts by numpy."""

import numpy as np
import pytest

from gdl_keras.errors import InputError
from gdl_keras.models import Histogram


def grid(limits=((-6, 6), (-6, 6)), count=400):
    """Middles of equal cells, float64 (count ** 2, 2), and the area of one."""
    x, y = (low + (np.arange(count) + 0.5) * (high - low) / count for low, high in limits)
    area = np.prod([(high - low) / count for low, high in limits])
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2), area


def counted(points, bins=8, smoothing=1.0):
    model = Histogram((-4, -4), (4, 4), bins, smoothing, seed=1)
    model.compile(None)
    model.fit(points, batch_size=len(points), verbose=0)
    return model


def test_counts_are_those_of_numpy(cloud):
    model = counted(cloud)
    expected, *_ = np.histogram2d(*cloud.T.astype("float64"), bins=8, range=((-4, 4), (-4, 4)))
    np.testing.assert_array_equal(model.counts.numpy().reshape(8, 8), expected)


def test_its_density_is_the_share_of_the_cell_over_its_area(cloud):
    nats = counted(cloud, smoothing=0.5).negative_log_likelihood
    cells, *_ = np.histogram2d(*cloud.T.astype("float64"), bins=8, range=((-4, 4), (-4, 4)))
    points, area = grid(((-4, 4), (-4, 4)), 8)
    density = np.exp(-nats(points)).reshape(8, 8).T  # the grid's rows are y
    np.testing.assert_allclose(density, (cells + 0.5 / 64) / (cells.sum() + 0.5) / area, rtol=1e-5)
    assert density.sum() * area == pytest.approx(1, rel=1e-5)
    assert np.isinf(nats([[4.1, 0], [0, -4.1]])).all()
    assert np.isfinite(nats([[4.0, 4.0], [-4.0, -4.0]])).all()  # the corners belong to the box


def test_no_other_density_that_is_flat_in_each_cell_is_likelier(cloud):
    model = counted(cloud, smoothing=1e-6)
    best = model.negative_log_likelihood(cloud).mean()
    counts = model.counts.numpy()
    rng = np.random.default_rng(0)
    for _ in range(20):
        changed = counts * rng.uniform(0.8, 1.25, counts.shape)
        model.counts.assign(changed)
        assert model.negative_log_likelihood(cloud).mean() > best


def test_a_batch_is_scored_before_it_is_counted(cloud):
    model = Histogram((-4, -4), (4, 4), 8, seed=1)
    model.compile(None)
    history = model.fit(cloud, batch_size=len(cloud), epochs=2, verbose=0, shuffle=False).history["loss"]
    assert history[0] == pytest.approx(np.log(64), rel=1e-6)  # flat over 8 x 8
    assert history[1] == pytest.approx(counted(cloud).negative_log_likelihood(cloud).mean(), rel=1e-5)


def test_a_box_around_points_has_room_on_all_sides(cloud):
    model = Histogram.around(cloud, 4)
    np.testing.assert_allclose(model.low, cloud.min(axis=0) - 0.25 * np.ptp(cloud, axis=0), rtol=1e-5)
    np.testing.assert_allclose(model.high, cloud.max(axis=0) + 0.25 * np.ptp(cloud, axis=0), rtol=1e-5)


@pytest.mark.parametrize("wrong", [{"low": (0, 5)}, {"bins": 0}, {"smoothing": 0}, {"low": (0,)}])
def test_a_histogram_that_cannot_be_is_refused(wrong):
    with pytest.raises(InputError):
        Histogram(**{"low": (0, 0), "high": (1, 1), **wrong})
