"""Pixels made squares, against numpy and Keras, slopes included."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.layers import Doubling2D
from gdl_keras.layers.doubling import enlarged

IMAGES = np.random.default_rng(0).normal(size=(3, 4, 5, 2)).astype("float32")


@pytest.mark.parametrize("times", [1, 2, 4])
def test_every_pixel_becomes_a_square(times):
    np.testing.assert_array_equal(enlarged(IMAGES, times), IMAGES.repeat(times, axis=1).repeat(times, axis=2))


def test_the_layer_is_kerass_with_known_sizes():
    layer, known = Doubling2D(), keras.layers.UpSampling2D(2)
    weights = np.random.default_rng(1).normal(size=(3, 8, 10, 2)).astype("float32")
    slopes = []
    for one in (layer, known):
        x = tf.constant(IMAGES)
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(weights * one(x))
        slopes.append(tape.gradient(loss, x))
    np.testing.assert_array_equal(layer(IMAGES), known(IMAGES))
    np.testing.assert_allclose(*slopes, rtol=1e-5)
    traced = tf.function(layer).get_concrete_function(tf.TensorSpec((None, 4, 5, 2)))
    assert traced.output_shapes == (None, 8, 10, 2)
    assert Doubling2D.from_config(layer.get_config()).get_config() == layer.get_config()
