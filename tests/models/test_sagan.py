"""SAGAN: the published networks' sizes, what can be switched off, both rates, and where the generator looks."""

import math
from itertools import pairwise

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.layers import ConditionalBatchNormalization, SelfAttention2D, SpectralNormalization
from gdl_keras.models.sagan import build_discriminator, build_generator, multipliers_for
from tests import attention_gan_cases as cases
from tests import harness
from tests.cases import images, labelled_images


def trained(network):
    return sum(math.prod(weight.shape) for weight in network.trainable_weights)


@pytest.mark.full
def test_the_published_generator_has_its_number_of_weights():
    """At 128 pixels, with the attention between the blocks at 32x32."""
    assert trained(build_generator((128, 128, 3), 1000, attention_size=32)) == 42_078_852


def residual_blocks(widths, classes):
    """Weights of the generator's blocks, added up by hand; two tables for each normalisation."""
    total = 0
    for before, after in pairwise(widths):
        total += 2 * classes * (before + after)
        total += 9 * before * after + after + 9 * after * after + after + before * after + after
    return total


def test_number_of_weights_is_that_of_the_formula():
    classes, latents, channels = 3, 5, 8
    generator = build_generator((32, 32, 3), classes, latents, channels, attention_size=16)
    by_hand = (latents + 1) * 16 * 32 + residual_blocks([32, 32, 16, 8], classes) + 2 * 8 + 9 * 8 * 3 + 3
    assert trained(generator) == by_hand + 1.25 * 16**2 + 1
    widths = [3, 8, 16, 32, 32]
    by_hand = sum(9 * a * b + b + 9 * b * b + b for a, b in pairwise(widths))
    by_hand += sum(a * b + b for a, b in pairwise(widths[:-1])) + 32 + 1 + classes * 32
    discriminator = build_discriminator((32, 32, 3), classes, channels, attention_size=16)
    assert trained(discriminator) == by_hand + 1.25 * 8**2 + 1


@pytest.mark.parametrize("size", [16, 28, 64])
def test_sizes(size):
    shape, labels = (size, size, 3), tf.constant([0, 1])
    sizes = {"channels": 4, "attention_size": size // 2}
    made = build_generator(shape, 3, 5, **sizes)([tf.zeros((2, 5)), labels])
    assert made.shape == (2, *shape) and made.dtype == "float32"
    assert np.min(made) >= 0 and np.max(made) <= 1
    assert build_discriminator(shape, 3, **sizes)([made, labels]).shape == (2, 1)


def test_widths_double_up_to_sixteen_times_the_narrowest():
    assert multipliers_for((16, 16, 1)) == (2, 1)
    assert multipliers_for((128, 128, 3)) == (16, 8, 4, 2, 1)
    assert multipliers_for((512, 512, 3)) == (16, 16, 16, 8, 4, 2, 1)
    assert multipliers_for((32, 32, 3), (4, 4, 4)) == (4, 4, 4)


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((7, 7, 1), {}, "too small"),
        ((30, 30, 1), {}, "multiple of 4"),
        ((32, 32, 1), {"attention_size": 32}, "between two blocks, 4, 8, 16"),
        ((32, 32, 1), {"attention_size": 5}, "not 5"),
    ],
)
def test_sizes_that_do_not_go_are_refused(shape, options, message):
    for build in (build_generator, build_discriminator):
        with pytest.raises(InputError, match=message):
            build(shape, 3, channels=2, **options)


@pytest.mark.parametrize("spectral", [True, False])
@pytest.mark.parametrize("attention_size", [None, 4])
def test_normalisation_and_attention_can_be_left_out_of_both_networks(spectral, attention_size):
    model = cases.sagan(network={"spectral": spectral, "attention_size": attention_size})
    for network in (model.generator, model.discriminator):
        attention = [layer for layer in network.layers if isinstance(layer, SelfAttention2D)]
        assert len(attention) == (attention_size is not None)
        assert all(layer.spectral is spectral for layer in attention)
        assert any(isinstance(layer, SpectralNormalization) for layer in network.layers) == spectral
        bare = [layer for layer in network.layers if hasattr(layer, "kernel")]
        assert bool(bare) != spectral


def test_labels_come_in_as_gains_and_by_projection():
    model = cases.sagan()
    latents = model.sample_latents(1, seed=0).repeat(2, axis=0)
    told = [layer for layer in model.generator.layers if isinstance(layer, ConditionalBatchNormalization)]
    assert len(told) == 2
    # At first all gains are 1.
    np.testing.assert_array_equal(*np.asarray(model.generator([latents, np.array([0, 2])])))
    told[0].gain.kernel.assign(np.random.default_rng(0).normal(size=told[0].gain.kernel.shape))
    assert not np.allclose(*np.asarray(model.generator([latents, np.array([0, 2])])))

    judge = model.discriminator
    image = np.repeat(images(1), 3, axis=0)
    scores = np.asarray(judge([image, np.arange(3)]))[:, 0]
    directions = next(layer for layer in judge.layers if isinstance(layer, keras.layers.Dot))
    features = np.asarray(keras.Model(judge.inputs[0], directions.input[0])(image[:1]))[0]
    embeddings = np.asarray(keras.Model(judge.inputs[1], directions.input[1])(np.arange(3)))
    assert scores[0] - scores[2] == pytest.approx(features @ (embeddings[0] - embeddings[2]), rel=1e-4, abs=1e-6)


def test_networks_learn_at_two_rates():
    """A step of plain descent moves the discriminator four times as far where its rate is four times the other."""
    data = tuple(map(tf.constant, labelled_images()))
    moved = {}
    for rates in ((0.4, 0.1), (0.1, 0.1)):
        keras.utils.set_random_seed(0)
        model = cases.sagan(network={"spectral": False})
        model.compile(*(keras.optimizers.SGD(rate) for rate in rates))
        before = [np.asarray(w) for w in model.discriminator.trainable_weights]
        model.train_step(data)
        moved[rates] = [np.asarray(w) - old for w, old in zip(model.discriminator.trainable_weights, before)]
    for faster, slower in zip(*moved.values()):
        np.testing.assert_allclose(faster, 4 * slower, rtol=1e-3, atol=1e-6)


def test_maps_are_the_shares_of_the_places_that_were_asked_for():
    model = cases.sagan((16, 16, 1), network={"attention_size": 8}, ema_decay=0.9)
    latents, labels = model.sample_latents(2, seed=0), np.array([0, 1])
    maps = model.attention_maps(latents, labels, [(0, 0), (5, 15), (5, 14)])
    assert maps.shape == (2, 3, 4, 4)
    np.testing.assert_allclose(maps.sum(axis=(2, 3)), 1, rtol=1e-5)
    layer = next(layer for layer in model.averaged_generator.layers if isinstance(layer, SelfAttention2D))
    x = keras.Model(model.averaged_generator.inputs, layer.input)([latents, labels])
    shares = np.asarray(layer.shares(x)).reshape(2, 8, 8, 4, 4)
    np.testing.assert_allclose(maps[:, 1], shares[:, 2, 7], atol=1e-6)
    np.testing.assert_array_equal(maps[:, 1], maps[:, 2])
    assert not np.allclose(maps[:, 0], maps[:, 1])
    for places in ([(0, 16)], [(-1, 0)]):
        with pytest.raises(InputError, match="within an image of 16x16"):
            model.attention_maps(latents, labels, places)
    with pytest.raises(InputError, match="has no attention"):
        cases.sagan(network={"attention_size": None}).attention_maps(latents, labels, [(0, 0)])


def test_it_learns_sixteen_images_by_heart():
    model = cases.sagan(network={"channels": 8}, ema_decay=None)
    model.compile(keras.optimizers.Adam(2e-3, 0.0, 0.9), keras.optimizers.Adam(1e-3, 0.0, 0.9))
    reals, labels = labelled_images()

    def distance():
        made = model.generate(48, labels=np.tile(labels, 3), seed=3)
        return np.sqrt(((reals[:, None] - made[None]) ** 2).mean(axis=(2, 3, 4))).min(axis=0).mean()

    before = distance()
    harness.many_steps(model, (reals, labels), 150)
    assert distance() < 0.4 * before
