"""The Fréchet distance against scipy's matrix root and closed forms, and that it sees what is wrong with images."""

import tracemalloc

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.ndimage import gaussian_filter

from gdl_keras import data
from gdl_keras.errors import InputError
from gdl_keras.metrics import JudgeExtractor, Moments, extrapolated_frechet_distance, frechet_distance, moments


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def features(rng, n, d):
    """Correlated features with a mean of their own."""
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d)


def test_against_the_matrix_root_of_the_product(rng):
    x, y = features(rng, 200, 7), features(rng, 150, 7)
    c, d = np.cov(x.T), np.cov(y.T)
    expected = np.square(x.mean(axis=0) - y.mean(axis=0)).sum() + np.trace(c + d - 2 * sqrtm(c @ d).real)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(y, x) == pytest.approx(expected, rel=1e-9)


def test_diagonal_covariances_have_a_closed_form(rng):
    """|m - m'|^2 + sum (s - s')^2; the 10 points m + s_i e_i and m - s_i e_i have the variances 2 s_i^2 / 9."""
    (m, m2), (s, s2) = rng.normal(size=(2, 5)), rng.uniform(0.1, 2, (2, 5))
    x, y = (mean + np.concatenate([np.diag(stddev), -np.diag(stddev)]) for mean, stddev in ((m, s), (m2, s2)))
    expected = np.square(m - m2).sum() + np.square(s - s2).sum() * 2 / 9
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-12)


def test_no_distance_from_itself(rng):
    x = features(rng, 100, 20)
    assert 0 <= frechet_distance(x, x) < 1e-10 * np.cov(x.T).trace()
    assert 0 <= frechet_distance(x, x[::-1]) < 1e-10 * np.cov(x.T).trace()


def test_singular_covariances_cost_no_digits(rng):
    """Turned into a space of 60 dimensions, features keep their distance; there their covariances have rank 6."""
    x, y = features(rng, 50, 6), features(rng, 40, 6)
    turn = np.linalg.qr(rng.normal(size=(60, 6)))[0].T
    assert frechet_distance(x @ turn, y @ turn) == pytest.approx(frechet_distance(x, y), rel=1e-11)


def test_fewer_images_than_features_cost_no_digits(rng):
    """With C = R^T R, R the centred features, the trace is the sum of the singular values of R1 R2^T, with no root."""
    x, y = rng.normal(size=(10, 30)), rng.normal(size=(100, 30))
    roots = [(z - z.mean(axis=0)) / np.sqrt(len(z) - 1) for z in (x, y)]
    overlap = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    expected = np.square(x.mean(axis=0) - y.mean(axis=0)).sum()
    expected += sum(np.square(root).sum() for root in roots) - 2 * overlap
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-12)


def test_moments_are_the_same_whatever_the_batches(rng):
    x = features(rng, 101, 4)
    for sizes in ([101], [1, 100], [40, 0, 60, 1], [1] * 101):
        parts = np.split(x, np.cumsum(sizes)[:-1])
        streamed = moments(iter(parts))
        assert streamed.count == 101
        np.testing.assert_allclose(streamed.mean, x.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(streamed.covariance, np.cov(x.T), rtol=1e-10)


def test_moments_far_from_zero(rng):
    """Here a mean of squares minus a squared mean has lost every digit: 10^16 has none left for 1."""
    x = 1e8 + rng.normal(size=(1000, 3))
    streamed = moments(np.array_split(x, 13))
    np.testing.assert_allclose(streamed.covariance, np.cov(x.T), rtol=1e-6)


def test_memory_does_not_grow_with_the_number_of_images():
    def batches(count):
        for seed in range(count):
            yield np.random.default_rng(seed).normal(size=(1000, 20))

    peaks = []
    for count in (5, 50):
        tracemalloc.start()
        moments(batches(count))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]


def test_few_images_of_one_place_are_far_apart(rng):
    """175 points in 96 dimensions: d (d + 1) / (2 n) + 2 d / n = 27.7."""
    distances = [frechet_distance(*rng.normal(size=(2, 175, 96))) for _ in range(5)]
    assert np.mean(distances) == pytest.approx(96 * 97 / 350 + 2 * 96 / 175, rel=0.05)


def test_extrapolation_finds_the_distance_of_infinitely_many(rng):
    """Normal distributions of 96 dimensions: 96 (0.2^2 + 0.3^2) apart, where the plain distance is three times that."""
    for count, tolerance in ((192, 1.2), (500, 0.6)):
        pairs = [(rng.normal(size=(count, 96)), 0.3 + 1.2 * rng.normal(size=(count, 96))) for _ in range(6)]
        extrapolated = np.mean([extrapolated_frechet_distance(x, y) for x, y in pairs])
        assert extrapolated == pytest.approx(96 * (0.2**2 + 0.3**2), abs=tolerance)
        same = [extrapolated_frechet_distance(x, rng.normal(size=x.shape)) for x, _ in pairs]
        assert np.mean(same) == pytest.approx(0, abs=tolerance)
    assert np.mean([frechet_distance(x, y) for x, y in pairs]) > 1.8 * extrapolated


def test_extrapolation_wants_two_images_a_feature(rng):
    x = rng.normal(size=(20, 10))
    assert np.isfinite(extrapolated_frechet_distance(x, x[::-1]))
    with pytest.raises(InputError, match="takes 20 images, and there are 19"):
        extrapolated_frechet_distance(x, x[:19])


@pytest.fixture(scope="module")
def garments():
    """Test images of `fashion_mini` in random order, their labels, and the judge."""
    test = data.load("fashion_mini", "test", image_size=32)
    order = np.random.default_rng(0).permutation(test.num_images)
    return test.images(order), test.labels[order], JudgeExtractor("fashion")


def test_it_rises_from_the_floor_with_blur_with_noise_and_without_a_class(garments):
    images, labels, judge = garments
    reals, others = images[:500], images[500:]
    reference = moments(reals, judge)
    floor = frechet_distance(reference, others, judge)
    noise = np.random.default_rng(0).normal(size=others.shape).astype("float32")
    for spoil in (
        lambda strength: gaussian_filter(others, (0, strength, strength, 0)),
        lambda strength: np.clip(others + 0.2 * strength * noise, 0, 1),
    ):
        distances = [frechet_distance(reference, spoil(strength), judge) for strength in (0.5, 1.0, 2.0)]
        assert floor < distances[0] < distances[1] < distances[2]
    # The same number of images without bags and with them: fewer images alone would be farther, too.
    kept = others[labels[500:] != 8][:440]
    assert frechet_distance(reference, kept, judge) > 1.5 * frechet_distance(reference, others[:440], judge)


def test_what_cannot_be_compared_is_explained(rng):
    x = features(rng, 10, 3)
    with pytest.raises(InputError, match="at least 2 images, not 1"):
        frechet_distance(x[:1], x)
    with pytest.raises(InputError, match="at least 2 images, not 0"):
        Moments().covariance  # noqa: B018
    with pytest.raises(InputError, match="do not compare"):
        frechet_distance(x, x[:, :2])
    with pytest.raises(InputError, match="not finite"):
        frechet_distance(x, np.where(x == x.max(), np.nan, x))
    with pytest.raises(InputError, match="one row an image"):
        frechet_distance(np.zeros((3, 8, 8, 1)), x)
