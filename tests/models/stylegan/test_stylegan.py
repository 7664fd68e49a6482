"""StyleGAN: its game, its styles while it grows, and that nothing is lost, whenever it is stopped."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.distance import cdist

from gdl_keras.errors import InputError
from gdl_keras.models import StyleGAN
from gdl_keras.models.growing.schedule import Phase
from gdl_keras.models.parts.copies import copied
from gdl_keras.models.stylegan.base import mixed
from gdl_keras.models.stylegan.projection import project
from tests import cases, harness
from tests.growing_cases import Always, MeanOfPixels, progan, random_images
from tests.harness import long
from tests.stylegan_cases import stylegan, stylegan2_networks, stylegan_networks

pytestmark = pytest.mark.eager

# Epochs of 16 images: 4x4, two of fading, 8x8.
GROWING = {"stable_kimg": 0.016, "transition_kimg": 0.032}
PHASES = [Phase(0), Phase(1, True), Phase(1, True), Phase(1)]


def fit(model, epochs, **options):
    images = random_images(16, model.generator.output_shape[1])
    return model.fit(images, epochs=epochs, batch_size=16, verbose=0, shuffle=False, **options).history


def after(model, images):
    """The model in the phase that it is in after so many images."""
    model.images_seen.assign(images)
    model.keep_up()
    return model


def loud(model):
    """The model with noise that counts for something in both generators, and an average of styles."""
    for weight in model.weights:
        if weight.path.endswith("strength"):
            weight.assign(np.full(weight.shape, 0.5))
    model.mean_style.assign(np.linspace(-1, 1, 5))
    return model


@pytest.fixture(params=[0, 24, 1000], ids=["4x4", "fading", "8x8"])
def model(request):
    """In every phase."""
    return after(loud(stylegan(**GROWING)), request.param)


# ---- the game --------------------------------------------------------------------------------------------------------


def softplus(x):
    return np.logaddexp(0, np.asarray(x, "float64"))


def test_losses_and_slope_are_those_of_the_formula():
    """For a discriminator that takes the mean of all pixels, w times: the slope is w a pixel / (number of pixels)."""
    model = stylegan(first_size=8, penalty_weight=7.0)
    reals, fakes, handed = random_images(4, 8), 0.5 * random_images(4, 8), {}
    model._staged = Always(model, fakes), MeanOfPixels(model)
    model.minimize_discriminator = lambda tape, loss: handed.update(discriminator=float(loss))
    model.minimize_generator = lambda tape, loss: handed.update(generator=float(loss))
    report = model.train_step(tf.constant(reals))
    real, fake = (3 * (2 * images - 1).mean(axis=(1, 2, 3)) for images in (reals, fakes))
    loss, slope = (softplus(-real) + softplus(fake)).mean(), 9 / 64
    assert float(report["squared_slope"]) == pytest.approx(slope, rel=1e-5)
    assert float(report["discriminator_loss"]) == pytest.approx(loss, rel=1e-5)
    assert handed == pytest.approx({"discriminator": loss + 7 / 2 * slope, "generator": softplus(-fake).mean()})
    assert float(report["generator_loss"]) == pytest.approx(softplus(-fake).mean(), rel=1e-5)


def test_defaults_are_those_of_the_paper():
    model = StyleGAN(*stylegan_networks(size=16, channel_base=64))
    assert (model.penalty_weight, model.style_decay, model.mixing, model.ema_half_life) == (10.0, 0.995, 0.9, 10.0)
    assert (model.stable_kimg, model.transition_kimg, model.resolution) == (600.0, 600.0, 8)
    assert after(model, 600_000).phase == Phase(2, True)


# ---- styles while it grows -------------------------------------------------------------------------------------------


def test_with_truncation_0_all_images_are_that_of_the_average_style(model):
    images = model.generate(3, seed=1, truncation=0.0)
    np.testing.assert_allclose(images[1:], images[:-1], atol=1e-6)
    average = np.broadcast_to(np.linspace(-1, 1, 5), (1, 4, 5))
    np.testing.assert_allclose(images[:1], model.images_of(average), atol=1e-6)


def test_with_truncation_1_images_are_what_they_are_without(model):
    np.testing.assert_array_equal(model.generate(3, seed=1, truncation=1.0), model.generate(3, seed=1))
    assert np.abs(model.generate(3, seed=1, truncation=0.3) - model.generate(3, seed=1)).max() > 0.01


def test_truncation_is_a_straight_way_of_styles_in_the_first_layers(model):
    latents, mean = model.sample_latents(3, seed=1), np.linspace(-1, 1, 5)
    wanted = np.repeat(np.asarray(model.averaged_generator.get_layer("mapping")(latents))[:, None], 4, axis=1)
    wanted[:, :3] = mean + 0.4 * (wanted[:, :3] - mean)
    images = model.generate(latents=latents, truncation=0.4, cutoff=3)
    np.testing.assert_allclose(images, model.images_of(wanted), atol=1e-5)


def test_mixing_with_a_cutoff_tells_the_layers_from_it_on_the_second_style():
    """At 4x4 two layers are at work, and what the others are told changes nothing."""
    for images_seen, at_work in ((0, 2), (24, 4)):
        model = after(loud(stylegan(**GROWING)), images_seen)
        one, other = (model.styles_of(model.sample_latents(1, seed=seed)) for seed in (1, 2))
        np.testing.assert_array_equal(model.images_of(mixed(one, other, at_work)), model.images_of(one))
        np.testing.assert_array_equal(model.images_of(mixed(one, other, 0)), model.images_of(other))
        for cutoff in range(at_work):
            assert not np.allclose(model.images_of(mixed(one, other, cutoff)), model.images_of(one), atol=1e-4)


def test_cutoffs_lie_within_the_layers_at_work_and_every_one_comes_as_often():
    model, many = stylegan(size=16, mixing=0.6, **GROWING), tf.zeros((4000, 1))
    # 4x4 has two layers, 8x8 that is fading in has four, and 16x16 six.
    for images_seen, at_work in ((0, 2), (30, 4), (1000, 6)):
        cutoffs = np.asarray(after(model, images_seen).drawn_cutoffs(many))
        shares = np.bincount(cutoffs[:, 0], minlength=7) / len(cutoffs)
        wanted = [0, *[0.6 / (at_work - 1)] * (at_work - 1), *[0] * (6 - at_work), 0]
        np.testing.assert_allclose(shares[:6], wanted[:6], atol=0.03)
        assert shares[6] == pytest.approx(0.4, abs=0.03)


def test_a_training_step_moves_the_average_of_styles_by_a_two_hundredth():
    model, images = stylegan(mixing=0.0), tf.constant(random_images())
    state, mapping = np.asarray(model.seed_generator.state), copied(model.generator.get_layer("mapping"))
    model.train_step(images)
    model.seed_generator.state.assign(state)
    model.drawn_noise(images)
    wanted = 0.005 * np.mean(mapping(model.latents_like(images)), axis=0)
    np.testing.assert_allclose(model.mean_style, wanted, rtol=1e-4, atol=1e-7)


def test_noise_counts_for_nothing_while_its_strength_is_zero(model):
    latents = np.repeat(model.sample_latents(1, seed=1), 2, axis=0)
    styles = model.styles_of(latents)
    first, second = (np.random.default_rng(seed).normal(size=(2, 160)) for seed in (1, 2))
    assert not np.allclose(model.images_of(styles, first), model.images_of(styles, second), atol=1e-3)
    for weight in model.weights:
        if weight.path.endswith("strength"):
            weight.assign(np.zeros(weight.shape))
    np.testing.assert_array_equal(model.images_of(styles, first), model.images_of(styles, second))


def test_generated_images_are_of_full_size_at_any_time():
    model = stylegan(size=16, **GROWING)
    latents = model.sample_latents(3, seed=1)
    for images_seen, times in ((0, 4), (30, 2), (60, 2), (10**6, 1)):
        images = after(model, images_seen).generate(latents=latents)
        assert images.shape == (3, 16, 16, 1) and images.min() >= 0 and images.max() <= 1
        squares = images[:, ::times, ::times].repeat(times, axis=1).repeat(times, axis=2)
        np.testing.assert_array_equal(images, squares)
    np.testing.assert_allclose(images, model.averaged_generator(latents), atol=1e-6)


@pytest.mark.full
def test_styles_of_given_images_are_found():
    """Also where the network's image leaves [0, 1], where a clipped one would have no slope."""
    model = after(stylegan(**GROWING), 1000)
    wanted = model.generate(4, seed=3)
    _, found = project(model, wanted, steps=60, every_layer=True)
    nearest = cdist(model.generate(200, seed=0).reshape(200, -1), wanted.reshape(4, -1), "sqeuclidean").min(axis=0)
    assert np.mean((found - wanted) ** 2) < nearest.mean() / 64 / 4


# ---- growth ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("epochs", [long(1), 2, long(3)])
def test_stopped_in_any_phase_it_goes_on_as_if_never_stopped(epochs, tmp_path):
    """At the beginning of a fade, in its middle, at its end."""
    never_stopped = stylegan(**GROWING)
    fit(never_stopped, epochs)
    never_stopped.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.phase == never_stopped.phase == PHASES[epochs]
    histories = [fit(model, epochs + 1, initial_epoch=epochs) for model in (never_stopped, loaded)]
    assert histories[0] == histories[1]
    assert histories[0]["resolution"] == [8] and histories[0]["fade"] == [(0, 0, 0.5, 1)[epochs]]
    assert histories[0]["kimg"] == pytest.approx([0.016 * (epochs + 1)])
    harness.assert_same(harness.weights(never_stopped), harness.weights(loaded))


def test_growing_keeps_every_weight_and_every_slot_and_trains_the_mapping_network_in_every_phase():
    model = stylegan(**GROWING)
    old = model.generator_variables
    fit(model, 1)
    before = [np.array(value) for value in harness.weights(model)]
    for images_seen in (40, 10**6, 16):
        after(model, images_seen)
    harness.assert_same(before, harness.weights(model))
    assert model.phase == Phase(1, True) and all(np.any(slot_of(model, weight)) for weight in old)
    everything = {id(weight) for weight in model.generator.trainable_weights}
    assert {id(weight) for weight in model.generator_variables} == everything
    values = [np.array(weight) for weight in model.generator_variables]
    for _ in range(2):
        model.train_on_batch(random_images())
    assert all(not np.array_equal(value, weight) for value, weight in zip(values, model.generator_variables))
    assert all(np.any(slot_of(model, weight)) for weight in model.generator_variables)


def slot_of(model, weight):
    """What Adam keeps of the squares of a weight's gradients."""
    optimizer = model.generator_optimizer
    return np.asarray(optimizer._velocities[optimizer._get_variable_index(weight)])


@pytest.mark.full
@pytest.mark.graph
def test_the_step_is_traced_once_a_phase(monkeypatch):
    traced, step = [], StyleGAN.train_step
    monkeypatch.setattr(StyleGAN, "train_step", lambda self, data: traced.append(self.phase) or step(self, data))
    fit(stylegan(**GROWING), 5)
    assert traced == [Phase(0), Phase(1, True), Phase(1)]


def test_networks_are_checked():
    with pytest.raises(InputError, match="has no layer mapping and no layer noise and no layer synthesis"):
        StyleGAN(progan().generator, progan().discriminator)
    with pytest.raises(InputError, match="StyleGAN grows networks of build_generator and build_discriminator"):
        StyleGAN(*stylegan2_networks())
    with pytest.raises(InputError, match="first_size is one of 4, 8, not 16"):
        stylegan(first_size=16)
    with pytest.raises(InputError, match="penalty_weight is not negative, not -1"):
        stylegan(penalty_weight=-1.0)


# ---- as a whole ------------------------------------------------------------------------------------------------------


@pytest.mark.full
@pytest.mark.graph
def test_two_replicas_grow_alike(two_replicas):
    with two_replicas.scope():
        model = stylegan(stable_kimg=0.016, transition_kimg=0.016)
    history = fit(model, 3)
    assert history["resolution"] == [4, 8, 8] and history["fade"] == [1, 0, 1]
    for weight in [*model.trainable_weights, model.mean_style, model.images_seen]:
        np.testing.assert_array_equal(*map(np.asarray, two_replicas.experimental_local_results(weight.value)))


@pytest.mark.full
@pytest.mark.graph
def test_learns_sixteen_images_by_heart():
    """Its images come nearer to the sixteen, each to the nearest, than those of its start."""
    model = stylegan(stable_kimg=1.0, transition_kimg=1.0, penalty_weight=0.01, ema_half_life=0.5)
    before = nearest(model)
    harness.many_steps(model, cases.images(), 1000)
    print("nearest, squared:", before, nearest(model))
    assert nearest(model) < before / 2


def nearest(model):
    """The mean over generated images of the squared distance to the nearest of the sixteen."""
    made, real = (images.reshape(-1, 64) for images in (model.generate(64, seed=3), cases.images()))
    return cdist(made, real, "sqeuclidean").min(axis=1).mean()
