"""What StyleGAN3 is for: the image moves and turns as the waves do, and without its precautions it does not."""

from functools import cache

import keras
import numpy as np
import tensorflow as tf

from gdl_keras.metrics.equivariance import rotation_equivariance, translation_equivariance
from gdl_keras.models.stylegan3 import build_synthesis
from gdl_keras.models.stylegan3.magnitude import MagnitudeNormalization

SIZE = 32


@cache
def maker(**options):
    """What makes two images of an untrained network, whose layers have got unit power."""
    keras.utils.set_random_seed(1)
    network = build_synthesis((SIZE, SIZE, 3), style_dim=16, channel_max=8, num_layers=8, seed=0, **options)
    styles = np.random.default_rng(0).normal(size=(2, 1, 16)).astype("float32")
    styles = tf.constant(np.repeat(styles, 10, axis=1))

    def make(transform, training=False):
        transforms = tf.constant(np.repeat(transform[None], 2, axis=0), tf.float32)
        return np.asarray(network([styles, transforms], training=training), "float64")

    for layer in network.layers:
        if isinstance(layer, MagnitudeNormalization):
            layer.decay = 0.0
    make(np.eye(3), training=True)
    assert make(np.eye(3)).std() > 0.05
    return make


@cache
def moved(**options):
    return translation_equivariance(maker(**options), 3, SIZE)


def test_images_move_by_whole_pixels_and_by_parts_of_them():
    assert moved() > 65
    assert translation_equivariance(maker(), 3, SIZE, whole=False) > 55


def test_images_of_the_rotating_network_turn_and_those_of_the_other_do_not():
    """EQ-R, in decibels: 77 against 20."""
    assert rotation_equivariance(maker(rotation=True), 2, SIZE) > 70
    assert rotation_equivariance(maker(), 2, SIZE) < 35


def test_without_a_margin_layers_know_where_the_edge_is():
    assert moved(margin=0) < 40


def test_a_rectifier_on_the_pixels_themselves_sticks_to_the_grid():
    assert moved(oversampling=1) < moved() - 8
