"""SSIM and MS-SSIM against the papers' formulas in numpy and scipy."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.ndimage import gaussian_filter
from scipy.signal import correlate2d

from gdl_keras import data
from gdl_keras.errors import InputError
from gdl_keras.metrics import ms_ssim, pairwise_ms_ssim, ssim
from gdl_keras.metrics.similarity import SCALE_WEIGHTS, scales


@pytest.fixture
def pair():
    """Noise, and the same with more noise: two arrays (3, 32, 32, 3)."""
    rng = np.random.default_rng(0)
    first = rng.uniform(size=(3, 32, 32, 3)).astype("float32")
    return first, np.clip(first + rng.normal(0, 0.2, first.shape), 0, 1).astype("float32")


def maps(x, y, size=11):
    """(luminance, contrast and structure) of two images of one channel, at every place of the window."""
    line = np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2

    def smooth(image):
        return correlate2d(image, window, mode="valid")

    mean_x, mean_y = smooth(x), smooth(y)
    spread = smooth(x * x) - mean_x**2 + smooth(y * y) - mean_y**2
    covariance = smooth(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + 0.01**2) / (mean_x**2 + mean_y**2 + 0.01**2)
    return luminance, (2 * covariance + 0.03**2) / (spread + 0.03**2)


def channels(image):
    return np.moveaxis(image.astype("float64"), -1, 0)


def half(image):
    return image.reshape(len(image) // 2, 2, -1, 2).mean(axis=(1, 3))


def test_ssim_is_the_formula(pair):
    expected = [
        np.mean([np.prod(maps(x, y), axis=0).mean() for x, y in zip(channels(first), channels(second))])
        for first, second in zip(*pair)
    ]
    np.testing.assert_allclose(ssim(*pair), expected, rtol=1e-4)


def formula(first, second):
    """Contrast and structure of each scale but the smallest, everything of that, each to the power of its weight."""
    weights = scales(first.shape)["power_factors"]
    by_channel = []
    for x, y in zip(channels(first), channels(second)):
        product = 1.0
        for weight in weights[:-1]:
            product *= maps(x, y)[1].mean() ** weight
            x, y = half(x), half(y)
        by_channel.append(product * np.prod(maps(x, y), axis=0).mean() ** weights[-1])
    return np.mean(by_channel)


def test_ms_ssim_of_two_scales_is_the_formula(pair):
    expected = [formula(first, second) for first, second in zip(*pair)]
    np.testing.assert_allclose(ms_ssim(*pair), expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("side", "filter_size", "number"), [(8, 7, 1), (9, 9, 1), (28, 11, 2), (64, 11, 3), (175, 11, 4), (176, 11, 5)]
)
def test_scales_fit_the_image(side, filter_size, number):
    settings = scales((side, side + 3, 1))
    assert settings["filter_size"] == filter_size
    assert settings["power_factors"] == pytest.approx(np.array(SCALE_WEIGHTS[:number]) / sum(SCALE_WEIGHTS[:number]))
    images = np.random.default_rng(0).uniform(size=(2, side, side, 1)).astype("float32")
    assert ms_ssim(images, images) == pytest.approx([1, 1])


def test_large_images_get_the_papers_five_scales():
    """A smooth pattern, and the same with noise: structure on every scale."""
    rng = np.random.default_rng(0)
    first = gaussian_filter(rng.uniform(size=(176, 176, 1)), (9, 9, 0))
    first = ((first - first.min()) / np.ptp(first)).astype("float32")
    second = np.clip(first + rng.normal(0, 0.1, first.shape), 0, 1).astype("float32")
    value = ms_ssim(first[None], second[None])
    np.testing.assert_allclose(value, formula(first, second), rtol=1e-4)
    np.testing.assert_allclose(value, tf.image.ssim_multiscale(first, second, 1.0), rtol=1e-3)
    assert 0.5 < value < 0.95


def test_blurred_images_are_more_alike_and_noise_is_less():
    garments = data.load("fashion_mini", "test", image_size=32).sample(200)
    blurred = gaussian_filter(garments, (0, 3, 3, 0))
    noise = np.random.default_rng(0).uniform(size=garments.shape)
    noise, real, blurred = (pairwise_ms_ssim(images).mean() for images in (noise, garments, blurred))
    assert noise < real < blurred


def test_pairs_are_disjoint_neighbours(pair):
    images = np.concatenate([pair[0], pair[1]])[:5]
    np.testing.assert_allclose(pairwise_ms_ssim(images), ms_ssim(images[[0, 2]], images[[1, 3]]))


def test_what_cannot_be_compared_is_explained(pair):
    with pytest.raises(InputError, match="differ in shape"):
        ssim(pair[0], pair[1][:2])
    with pytest.raises(InputError, match="A pair takes two images"):
        pairwise_ms_ssim(pair[0][:1])
