"""Layers with names of their own: files from before they had them load, and what is written now is like those."""

import io
import json
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from gdl_keras import layers

# Written when our layers were still called as Keras's are, with weights at random, by `layers_in_turn`.
EARLIER = Path(__file__).with_name("earlier_names.keras")

NAMES = {
    layers.FusedBatchNormalization: "BatchNormalization",
    layers.HalvingConv2D: "Conv2D",
    layers.DoublingConv2DTranspose: "Conv2DTranspose",
    layers.ReplicaDropout: "Dropout",
    layers.ZeroCurvatureLeakyReLU: "LeakyReLU",
}


def layers_in_turn(*kinds):
    """A network in which layers of ours (of these kinds) and of Keras take turns, or other layers in their place."""
    normalization, halving, doubling, dropout, leaky = kinds
    return [
        keras.layers.Conv2D(2, 3, padding="same"),
        halving(3, 4, strides=2, padding="same"),
        normalization(),
        leaky(0.2),
        dropout(0.5, seed=3),
        doubling(3, 4, strides=2, padding="same"),
        keras.layers.BatchNormalization(),
        keras.layers.LeakyReLU(0.1),
        halving(2, 4, strides=2, padding="same"),
    ]


def network(*kinds):
    images = x = keras.Input((8, 8, 1))
    for layer in layers_in_turn(*kinds):
        x = layer(x)
    return keras.Model(images, x)


def stored_weights(path):
    """{place in the file: array}."""
    with h5py.File(io.BytesIO(zipfile.ZipFile(path).read("model.weights.h5"))) as file:
        found = {}
        file.visititems(lambda place, item: found.update({place: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


@pytest.mark.parametrize("loaded", ["whole", "weights"])
def test_a_file_from_before_loads(loaded):
    """Its outputs are those of Keras' own layers with the numbers that stand in it."""
    if loaded == "whole":
        model = keras.saving.load_model(EARLIER, safe_mode=True)
    else:
        model = network(*NAMES)
        model.load_weights(EARLIER)
    assert {type(layer) for layer in model.layers} >= set(NAMES)
    places = ["conv2d", "conv2d_1", "batch_normalization", "conv2d_transpose", "batch_normalization_1", "conv2d_2"]
    numbers = stored_weights(EARLIER)
    theirs = network(*(getattr(keras.layers, name) for name in NAMES.values()))
    with_weights = [layer for layer in theirs.layers if layer.weights]
    for layer, place in zip(with_weights, places, strict=True):
        layer.set_weights([numbers[f"layers/{place}/vars/{index}"] for index in range(len(layer.weights))])
    images = np.random.default_rng(0).random((2, 8, 8, 1), dtype=np.float32)
    np.testing.assert_allclose(model(images), theirs(images), rtol=1e-4, atol=1e-4)


def test_what_is_written_is_what_was_written_before(tmp_path):
    """The same places for weights, the same names of classes and of layers."""
    keras.utils.clear_session()
    model = network(*NAMES)
    model.save(tmp_path / "model.keras")
    assert stored_weights(tmp_path / "model.keras").keys() == stored_weights(EARLIER).keys()
    now, before = (stored_layers(path) for path in (tmp_path / "model.keras", EARLIER))
    assert now == before


def stored_layers(path):
    """[(name, class, registered name, module)] of a file's layers."""
    config = json.loads(zipfile.ZipFile(path).read("config.json"))["config"]
    keys = ("name", "class_name", "registered_name", "module")
    return [tuple(layer[key] for key in keys) for layer in config["layers"]]


@pytest.mark.parametrize("kind", NAMES)
def test_a_config_from_before_makes_a_layer_of_ours(kind):
    name = NAMES[kind]
    options = {"rate": 0.5} if name == "Dropout" else {"filters": 2, "kernel_size": 4} if "Conv" in name else {}
    config = {"class_name": name, "config": options, "registered_name": f"gdl_keras>{name}", "module": "long.gone"}
    assert type(keras.saving.deserialize_keras_object(config)) is kind
