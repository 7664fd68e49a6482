"""Geometry: what goes where, and the pixels against scipy."""

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
import tensorflow as tf

from gdl_keras.layers.augmentation.geometry import transformed, way_back
from gdl_keras.layers.augmentation.wavelets import SYM6, SYM6_CENTRE

NEUTRAL = {"scale": 1.0, "first": 0.0, "stretch": 1.0, "second": 0.0, "right": 0.0, "down": 0.0}


def matrices(**values):
    return way_back(**{name: tf.constant([value]) for name, value in {**NEUTRAL, **values}.items()})


def changed(image, **values):
    """One image (height, width), transformed."""
    return np.asarray(transformed(tf.constant(image[None, :, :, None], tf.float32), matrices(**values)))[0, :, :, 0]


def blob(size, x, y, width=2.0):
    """A smooth spot, x to the right and y down from the centre."""
    places = np.arange(size) - (size - 1) / 2
    return np.exp(-((places - x) ** 2 + (places[:, None] - y) ** 2) / (2 * width**2))


MOVES = {
    "larger": ({"scale": 1.5}, (6.0, -3.0)),
    "turned against the clock": ({"first": np.pi / 2}, (-2.0, -4.0)),
    "turned by the second": ({"second": -np.pi / 2}, (2.0, 4.0)),
    "wider and lower": ({"stretch": 1.25}, (5.0, -1.6)),
    "shifted": ({"right": 1.5, "down": 2.25}, (5.5, 0.25)),
    "turned, then wider": ({"first": np.pi / 2, "stretch": 1.25}, (-2.5, -3.2)),
    "wider, then turned": ({"stretch": 1.25, "second": np.pi / 2}, (-1.6, -5.0)),
    "turned, then shifted": ({"second": np.pi, "right": 3.0}, (-1.0, 2.0)),
    "larger, then shifted": ({"scale": 0.8, "down": 3.0}, (3.2, 1.4)),
}


@pytest.mark.parametrize("name", MOVES)
def test_a_spot_goes_where_the_words_say(name):
    """From 4 to the right and 2 up."""
    values, wanted = MOVES[name]
    size = 32
    image = changed(blob(size, 4.0, -2.0), **values)
    places = np.arange(size) - (size - 1) / 2
    share = np.maximum(image, 0) ** 2 / (np.maximum(image, 0) ** 2).sum()
    found = share.sum(axis=0) @ places, share.sum(axis=1) @ places
    np.testing.assert_allclose(found, wanted, atol=0.05)


def test_a_spot_keeps_its_height_and_gets_the_size():
    for values, wide, high in (({"scale": 1.5}, 3.0, 3.0), ({"stretch": 1.25}, 2.5, 1.6)):
        image = changed(blob(32, 0.0, 0.0), **values)
        places = np.arange(32) - 15.5
        wanted = np.exp(-((places / wide) ** 2 + (places[:, None] / high) ** 2) / 2)
        np.testing.assert_allclose(image, wanted, atol=0.02)


def test_nothing_leaves_an_image_as_it_is_to_the_edge():
    image = np.random.default_rng(0).uniform(-1, 1, (9, 12))
    np.testing.assert_allclose(changed(image), image, atol=1e-6)


@pytest.mark.parametrize("shift", [(3, -2), (-9, 20)])
def test_shifts_by_whole_pixels_bring_the_mirror_image_in(shift):
    """However far: there is no edge behind which it is black."""
    size = 12
    smooth = scipy.ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(size, size)), 2, mode="mirror")
    padded = np.pad(smooth, 36, mode="reflect")
    wanted = padded[36 - shift[0] : 48 - shift[0], 36 - shift[1] : 48 - shift[1]]
    found = changed(smooth, down=float(shift[0]), right=float(shift[1]))
    np.testing.assert_allclose(found, wanted, atol=0.02 * np.ptp(smooth))


def test_it_is_scipys_upsampling_lookup_and_downsampling():
    """The whole way again with other means: an inverse by numpy, filters and interpolation by scipy."""
    rng = np.random.default_rng(1)
    height, width = 10, 14
    images = rng.uniform(-1, 1, (5, height, width, 2))
    values = {
        "scale": 2 ** rng.normal(0, 0.3, 5),
        "first": rng.uniform(-np.pi, np.pi, 5),
        "stretch": 2 ** rng.normal(0, 0.3, 5),
        "second": rng.uniform(-np.pi, np.pi, 5),
        "right": rng.normal(0, 3, 5),
        "down": rng.normal(0, 3, 5),
    }
    tensors = {name: tf.constant(array, tf.float32) for name, array in values.items()}
    found = transformed(tf.constant(images, tf.float32), way_back(**tensors))
    for number, outcome in enumerate(found):
        one = {name: array[number] for name, array in values.items()}
        for channel in range(2):
            wanted = _by_scipy(images[number, :, :, channel], **one)
            np.testing.assert_allclose(outcome[:, :, channel], wanted, atol=2e-4)


def _by_scipy(image, scale, first, stretch, second, right, down):
    def turn(angle):  # against the clock, with y down
        return np.array([[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]])

    forward = np.diag([scale, scale, 1])
    for step in (turn(first), np.diag([stretch, 1 / stretch, 1]), turn(second)):
        forward = step @ forward
    forward[:2, 2] += right, down
    back = np.linalg.inv(forward)

    padded = np.pad(image, 5, mode="reflect")
    for axis in (0, 1):
        padded = scipy.signal.upfirdn(np.sqrt(2) * SYM6, padded, up=2, axis=axis)
    height, width = image.shape
    fine = padded[10 : 2 * height + 20, 10 : 2 * width + 20]
    y, x = ((np.arange(n) - SYM6_CENTRE) / 2 - (size - 1) / 2 for n, size in zip(fine.shape, image.shape))
    x, y = np.meshgrid(x, y)
    x, y, _ = np.tensordot(back, np.stack([x, y, np.ones_like(x)]), axes=1)
    samples = []
    for places, size in ((y, height), (x, width)):
        places = places + (size - 1) / 2
        period = 2 * (size - 1)
        folded = np.abs((places + size - 1) % period - (size - 1))
        within = (places >= -SYM6_CENTRE / 2) & (places <= (2 * size + 9 - SYM6_CENTRE) / 2)
        samples.append(2 * np.where(within, places, folded) + SYM6_CENTRE)
    seen = scipy.ndimage.map_coordinates(fine, samples, order=1, mode="nearest")
    for axis in (0, 1):
        seen = scipy.signal.upfirdn(SYM6[::-1] / np.sqrt(2), seen, axis=axis)
    return seen[11 : 2 * height + 10 : 2, 11 : 2 * width + 10 : 2]
