"""Each transform of the pipeline against numpy and scipy, with parameters that the test makes up."""

import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
import tensorflow as tf
from scipy.spatial.transform import Rotation

from gdl_keras.layers.augmentation import wavelets
from gdl_keras.layers.augmentation.blit import blit
from gdl_keras.layers.augmentation.colour import colour_matrices, recoloured
from gdl_keras.layers.augmentation.corruptions import cutout, random_cutout, random_noise
from gdl_keras.layers.augmentation.draws import Draws
from gdl_keras.layers.augmentation.filtering import POWER, filtered, gains

GREY = np.ones(3) / np.sqrt(3)


def random(*shape):
    return np.random.default_rng(sum(shape)).uniform(-1, 1, shape).astype("float32")


def numbers(*values, dtype="float32"):
    return tf.constant(np.array(values, dtype))


# ---- blit ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [7, 8])
def test_blits_are_numpys(size):
    """All flips and turns, with shifts up to one beyond the image, against a padded picture."""
    cases = [(flip, turn, *shift) for flip in (0, 1) for turn in range(4) for shift in ((0, 0), (2, -1), (-3, size))]
    images = random(len(cases), size, size, 3)
    found = blit(tf.constant(images), *tf.unstack(tf.constant(cases, tf.int32), axis=1))
    for image, outcome, (flip, turn, down, right) in zip(images, found, cases):
        turned = np.rot90(np.flip(image, axis=1) if flip else image, turn)
        padded = np.pad(turned, [(2 * size, 2 * size)] * 2 + [(0, 0)], mode="reflect")
        rows, columns = (slice(2 * size - shift, 3 * size - shift) for shift in (down, right))
        np.testing.assert_array_equal(outcome, padded[rows, columns])


# ---- colour ----------------------------------------------------------------------------------------------------------

NEUTRAL = {"brightness": 0.0, "contrast": 1.0, "flip": 0.0, "hue": 0.0, "saturation": 1.0}


def coloured(images, **values):
    """All images by the same transform."""
    parameters = {name: np.full(len(images), value, "float32") for name, value in {**NEUTRAL, **values}.items()}
    return np.asarray(recoloured(tf.constant(images), colour_matrices(**parameters)))


def turned_hue(images, angle):
    return images @ Rotation.from_rotvec(angle * GREY).as_matrix().T


def saturated(images, factor):
    grey = images.mean(axis=-1, keepdims=True)
    return grey + factor * (images - grey)


ALONE = {
    "brightness": (0.3, lambda x: x + 0.3),
    "contrast": (1.7, lambda x: 1.7 * x),
    "flip": (1.0, lambda x: x - 2 * x.mean(axis=-1, keepdims=True)),
    "hue": (0.8, lambda x: turned_hue(x, 0.8)),
    "saturation": (2.5, lambda x: saturated(x, 2.5)),
}


@pytest.mark.parametrize("name", ALONE)
def test_each_colour_transform_alone_is_numpys(name):
    images = random(2, 4, 5, 3)
    value, wanted = ALONE[name]
    np.testing.assert_allclose(coloured(images, **{name: value}), wanted(images), atol=1e-5)
    np.testing.assert_allclose(coloured(images), images, atol=1e-6)


def test_colour_transforms_come_one_after_the_other():
    images = random(3, 4, 4, 3)
    values = {"brightness": -0.2, "contrast": 0.6, "flip": 1.0, "hue": -2.0, "saturation": 0.4}
    wanted = images
    for name, change in (
        ("brightness", lambda x, v: x + v),
        ("contrast", lambda x, v: v * x),
        ("flip", lambda x, v: x - 2 * v * x.mean(axis=-1, keepdims=True)),
        ("hue", turned_hue),
        ("saturation", saturated),
    ):
        wanted = change(wanted, values[name])
    np.testing.assert_allclose(coloured(images, **values), wanted, atol=1e-5)


def test_what_colour_transforms_keep():
    images = random(2, 4, 4, 3)
    np.testing.assert_allclose(coloured(coloured(images, flip=1.0), flip=1.0), images, atol=1e-6)
    np.testing.assert_allclose(coloured(images, hue=2 * np.pi), images, atol=1e-5)
    for change in ({"hue": 1.3}, {"saturation": 3.0}):
        np.testing.assert_allclose(coloured(images, **change).sum(axis=-1), images.sum(axis=-1), atol=1e-5)
    grey = coloured(images, saturation=0.0)
    np.testing.assert_allclose(grey, np.repeat(images.mean(axis=-1, keepdims=True), 3, axis=-1), atol=1e-6)
    thirds = coloured(images, hue=2 * np.pi / 3)
    np.testing.assert_allclose(thirds, np.roll(images, 1, axis=-1), atol=1e-5)


def test_a_grey_image_is_one_of_three_equal_channels():
    images = random(2, 4, 4, 1)
    values = {"brightness": 0.1, "contrast": 0.6, "flip": 1.0, "hue": 1.0, "saturation": 2.0}
    three = coloured(np.repeat(images, 3, axis=-1), **values)
    np.testing.assert_allclose(coloured(images, **values), three[..., :1], atol=1e-6)
    np.testing.assert_allclose(coloured(images, **values), -0.6 * (images + 0.1), atol=1e-6)


# ---- filtering -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(2, 8, 12, 1), (2, 32, 32, 3)])
def test_filtering_is_scipys_with_mirrored_edges(shape):
    images, factors = random(*shape), np.array([[1, 0.5, 2, 3], [0.2, 1, 1, 4]], "float32")
    found = filtered(tf.constant(images), tf.constant(factors))
    for image, outcome, parts in zip(images, found, factors):
        taps = np.zeros(43)
        for part, filter in zip(parts, wavelets.band_filters()):
            taps += part * np.pad(filter, (43 - len(filter)) // 2)
        wanted = image.astype("float64")
        for axis in (0, 1):
            wanted = scipy.ndimage.convolve1d(wanted, taps, axis=axis, mode="mirror")
        np.testing.assert_allclose(outcome, wanted, atol=1e-5)


def test_bands_of_equal_gain_leave_an_image_as_it_is():
    images = random(2, 16, 16, 3)
    np.testing.assert_allclose(filtered(tf.constant(images), tf.ones((2, 4))), images, atol=1e-6)


def test_gains_keep_the_power_of_an_image_whichever_band_is_changed():
    for band in range(4):
        factors = np.ones((1, 4), "float32")
        factors[0, band] = 2.7
        found = np.asarray(gains(tf.constant(factors)))[0]
        assert POWER @ found**2 == pytest.approx(1, abs=1e-5)
        assert found[band] / found[band - 1] == pytest.approx(2.7, rel=1e-5)


# ---- corruptions -----------------------------------------------------------------------------------------------------


def test_noise_is_normal_of_a_deviation_that_is_half_normal():
    images = random(600, 8, 8, 3)
    noise = np.asarray(random_noise(tf.constant(images), Draws(tf.constant([1, 2]), 600), 1.0)) - images
    deviations = np.sqrt((noise**2).mean(axis=(1, 2, 3)))
    assert scipy.stats.kstest(deviations, scipy.stats.halfnorm(scale=0.1).cdf).pvalue > 1e-3
    assert scipy.stats.kstest((noise / deviations[:, None, None, None]).ravel()[::7], "norm").pvalue > 1e-3


def test_cutout_paints_the_square_over():
    images = random(3, 8, 12, 2)
    size, row, column = (0.5, 0.0, 0.25), (0.5, 0.3, 0.95), (0.5, 0.6, 0.1)
    found = np.asarray(cutout(tf.constant(images), numbers(*size), numbers(*row), numbers(*column)))
    wanted = images.copy()
    for image, side, middle, centre in zip(wanted, size, row, column):
        for i in range(8):
            for j in range(12):
                if abs((i + 0.5) / 8 - middle) < side / 2 and abs((j + 0.5) / 12 - centre) < side / 2:
                    image[i, j] = 0
    np.testing.assert_array_equal(found, wanted)
    assert [(image == 0).all(axis=-1).sum() for image in found] == [24, 0, 3]


def test_holes_lie_anywhere_also_across_edges():
    """A side of s around a centre that is uniform in [0, 1] covers s - s^2 / 4 of an axis on average."""
    found = np.asarray(random_cutout(tf.ones((4000, 16, 16, 1)), Draws(tf.constant([1, 2]), 4000), 1.0))
    covered = (found == 0).mean(axis=(1, 2, 3))
    assert covered.mean() == pytest.approx((0.5 - 0.5**2 / 4) ** 2, abs=4 * covered.std() / np.sqrt(4000))
    assert covered.max() == 0.25
