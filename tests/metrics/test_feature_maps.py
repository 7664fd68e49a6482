"""Feature maps for a perceptual loss: of which images, at which sizes, and a step of a VQGAN with them."""

import keras
import numpy as np
import pytest

from gdl_keras.errors import InputError
from gdl_keras.layers import VectorQuantizer
from gdl_keras.metrics.feature_maps import VGG16_ENDS, build_lite0_feature_maps, build_vgg16_feature_maps
from gdl_keras.metrics.lite0 import load_lite0
from gdl_keras.models import VQGAN
from gdl_keras.models.quantised.networks import build_codec_decoder, build_codec_encoder
from gdl_keras.models.quantised.vqgan import build_patch_discriminator

pytestmark = pytest.mark.eager
SHAPE = (32, 32, 3)


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(size=(2, *SHAPE)).astype("float32")


def test_lite0s_maps_are_what_its_blocks_give_before_images_are_halved(images):
    keras.config.set_dtype_policy("mixed_float16")
    found = build_lite0_feature_maps(SHAPE)(images)
    assert [tuple(maps.shape[1:]) for maps in found] == [(16, 16, 16), (8, 8, 24), (4, 4, 40), (2, 2, 112)]
    network = load_lite0(SHAPE)
    x = (255 * images - 127) / 128
    read = {}
    for layer in network.layers[1:]:  # one after the other; what a block adds is the end of the block before
        inputs = layer.input if isinstance(layer.input, list) else [layer.input]
        given = [read.get(id(tensor), x) for tensor in inputs]
        if layer.name == "_blocks.11._expand_conv":
            np.testing.assert_allclose(found[-1], given[0], rtol=1e-4, atol=1e-4)
            break
        read[id(layer.output)] = layer(given if len(given) > 1 else given[0], training=False)


def test_vgg16_sees_what_keras_prepares_for_it(images):
    keras.utils.set_random_seed(1)
    found = build_vgg16_feature_maps(SHAPE, weights=None)(images)
    keras.utils.set_random_seed(1)
    network = keras.applications.VGG16(include_top=False, weights=None, input_shape=SHAPE)
    own = keras.Model(network.input, [network.get_layer(name).output for name in VGG16_ENDS])
    for maps, expected in zip(found, own(keras.applications.vgg16.preprocess_input(255 * images)), strict=True):
        np.testing.assert_allclose(maps, expected, rtol=1e-3, atol=1e-3)


def test_grey_is_repeated(images):
    grey = images[..., :1]
    pairs = zip(build_lite0_feature_maps((32, 32, 1))(grey), build_lite0_feature_maps(SHAPE)(np.repeat(grey, 3, -1)))
    for one, other in pairs:
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_a_vqgan_learns_with_them_keeps_them_and_leaves_them_alone(images, tmp_path):
    codec = (build(SHAPE, 4, (4, 4), 1) for build in (build_codec_encoder, build_codec_decoder))
    discriminator = build_patch_discriminator(SHAPE, (4, 4))
    model = VQGAN(*codec, VectorQuantizer(6, 4), discriminator, perceptual=build_lite0_feature_maps(SHAPE))
    model.compile("sgd", "sgd")
    before = model.perceptual.get_weights()
    report = model.train_step(images)
    assert 0 < float(report["perceptual_loss"]) < 4
    assert all(np.array_equal(*pair) for pair in zip(before, model.perceptual.get_weights(), strict=True))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    values = [m.evaluate(images, verbose=0, return_dict=True)["perceptual_loss"] for m in (model, loaded)]
    assert values[0] == pytest.approx(values[1], rel=1e-5)


def test_what_cannot_be_had_is_said_in_one_sentence():
    with pytest.raises(InputError, match="VGG16 cannot be had"):
        build_vgg16_feature_maps((16, 16, 3), weights=None)
