"""Dropout: the right share, the right scale, and a mask of its own for every replica and every step."""

import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.layers import Dropout


def test_share_and_scale():
    out = np.asarray(Dropout(0.3, seed=0)(tf.ones((100, 1000)), training=True))
    assert set(np.round(np.unique(out), 5)) == {0, np.round(np.float32(1 / 0.7), 5)}
    assert (out == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert out.mean() == pytest.approx(1, abs=0.01)


def test_nothing_happens_outside_training():
    x = tf.random.normal((4, 5))
    layer = Dropout(0.5, seed=0)
    np.testing.assert_array_equal(layer(x), x)
    np.testing.assert_array_equal(Dropout(0.0)(x, training=True), x)


def test_each_call_draws_anew_and_the_seed_fixes_them_all():
    x = tf.ones((4, 50))
    first, second = Dropout(0.5, seed=3), Dropout(0.5, seed=3)
    masks = [np.asarray(first(x, training=True)) for _ in range(2)]
    assert not np.array_equal(*masks)
    for mask in masks:
        np.testing.assert_array_equal(mask, second(x, training=True))


def test_replicas_draw_different_masks(two_replicas):
    with two_replicas.scope():
        layer = Dropout(0.5, seed=0)
        layer.build((4, 50))
    result = two_replicas.run(tf.function(lambda: layer(tf.ones((4, 50)), training=True)))
    masks = [np.asarray(m) for m in two_replicas.experimental_local_results(result)]
    assert not np.array_equal(*masks)
