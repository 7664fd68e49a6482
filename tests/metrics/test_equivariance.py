"""The measures of equivariance: against pictures that are known everywhere, and networks that are exactly it or not."""

import numpy as np
import pytest

from gdl_keras.metrics.equivariance import (
    both_grids,
    common_polygon,
    decibels,
    moved,
    resampled,
    rotation_equivariance,
    translation_equivariance,
)

SIZE = 40


def back(angle):
    """Where places of a picture come from that was turned against the clock, with y down."""
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def picture(x, y):
    """A smooth one that is different in every direction, x and y in images."""
    return 0.5 + 0.2 * np.sin(2 * np.pi * (3 * x + y) + 0.3) + 0.2 * np.cos(2 * np.pi * (2 * y - 1.5 * x))


def seen_through(transform):
    """The picture as a network makes it that is exactly equivariant: (1, SIZE, SIZE, 1)."""
    places = (np.arange(SIZE) - (SIZE - 1) / 2) / SIZE
    x, y = np.meshgrid(places, places)
    x, y, _ = np.einsum("ij,jyx->iyx", np.asarray(transform, "float64"), np.stack([x, y, np.ones_like(x)]))
    return picture(x, y)[None, :, :, None]


def test_what_is_exactly_equivariant_is_found_to_be_so():
    """Limited by how well pixels are read between: Lanczos' window is three pixels wide."""
    assert translation_equivariance(seen_through, 4, SIZE) > 120
    assert translation_equivariance(seen_through, 4, SIZE, whole=False) > 50
    assert rotation_equivariance(seen_through, 3, SIZE) > 60


def test_what_stands_still_is_found_to_stand_still():
    """Images of independent noise of deviation s differ by 2 s^2."""
    noise = np.random.default_rng(0).normal(0.5, 0.1, (3, SIZE, SIZE, 1))
    assert translation_equivariance(lambda transform: noise, 4, SIZE) == pytest.approx(-10 * np.log10(0.02), abs=0.5)
    assert rotation_equivariance(lambda transform: noise, 3, SIZE) < 25


def test_a_turn_the_wrong_way_round_is_none():
    def wrong(transform):
        return seen_through(np.linalg.inv(transform))

    assert rotation_equivariance(wrong, 3, SIZE) < 25
    assert translation_equivariance(wrong, 4, SIZE) < 25


def test_whole_shifts_are_numpys():
    images = np.random.default_rng(0).uniform(size=(2, 8, 10, 3))
    found, known = moved(images, 2, -3)
    rolled = np.roll(images, (-3, 2), axis=(1, 2))
    np.testing.assert_allclose(found[:, known], rolled[:, known], atol=1e-12)
    assert known.sum() == 5 * 8


def test_parts_of_a_pixel_are_the_picture_between():
    still = seen_through(np.eye(3))
    found, known = moved(still, 0.3, -1.6)
    wanted = seen_through([[1, 0, -0.3 / SIZE], [0, 1, 1.6 / SIZE], [0, 0, 1]])
    np.testing.assert_allclose(found[:, known], wanted[:, known], atol=5e-3)
    assert known.any() and not known.all()


def test_turned_pictures_are_the_picture_turned():
    transform = np.eye(3)
    transform[:2, :2] = back(0.7)
    found, known = resampled(seen_through(np.eye(3)), back(0.7), back(0.7))
    np.testing.assert_allclose(found[:, known], seen_through(transform)[:, known], atol=2e-3)
    same, known = resampled(seen_through(transform), np.eye(2), back(0.7))
    np.testing.assert_allclose(same[:, known], seen_through(transform)[:, known], atol=2e-3)


@pytest.mark.parametrize("direction", [33.75, 56.25])
def test_what_the_turned_grid_cannot_hold_is_taken_out(direction):
    """Two waves that the grid holds, mirror images of each other; of the turned grid one is beyond the limit."""
    turn = back(np.pi / 8)
    frequency = 0.555 * np.array([np.cos(np.radians(direction)), np.sin(np.radians(direction))])
    x, y = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    wave = np.cos(2 * np.pi * (frequency[0] * x + frequency[1] * y))[None, :, :, None]
    found, known = resampled(wave, turn, turn)
    share = found[:, known].std() / wave.std()
    assert share > 0.65 if abs(turn.T @ frequency).max() < 0.5 else share < 0.35


def test_the_filter_is_the_integral_over_what_both_grids_hold():
    points = np.array([[0.3, -1.2], [2.0, 0.0], [0.0, 0.0], [1.1, 1.7]])
    np.testing.assert_allclose(both_grids(points, np.eye(2)), np.sinc(points).prod(axis=-1), atol=1e-12)
    turn = back(0.5)
    places = (np.arange(800) + 0.5) / 800 - 0.5
    f, g = np.meshgrid(places, places)
    turned = np.stack([f, g], axis=-1) @ turn  # R^T f
    is_in = (np.abs(turned) <= 0.5).all(axis=-1)
    for point, found in zip(points, both_grids(points, turn)):
        wanted = np.mean(np.where(is_in, np.cos(2 * np.pi * (f * point[0] + g * point[1])), 0))
        assert found == pytest.approx(wanted, abs=1e-3)


def test_two_squares_have_an_octagon_in_common():
    assert len(common_polygon(np.eye(2))) == 4
    corners = common_polygon(back(np.pi / 4))
    assert len(corners) == 8
    np.testing.assert_allclose(np.hypot(*corners.T), np.hypot(0.5, 0.5 * (np.sqrt(2) - 1)), atol=1e-12)


def test_decibels():
    assert decibels([1e-4, 3e-4]) == pytest.approx(-10 * np.log10(2e-4))
