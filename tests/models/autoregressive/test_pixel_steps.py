"""One pixel after the other: the numbers are those of the whole network, or it is not done in steps."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.layers import MaskedConv2D, ReplicaDropout, RowAbove, UpperConv2D
from gdl_keras.models import PixelCNN
from tests.models.autoregressive.test_pixel_cnn import lively, networks, random_tokens


@networks
def test_pixel_after_pixel_gives_what_the_whole_image_gives(options):
    model = lively(**options)
    whole = is_followed(model, random_tokens(model, 3))
    assert np.ptp(whole, axis=1).max() > 0.1


def is_followed(model, tokens):
    """Asserts that reading token by token gives the logits of the whole image, which it returns."""
    whole = np.asarray(model.logits(tokens))
    read = tf.function(model.read)
    state, before = model.initial_state(*tokens.shape), np.full(len(tokens), -1, "int32")
    for place in range(model.length):
        logits, state = read(tf.constant(before), tf.constant(place), state)
        np.testing.assert_allclose(logits, whole[:, place], rtol=1e-5, atol=1e-5)
        before = tokens[:, place]
    return whole


@pytest.mark.full
@pytest.mark.parametrize("options", [{}, {"gated": True}], ids=["plain", "gated"])
def test_images_made_in_steps_are_those_of_the_whole_network(options):
    model = lively(**options)
    in_steps = model.generate(3, seed=4)
    model._steps = None
    model.trace_anew()
    np.testing.assert_array_equal(model.generate(3, seed=4), in_steps)


def of_unknown_layers(x):
    x = keras.layers.LayerNormalization()(MaskedConv2D(4, 3, "A")(x))
    return MaskedConv2D(4, 3, "B")(x)


def called_twice(x):
    again = MaskedConv2D(4, 3, "B", activation="relu")
    return again(again(MaskedConv2D(4, 3, "A")(x)))


def masked_by_a_again(x):
    return MaskedConv2D(4, 3, "A")(MaskedConv2D(4, 3, "A", activation="tanh")(x))


def features_shown_to_the_row_below(x):
    x = MaskedConv2D(4, 3, "A", activation="tanh")(x)
    return keras.layers.Concatenate()([x, RowAbove()(x)])


@pytest.mark.parametrize(
    "features", [of_unknown_layers, called_twice, masked_by_a_again, features_shown_to_the_row_below]
)
def test_a_network_that_might_go_wrong_in_steps_is_asked_as_a_whole(features):
    images = keras.Input((4, 3, 1))
    model = PixelCNN(keras.Model(images, keras.layers.Conv2D(3, 1)(features(images))), seed=1)
    assert model.initial_state(2, 12) is None
    made = model.generate(2, seed=1, temperature=0)
    tokens = model.to_tokens(made)
    np.testing.assert_array_equal(np.asarray(model.logits(tokens)).argmax(axis=-1), tokens)


def rescaled_and_left_out(x):
    x = keras.layers.Rescaling(2.0, -1.0)(x)
    x = keras.layers.ReLU(negative_slope=0.1)(MaskedConv2D(4, (3, 5), "A", use_bias=False)(x))
    x = keras.layers.Concatenate()([x, MaskedConv2D(3, 5, "B", activation="tanh")(x)])
    return keras.layers.Dense(4)(ReplicaDropout(0.5)(x))


def two_views_of_rescaled_images(x):
    x = keras.layers.Rescaling(2.0, -1.0)(x)
    above = UpperConv2D(4, (2, 3), activation="tanh")(UpperConv2D(4, (3, 5), activation="tanh")(x))
    return keras.layers.Add()([MaskedConv2D(4, 3, "A")(x), MaskedConv2D(4, 1, "B")(RowAbove()(above))])


@pytest.mark.parametrize("features", [rescaled_and_left_out, two_views_of_rescaled_images])
def test_networks_of_ones_own_are_followed_in_steps(features):
    images = keras.Input((4, 3, 1))
    model = PixelCNN(keras.Model(images, keras.layers.Conv2D(3, 1)(features(images))), seed=1)
    is_followed(model, random_tokens(model, 3))
