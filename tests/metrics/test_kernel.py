"""The kernel distance against scikit-learn's kernel and its own expectation in closed form."""

import numpy as np
import pytest
from sklearn.metrics.pairwise import polynomial_kernel

from gdl_keras.errors import InputError
from gdl_keras.metrics import kernel_distance
from gdl_keras.metrics.kernel import squared_mean_discrepancy


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_one_block_against_scikit_learn(rng):
    x, y = rng.normal(size=(30, 5)), rng.normal(0.3, 1.2, (20, 5))
    off_diagonal = [
        polynomial_kernel(z, degree=3, gamma=1 / 5, coef0=1)[~np.eye(len(z), dtype=bool)].mean() for z in (x, y)
    ]
    expected = sum(off_diagonal) - 2 * polynomial_kernel(x, y, degree=3, gamma=1 / 5, coef0=1).mean()
    assert squared_mean_discrepancy(x, y) == pytest.approx(expected, rel=1e-10)


def test_two_normals_in_one_dimension(rng):
    """(xy + 1)^3 compares raw moments: 3 (a - a')^2 + 3 (b - b')^2 + (c - c')^2.  Those of N(m, 1) are a = m,
    b = 1 + m^2 and c = m^3 + 3m."""
    shift = 0.4
    expected = 3 * shift**2 + 3 * shift**4 + (shift**3 + 3 * shift) ** 2
    distance = kernel_distance(rng.normal(0, 1, (20_000, 1)), rng.normal(shift, 1, (20_000, 1)))
    assert distance.blocks == 20
    assert distance.standard_error < 0.1 * expected
    assert abs(distance.value - expected) < 5 * distance.standard_error


def test_it_is_unbiased_and_its_standard_error_is_the_spread(rng):
    """Of 200 distances of equal distributions the mean is 0, within 4 of its standard errors."""
    results = [kernel_distance(*rng.normal(size=(2, 60, 4))) for _ in range(200)]
    values = np.array([result.value for result in results])
    assert abs(values.mean()) < 4 * values.std() / np.sqrt(200)
    claimed = np.sqrt(np.mean([result.standard_error**2 for result in results]))
    assert claimed == pytest.approx(values.std(), rel=0.2)


def test_images_go_through_the_extractor(rng):
    x, y = rng.uniform(size=(2, 40, 4, 4, 1))

    def flatten(images):
        return images.reshape(len(images), -1)

    assert kernel_distance(x, y, flatten) == kernel_distance(flatten(x), flatten(y))


def test_a_set_sorted_by_class_is_no_different(rng):
    """Without shuffling, each block would compare one class with another."""
    x = rng.normal(size=(1000, 1)) + np.repeat([-5, 5], 500)[:, None]
    distance = kernel_distance(x, -x)
    assert abs(distance.value) < 5 * distance.standard_error


def test_too_few_images_are_refused(rng):
    with pytest.raises(InputError, match="4 examples on each side, and there are 3"):
        kernel_distance(rng.normal(size=(3, 2)), rng.normal(size=(40, 2)))


def test_few_images_make_fewer_blocks(rng):
    """Still without bias, and with a standard error that is about right."""
    results = [kernel_distance(*rng.normal(size=(2, 12, 4))) for _ in range(400)]
    assert {result.blocks for result in results} == {6}
    values = np.array([result.value for result in results])
    assert abs(values.mean()) < 4 * values.std() / np.sqrt(400)
    claimed = np.sqrt(np.mean([result.standard_error**2 for result in results]))
    assert claimed == pytest.approx(values.std(), rel=0.3)
