"""Reconstruction metrics against TensorFlow's, closed forms and brute force."""

import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.metrics.reconstruction import psnr, sharpness


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_psnr_against_tensorflow(rng):
    x, y = rng.uniform(0, 1, (2, 5, 6, 7, 3)).astype("float32")
    assert psnr(x, y).dtype == np.float64
    np.testing.assert_allclose(psnr(x, y), tf.image.psnr(x, y, max_val=1.0), rtol=1e-5)


def test_psnr_of_known_errors():
    x = np.zeros((3, 4, 4, 1))
    y = np.array([0.1, 1.0, 0.0])[:, None, None, None] * np.ones_like(x)
    np.testing.assert_allclose(psnr(x, y), [20, 0, 54.1514], atol=1e-4)


def test_psnr_ends_where_bytes_are_equal():
    """An error of half a byte's step is the least that counts: 10 log10(510^2) dB."""
    x = np.full((4, 2, 2, 1), 0.5)
    y = x + np.array([0.0, 0.4, 0.5, 1.0])[:, None, None, None] / 255
    np.testing.assert_allclose(psnr(x, y), 10 * np.log10([510**2, 510**2, 510**2, 255**2]), rtol=1e-9)


def test_psnr_wants_pairs():
    with pytest.raises(InputError, match="differ in shape"):
        psnr(np.zeros((2, 4, 4, 1)), np.zeros((1, 4, 4, 1)))


def test_sharpness_of_a_slope_is_its_steepness():
    x, y = np.meshgrid(np.arange(6), np.arange(5))
    slopes = np.stack([0.03 * x + 0.04 * y, 0 * x + 0.5])[..., None].repeat(2, axis=-1)
    np.testing.assert_allclose(sharpness(slopes), [0.05, 0], atol=1e-12)


def test_sharpness_against_brute_force(rng):
    images = rng.uniform(0, 1, (2, 4, 5, 3)).astype("float32")
    for image, value in zip(images.astype("float64"), sharpness(images)):
        lengths = [
            np.sqrt((image[y, x + 1, c] - image[y, x, c]) ** 2 + (image[y + 1, x, c] - image[y, x, c]) ** 2)
            for y in range(3)
            for x in range(4)
            for c in range(3)
        ]
        assert value == pytest.approx(np.mean(lengths), rel=1e-12)


def test_blurring_takes_sharpness_away(rng):
    images = rng.uniform(0, 1, (3, 8, 8, 1)).astype("float32")
    blurred = tf.nn.avg_pool2d(images, 3, 1, "SAME").numpy()
    assert (sharpness(blurred) < 0.7 * sharpness(images)).all()
