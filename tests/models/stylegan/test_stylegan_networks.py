"""The networks of StyleGAN: published numbers of weights, both against numpy, styles and noise by layer, growth."""

from functools import partial
from itertools import pairwise

import keras
import numpy as np
import pytest
import scipy.signal

from gdl_keras.errors import InputError
from gdl_keras.models.growing.schedule import Phase
from gdl_keras.models.growing.stages import StagedDiscriminator, StagedGenerator
from gdl_keras.models.stylegan.stylegan import build_discriminator, build_generator, build_synthesis
from tests.growing_cases import assert_fades_in_a_straight_line, random_images
from tests.stylegan_cases import stylegan_networks

RNG = np.random.default_rng(0)


def numbers(*shape):
    return RNG.normal(size=shape).astype("float32")


def count(weights):
    return sum(int(np.prod(weight.shape)) for weight in weights)


def stirred(network):
    """The network with biases, strengths of noise and a constant that are at random."""
    rng = np.random.default_rng(1)
    for weight in network.trainable_weights:
        if not weight.path.endswith("kernel"):
            weight.assign(rng.normal(size=weight.shape))
    return network


# ---- numbers of weights ----------------------------------------------------------------------------------------------


def generators_weights(size, colours=3, units=512, base=16384, most=512):
    """Two layers at each size, each with a strength of noise and a bias a channel and two numbers a channel told."""
    widths = [min(base // 2**power, most) for power in range(2, int(np.log2(size)) + 1)]
    mapping = 8 * (units * units + units)
    told = sum(2 * (width + width + (units + 1) * 2 * width) for width in widths)
    kernels = 9 * widths[0] ** 2 + sum(9 * (old * new + new * new) for old, new in pairwise(widths))
    images = sum(width * colours + colours for width in widths)
    return mapping + 16 * widths[0] + told + kernels + images


@pytest.mark.parametrize("size", [16, 1024])
def test_number_of_weights_by_formula(size):
    generator = build_generator((size, size, 3))
    assert count(generator.trainable_weights) == generators_weights(size)
    # Beside them one number of noise for each place of each layer.
    places = 2 * sum(4**power for power in range(2, int(np.log2(size)) + 1))
    assert [weight.shape for weight in generator.non_trainable_weights] == [(places,)]
    assert generator.get_layer("synthesis").inputs[0].shape == (None, 2 * int(np.log2(size)) - 2, 512)


def test_as_many_weights_as_published():
    """26.2 million in the generator (Karras et al. 2019, section 2), 23.1 in the discriminator, which is ProGAN's."""
    assert generators_weights(1024) == 26_219_627
    assert build_discriminator((1024, 1024, 3)).count_params() == 23_087_249


def test_the_mapping_network_is_as_slow_as_it_is_told():
    for options, rate in (({}, 0.01), ({"mapping_rate": 0.1}, 0.1)):
        mapping = build_generator((8, 8, 1), latent_dim=6, style_dim=5, **options).get_layer("mapping")
        rates = [layer.learning_rate_multiplier for layer in mapping.layers if layer.weights]
        assert rates == [rate] * 8


@pytest.mark.parametrize("image_shape", [(8, 8, 1), (32, 32, 3)])
@pytest.mark.parametrize("num_classes", [None, 3])
def test_sizes(image_shape, num_classes):
    options = {"num_classes": num_classes, "channel_base": 64, "channel_max": 4}
    labels = [] if num_classes is None else [np.arange(2)]
    generator = build_generator(image_shape, latent_dim=6, style_dim=5, mapping_layers=2, **options)
    images = np.asarray(generator([numbers(2, 6), *labels] if labels else numbers(2, 6)))
    assert images.shape == (2, *image_shape)
    discriminator = build_discriminator(image_shape, **options)
    assert discriminator([images, *labels] if labels else images).shape == (2, 1)


@pytest.mark.parametrize("shape", [(4, 4, 1), (24, 24, 1), (16, 8, 1)])
def test_other_sizes_are_refused(shape):
    for build in (build_generator, build_discriminator):
        with pytest.raises(InputError, match="choose 8, 16, 32"):
            build(shape)


# ---- against numpy ---------------------------------------------------------------------------------------------------


def convolved(image, kernel):
    """A convolution by scipy at an equalised learning rate: (height, width, filters)."""
    kernel = np.asarray(kernel, "float64") * np.sqrt(2 / np.prod(kernel.shape[:-1]))
    inputs, filters = kernel.shape[2:]
    return np.stack(
        [
            sum(scipy.signal.correlate2d(image[..., i], kernel[..., i, o], "same") for i in range(inputs))
            for o in range(filters)
        ],
        axis=-1,
    )


def blurred(image):
    taps = np.outer((1, 2, 1), (1, 2, 1)) / 16
    return np.stack([scipy.signal.convolve2d(image[..., c], taps, "same") for c in range(image.shape[-1])], axis=-1)


def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


def by_kind(network):
    """{end of the path: weights, float64, in the order of the layers}."""
    found = {}
    for layer in network.layers:
        for weight in layer.weights:
            kind = f"{type(layer).__name__}/{weight.path.rsplit('/', 1)[-1]}"
            found.setdefault(kind, []).append(np.asarray(weight, "float64"))
    return found


def test_the_synthesis_network_is_what_the_paper_draws():
    """Constant, convolution, blur, noise, bias, rectifier, what the style says: layer by layer, of 8x8 (figure 1b)."""
    synthesis = stirred(build_synthesis((8, 8, 2), 5, 32, 3))
    styles, noise = numbers(1, 4, 5), numbers(1, 160)
    weights = by_kind(synthesis)
    kernels = [kernel for kernel in weights["EqualizedConv2D/kernel"] if len(kernel) == 3]
    # Of each layer the numbers of noise follow those of the one before.
    planes = [plane.reshape(size, size, 1) for size, plane in zip((4, 4, 8, 8), np.split(noise[0], [16, 32, 96]))]
    x = weights["Constant/numbers"][0]
    for layer in range(4):
        if layer == 2:
            x = x.repeat(2, axis=0).repeat(2, axis=1)
        x = convolved(x, kernels[layer - 1]) if layer else x
        x = blurred(x) if layer == 2 else x
        x = x + weights["NoiseInjection/strength"][layer] * planes[layer]
        x = leaky(x + weights["ChannelBias/bias"][layer])
        told = styles[0, layer] @ weights["AdaptiveInstanceNormalization/kernel"][layer] / np.sqrt(5)
        scale, bias = np.split(told + weights["AdaptiveInstanceNormalization/bias"][layer], 2)
        x = (x - x.mean(axis=(0, 1))) / np.sqrt(x.var(axis=(0, 1)) + 1e-8) * (1 + scale) + bias
    last = synthesis.get_layer("to_8x8")
    image = x @ np.asarray(last.kernel)[0, 0] / np.sqrt(3) + np.asarray(last.bias)
    np.testing.assert_allclose(synthesis([styles, noise], training=True)[0], image / 2 + 0.5, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(synthesis([styles, noise])[0], np.clip(image / 2 + 0.5, 0, 1), rtol=1e-4, atol=1e-4)


def test_the_constant_begins_as_ones_and_the_strengths_of_noise_as_zeros():
    weights = by_kind(build_synthesis((8, 8, 1), 5, 32, 4))
    np.testing.assert_array_equal(weights["Constant/numbers"], np.ones((1, 4, 4, 4)))
    np.testing.assert_array_equal(weights["NoiseInjection/strength"], np.zeros((4, 4)))


def test_the_discriminator_blurs_what_it_halves():
    """Of 8x8: convolution, blur, convolution, means of squares, rectifier; then as ProGAN's."""
    network = stirred(build_discriminator((8, 8, 1), None, 32, 3))
    image = random_images(1, 8)
    kernels = [np.asarray(layer.kernel) for layer in network.layers if type(layer).__name__ == "EqualizedConv2D"]
    biases = [np.asarray(layer.bias) for layer in network.layers if type(layer).__name__ == "EqualizedConv2D"]
    first, one, other, *_, last = [i for i in range(len(kernels)) if kernels[i].shape[2] != 1 or i == 0]
    x = leaky(convolved(2.0 * image[0] - 1, kernels[first]) + biases[first])
    x = leaky(convolved(x, kernels[one]) + biases[one])
    x = convolved(blurred(x), kernels[other]) + biases[other]
    x = leaky(x.reshape(4, 2, 4, 2, -1).mean(axis=(1, 3)))
    # Of one image there is no deviation but the root of 1e-8.
    x = np.concatenate([x, np.full((4, 4, 1), 1e-4)], axis=-1)
    x = leaky(convolved(x, kernels[last]) + biases[last]).reshape(-1)
    dense = [layer for layer in network.layers if type(layer).__name__ == "EqualizedDense"]
    for layer, gain in zip(dense, (np.sqrt(2), 1.0), strict=True):
        x = gain / np.sqrt(len(x)) * x @ np.asarray(layer.kernel) + np.asarray(layer.bias)
        x = leaky(x) if layer is dense[0] else x
    np.testing.assert_allclose(network(image)[0], x, rtol=1e-4)


# ---- styles and noise by layer ---------------------------------------------------------------------------------------


def images_of_all_sizes(synthesis):
    return keras.Model(synthesis.inputs, [synthesis.get_layer(f"to_{size}x{size}").output for size in (4, 8, 16)])


def test_each_layer_is_told_its_own_style():
    """It changes the images of its own size and of larger ones, and leaves those of smaller sizes as they are."""
    synthesis = build_synthesis((16, 16, 1), 5, 64, 4)
    styles, noise = numbers(1, 6, 5), numbers(1, synthesis.inputs[1].shape[1])
    parts = images_of_all_sizes(synthesis)
    before = parts([styles, noise])
    for layer in range(6):
        changed = styles.copy()
        changed[:, layer] += 1
        same = [np.array_equal(a, b) for a, b in zip(before, parts([changed, noise]))]
        assert same == [size < layer // 2 for size in range(3)], layer


def test_noise_counts_for_nothing_until_its_strength_is_learnt_and_then_each_layer_has_its_own():
    synthesis = build_synthesis((8, 8, 1), 5, 32, 4)
    styles, first, second = numbers(2, 4, 5), numbers(2, 160), numbers(2, 160)
    np.testing.assert_array_equal(synthesis([styles, first]), synthesis([styles, second]))
    strengths = [weight for weight in synthesis.trainable_weights if weight.path.endswith("strength")]
    parts = (slice(0, 16), slice(16, 32), slice(32, 96), slice(96, 160))
    for strength, part in zip(strengths, parts, strict=True):
        strength.assign([1.0, 0.0, 0.0, 0.0])
        moved = first.copy()
        moved[:, part] = second[:, part]
        assert not np.allclose(synthesis([styles, first]), synthesis([styles, moved]), atol=1e-3)
        moved = second.copy()
        moved[:, part] = first[:, part]
        np.testing.assert_array_equal(synthesis([styles, first]), synthesis([styles, moved]))
        strength.assign(np.zeros(4))


# ---- growth ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [1, 2])
def test_the_synthesis_fades_from_the_smaller_image_to_the_larger_in_a_straight_line(level):
    synthesis = stirred(stylegan_networks(size=16, channel_base=64)[0].get_layer("synthesis"))
    given = [numbers(3, 6, 5), numbers(3, synthesis.inputs[1].shape[1])]
    smaller, fading, larger = (
        partial(StagedGenerator(synthesis, phase), given, training=True)
        for phase in (Phase(level - 1), Phase(level, True), Phase(level))
    )
    assert_fades_in_a_straight_line(smaller, fading, larger, 1e-5)


@pytest.mark.parametrize("level", [1, 2])
def test_the_discriminator_fades_from_the_smaller_image_to_the_larger(level):
    network, images = stirred(stylegan_networks(size=16, channel_base=64)[1]), random_images(5, 4 * 2**level)
    smaller, fading, larger = (
        StagedDiscriminator(network, phase) for phase in (Phase(level - 1), Phase(level, True), Phase(level))
    )
    of_squares = images.reshape(5, 2 * 2**level, 2, 2 * 2**level, 2, 1).mean(axis=(2, 4))
    np.testing.assert_allclose(fading(images, 0.0), smaller(of_squares, 1.0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(fading(images, 1.0), larger(images, 1.0), rtol=1e-4, atol=1e-5)
    scores = [np.asarray(fading(images, share)) for share in (0.0, 0.5, 1.0)]
    assert min(np.abs(one - other).max() for one, other in pairwise(scores)) > 1e-3


def test_the_last_phase_is_the_whole_network():
    synthesis = stirred(stylegan_networks()[0].get_layer("synthesis"))
    given = [numbers(3, 4, 5), numbers(3, 160)]
    np.testing.assert_array_equal(StagedGenerator(synthesis, Phase(1))(given, 1.0), synthesis(given))
