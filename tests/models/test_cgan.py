"""The conditional GAN: labels enter both networks, and wrong ones are refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.data import from_arrays
from gdl_keras.errors import InputError
from gdl_keras.models.cgan import build_critic, build_generator
from tests import cases


def test_networks_have_the_books_number_of_weights():
    assert build_generator((64, 64, 3), 2).count_params() == 729_859
    assert build_critic((64, 64, 3), 2).count_params() == 662_977


def test_the_label_changes_image_and_score():
    model = cases.cgan()
    latents = model.sample_latents(1, seed=0).repeat(3, axis=0)
    images = model.generate(latents=latents, labels=[0, 1, 2])
    assert len(np.unique(images.reshape(3, -1), axis=0)) == 3
    scores = model.critic([np.repeat(cases.images(1), 3, axis=0), np.arange(3)])
    assert len(np.unique(scores)) == 3


def test_the_same_label_is_the_same_image():
    model = cases.cgan()
    latents = model.sample_latents(1, seed=0).repeat(2, axis=0)
    np.testing.assert_array_equal(*model.generate(latents=latents, labels=[1, 1]))


def test_critic_sees_one_plane_per_class():
    """The first convolution's input: the image from -1 to 1, then a plane of ones for the label, zeros for others."""
    critic = build_critic((8, 8, 1), 3, (4, 4))
    concatenated = next(layer for layer in critic.layers if "concatenate" in layer.name)
    planes = keras.Model(critic.inputs, concatenated.output)([np.full((1, 8, 8, 1), 0.75, "float32"), np.array([2])])
    np.testing.assert_array_equal(planes[0], np.broadcast_to([0.5, 0, 0, 1], (8, 8, 4)))


def test_images_keep_their_labels_in_the_critics_steps():
    model = cases.cgan()
    images, labels = cases.labelled_images()
    parts = model.critic_batches(tf.constant(images), tf.constant(labels))
    assert len(parts) == 2
    np.testing.assert_array_equal(np.concatenate([p[0] for p in parts]), images)
    np.testing.assert_array_equal(np.concatenate([p[1] for p in parts]), labels)


@pytest.mark.parametrize(
    "labels", [None, [0, 3], [0, -1], [0], [[0, 1], [1, 0]], [0.0, 1.0]], ids=lambda labels: str(labels)
)
def test_missing_or_wrong_labels_are_refused_with_a_way_out(labels):
    conditions = {} if labels is None else {"labels": labels}
    with pytest.raises(InputError, match="2 integers from 0 to 2"):
        cases.cgan().generate(2, **conditions)


def test_attributes_mix():
    model = cases.cgan(2, attributes=True)
    latents = model.sample_latents(1, seed=0).repeat(4, axis=0)
    images = model.generate(latents=latents, labels=[[0, 0], [0, 1], [1, 0], [1, 1]])
    assert len(np.unique(images.reshape(4, -1), axis=0)) == 4
    with pytest.raises(InputError, match="rows of 2 attributes"):
        model.generate(2, labels=[0, 1])


@pytest.mark.eager
def test_it_learns_what_its_labels_are_called(tmp_path):
    images, labels = np.zeros((6, *cases.IMAGE_SHAPE), "uint8"), np.array([0, 1, 2] * 2)
    named = from_arrays(images=images, labels=labels, class_names=["hill", "sea", "wood"], batch_size=3)
    model = cases.cgan()
    assert model.conditions.names is None
    cases.with_optimizers(model).fit(named, epochs=1, steps_per_epoch=1, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.conditions.names == model.conditions.names == ["hill", "sea", "wood"]
    assert loaded.get_config()["label_names"] == model.get_config()["label_names"]


def test_data_without_labels_is_refused():
    with pytest.raises(InputError, match="labels"):
        cases.cgan().fit(cases.images(), verbose=0)
