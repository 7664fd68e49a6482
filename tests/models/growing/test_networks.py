"""The networks of ProGAN, whole and in every phase of growth."""

from functools import partial
from itertools import pairwise
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.layers.doubling import enlarged
from gdl_keras.models.growing.networks import build_discriminator, build_generator
from gdl_keras.models.growing.schedule import Phase
from gdl_keras.models.growing.stages import StagedDiscriminator, StagedGenerator, halved, shrunk
from tests.growing_cases import assert_fades_in_a_straight_line, random_images
from tests.layers.test_second_order import relative_error

SIZES = (64, 16)  # channel_base and channel_max: 16 channels at 4x4, 8 at 8x8 and 4 at 16x16
LATENTS = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
LABELS = np.array([0, 2, 1, 1, 0])


def generator(num_classes=None):
    return stirred(build_generator((16, 16, 2), num_classes, 6, *SIZES))


def discriminator(num_classes=None):
    return stirred(build_discriminator((16, 16, 2), num_classes, *SIZES))


def stirred(network):
    """The network with biases that are not zero."""
    rng = np.random.default_rng(1)
    for weight in network.trainable_weights:
        if weight.path.endswith("bias"):
            weight.assign(rng.normal(size=weight.shape))
    return network


def widths(size, base=16384, most=512):
    return [min(base // 2**power, most) for power in range(2, int(np.log2(size)) + 1)]


def convolution(inputs, outputs, kernel=3):
    return kernel**2 * inputs * outputs + outputs


def generators_weights(size, colours=3, latent_dim=512):
    smallest, *larger = widths(size)
    count = latent_dim * 16 * smallest + smallest + convolution(smallest, smallest)
    for before, width in zip([smallest, *larger], larger):
        count += convolution(before, width) + convolution(width, width)
    return count + sum(convolution(width, colours, 1) for width in widths(size))


def discriminators_weights(size, colours=3):
    smallest, *larger = widths(size)
    count = sum(convolution(colours, width, 1) for width in widths(size))
    for after, width in zip([smallest, *larger], larger):
        count += convolution(width, width) + convolution(width, after)
    return count + convolution(smallest + 1, smallest) + (16 * smallest + 1) * smallest + smallest + 1


@pytest.mark.parametrize("size", [16, 1024])
def test_number_of_weights_by_formula(size):
    assert build_generator((size, size, 3)).count_params() == generators_weights(size)
    assert build_discriminator((size, size, 3)).count_params() == discriminators_weights(size)


def test_as_many_weights_as_published():
    """23.1 million in each (Karras et al. 2018, table 2)."""
    assert generators_weights(1024) == 23_079_115
    assert discriminators_weights(1024) == 23_087_249


@pytest.mark.parametrize("shape", [(4, 4, 1), (24, 24, 1), (16, 8, 1), (28, 28, 3), (2, 2, 1)])
def test_other_sizes_are_refused(shape):
    for build in (build_generator, build_discriminator):
        with pytest.raises(InputError, match="choose 8, 16, 32"):
            build(shape)


def test_points_lie_on_a_sphere():
    network = generator()
    np.testing.assert_allclose(network(7 * LATENTS), network(LATENTS), atol=1e-5)
    labelled = generator(3)
    images = labelled([LATENTS, LABELS])
    np.testing.assert_allclose(labelled([7 * LATENTS, LABELS]), images, atol=1e-5)
    assert np.abs(labelled([LATENTS, (LABELS + 1) % 3]) - images).max() > 0.01


def test_a_judge_of_classes_scores_the_class_that_it_is_told():
    network, images = discriminator(3), random_images(5, 16, 2)
    by_class = [network([images, np.full(5, label)]) for label in range(3)]
    chosen = np.choose(LABELS[:, None], [np.asarray(scores) for scores in by_class])
    np.testing.assert_allclose(network([images, LABELS]), chosen, atol=1e-5)
    assert np.ptp([np.asarray(scores) for scores in by_class], axis=0).min() > 1e-3


@pytest.mark.parametrize("num_classes", [None, 3])
def test_the_last_phase_is_the_whole_network(num_classes):
    labels = [] if num_classes is None else [tf.constant(LABELS)]
    network, points = generator(num_classes), [tf.constant(LATENTS), *labels] if labels else LATENTS
    np.testing.assert_array_equal(StagedGenerator(network, Phase(2))(points, 1.0), network(points))
    judge, images = discriminator(num_classes), tf.constant(random_images(5, 16, 2))
    images = [images, *labels] if labels else images
    np.testing.assert_allclose(StagedDiscriminator(judge, Phase(2))(images, 1.0), judge(images), rtol=1e-5)


@pytest.mark.parametrize("level", [1, 2])
def test_a_generator_fades_from_the_smaller_image_to_the_larger_in_a_straight_line(level):
    network = generator()
    smaller, fading, larger = (
        partial(StagedGenerator(network, phase), LATENTS, training=True)
        for phase in (Phase(level - 1), Phase(level, True), Phase(level))
    )
    assert_fades_in_a_straight_line(smaller, fading, larger, 1e-6)


@pytest.mark.parametrize("level", [1, 2])
def test_a_discriminator_fades_from_the_smaller_image_to_the_larger(level):
    network, images = discriminator(), random_images(5, 4 * 2**level, 2)
    smaller, fading, larger = (
        StagedDiscriminator(network, phase) for phase in (Phase(level - 1), Phase(level, True), Phase(level))
    )
    of_squares = images.reshape(5, 2 * 2**level, 2, 2 * 2**level, 2, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(fading(images, 0.0), smaller(of_squares, 1.0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(fading(images, 1.0), larger(images, 1.0), rtol=1e-4, atol=1e-5)
    scores = [np.asarray(fading(images, share)) for share in (0.0, 0.5, 1.0)]
    assert min(np.abs(one - other).max() for one, other in pairwise(scores)) > 1e-3


def test_every_weight_is_trained_in_some_phase_and_no_other_one_in_any():
    for network, staged in ((generator(), StagedGenerator), (discriminator(), StagedDiscriminator)):
        everything = {id(weight) for weight in network.trainable_weights}
        phases = [Phase(0), Phase(1, True), Phase(1), Phase(2, True), Phase(2)]
        trained = [{id(weight) for weight in staged(network, phase).trainable_variables} for phase in phases]
        assert set.union(*trained) == everything and trained[0] < trained[1] > trained[2] < trained[3] > trained[4]


def test_images_grow_and_shrink_by_squares():
    images = random_images(2, 8, 3)
    by_numpy = images.reshape(2, 2, 4, 2, 4, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(shrunk(images, 2), by_numpy, rtol=1e-6)
    np.testing.assert_allclose(halved(images), images.reshape(2, 4, 2, 4, 2, 3).mean(axis=(2, 4)), rtol=1e-6)
    np.testing.assert_array_equal(enlarged(images, 4), images.repeat(4, axis=1).repeat(4, axis=2))


def test_images_are_clipped_where_they_are_looked_at_alone():
    network = generator()
    network.get_layer("to_16x16").bias.assign([30.0, -30.0])
    images, in_training = network(LATENTS), network(LATENTS, training=True)
    np.testing.assert_array_equal(images, np.clip(in_training, 0, 1))
    assert np.min(in_training) < -1 and np.max(in_training) > 2


def test_a_penalty_in_the_middle_of_a_fade_has_the_right_gradient():
    """Against finite differences, in float64."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        staged = StagedDiscriminator(build_discriminator((8, 8, 1), None, 16, 4), Phase(1, True))

        class Judge(SimpleNamespace):
            def __call__(self, images, training):
                return staged(images, tf.constant(0.3, "float64"), training)

        assert relative_error(Judge(trainable_variables=staged.trainable_variables)) < 1e-5
    finally:
        keras.config.set_floatx("float32")
