"""The hinge GAN: the notebook's networks, its losses, labels, one power iteration a step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.layers import SpectralNormalization
from gdl_keras.models.hinge_gan import build_discriminator, build_generator
from tests import cases


def test_networks_have_the_notebooks_number_of_weights():
    assert build_generator((28, 28, 1), 10).count_params() == 309_355
    faithful = build_discriminator((28, 28, 1), 10, spectral=False, conditioning="planes")
    assert faithful.count_params() == 250_481


@pytest.mark.parametrize("size", [28, 32])
def test_sizes(size):
    generator = build_generator((size, size, 3), 4, 8, filters=4, units=8)
    discriminator = build_discriminator((size, size, 3), 4, filters=4, units=8)
    images = generator([tf.zeros((2, 8)), tf.constant([0, 1])])
    assert images.shape == (2, size, size, 3)
    assert discriminator([images, tf.constant([0, 1])]).shape == (2, 1)
    with pytest.raises(InputError, match="multiple of 4"):
        build_generator((size + 2, size, 3))


def test_every_kernel_of_the_discriminator_is_normalized():
    discriminator = build_discriminator((28, 28, 1), 10)
    bare = [layer for layer in discriminator.layers if hasattr(layer, "kernel")]
    wrapped = [layer for layer in discriminator.layers if isinstance(layer, SpectralNormalization)]
    assert not bare
    assert len(wrapped) == 3 * 3 + 2 + 1 + 1


@pytest.mark.parametrize("conditioning", ["projection", "planes"])
def test_the_label_changes_image_and_score(conditioning):
    model = cases.hinge_gan(conditioning=conditioning)
    latents = model.sample_latents(1, seed=0).repeat(3, axis=0)
    images = model.generate(latents=latents, labels=[0, 1, 2])
    assert len(np.unique(images.reshape(3, -1), axis=0)) == 3
    scores = model.discriminator([np.repeat(cases.images(1), 3, axis=0), np.arange(3)])
    assert len(np.unique(scores)) == 3


@pytest.mark.parametrize("generator_loss", ["linear", "hinge"])
def test_first_losses_are_those_of_the_formula(generator_loss):
    model = cases.hinge_gan(spectral=False, generator_loss=generator_loss)
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    images, labels = map(tf.constant, cases.labelled_images())
    state = model.seed_generator.state.numpy().copy()
    report = model.train_step((images, labels))
    model.seed_generator.state.assign(state)
    fakes = model.generator([model.latents_like(images), labels])
    real, fake = (np.asarray(model.discriminator([x, labels])) for x in (images, fakes))
    expected = np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean()
    assert float(report["discriminator_loss"]) == pytest.approx(expected, rel=1e-4)
    of_generator = -fake.mean() if generator_loss == "linear" else np.maximum(0, 1 - fake).mean()
    assert float(report["generator_loss"]) == pytest.approx(of_generator, rel=1e-4, abs=1e-6)


def test_the_penalty_is_half_its_weight_times_the_mean_squared_slope_per_unit_of_minus_one_to_one():
    """Against central differences in every pixel, and against a step without it."""
    images, labels = map(tf.constant, cases.labelled_images())
    moved = {}
    for weight in (0.0, 3.0):
        keras.utils.set_random_seed(0)
        model = cases.hinge_gan(spectral=False, penalty_weight=weight)
        model.compile(keras.optimizers.SGD(1.0), keras.optimizers.SGD(0.0))
        before = [np.asarray(variable) for variable in model.discriminator.trainable_variables]
        model.train_step((images, labels))
        moved[weight] = [np.asarray(new) - old for new, old in zip(model.discriminator.trainable_variables, before)]

    keras.utils.set_random_seed(0)
    model = cases.hinge_gan(spectral=False)
    _, discriminator = model.given(labels)
    slopes = model.squared_slopes(discriminator, images)
    pixels, step = np.prod(images.shape[1:]), 1e-2
    steps = step * np.eye(pixels, dtype="float32").reshape(pixels, *images.shape[1:])
    one, other = (
        np.asarray(model.discriminator([images[0] + sign * steps, tf.repeat(labels[:1], pixels)])) for sign in (1, -1)
    )
    # Half a pixel's value is a unit of [-1, 1].
    assert float(slopes[0]) == pytest.approx((((one - other) / (2 * step) / 2) ** 2).sum(), rel=2e-2)

    with tf.GradientTape() as tape:
        penalty = 3.0 / 2 * tf.reduce_mean(model.squared_slopes(discriminator, images))
    gradients = tape.gradient(
        penalty,
        [variable.value for variable in model.discriminator.trainable_variables],
        unconnected_gradients=tf.UnconnectedGradients.ZERO,
    )
    for with_it, without, gradient in zip(moved[3.0], moved[0.0], gradients, strict=True):
        np.testing.assert_allclose(with_it - without, -np.asarray(gradient), rtol=1e-3, atol=1e-6)


def test_a_penalty_now_and_then_is_taken_in_the_first_of_so_many_steps_and_so_many_times_as_heavily():
    data = tuple(map(tf.constant, cases.labelled_images()))

    def moves(weight, interval):
        keras.utils.set_random_seed(0)
        model = cases.hinge_gan(spectral=False, penalty_weight=weight, penalty_interval=interval)
        model.compile(keras.optimizers.SGD(1.0), keras.optimizers.SGD(0.0))
        start, steps = [np.asarray(variable) for variable in model.discriminator.trainable_variables], []
        for _ in range(4):
            for variable, value in zip(model.discriminator.trainable_variables, start):
                variable.assign(value)
            model.train_step(data)
            steps.append(
                np.concatenate(
                    [
                        np.ravel(variable - value)
                        for variable, value in zip(model.discriminator.trainable_variables, start)
                    ]
                )
            )
        return steps

    now_and_then, three_times, never = moves(1.0, 3), moves(3.0, 1), moves(0.0, 1)
    for number in range(4):
        wanted = three_times if number in (0, 3) else never
        np.testing.assert_allclose(now_and_then[number], wanted[number], rtol=1e-4, atol=1e-6)
    assert not np.allclose(three_times[0], never[0], atol=1e-4)


def test_one_power_iteration_a_step():
    model = cases.hinge_gan()
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    layer = next(layer for layer in model.discriminator.layers if isinstance(layer, SpectralNormalization))
    matrix = np.asarray(layer.layer.kernel).reshape(-1, layer.vector.shape[0])
    expected = matrix.T @ (matrix @ np.asarray(layer.vector))
    model.train_step(tuple(map(tf.constant, cases.labelled_images())))
    np.testing.assert_allclose(layer.vector, expected / np.linalg.norm(expected), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("options", [{"generator_loss": "square"}, {"conditioning": "words"}, {"penalty_weight": -1.0}])
def test_arguments_are_checked(options):
    with pytest.raises(InputError):
        cases.hinge_gan(**options)
