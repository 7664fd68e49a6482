"""Networks opened: the same numbers come out, of the same weights."""

import keras
import numpy as np
import pytest
from keras import layers

from gdl_keras.errors import InputError
from gdl_keras.layers import SpectralNormalization
from gdl_keras.models.parts.opening import SplitAtLast, WithMaps

pytestmark = pytest.mark.eager
IMAGES = np.random.default_rng(0).uniform(size=(2, 8, 8, 3)).astype("float32")


def residual():
    """Two convolutions read the image, two what the first two give, and a dense layer a vector."""
    images = keras.Input((8, 8, 3))
    x = layers.Add()([layers.Conv2D(4, 3, padding="same", name="a")(images), layers.Conv2D(4, 1, name="b")(images)])
    x = layers.ReLU(name="first")(x)
    x = layers.Add()([SpectralNormalization(layers.Conv2D(4, 1))(x), layers.Conv2D(4, 1, name="c")(x)])
    x = layers.Conv2D(2, 3, name="d")(layers.ReLU(name="second")(x))
    return keras.Model(images, layers.Dense(1, name="score")(layers.Flatten()(x)))


def test_maps_are_what_convolutions_read_each_once_without_the_image():
    network = residual()
    opened = WithMaps(network)
    output, maps = opened(IMAGES)
    np.testing.assert_array_equal(output, network(IMAGES))
    expected = keras.Model(network.input, [network.get_layer(name).output for name in ("first", "second")])(IMAGES)
    assert opened.count == len(maps) == 2
    for one, other in zip(maps, expected):
        np.testing.assert_array_equal(one, other)
    network.get_layer("a").kernel.assign(np.ones((3, 3, 3, 4)))
    np.testing.assert_array_equal(opened(IMAGES)[0], network(IMAGES))


def test_a_network_without_maps_gives_what_it_gave():
    images = keras.Input((8, 8, 3))
    network = keras.Model(images, layers.Conv2D(1, 3)(images))
    output, maps = WithMaps(network)(IMAGES)
    assert maps == []
    np.testing.assert_array_equal(output, network(IMAGES))


def test_the_parts_make_the_whole():
    network = residual()
    parts = SplitAtLast(network)
    np.testing.assert_array_equal(parts.end(parts.body(IMAGES)), network(IMAGES))
    assert parts.kernel is network.get_layer("score").kernel
    assert [layer.name for layer in parts.end.layers[1:]] == ["score"]


def test_a_network_of_one_layer_has_an_empty_body():
    images = keras.Input((8, 8, 3))
    network = keras.Model(images, layers.Conv2D(1, 3)(images))
    parts = SplitAtLast(network)
    np.testing.assert_array_equal(parts.body(IMAGES), IMAGES)
    np.testing.assert_array_equal(parts.end(IMAGES), network(IMAGES))


def test_what_cannot_be_split_is_refused():
    images = keras.Input((8, 8, 3))
    for network in (keras.Model(images, layers.ReLU()(images)), residual_end(images)):
        with pytest.raises(InputError, match="does not end in one layer"):
            SplitAtLast(network)


def residual_end(images):
    before = layers.ReLU()(images)
    return keras.Model(images, layers.Add()([layers.Conv2D(3, 1)(before), images]))
