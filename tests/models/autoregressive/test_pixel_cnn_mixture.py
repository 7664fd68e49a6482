"""The PixelCNN with mixtures: bytes, and colours that depend on each other."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.optimizers import Adam

from gdl_keras.errors import InputError
from gdl_keras.models import PixelCNNMixture, build_pixel_cnn_mixture
from tests import cases
from tests.harness import many_steps
from tests.models.autoregressive.test_pixel_cnn import lively, random_tokens
from tests.models.autoregressive.test_pixel_steps import is_followed

GREY = {"image_shape": (3, 3, 1), "filters": 8}
COLOUR = {"image_shape": (2, 3, 3), "filters": 8}
networks = pytest.mark.parametrize(
    "options",
    [
        pytest.param(GREY, id="grey", marks=pytest.mark.full),
        pytest.param(COLOUR, id="colour"),
        pytest.param({**COLOUR, "gated": False}, id="colour, plain", marks=pytest.mark.full),
    ],
)


def lively_mixture(**options):
    return lively(cases.pixel_cnn_mixture, **options)


@networks
def test_what_comes_later_has_no_influence_at_all_channels_included(options):
    model = lively_mixture(**options)
    tokens = random_tokens(model)
    logits_of = tf.function(model.logits)
    logits = np.asarray(logits_of(tf.constant(tokens)))
    for place in range(model.length - 1):
        changed = tokens.copy()
        changed[:, place:] = (changed[:, place:] + 99) % 256
        others = np.asarray(logits_of(tf.constant(changed)))
        np.testing.assert_array_equal(others[:, : place + 1], logits[:, : place + 1])
        is_last_of_row = (place + 1) % (model.image_shape[1] * model.image_shape[2]) == 0
        assert is_last_of_row or not np.allclose(others[:, place + 1], logits[:, place + 1], atol=1e-6)


@networks
def test_number_after_number_gives_what_the_whole_image_gives(options):
    model = lively_mixture(**options)
    is_followed(model, random_tokens(model, 3))


def test_all_images_of_two_pixels_together_are_as_likely_as_one():
    model = lively_mixture(image_shape=(1, 2, 1), filters=8)
    tokens = np.stack(np.meshgrid(np.arange(256), np.arange(256)), axis=-1).reshape(-1, 2)
    levels = tf.constant(tokens.reshape(-1, 1, 2, 1), tf.int32)
    images = model.images_of(levels)
    nats = np.asarray(model.nats(levels, model.network(images)), "float64").sum(axis=(1, 2))
    assert np.exp(-nats).sum() == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(model.negative_log_likelihood(np.asarray(images[:150])), nats[:150], rtol=1e-5)


@pytest.mark.parametrize("options", [GREY, COLOUR], ids=["grey", "colour"])
def test_the_loss_is_what_the_logits_say(options):
    model = lively_mixture(**options)
    tokens = random_tokens(model, 4)
    log_p = np.take_along_axis(np.asarray(model.logits(tokens), "float64"), tokens[..., None], axis=-1)[..., 0]
    values = model.test_on_batch(model.to_samples(tokens), return_dict=True)
    assert float(values["loss"]) == pytest.approx(-log_p.mean(), rel=1e-4)
    assert float(values["bits_per_dim"]) == pytest.approx(-log_p.mean() / np.log(2), rel=1e-4)


def test_images_are_made_and_completed_in_colour():
    model = lively_mixture(**COLOUR)
    images = model.generate(2, seed=1)
    assert images.shape == (2, 2, 3, 3) and len(np.unique(images)) > 10
    np.testing.assert_array_equal(model.generate(given=images[:, :1], seed=5)[:, :1], images[:, :1])


@pytest.mark.full
def test_images_made_in_steps_are_those_of_the_whole_network():
    model = lively_mixture(**COLOUR)
    images = model.generate(2, seed=1)
    model._steps = None
    model.trace_anew()
    np.testing.assert_array_equal(model.generate(2, seed=1), images)


@pytest.mark.full
def test_bytes_are_learnt_by_heart():
    keras.utils.set_random_seed(0)
    model = cases.pixel_cnn_mixture(filters=16, components=3)
    model.compile(Adam(1e-2))
    many_steps(model, cases.images(), 400)
    assert model.evaluate(cases.images(), verbose=0, return_dict=True)["bits_per_dim"] < 5


def test_networks_that_give_no_mixture_are_refused():
    network = build_pixel_cnn_mixture((4, 4, 3), filters=4, blocks=1)
    assert network.output_shape[-1] == 50
    for end, words in ((keras.layers.Conv2D(49, 1), "10 parameters"), (keras.layers.ReLU(6.0), "relu")):
        with pytest.raises(InputError, match=words):
            PixelCNNMixture(keras.Model(network.inputs, end(network.outputs[0])))
