"""Styles: their average, truncation, mixing, and the noise beside them."""

from itertools import pairwise

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.keywords import read
from gdl_keras.models import GAN, StyleGAN2
from gdl_keras.models.stylegan.base import mixed
from gdl_keras.sampling import sampling_options
from tests import cases, harness
from tests.stylegan_cases import stylegan2, stylegan2_networks

pytestmark = pytest.mark.eager


@pytest.fixture
def model():
    """Without labels, its mean style no longer zero, its noise counting for something in both generators."""
    model = stylegan2()
    model.mean_style.assign(np.linspace(-1, 1, 5))
    for weight in model.weights:
        if weight.path.endswith("strength"):
            weight.assign(0.5)
    return model


def own_styles(model, latents):
    """What the averaged mapping network makes of latent points: array (n, 5)."""
    return np.asarray(model.averaged_generator.get_layer("mapping")(latents))


# ---- truncation ------------------------------------------------------------------------------------------------------


def test_with_truncation_0_all_images_are_that_of_the_average_style(model):
    images = model.generate(3, seed=1, truncation=0.0)
    np.testing.assert_allclose(images[1:], images[:-1], atol=1e-6)
    average = tf.broadcast_to(tf.constant(np.linspace(-1, 1, 5), tf.float32), (1, 4, 5))
    np.testing.assert_allclose(images[:1], model.images_of(average), atol=1e-6)


def test_with_truncation_1_images_are_what_they_are_without(model):
    np.testing.assert_array_equal(model.generate(3, seed=1, truncation=1.0), model.generate(3, seed=1))
    latents = model.sample_latents(3, seed=1)
    np.testing.assert_allclose(model.generate(3, seed=1), np.clip(model.averaged_generator(latents), 0, 1), atol=1e-6)


def test_truncation_is_a_straight_way_in_the_first_layers(model):
    latents, mean = model.sample_latents(3, seed=1), np.linspace(-1, 1, 5)
    styles = own_styles(model, latents)
    wanted = np.repeat(styles[:, None], 4, axis=1)
    wanted[:, :3] = (mean + 0.4 * (styles - mean))[:, None]
    found = model.styles_of(latents, truncation=0.4, cutoff=3)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    images = model.generate(latents=latents, truncation=0.4, cutoff=3)
    np.testing.assert_allclose(images, model.images_of(wanted), atol=1e-6)
    np.testing.assert_allclose(images, model.generate(3, seed=1, truncation=0.4, cutoff=3), atol=1e-6)
    np.testing.assert_allclose(
        model.generate(3, seed=1, truncation=0.4, cutoff=0), model.generate(3, seed=1), atol=1e-6
    )


def test_a_cutoff_beyond_the_layers_is_refused(model):
    for cutoff in (-1, 5):
        with pytest.raises(InputError, match="between 0 and 4"):
            model.generate(2, cutoff=cutoff)
    with pytest.raises(InputError, match="takes no colours"):
        model.generate(latents=model.sample_latents(2), colours=1)


# ---- the average of styles -------------------------------------------------------------------------------------------


def test_the_average_of_styles_follows_its_closed_form():
    """After n steps towards the same mean m it is (1 - decay^n) m, and before any it is 0."""
    model = stylegan2(style_decay=0.9)
    batch = np.arange(10, dtype="float32").reshape(2, 5)
    for steps in range(1, 31):
        model.follow_styles(tf.constant(batch))
        np.testing.assert_allclose(model.mean_style, (1 - 0.9**steps) * batch.mean(axis=0), rtol=1e-4)


def test_a_training_step_moves_it_by_the_styles_of_its_batch():
    model = stylegan2(mixing=0.0, style_decay=0.0)
    state = np.asarray(model.seed_generator.state)
    mapping = keras.models.clone_model(model.generator.get_layer("mapping"))
    mapping.set_weights(model.generator.get_layer("mapping").get_weights())
    images = tf.constant(cases.images())
    model.train_step(images)
    model.seed_generator.state.assign(state)
    model.drawn_noise(images)
    np.testing.assert_allclose(
        model.mean_style, np.mean(mapping(model.latents_like(images)), axis=0), rtol=1e-5, atol=1e-6
    )


# ---- mixing ----------------------------------------------------------------------------------------------------------


def test_mixing_tells_the_first_layers_one_style_and_the_others_another():
    first, second = np.zeros((2, 4, 5), "float32"), np.ones((2, 4, 5), "float32")
    for cutoff in range(5):
        layers = np.asarray(mixed(first, second, cutoff))[..., 0]
        np.testing.assert_array_equal(layers, np.repeat([np.arange(4) >= cutoff], 2, axis=0))
    np.testing.assert_array_equal(mixed(first, second, np.array([[1], [4]]))[..., 0], [[0, 1, 1, 1], [0, 0, 0, 0]])


def test_mixing_with_all_layers_is_no_mixing_and_with_fewer_changes_the_later_sizes_alone(model):
    one, other = (model.styles_of(model.sample_latents(1, seed=seed)) for seed in (1, 2))
    np.testing.assert_array_equal(model.images_of(mixed(one, other, 4)), model.images_of(one))
    np.testing.assert_array_equal(model.images_of(mixed(one, other, 0)), model.images_of(other))
    assert not np.allclose(model.images_of(mixed(one, other, 2)), model.images_of(one), atol=1e-3)


@pytest.mark.parametrize("mixing", [0.0, 0.3, 1.0])
def test_so_many_images_are_mixed_and_every_cutoff_comes_as_often(mixing):
    model = stylegan2(mixing=mixing)
    many = tf.zeros((4000, 8, 8, 1))
    style, styles = model.drawn_styles(many, None)
    np.testing.assert_array_equal(styles[:, 0], style)
    differ = np.any(np.asarray(styles) != np.asarray(style)[:, None], axis=-1)
    assert differ[:, -1].mean() == pytest.approx(mixing, abs=0.04)
    for cutoff in (1, 2, 3):  # the layers that differ are all from the cutoff on
        alike = (differ == (np.arange(4) >= cutoff)).all(axis=1).mean()
        assert alike == pytest.approx(mixing / 3, abs=0.04)
    assert (differ.sum(axis=1) == 4).sum() == 0


# ---- noise -----------------------------------------------------------------------------------------------------------


def test_noise_is_the_same_for_all_or_each_images_own_or_none(model):
    latents = np.repeat(model.sample_latents(1, seed=1), 3, axis=0)
    constant = model.generate(latents=latents)
    np.testing.assert_allclose(constant[1:], constant[:-1], atol=1e-6)
    model.sample_latents = lambda n, *_: latents[:1].repeat(n, axis=0)
    np.testing.assert_allclose(model.generate(3, seed=1), constant, atol=1e-6)
    random = model.generate(5, seed=1, noise="random")
    assert all(not np.allclose(a, b, atol=1e-3) for a, b in pairwise(random))
    np.testing.assert_array_equal(random, model.generate(5, seed=1, noise="random"))
    np.testing.assert_allclose(random[2:], model.generate(3, seed=1, first=2, noise="random"), atol=1e-6)
    np.testing.assert_allclose(random, model.generate(5, seed=1, batch_size=2, noise="random"), atol=1e-6)
    assert not np.allclose(random, model.generate(5, seed=2, noise="random"), atol=1e-3)
    none = model.generate(3, seed=1, noise="none")
    styles = model.styles_of(latents)
    np.testing.assert_allclose(none, model.images_of(styles, np.zeros((3, 144), "float32")), atol=1e-6)
    assert not np.allclose(none, constant, atol=1e-3)
    with pytest.raises(InputError, match="noise"):
        model.generate(2, noise="loud")


def test_the_command_line_offers_truncation_cutoff_and_noise(model):
    known = sampling_options(model)
    given = read({"truncation": "0.5", "cutoff": "2", "noise": "none"}, known, "StyleGAN2")
    assert given == {"truncation": 0.5, "cutoff": 2, "noise": "none"}
    np.testing.assert_array_equal(
        model.generate(2, seed=1, **given), model.generate(2, seed=1, truncation=0.5, cutoff=2, noise="none")
    )


def test_training_draws_noise_afresh(model):
    images = tf.zeros((4, 8, 8, 1))
    first, second = (np.asarray(model.drawn_noise(images)) for _ in range(2))
    assert first.shape == (4, 144) and not np.allclose(first, second)
    assert len(np.unique(first[:, 0])) == 4


def test_a_file_has_it_all(model, tmp_path):
    harness.train(cases.ModelCase("", lambda: model, cases.images), model, epochs=1)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for options in ({}, {"truncation": 0.5, "cutoff": 2}, {"noise": "random"}):
        np.testing.assert_array_equal(model.generate(3, seed=1, **options), loaded.generate(3, seed=1, **options))
    assert loaded.kimg == model.kimg == 16 / 1000


def test_a_generator_without_styles_is_refused():
    _, discriminator = stylegan2_networks()
    with pytest.raises(InputError, match="no layer mapping and no layer noise and no layer synthesis"):
        StyleGAN2(cases.gan().generator, discriminator)
    assert isinstance(cases.gan(), GAN)
