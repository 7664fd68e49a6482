"""StyleGAN2 with adaptive augmentation: what the discriminator sees, what the generator learns of it, what is kept."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.layers import AdaptiveAugmentation
from tests.harness import assert_same, weights
from tests.stylegan_cases import augmented_stylegan2, stylegan2, stylegan2_networks

IMAGES = np.random.default_rng(0).uniform(0, 1, (16, 8, 8, 1)).astype("float32")


def trained(model, steps):
    batches = tf.data.Dataset.from_tensor_slices(IMAGES).batch(8).repeat()
    return model.fit(batches, epochs=steps, steps_per_epoch=1, verbose=0, shuffle=False).history


@pytest.mark.eager
def test_at_strength_0_it_is_the_model_without():
    found = []
    for augmentation in (None, AdaptiveAugmentation(ramp_kimg=None, seed=3)):
        keras.utils.set_random_seed(0)
        model = stylegan2(augmentation=augmentation)
        history = trained(model, 1)
        found.append(history["discriminator_loss"] + history["generator_loss"] + history["path_length"])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4)


@pytest.mark.eager
def test_the_discriminator_sees_nothing_that_is_not_augmented(monkeypatch):
    """Behind an augmentation that leaves nothing, real images are generated ones, and the generator learns nothing."""
    model = augmented_stylegan2()
    monkeypatch.setattr(model.augmentation, "drawn", lambda: lambda images: 0 * images)
    before = [np.asarray(weight) for weight in model.generator.trainable_variables]
    history = trained(model, 1)
    assert_same(before, [np.asarray(weight) for weight in model.generator.trainable_variables])
    assert history["squared_slope"][0] < 1e-10
    score = float(model.discriminator(tf.zeros((1, 8, 8, 1)))[0, 0])
    assert abs(score) < 1  # one step away from where it was
    assert history["real_accuracy"][0] + history["fake_accuracy"][0] in (0, 1)


@pytest.mark.eager
def test_generator_learns_through_it():
    model = augmented_stylegan2()
    model.augmentation.controller.strength.assign(1.0)
    before = [np.asarray(weight) for weight in model.generator.trainable_variables]
    trained(model, 1)
    moved = [np.abs(np.asarray(w) - b).max() for w, b in zip(model.generator.trainable_variables, before)]
    assert np.mean(np.array(moved) > 0) > 0.8


@pytest.mark.eager
def test_strength_follows_the_scores_and_goes_on_after_a_stop(tmp_path):
    """An interval of one step of 8 images, 0 to 1 in 100 images: 0.08 a step, up or down."""
    model = augmented_stylegan2()
    model.augmentation.controller.strength.assign(0.5)
    history = trained(model, 2)
    strength, expected = 0.5, []
    for accuracy in history["real_accuracy"]:
        strength = min(max(strength + 0.08 * np.sign(2 * accuracy - 1 - 0.6), 0), 1)
        expected.append(strength)
    np.testing.assert_allclose(history["augmentation_strength"], expected, atol=1e-6)
    model.augmentation.controller.strength.assign(0.4)
    model.save(tmp_path / "model.keras")
    copy = keras.models.load_model(tmp_path / "model.keras")
    assert float(copy.augmentation.controller.strength) == pytest.approx(0.4)
    assert copy.augmentation.get_config() == model.augmentation.get_config()
    for either in (model, copy):
        trained(either, 1)
    assert_same(weights(model), weights(copy))


def test_images_that_it_does_not_take_are_refused():
    from gdl_keras.models.stylegan import StyleGAN2

    with pytest.raises(InputError, match="hue"):
        StyleGAN2(*stylegan2_networks(image_shape=(8, 8, 2)), augmentation=AdaptiveAugmentation())
