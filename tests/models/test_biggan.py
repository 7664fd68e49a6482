"""BigGAN: the published networks' sizes, where class and point come in, truncation, statistics, mixed classes."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.layers import ConditionalBatchNormalization, FusedBatchNormalization
from gdl_keras.models.biggan import build_discriminator, build_generator
from tests import attention_gan_cases as cases
from tests import harness
from tests.cases import labelled_images


def trained(network):
    return sum(math.prod(weight.shape) for weight in network.trainable_weights)


@pytest.mark.full
@pytest.mark.parametrize(("channels", "numbers"), [(96, (70_433_988, 87_982_370)), (64, (31_978_628, 39_448_258))])
def test_the_published_networks_have_their_number_of_weights(channels, numbers):
    """At 128 pixels, with the attention at 64x64; of zeros, as large orthogonal kernels take their time."""
    for build, number in zip((build_generator, build_discriminator), numbers):
        sizes = {"channels": channels, "attention_size": 64, "initializer": "zeros"}
        assert trained(build((128, 128, 3), 1000, **sizes)) == number


def test_the_published_networks_for_cifar10_have_their_number_of_weights():
    sizes = {"channels": 64, "multipliers": (4, 4, 4), "initializer": "zeros"}
    generator = build_generator((32, 32, 3), 10, 128, shared_dim=None, hierarchical=False, **sizes)
    assert trained(generator) == 4_304_387
    assert trained(build_discriminator((32, 32, 3), 10, **sizes)) == 4_273_153


def outputs_of_blocks(model):
    """[what the latent point and the class have made before block 0, before block 1, ... of the generator]."""
    told = [layer for layer in model.generator.layers if isinstance(layer, ConditionalBatchNormalization)]
    return keras.Model(model.generator.inputs, [layer.input[0] for layer in told[::2]] + model.generator.outputs)


def test_each_part_of_the_latent_point_comes_in_at_its_own_block():
    """A change of part i leaves all that lies before its block as it was, and changes all that lies after it."""
    model = cases.biggan((16, 16, 1), generator={"latent_dim": 6})
    latents, labels = model.sample_latents(2, seed=0), np.array([0, 1])
    before = outputs_of_blocks(model)([latents, labels])
    assert len(before) == 3
    for part in range(3):
        moved = latents.copy()
        moved[:, 2 * part : 2 * part + 2] += 1
        for place, (old, new) in enumerate(zip(before, outputs_of_blocks(model)([moved, labels]))):
            assert np.array_equal(old, new) == (place < part), (part, place)


def test_without_hierarchy_all_of_it_comes_in_first():
    model = cases.biggan(generator={"hierarchical": False})
    told = [layer for layer in model.generator.layers if isinstance(layer, ConditionalBatchNormalization)]
    assert {layer.input[1].shape for layer in told} == {(None, 5)}
    with pytest.raises(InputError, match="a multiple of 2, not 5"):
        cases.biggan(generator={"latent_dim": 5})


def test_one_embedding_serves_all_blocks():
    model = cases.biggan()
    labels, latents = np.array([1, 2]), model.sample_latents(1, seed=0).repeat(2, axis=0)
    table = model.generator.get_layer("class_embedding").kernel
    assert not np.allclose(*np.asarray(model.generator([latents, labels])))
    table.assign(np.asarray(table)[[0, 1, 1]])
    np.testing.assert_array_equal(*np.asarray(model.generator([latents, labels])))


def test_the_generator_pays_for_kernels_that_are_not_orthogonal():
    """What its step adds at a weight of 3, against the closed form for each kernel, and nothing for the embedding."""
    data, moved = tuple(map(tf.constant, labelled_images())), {}
    for weight in (0.0, 3.0):
        keras.utils.set_random_seed(0)
        model = cases.biggan(orthogonal_weight=weight, generator={"initializer": "glorot_uniform"})
        model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(1.0))
        before = [np.asarray(w, "float64") for w in model.generator.trainable_weights]
        model.train_step(data)
        moved[weight] = [np.asarray(w) - old for w, old in zip(model.generator.trainable_weights, before)]
    embedding = model.generator.get_layer("class_embedding").kernel
    paid = [w is not embedding and len(w.shape) >= 2 for w in model.generator.trainable_weights]
    assert 0 < sum(paid) == len(model.regularized_kernels())
    for old, pays, without, with_it in zip(before, paid, *moved.values()):
        rows = old.reshape(-1, old.shape[-1]).T if pays else np.zeros((1, 1))
        slope = 3.0 * 2 * ((rows @ rows.T) * (1 - np.eye(len(rows)))) @ rows
        expected = -slope.T.reshape(old.shape) if pays else 0
        np.testing.assert_allclose(with_it - without, expected, rtol=2e-3, atol=2e-4)


def test_orthogonal_kernels_cost_nothing():
    kernels = [w for w in cases.biggan().regularized_kernels() if math.prod(w.shape[:-1]) >= w.shape[-1] > 1]
    assert len(kernels) >= 4
    for kernel in kernels:
        columns = np.asarray(kernel).reshape(-1, kernel.shape[-1])
        np.testing.assert_allclose(columns.T @ columns, np.eye(kernel.shape[-1]), atol=1e-5)


def test_truncated_images_are_those_of_truncated_points():
    model = cases.biggan()
    labels = np.arange(6) % 3
    points = model.sample_latents(6, seed=2, truncation=0.5)
    assert np.abs(points).max() <= 0.5 < np.abs(model.sample_latents(6, seed=2)).max()
    made = model.generate(6, labels=labels, seed=2, truncation=0.5)
    np.testing.assert_allclose(made, model.generate(latents=points, labels=labels), atol=1e-6)
    rest = model.generate(2, labels=labels[4:], seed=2, first=4, truncation=0.5)
    np.testing.assert_allclose(made[4:], rest, atol=1e-6)
    assert not np.allclose(made, model.generate(6, labels=labels, seed=2), atol=1e-3)
    for wrong in (0.0, -1.0):
        with pytest.raises(InputError, match="truncation is above 0"):
            model.generate(6, labels=labels, truncation=wrong)
    with pytest.raises(InputError, match="normal latent points"):
        cases.biggan(latents="uniform").generate(6, labels=labels, truncation=0.5)


@pytest.mark.parametrize("ema_decay", [None, 0.9])
def test_standing_statistics_are_those_of_all_passes_together(ema_decay):
    """Of the first normalisation, whose input no other has touched, against all 96 images at once."""
    model = cases.biggan(ema_decay=ema_decay)
    network = model.averaged_network
    kept = {w.path: np.asarray(w) for w in network.weights}
    labels = np.arange(96) % 3
    plain = model.generate(6, labels=labels[:6], seed=2)
    model.keep_standing_statistics(0.5, passes=16, batch_size=6, seed=7)
    told = next(layer for layer in network.layers if isinstance(layer, ConditionalBatchNormalization))
    points = model.sample_latents(96, 7, truncation=0.5)
    x = np.asarray(keras.Model(network.inputs, told.input[0])([points, labels]), "float64")
    np.testing.assert_allclose(told.normalization.moving_mean, x.mean(axis=(0, 1, 2)), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(told.normalization.moving_variance, x.var(axis=(0, 1, 2)), rtol=1e-4)
    moved = {w.path for w in network.weights if not np.array_equal(kept[w.path], w)}
    assert {path.split("/")[-1] for path in moved} == {"moving_mean", "moving_variance"}
    normalizations = [layer for layer in network._flatten_layers() if isinstance(layer, FusedBatchNormalization)]
    assert len(moved) == 2 * len(normalizations)
    assert {layer.momentum for layer in normalizations} == {0.9}
    assert all(layer.trainable == (ema_decay is None) for layer in normalizations)
    assert not np.allclose(plain, model.generate(6, labels=labels[:6], seed=2), atol=1e-3)


def test_classes_mix_from_one_to_the_other():
    model = cases.biggan()
    latents = model.sample_latents(3, seed=0)
    ends = [model.generate(latents=latents, labels=np.full(3, label)) for label in (2, 0)]
    np.testing.assert_allclose(model.mix_classes(latents, 2, 0, np.zeros(3)), ends[0], atol=1e-6)
    np.testing.assert_allclose(model.mix_classes(latents, 2, 0, np.ones(3)), ends[1], atol=1e-6)
    between = model.mix_classes(latents, 2, 0, np.array([0.0, 0.5, 1.0]))
    # Half way the embedding is the mean of the two.
    table = model.averaged_generator.get_layer("class_embedding").kernel
    table.assign((np.asarray(table)[[0, 0, 2]] + np.asarray(table)[[0, 2, 2]]) / 2)
    np.testing.assert_allclose(between[1], model.generate(latents=latents, labels=np.ones(3, int))[1], atol=1e-6)
    assert not np.allclose(between[1], ends[0][1], atol=1e-4)


@pytest.mark.full
def test_it_learns_sixteen_images_by_heart():
    model = cases.biggan(network={"channels": 8}, ema_decay=None)
    model.compile(keras.optimizers.Adam(2e-3, 0.0, 0.9), keras.optimizers.Adam(1e-3, 0.0, 0.9))
    reals, labels = labelled_images()

    def distance():
        made = model.generate(48, labels=np.tile(labels, 3), seed=3)
        return np.sqrt(((reals[:, None] - made[None]) ** 2).mean(axis=(2, 3, 4))).min(axis=0).mean()

    before = distance()
    harness.many_steps(model, (reals, labels), 250)
    assert distance() < 0.4 * before


@pytest.mark.parametrize("options", [{"orthogonal_weight": -1.0}, {"generator_loss": "square"}])
def test_arguments_are_checked(options):
    with pytest.raises(InputError):
        cases.biggan(**options)
