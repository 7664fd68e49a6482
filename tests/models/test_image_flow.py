"""The flow of images: its density against Jacobians and integrals, its inverse, its sizes, its bound."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.models import ImageFlow
from tests.flow_cases import image_flow
from tests.harness import many_steps
from tests.layers.test_invertible_maps import log_det_by_jacobian

BOTH = pytest.mark.parametrize("dequantization", [pytest.param("uniform", marks=pytest.mark.full), "variational"])


def bytes_of(n=4, shape=(4, 4, 1), seed=0):
    """Images of random bytes: float32 (n, *shape) in [0, 1]."""
    return np.random.default_rng(seed).integers(0, 256, (n, *shape)).astype("float32") / 255


def moved(shape=(4, 4, 1), levels=2, width=0.1, **options):
    """A tiny flow whose maps all do something."""
    keras.utils.set_random_seed(0)
    model = ImageFlow(shape, levels=levels, steps=1, filters=4, seed=1, **options)
    rng = np.random.default_rng(1)
    for weight in model.trainable_weights:
        weight.assign(weight + rng.normal(0, width, weight.shape))
    return model


def log_normal(latents):
    latents = np.asarray(latents, "float64")
    return -0.5 * np.square(latents).sum(axis=1) - 0.5 * latents.shape[1] * np.log(2 * np.pi)


@pytest.mark.parametrize(
    ("shape", "levels"), [((4, 4, 1), 2), pytest.param((4, 8, 3), 2, marks=pytest.mark.full), ((2, 2, 1), 1)]
)
def test_the_density_is_the_change_of_variables_by_the_jacobian(shape, levels):
    model, x = moved(shape, levels), bytes_of(shape=shape)
    latents, log_det = model.forward(tf.constant(x))
    expected = log_det_by_jacobian(lambda x: model.forward(x)[0], x)
    np.testing.assert_allclose(log_det, expected, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(model.log_density(x), log_normal(latents) + expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("levels", [1, pytest.param(3, marks=pytest.mark.full)])
def test_what_goes_there_comes_back(levels):
    model, x = moved((8, 8, 1), levels), bytes_of(shape=(8, 8, 1))
    latents = model.encode(x)
    assert latents.shape == (4, 64) and latents.dtype == np.float32
    np.testing.assert_allclose(model.inverse(tf.constant(latents)), x, atol=1e-5)
    np.testing.assert_allclose(model.generate(latents=latents), x, atol=1e-5)


def test_each_size_takes_half_of_the_numbers_and_the_last_one_all_that_is_left():
    model = moved((8, 8, 3), 3)
    assert [part.stop - part.start for part in model.scales] == [96, 48, 48]
    assert model.scales[0].start == 0 and model.scales[-1].stop == model.latent_dim == 192
    # What leaves at the first size is standardised by what stays, and decides nothing of it.
    x = 0.4 + 0.2 * bytes_of(2, (8, 8, 3))
    latents = model.encode(x)
    latents[:, model.scales[0]] += 0.1
    changed = np.asarray(model.inverse(tf.constant(latents)))
    assert np.abs(changed - x).max() > 1e-3
    np.testing.assert_allclose(model.encode(changed), latents, atol=2e-3)


def test_the_half_that_leaves_counts():
    """The density of all numbers is that of the half that stays times that of the other one, given the first."""
    model, x = moved(), bytes_of(shape=(4, 4, 1))
    logits, of_logits = model._to_logits(x)
    *inside, leaving = model.maps[0].maps
    h, log_det = tf.nn.space_to_depth(logits, 2), of_logits
    for layer in inside:
        h, added = layer(h)
        log_det = log_det + added
    stays, leaves = np.split(np.asarray(h, "float64"), 2, axis=-1)
    shift, log_scale = (
        np.asarray(part, "float64") for part in leaving._shift_and_log_scale(tf.cast(stays, "float32"), None)
    )
    density = log_normal(((leaves + shift) * np.exp(log_scale)).reshape(4, -1)) + log_scale.sum(axis=(1, 2, 3))
    _, last, of_last = model.maps[1](tf.cast(stays, "float32"))
    rest = log_normal(np.reshape(last, (4, -1))) + of_last
    np.testing.assert_allclose(model.log_density(x), density + rest + log_det, rtol=1e-4)


@BOTH
def test_the_bound_lies_below_the_probability_of_the_bytes_and_its_weights_average_to_it(dequantization):
    model, x = moved((2, 2, 1), 1, 0.1, dequantization=dequantization), bytes_of(1, (2, 2, 1))
    nodes, weights = np.polynomial.legendre.leggauss(8)
    offsets = np.stack(np.meshgrid(*[nodes / 2] * 4, indexing="ij"), -1).reshape(-1, 2, 2, 1)
    share = np.prod(np.stack(np.meshgrid(*[weights / 2] * 4, indexing="ij"), -1).reshape(-1, 4), axis=1)
    density = np.exp(np.asarray(model.log_density((x + offsets / 255).astype("float32")), "float64"))
    probability = (share * density).sum() / 255.0**4
    bounds = model.negative_log_likelihood(np.repeat(x, 4000, axis=0), seed=2)
    assert np.std(bounds) > 1e-3
    assert bounds.mean() > -np.log(probability)
    np.testing.assert_allclose(np.exp(-bounds).mean(), probability, rtol=5 * np.std(np.exp(-bounds)) / probability / 63)


def test_variational_dequantization_begins_as_uniform():
    keras.utils.set_random_seed(0)
    model = ImageFlow((4, 4, 1), 1, 1, 4, "variational", seed=1)
    x = np.repeat(bytes_of(1), 500, axis=0)
    noise = np.random.default_rng(0).normal(size=x.shape).astype("float32")
    offsets, log_q = model.offsets(x, noise)
    np.testing.assert_allclose(log_q, 0, atol=1e-3)
    assert offsets.numpy().min() >= 0 and offsets.numpy().max() <= 1
    counts, _ = np.histogram(offsets, bins=8, range=(0, 1))
    np.testing.assert_allclose(counts / 8000, 1 / 8, atol=0.02)


def test_bits_per_dim_are_those_of_the_bound():
    model, x = moved(), bytes_of(64)
    model.compile("adam")
    result = model.evaluate(x, verbose=0, return_dict=True)
    assert result["bits_per_dim"] == pytest.approx(result["loss"] / np.log(2), rel=1e-5)
    nats = model.negative_log_likelihood(x, seed=1)
    assert result["bits_per_dim"] == pytest.approx(nats.mean() / 16 / np.log(2), rel=0.05)
    assert model.density_bin_width == 1 and model.likelihood_is == "bound"


@pytest.mark.full
def test_the_first_step_begins_each_channel_and_a_loaded_model_does_not_begin_anew(tmp_path):
    model, x = image_flow(), bytes_of(16, (8, 8, 1))
    first = model.maps[0].maps[0]
    logits = np.asarray(tf.nn.space_to_depth(model._to_logits(x)[0], 2))
    model.evaluate(x, verbose=0)
    assert first.untouched.numpy() == 1
    model.fit(x, batch_size=16, epochs=1, verbose=0)
    # Adam's first step moves each by its rate, 0.001.
    np.testing.assert_allclose(first.shift, -logits.mean(axis=(0, 1, 2)), atol=0.05)
    np.testing.assert_allclose(first.log_scale, -np.log(logits.std(axis=(0, 1, 2))), atol=0.05)
    assert all(layer.untouched.numpy() == 0 for layer in (first, model.maps[1].maps[0], model.maps[-1].maps[-1]))

    model.save(tmp_path / "flow.keras")
    loaded = keras.saving.load_model(tmp_path / "flow.keras")
    others = bytes_of(16, (8, 8, 1), seed=1) / 3
    for each in (model, loaded):
        each.fit(others, batch_size=16, epochs=1, verbose=0, shuffle=False)
        np.testing.assert_allclose(each.maps[0].maps[0].shift, first.shift, atol=1e-6)
    np.testing.assert_allclose(first.shift, -logits.mean(axis=(0, 1, 2)), atol=0.1)


@pytest.mark.full
def test_looking_at_held_out_images_changes_nothing_in_training():
    histories = []
    for validation in ({}, {"validation_data": bytes_of(16, (8, 8, 1), seed=1)}):
        keras.utils.set_random_seed(0)
        model = image_flow()
        histories.append(model.fit(bytes_of(16, (8, 8, 1)), epochs=2, verbose=0, shuffle=False, **validation).history)
    assert histories[0]["loss"] == histories[1]["loss"]


@pytest.mark.full
def test_colder_samples_are_likelier_and_at_zero_all_alike():
    model = moved((8, 8, 1))
    likelihood = [-model.negative_log_likelihood(model.generate(32, seed=1, temperature=t)).mean() for t in (0.5, 1.0)]
    assert likelihood[0] > likelihood[1]
    middle = model.generate(3, seed=1, temperature=0)
    np.testing.assert_allclose(middle, np.repeat(middle[:1], 3, axis=0), atol=1e-6)
    with pytest.raises(InputError, match="temperature"):
        model.generate(1, temperature=-1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_shape": (6, 8, 1), "levels": 2}, "multiple of 4, or fewer levels"),
        ({"levels": 0}, "at least 1"),
        ({"margin": 0.0}, "between 0 and 0.5"),
        ({"margin": 0.5}, "between 0 and 0.5"),
        ({"dequantization": "none"}, "uniform"),
    ],
)
def test_what_does_not_go_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        ImageFlow(**{"image_shape": (8, 8, 1), "levels": 2, "steps": 1, "filters": 4, **arguments})


@pytest.mark.full
@BOTH
def test_it_learns_sixteen_images(dequantization):
    from tests.cases import images

    keras.utils.set_random_seed(0)
    model = ImageFlow((8, 8, 1), 2, 3, 16, dequantization, seed=1)
    model.compile(keras.optimizers.Adam(3e-3))
    x = np.rint(images() * 255).astype("float32") / 255
    counts = np.bincount(np.rint(x * 255).astype(int).reshape(-1)) / x.size
    each_by_itself = -(counts[counts > 0] * np.log2(counts[counts > 0])).sum()
    many_steps(model, x, 400)
    assert model.evaluate(x, verbose=0, return_dict=True)["bits_per_dim"] < 0.7 * each_by_itself
