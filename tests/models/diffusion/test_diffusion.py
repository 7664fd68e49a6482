"""Diffusion: the published number of weights, losses and bound against numpy, guidance, noise inside the loop."""

import math

import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.layers import FromPatches, ModulatedNormalization, NoiseEmbedding, ToPatches
from gdl_keras.models import build_quick_unet, build_unet
from gdl_keras.models.diffusion import bound
from gdl_keras.samplers.denoising import SCHEDULES
from gdl_keras.samplers.noise import SampleNoise
from tests import harness
from tests.cases import images
from tests.diffusion_cases import diffusion, small_network


def stirred(model):
    """The model with weights that make its outputs other than zero."""
    for number, weight in enumerate(model.unet.weights):
        weight.assign_add(0.3 * tf.random.stateless_normal(weight.shape, (number, 1)))
    model.stddev.assign(0.5)
    return model


def test_the_books_network_has_its_number_of_weights():
    assert build_unet((64, 64, 3)).count_params() == 1_953_507


def test_networks_begin_with_zeros_and_refuse_sizes():
    for build in (build_unet, build_quick_unet):
        network = build((8, 8, 2), (4, 4), 1)
        outputs = network([tf.ones((3, 8, 8, 2)), tf.constant([0.0, 0.5, 1.0])])
        assert outputs.shape == (3, 8, 8, 2) and not np.any(outputs)
        with pytest.raises(InputError):
            build((6, 6, 1), (4, 4, 4))
    with pytest.raises(InputError):
        build_quick_unet((9, 9, 1), patch=2)


def test_layers_against_numpy():
    levels = np.array([0.0, 0.125, 0.9], "float32")
    angles = 2 * np.pi * levels[:, None] * np.array([1.0, 1000**0.5, 1000.0])
    expected = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    np.testing.assert_allclose(NoiseEmbedding(3)(levels), expected, atol=2e-3)
    logits = NoiseEmbedding(1, 0.1, 0.1, of="logit")(tf.constant([0.8]))
    np.testing.assert_allclose(logits[0, 0], math.sin(0.2 * math.pi * math.log(4)), atol=1e-5)
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    patches = ToPatches(2)(x)
    np.testing.assert_array_equal(patches[0, 1, 0], x[0, 2:, :2].ravel())
    np.testing.assert_array_equal(FromPatches(2)(patches), x)
    layer, vector = ModulatedNormalization(), np.ones((2, 5), "float32")
    outputs = layer([x, vector])
    scale, shift = np.split(vector @ np.asarray(layer.kernel), 2, axis=1)
    size = np.sqrt(np.square(x).mean(axis=(1, 2, 3), keepdims=True))
    np.testing.assert_allclose(outputs, x / size * (1 + scale[:, None, None]) + shift[:, None, None], atol=1e-4)


@pytest.mark.parametrize("target", ["noise", "velocity", "image"])
def test_the_right_answer_has_no_loss_and_shows_the_image(target, monkeypatch):
    model = diffusion(target=target, schedule="cosine")
    image, noise = (tf.random.stateless_normal((4, 8, 8, 1), (k, 0)) for k in range(2))
    times = tf.constant([0.1, 0.3, 0.6, 0.9])
    signal, rate = (np.asarray(r)[:, None, None, None] for r in SCHEDULES["cosine"](times))
    answer = {"noise": noise, "velocity": signal * noise - rate * image, "image": image}[target]
    monkeypatch.setattr(model, "ask", lambda *_, **__: answer)
    np.testing.assert_allclose(model.losses_of(image, times, noise, None, False), 0, atol=1e-8)
    seen = model.denoise(signal * image + rate * noise, tf.constant(signal.ravel()), tf.constant(rate.ravel()))
    np.testing.assert_allclose(seen, image, atol=1e-4)


@pytest.mark.parametrize("error", ["squared", "absolute"])
def test_the_loss_is_a_mean_over_the_image_alone(error, monkeypatch):
    model = diffusion(target="image", error=error)
    image = tf.random.stateless_normal((3, 8, 8, 1), (0, 0))
    monkeypatch.setattr(model, "ask", lambda *_, **__: tf.zeros_like(image))
    expected = np.square(image) if error == "squared" else np.abs(image)
    losses = model.losses_of(image, tf.constant([0.2, 0.5, 0.7]), image, None, False)
    np.testing.assert_allclose(losses, expected.mean(axis=(1, 2, 3)), rtol=1e-5)


def test_min_snr_weighs_the_errors_of_the_image_alike_for_all_targets():
    signal_power, noise_power = tf.constant([0.9, 0.5, 0.1]), tf.constant([0.1, 0.5, 0.9])
    per_image = {"noise": signal_power / noise_power, "image": 1.0, "velocity": 1 / noise_power}
    for target, factor in per_image.items():
        model = diffusion(target=target, weighting="min_snr")
        weights = model.weight(signal_power, noise_power) * factor
        np.testing.assert_allclose(weights, [5.0, 1.0, 1 / 9], rtol=1e-5)


def test_guidance_1_is_the_conditional_model():
    model = stirred(diffusion(num_classes=3, ema_decay=None))
    x, levels, labels = tf.ones((3, 8, 8, 1)), tf.constant([0.2, 0.5, 0.8]), tf.constant([0, 1, 2])
    asked = model.ask(x, levels, labels)
    np.testing.assert_array_equal(asked, model.unet([x, levels, labels]))
    of_any = model.ask(x, levels, tf.constant([3, 3, 3]))
    assert not np.allclose(asked, of_any)
    np.testing.assert_allclose(model.ask(x, levels, labels, guidance=0.0), of_any, atol=1e-5)
    np.testing.assert_allclose(model.ask(x, levels, labels, guidance=3.0), 3 * asked - 2 * of_any, atol=1e-4)
    samples = model.generate(3, seed=1, labels=np.arange(3))
    np.testing.assert_array_equal(samples, model.generate(3, seed=1, labels=np.arange(3), guidance=1.0))
    assert not np.allclose(samples, model.generate(3, seed=1, labels=np.arange(3), guidance=4.0))


def test_sample_i_follows_seed_and_i_with_noise_inside_the_loop():
    model = stirred(diffusion(ema_decay=None))
    for options in ({"solver": "ddpm"}, {"eta": 0.5}):
        samples = model.generate(4, seed=4, **options)
        np.testing.assert_allclose(samples[2:], model.generate(2, seed=4, first=2, **options), atol=1e-5)
        np.testing.assert_allclose(samples, model.generate(4, seed=4, batch_size=2, **options), atol=1e-5)
    points = model.sample_latents(3, seed=4)
    first, second = (model.generate(latents=points, solver="ddpm", seed=seed) for seed in (1, 2))
    assert not np.allclose(first, second)
    np.testing.assert_allclose(model.generate(latents=points, seed=1), model.generate(latents=points, seed=2))


def test_what_is_given_is_kept():
    model = stirred(diffusion(ema_decay=None))
    given = images(3).copy()
    given[:, 4:] = np.nan
    for solver in ("ddim", "ddpm", "dpm"):
        filled = model.generate(given=given, solver=solver, seed=1)
        np.testing.assert_allclose(filled[:, :4], given[:, :4], atol=1e-5)
        assert np.isfinite(filled).all()
    assert not np.allclose(filled[0, 4:], filled[1, 4:])


def test_the_scale_is_that_of_the_data():
    model, data = diffusion(), images()
    model.adapt(data)
    standardized = np.asarray(model.standardized(tf.constant(data)))
    np.testing.assert_allclose(standardized.mean(axis=0), 0, atol=1e-5)
    assert np.square(standardized).mean() == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(model.as_images(standardized), data, atol=1e-5)
    mean = np.asarray(model.mean)
    model.adapt((data * 255).round().astype("uint8"))
    np.testing.assert_allclose(model.mean, mean, atol=2e-3)
    with pytest.raises(InputError):
        model.adapt(np.ones((4, 8, 8, 1)))


def test_the_bound_against_its_formula(monkeypatch):
    """A network that always says 0: the sum over levels is known."""
    model = diffusion(schedule="cosine")
    monkeypatch.setattr(model, "denoise", lambda z, *_: tf.zeros_like(z))
    x = (images(4) * 255).round() / 255
    signals, noises = (np.asarray(v, "float64") for v in SCHEDULES["cosine"](tf.linspace(0.001, 1.0, 1001)))
    ratio = (signals / noises) ** 2
    power = np.square(x, dtype="float64").sum(axis=(1, 2, 3))
    prior = 0.5 * (signals[-1] ** 2 * power + 64 * (noises[-1] ** 2 - 1 - 2 * np.log(noises[-1])))
    values = model.negative_log_likelihood(x, seed=0)
    noise = SampleNoise(0, 0, 4)
    z = signals[0] * x + noises[0] * np.asarray(noise.normal(0, (8, 8, 1)))
    ends = map(np.float32, (signals[0], noises[0]))
    last = np.asarray(bound.byte_loss(model, tf.constant(x), tf.constant(z, "float32"), *ends))
    each = 0.5 * power * np.sum(1000 / 4 * (ratio[:-1] - ratio[1:])[drawn_levels(4)], axis=1)
    np.testing.assert_allclose(values, prior + last + each, rtol=1e-3)


def drawn_levels(count):
    """The levels, less one, at which images are asked about with seed 0: int array (count, draws)."""
    noise = SampleNoise(0, 0, count)
    shares = [(draw + np.asarray(noise.uniform(2 * draw + 1))) / bound.DRAWS for draw in range(bound.DRAWS)]
    return (np.stack(shares, axis=1) * bound.LEVELS).astype(int)


def test_bytes_are_told_apart_where_noise_is_small():
    model = diffusion()
    x = (images(2) * 255).round().astype("float32") / 255
    sure = bound.byte_loss(model, tf.constant(x), tf.constant(x), np.float32(1), np.float32(1e-4))
    np.testing.assert_allclose(sure, 0, atol=1e-3)
    lost = bound.byte_loss(model, tf.constant(x), tf.constant(x), np.float32(1e-4), np.float32(1))
    np.testing.assert_allclose(lost, 64 * math.log(256), rtol=1e-3)


def test_what_does_not_fit_is_refused():
    model = diffusion()
    for options in (
        {"solver": "euler"},
        {"eta": 2.0},
        {"steps": 0},
        {"guidance": 2.0},
        {"given": images(2)},
        {"given": images(3)[:, :4]},
    ):
        with pytest.raises(InputError):
            model.generate(3, **options)
    for options in ({"schedule": "square"}, {"target": "score"}, {"times": "sorted"}, {"num_classes": 3}):
        with pytest.raises(InputError):
            diffusion(small_network(), **options)


def test_times_are_stratified():
    model = diffusion()
    times, noise = model.draw_noise(tf.zeros((16, 8, 8, 1)), model.seed_generator)
    np.testing.assert_array_equal(np.floor(np.asarray(times) * 16), np.arange(16))
    assert noise.shape == (16, 8, 8, 1)


@pytest.mark.full
def test_sixteen_images_are_learnt_by_heart():
    model, data = diffusion(ema_decay=0.99), images()
    model.adapt(data)
    model.compile("adam")
    model.optimizer.learning_rate = 5e-3
    harness.many_steps(model, np.tile(data, (8, 1, 1, 1)), 600)
    samples = model.generate(16, seed=1, steps=20)
    nearest = np.sqrt(np.square(samples[:, None] - data[None]).mean(axis=(2, 3, 4))).min(axis=1)
    apart = np.sqrt(np.square(data[:, None] - data[None]).mean(axis=(2, 3, 4)))
    assert np.median(nearest) < 0.5 * np.median(apart)
