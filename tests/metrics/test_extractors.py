"""Feature extractors: which network, how images are resized, and that a run's precision does not reach them."""

import keras
import numpy as np
import pytest
from PIL import Image

from gdl_keras import data
from gdl_keras.errors import InputError
from gdl_keras.metrics import InceptionExtractor, Judge, JudgeExtractor, frechet_distance, load_extractor
from gdl_keras.metrics.extractors import fit


@pytest.fixture(scope="module")
def garments():
    return data.load("fashion_mini", "test", image_size=32).sample(20)


def resized(image, side):
    """By Pillow, channel by channel, in floating point: bilinear, and antialiased where it shrinks."""
    planes = [
        Image.fromarray(plane).resize((side, side), Image.Resampling.BILINEAR) for plane in np.moveaxis(image, -1, 0)
    ]
    return np.stack([np.asarray(plane) for plane in planes], axis=-1)


def test_a_judges_features_are_those_before_its_last_layer(garments):
    judge = Judge("fashion")
    network = judge.model.network
    features, probabilities = JudgeExtractor("fashion").features_and_probabilities(garments)
    assert (features.shape, features.dtype) == ((20, 96), np.float32)
    np.testing.assert_allclose(features, judge.features(garments), rtol=1e-6)
    weights, bias = network.get_layer("logits").get_weights()
    logits = features.astype("float64") @ weights + bias
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(probabilities, odds / odds.sum(axis=1, keepdims=True), atol=1e-5)


@pytest.mark.parametrize("side", [20, 32, 75, 128])
def test_images_are_resized_as_by_pillow(side):
    images = np.random.default_rng(0).uniform(size=(2, side, side, 3)).astype("float32")
    np.testing.assert_allclose(fit(images, (32, 32, 3)), [resized(image, 32) for image in images], atol=1e-5)


def test_grey_images_get_three_equal_channels(garments):
    emoji = JudgeExtractor("emoji")
    np.testing.assert_array_equal(emoji(garments), emoji(np.repeat(garments, 3, axis=-1)))


def test_the_way_of_resizing_has_a_name():
    fashion, emoji = JudgeExtractor("fashion"), JudgeExtractor("emoji")
    assert fashion.resizing((32, 32, 1)) == "none"
    assert fashion.resizing((64, 64, 1)) == "bilinear, antialiased, 64x64 to 32x32"
    assert emoji.resizing((32, 32, 1)) == "none, grey repeated to 3 channels"


def test_the_precision_of_a_run_does_not_reach_the_judge(garments):
    expected = JudgeExtractor("fashion")(garments)
    keras.config.set_dtype_policy("mixed_float16")
    np.testing.assert_array_equal(JudgeExtractor("fashion")(garments), expected)
    assert keras.config.dtype_policy().name == "mixed_float16"


def test_the_digest_is_of_the_weights():
    first, second = JudgeExtractor("fashion"), JudgeExtractor("fashion")
    assert first.sha256 == second.sha256
    assert len(first.sha256) == 64
    third = JudgeExtractor("fashion")
    bias = third.network.weights[-1]
    bias.assign(np.nextafter(bias.numpy(), 1, dtype="float32"))
    assert third.sha256 != first.sha256


@pytest.mark.full
def test_inception_sees_images_of_299_pixels_in_minus_one_to_one(garments):
    """With random weights, which need no network."""
    inception = InceptionExtractor(weights=None)
    features, probabilities = inception.features_and_probabilities(garments[:3])
    large = np.stack([resized(image, 299) for image in garments[:3]])
    network = keras.Model(inception.network.inputs, inception.network.get_layer("avg_pool").output)
    expected = network.predict(2 * np.repeat(large, 3, axis=-1) - 1, verbose=0)
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-4)
    assert features.shape == (3, 2048)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert inception.resizing((32, 32, 1)) == "bilinear, antialiased, 32x32 to 299x299, grey repeated to 3 channels"


def test_without_a_network_inception_is_one_sentence_that_says_what_to_do(monkeypatch):
    def offline(**_):
        raise Exception("URL fetch failure on https://example.org/inception.h5: None -- [Errno -2] unknown host")

    monkeypatch.setattr(keras.applications, "InceptionV3", offline)
    with pytest.raises(InputError, match="connect to the network once, or use --features fashion") as caught:
        load_extractor("inception")
    assert "\n" not in str(caught.value)


def test_what_cannot_be_looked_at_is_explained(garments):
    with pytest.raises(InputError, match="in colour: choose emoji"):
        JudgeExtractor("fashion")(np.repeat(garments, 3, axis=-1))
    with pytest.raises(InputError, match="Images are arrays"):
        JudgeExtractor("fashion")(garments[0])
    with pytest.raises(InputError, match="Did you mean inception"):
        load_extractor("incepton")


def test_distances_take_any_function_from_images_to_features(garments):
    def mean_and_spread(images):
        return np.stack([images.mean(axis=(1, 2, 3)), images.std(axis=(1, 2, 3))], axis=1)

    expected = frechet_distance(mean_and_spread(garments[:10]), mean_and_spread(garments[10:]))
    assert frechet_distance(garments[:10], garments[10:], mean_and_spread) == expected
