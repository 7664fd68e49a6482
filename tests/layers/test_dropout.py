"""Dropout: the right share, the right scale, and a mask of its own for every replica and every step."""

from unittest import mock

import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.layers import ReplicaDropout


def test_share_and_scale():
    out = np.asarray(ReplicaDropout(0.3, seed=0)(tf.ones((100, 1000)), training=True))
    np.testing.assert_allclose(np.unique(out), [0, 1 / 0.7], rtol=1e-5)  # rates are counted in 1 / 65,536
    assert (out == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert out.mean() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.999999])
def test_the_mean_stays_exactly_where_the_rate_is_rounded(rate):
    """All 65,536 numbers of 16 bits, each drawn once: what is kept, times its scale, sums to what went in."""
    every = tf.bitcast(np.arange(2**16, dtype="uint16").reshape(-1, 2), tf.uint32)
    with mock.patch("tensorflow.random.stateless_uniform", return_value=every):
        out = ReplicaDropout(rate, seed=0)(tf.ones((256, 256)), training=True)
    assert np.mean(out, dtype="float64") == pytest.approx(1, abs=1e-6)
    assert np.mean(np.equal(out, 0)) == pytest.approx(rate, abs=2**-16)


@pytest.mark.parametrize("shape", [(3,), (5, 1, 3), (7, 9)])
def test_odd_sizes(shape):
    assert ReplicaDropout(0.5, seed=0)(tf.ones(shape), training=True).shape == shape


def test_nothing_happens_outside_training():
    x = tf.random.normal((4, 5))
    layer = ReplicaDropout(0.5, seed=0)
    np.testing.assert_array_equal(layer(x), x)
    np.testing.assert_array_equal(ReplicaDropout(0.0)(x, training=True), x)


def test_each_call_draws_anew_and_the_seed_fixes_them_all():
    x = tf.ones((4, 50))
    first, second = ReplicaDropout(0.5, seed=3), ReplicaDropout(0.5, seed=3)
    masks = [np.asarray(first(x, training=True)) for _ in range(2)]
    assert not np.array_equal(*masks)
    for mask in masks:
        np.testing.assert_array_equal(mask, second(x, training=True))


def test_replicas_draw_different_masks(two_replicas):
    with two_replicas.scope():
        layer = ReplicaDropout(0.5, seed=0)
        layer.build((4, 50))
    result = two_replicas.run(tf.function(lambda: layer(tf.ones((4, 50)), training=True)))
    masks = [np.asarray(m) for m in two_replicas.experimental_local_results(result)]
    assert not np.array_equal(*masks)
