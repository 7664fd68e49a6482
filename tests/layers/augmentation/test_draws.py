"""How often each transform is applied, and by how much."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from gdl_keras.layers.augmentation import blit, colour, filtering, geometry
from gdl_keras.layers.augmentation.draws import Draws

COUNT = 6000


def drawn(monkeypatch, module, takes, group, strength):
    """The parameters that a group hands to the function that takes them, for COUNT images of 40x20: list of arrays."""
    taken = []
    monkeypatch.setattr(module, takes, lambda *given: taken.extend(given[-6:]))
    images = tf.zeros((COUNT, 40, 20, 3))
    with pytest.MonkeyPatch.context() as rest:
        # What comes after would take the parameters that are not there.
        for after in ("transformed", "recoloured", "filtered"):
            if hasattr(module, after):
                rest.setattr(module, after, lambda *given: None)
        group(images, Draws(tf.constant([1, 2]), COUNT), strength)
    return [np.asarray(values) for values in taken if not (tf.is_tensor(values) and values.shape.rank == 4)]


def assert_share(happened, probability):
    """Within four standard deviations of the binomial distribution."""
    assert np.mean(happened) == pytest.approx(probability, abs=4 * np.sqrt(probability * (1 - probability) / COUNT))


def assert_distribution(values, distribution):
    assert scipy.stats.kstest(values, distribution.cdf).pvalue > 1e-4


def test_blits(monkeypatch):
    flips, turns, rows, columns = drawn(monkeypatch, blit, "blit", blit.random_blit, 0.6)
    assert_share(flips == 1, 0.3)
    for turn in (1, 2, 3):
        assert_share(turns == turn, 0.15)
    # Of 40 rows up to 5, of 20 columns up to 2.5: the ends take half as much as the others.
    assert_share(rows == 3, 0.6 / 10)
    assert_share(rows == -5, 0.6 / 20)
    assert abs(rows).max() == 5 and abs(columns).max() == 2
    assert_share((rows == 0) & (columns == 0), 0.4 + 0.6 / 10 / 5)


def test_geometry(monkeypatch):
    scale, first, stretch, second, right, down = drawn(
        monkeypatch, geometry, "way_back", geometry.random_geometry, tf.constant(0.7)
    )
    for factor in (scale, stretch):
        assert_share(factor != 1, 0.7)
        assert_distribution(np.log2(factor[factor != 1]), scipy.stats.norm(0, 0.2))
    assert_share((first != 0) | (second != 0), 0.7)
    for angle in (first, second):
        assert_share(angle != 0, 1 - np.sqrt(0.3))
        assert_distribution(angle[angle != 0], scipy.stats.uniform(-np.pi, 2 * np.pi))
    assert ((right != 0) == (down != 0)).all()
    assert_share(right != 0, 0.7)
    assert_distribution(right[right != 0], scipy.stats.norm(0, 0.125 * 20))
    assert_distribution(down[down != 0], scipy.stats.norm(0, 0.125 * 40))
    assert abs(np.corrcoef(right, down)[0, 1]) < 4 / np.sqrt(COUNT)


def test_colour(monkeypatch):
    brightness, contrast, flip, hue, saturation = drawn(
        monkeypatch, colour, "colour_matrices", colour.random_colour, 0.4
    )
    assert_share(brightness != 0, 0.4)
    assert_distribution(brightness[brightness != 0], scipy.stats.norm(0, 0.2))
    assert_share(contrast != 1, 0.4)
    assert_distribution(np.log2(contrast[contrast != 1]), scipy.stats.norm(0, 0.5))
    assert_share(flip == 1, 0.2)
    assert_share(hue != 0, 0.4)
    assert_distribution(hue[hue != 0], scipy.stats.uniform(-np.pi, 2 * np.pi))
    assert_share(saturation != 1, 0.4)
    assert_distribution(np.log2(saturation[saturation != 1]), scipy.stats.norm(0, 1))


def test_filtering(monkeypatch):
    (factors,) = drawn(monkeypatch, filtering, "gains", filtering.random_filtering, 0.4)
    for band in factors.T:
        assert_share(band != 1, 0.4)
        assert_distribution(np.log2(band[band != 1]), scipy.stats.norm(0, 1))
    assert abs(np.corrcoef(np.log2(factors.T)) - np.eye(4)).max() < 5 / np.sqrt(COUNT)


def test_each_draw_is_another_and_the_seed_fixes_them_all():
    first, second = (Draws(tf.constant([3, 4]), 5) for _ in range(2))
    one, two = first.uniform(), first.uniform()
    assert not np.array_equal(one, two)
    np.testing.assert_array_equal(one, second.uniform())
    np.testing.assert_array_equal(two, second.uniform())
    assert not np.array_equal(one, Draws(tf.constant([3, 5]), 5).uniform())
