"""Corruption: the distribution of the noise, its range, and when it acts."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from gdl_keras.errors import InputError
from gdl_keras.layers import Corruption

BOTH = pytest.mark.parametrize("kind", ["gaussian", "masking"])


def grey(value, shape=(20, 50, 50, 3)):
    return np.full(shape, value, "float32")


def spoilt(layer, images):
    return np.asarray(layer(images, training=True))


def test_gaussian_noise_is_normal_where_nothing_is_clipped():
    """Mid-grey is ten standard deviations away from black and white."""
    noise = (spoilt(Corruption("gaussian", 0.05, seed=0), grey(0.5)) - 0.5).ravel()
    count = noise.size
    assert abs(noise.mean()) < 4 * 0.05 / np.sqrt(count)
    assert abs(noise.var() / 0.05**2 - 1) < 4 * np.sqrt(2 / count)
    assert stats.kstest(noise / 0.05, "norm").pvalue > 1e-3


def test_gaussian_noise_is_clipped():
    """Of what is added to 0.2, as much is cut off below and above as the normal distribution has there."""
    out = spoilt(Corruption("gaussian", 0.5, seed=0), grey(0.2))
    for edge, share in ((0, stats.norm.cdf(-0.2 / 0.5)), (1, stats.norm.sf(0.8 / 0.5))):
        error = np.sqrt(share * (1 - share) / out.size)
        assert abs((out == edge).mean() - share) < 4 * error
    assert out.min() == 0 and out.max() == 1


def test_masking_sets_the_share_of_pixels_to_black_and_leaves_the_others():
    images = np.random.default_rng(0).uniform(0.1, 1, (20, 50, 50, 3)).astype("float32")
    out = spoilt(Corruption("masking", 0.3, seed=0), images)
    masked = (out == 0).all(axis=-1)
    assert abs(masked.mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / masked.size)
    np.testing.assert_array_equal(out, np.where(masked[..., None], 0, images))
    np.testing.assert_array_equal(spoilt(Corruption("masking", 1.0), images), 0)


@BOTH
def test_nothing_happens_outside_training_or_by_no_amount(kind):
    images = np.random.default_rng(0).uniform(0, 1, (2, 4, 4, 1)).astype("float32")
    np.testing.assert_array_equal(Corruption(kind, 0.5, seed=0)(images), images)
    np.testing.assert_array_equal(spoilt(Corruption(kind, 0.0, seed=0), images), images)


@BOTH
def test_each_call_draws_anew_and_the_seed_fixes_them_all(kind):
    first, second = Corruption(kind, 0.5, seed=3), Corruption(kind, 0.5, seed=3)
    results = [spoilt(first, grey(0.5)) for _ in range(2)]
    assert not np.array_equal(*results)
    for result in results:
        np.testing.assert_array_equal(result, spoilt(second, grey(0.5)))


@BOTH
def test_replicas_draw_different_noise(kind, two_replicas):
    with two_replicas.scope():
        layer = Corruption(kind, 0.5, seed=0)
    results = two_replicas.run(tf.function(lambda: layer(tf.constant(grey(0.5, (1, 8, 8, 1))), training=True)))
    assert not np.array_equal(*[np.asarray(r) for r in two_replicas.experimental_local_results(results)])


@BOTH
def test_images_stay_float32_under_half_precision(kind):
    keras.config.set_dtype_policy("mixed_float16")
    assert spoilt(Corruption(kind, 0.5), grey(0.5, (1, 4, 4, 1))).dtype == np.float32


def test_config_round_trip():
    layer = Corruption("masking", 0.2, seed=3, name="holes")
    copy = Corruption.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    np.testing.assert_array_equal(spoilt(copy, grey(0.5)), spoilt(layer, grey(0.5)))


def test_bad_arguments_are_refused():
    for kind, amount in (("salt", 0.1), ("gaussian", -0.1), ("masking", 1.5)):
        with pytest.raises(InputError):
            Corruption(kind, amount)
    Corruption("gaussian", 1.5)
