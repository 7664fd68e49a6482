"""The networks of StyleGAN2: published numbers of weights, sizes, the skip generator, variances, noise, labels."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.models.stylegan.mapping import build_mapping
from gdl_keras.models.stylegan.networks import build_discriminator, build_generator, build_synthesis
from tests.harness import long
from tests.stylegan_cases import stylegan2_networks

RNG = np.random.default_rng(0)


def numbers(*shape):
    return RNG.normal(size=shape).astype("float32")


def count(weights):
    return sum(int(np.prod(weight.shape)) for weight in weights)


@pytest.mark.parametrize(
    ("size", "channel_base", "mapping_layers", "generators", "discriminators"),
    [
        (1024, 32768, 8, 30_370_060, 29_012_513),
        long(512, 32768, 8, 30_276_583, 28_982_849),
        long(256, 32768, 8, 30_034_338, 28_864_129),
        long(64, 16384, 2, 22_243_608, 23_407_361),
        long(32, 32768, 8, 21_523_475, 21_507_073),
        (32, 16384, 2, 19_947_539, 21_507_073),
    ],
)
def test_networks_have_the_published_number_of_weights(size, channel_base, mapping_layers, generators, discriminators):
    shape, base = (size, size, 3), {"channel_base": channel_base}
    generator = build_generator(shape, mapping_layers=mapping_layers, **base)
    assert count(generator.trainable_weights) == generators
    assert build_discriminator(shape, **base).count_params() == discriminators
    # Beside them one number of noise for each place of each convolution.
    places = [4**2] + [2 * 2**power * 2**power for power in range(3, 11) if 2**power <= size]
    assert [weight.shape for weight in generator.non_trainable_weights] == [(sum(places),)]
    assert generator.get_layer("synthesis").inputs[0].shape == (None, 2 * int(np.log2(size)) - 2, 512)


@pytest.mark.parametrize("image_shape", [(16, 16, 1), (32, 32, 3), (64, 64, 1)])
def test_sizes(image_shape):
    generator, discriminator = stylegan2_networks(image_shape=image_shape)
    images = generator(numbers(2, 6))
    assert images.shape == (2, *image_shape)
    assert discriminator(images).shape == (2, 1)


@pytest.mark.parametrize("image_shape", [(24, 24, 1), (16, 32, 1), (4, 4, 1)])
def test_other_sizes_are_refused(image_shape):
    for build in (build_generator, build_discriminator):
        with pytest.raises(InputError, match="power of 2"):
            build(image_shape)


def test_where_all_images_but_the_last_are_black_what_is_left_is_a_plain_generator():
    synthesis = build_synthesis((16, 16, 2), 5, channel_max=4)
    styles, noise = numbers(2, 6, 5), numbers(2, synthesis.inputs[1].shape[1])
    for size in (4, 8):
        for weight in synthesis.get_layer(f"image_{size}").weights:
            weight.assign(np.zeros(weight.shape))
    last = keras.Model(synthesis.inputs, synthesis.get_layer("image_16").output)
    # In [-1, 1] and in [0, 1].
    np.testing.assert_allclose(synthesis([styles, noise]), 0.5 * last([styles, noise]) + 0.5, atol=1e-6)


def test_images_of_all_sizes_are_summed_each_one_enlarged():
    """By bilinear interpolation, which is what a filter of [1, 3, 3, 1] does within an image."""
    synthesis = build_synthesis((16, 16, 1), 5, channel_max=4)
    given = [numbers(2, 6, 5), numbers(2, synthesis.inputs[1].shape[1])]
    parts = keras.Model(synthesis.inputs, [synthesis.get_layer(f"image_{size}").output for size in (4, 8, 16)])
    wanted = 0
    for part in parts(given):
        enlarged = part
        while enlarged.shape[1] < 16:
            # Zeros round it, as round the filter's input.
            padded = tf.pad(enlarged, [[0, 0], [1, 1], [1, 1], [0, 0]])
            enlarged = tf.image.resize(padded, [2 * size for size in padded.shape[1:3]])[:, 2:-2, 2:-2]
        wanted += enlarged
    np.testing.assert_allclose(synthesis(given), wanted / 2 + 0.5, atol=1e-5)


def test_each_layer_is_told_its_own_style():
    """The last one changes the last image alone; a layer's style leaves the images of smaller sizes as they are."""
    synthesis = build_synthesis((16, 16, 1), 5, channel_max=4)
    parts = keras.Model(synthesis.inputs, [synthesis.get_layer(f"image_{size}").output for size in (4, 8, 16)])
    styles, noise = numbers(1, 6, 5), numbers(1, synthesis.inputs[1].shape[1])
    before = parts([styles, noise])
    # 0: convolution of 4x4; 1: its image, and the first of 8x8; 2: the second; 3: image, first of 16x16; 4; 5: image.
    first_changed = [0, 0, 1, 1, 2, 2]
    for layer, first in enumerate(first_changed):
        changed = styles.copy()
        changed[:, layer] += 1
        same = [np.array_equal(a, b) for a, b in zip(before, parts([changed, noise]))]
        assert same == [size < first for size in range(3)], layer


def test_noise_counts_for_nothing_until_its_strength_is_learnt_and_then_each_layer_has_its_own():
    synthesis = build_synthesis((8, 8, 1), 5, channel_max=4)
    styles, first, second = numbers(2, 4, 5), numbers(2, 144), numbers(2, 144)
    np.testing.assert_array_equal(synthesis([styles, first]), synthesis([styles, second]))
    strengths = [weight for weight in synthesis.trainable_weights if weight.path.endswith("strength")]
    assert len(strengths) == 3
    for strength, part in zip(strengths, (slice(0, 16), slice(16, 80), slice(80, 144))):
        strength.assign(1.0)
        moved = first.copy()
        moved[:, part] = second[:, part]
        assert not np.allclose(synthesis([styles, first]), synthesis([styles, moved]), atol=1e-3)
        moved = second.copy()
        moved[:, part] = first[:, part]
        np.testing.assert_array_equal(synthesis([styles, first]), synthesis([styles, moved]))
        strength.assign(0.0)


def test_features_begin_with_the_variance_that_they_are_to_keep():
    """Each convolution of the generator, and both ways through a block of the discriminator."""
    synthesis = build_synthesis((32, 32, 3), 64, channel_max=64)
    names = [f"convolution_{size}" for size in (4, 8, 16, 32)]
    features = keras.Model(synthesis.inputs, [synthesis.get_layer(name).output for name in names])
    # The root of 2 is there for the rectifier behind it; the filter that enlarges takes a part.
    for name, outputs in zip(names, features([numbers(8, 8, 64), numbers(8, synthesis.inputs[1].shape[1])])):
        assert 0.6 < float(tf.math.reduce_std(outputs)) < 2.0, name
    discriminator = build_discriminator((32, 32, 3), channel_max=64)
    sums = [layer.output for layer in discriminator.layers if type(layer).__name__ == "Add"]
    blocks = keras.Model(discriminator.inputs, sums)(numbers(8, 32, 32, 3) / 2 + 0.5)
    sizes = [float(tf.sqrt(tf.reduce_mean(block**2))) for block in blocks]
    assert len(sizes) == 3 and all(0.3 < size < 1.5 for size in sizes), sizes


def test_the_mapping_network_sees_directions_alone_and_labels():
    mapping = build_mapping(6, 5, num_layers=2, num_classes=3)
    latents, labels = numbers(3, 6), np.arange(3)
    np.testing.assert_allclose(mapping([7 * latents, labels]), mapping([latents, labels]), rtol=1e-4)
    assert len(np.unique(mapping([np.repeat(latents[:1], 3, axis=0), labels]), axis=0)) == 3
    assert count(mapping.weights) == (3 * 5 + 5) + (11 * 5 + 5) + (5 * 5 + 5)


def test_the_discriminator_sees_labels_by_projection():
    _, discriminator = stylegan2_networks(num_classes=3)
    images = np.repeat(numbers(1, 8, 8, 1), 3, axis=0)
    assert len(np.unique(discriminator([images, np.arange(3)]))) == 3
    features = keras.Model(discriminator.inputs[0], discriminator.get_layer("score").output)(images)
    wanted = keras.Model(discriminator.inputs[1], discriminator.layers[-3].output)(np.arange(3))
    products = np.sum(np.asarray(features) * np.asarray(wanted), axis=1, keepdims=True) / np.sqrt(features.shape[1])
    np.testing.assert_allclose(discriminator([images, np.arange(3)]), products, rtol=1e-4)
