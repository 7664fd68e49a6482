"""The parts of StyleGAN3's generator against numpy and scipy."""

import keras
import numpy as np
import pytest
import scipy.signal
import scipy.stats
import tensorflow as tf

from gdl_keras.models.stylegan3 import build_synthesis
from gdl_keras.models.stylegan3.filtered_leaky_relu import FilteredLeakyReLU
from gdl_keras.models.stylegan3.filters import kaiser_filter, radial_filter
from gdl_keras.models.stylegan3.fourier_input import FourierInput, in_disc
from gdl_keras.models.stylegan3.magnitude import MagnitudeNormalization


def random(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


# ---- waves -----------------------------------------------------------------------------------------------------------


def waves(layer, styles, transforms):
    """The formula, image by image."""
    places = (np.arange(layer.size) - (layer.size - 1) / 2) / layer.rate
    x, y = np.meshgrid(places, places)
    frequencies, phases, kernel = (np.asarray(w) for w in (layer.frequencies, layer.phases, layer.kernel))
    images = []
    for style, transform in zip(styles, transforms):
        a, b, right, down = style @ np.asarray(layer.read_kernel) / np.sqrt(len(style)) + np.asarray(layer.read_bias)
        a, b, right, down = np.array([a, b, right, down]) / np.hypot(a, b)
        matrix = np.array([[a, -b, 0], [b, a, 0], [0, 0, 1]])
        matrix = matrix @ np.array([[1, 0, -right], [0, 1, -down], [0, 0, 1]]) @ transform
        there = np.einsum("ij,jyx->iyx", matrix, np.stack([x, y, np.ones_like(x)]))
        turned = frequencies @ matrix[:2, :2]
        room = (layer.rate / 2 - np.hypot(*turned.T)) / (layer.rate / 2 - layer.bandwidth)
        image = np.sin(2 * np.pi * (np.einsum("ki,iyx->yxk", frequencies, there[:2]) + phases)) * np.clip(room, 0, 1)
        images.append(image @ kernel / np.sqrt(layer.channels))
    return np.stack(images)


def fourier_input(**options):
    layer = FourierInput(**{"channels": 6, "size": 10, "rate": 8, "bandwidth": 2.0, "seed": 0, **options})
    layer.build([(None, 4), (None, 3, 3)])
    return layer


def test_waves_are_those_of_the_formula_for_styles_and_transforms():
    layer = fourier_input()
    layer.read_kernel.assign(random(4, 4))
    transforms = np.eye(3, dtype="float32") + 0.3 * random(3, 3, 3)
    transforms[:, 2] = 0, 0, 1
    styles = random(3, 4)
    np.testing.assert_allclose(layer([styles, transforms]), waves(layer, styles, transforms), atol=1e-4)


def test_a_shift_by_whole_pixels_moves_the_waves():
    layer = fourier_input()
    styles = random(1, 4)
    still = np.asarray(layer([styles, np.eye(3, dtype="float32")[None]]))
    back = np.array([[1, 0, -2 / 8], [0, 1, 1 / 8], [0, 0, 1]], "float32")
    moved = np.asarray(layer([styles, back[None]]))
    np.testing.assert_allclose(moved[:, :-1, 2:], still[:, 1:, :-2], atol=1e-5)


def test_waves_that_pixels_cannot_hold_fade_out():
    layer = fourier_input()
    for scale, is_there in ((1.0, True), (40.0, False)):
        transform = np.diag([scale, scale, 1]).astype("float32")
        layer.frequencies.assign(np.full((6, 2), 0.5, "float32"))
        assert np.any(np.asarray(layer([random(1, 4), transform[None]]))) == is_there


def test_frequencies_are_uniform_in_a_disc():
    points = in_disc(4000, 3.0, seed=0)
    radii = np.hypot(*points.T)
    assert scipy.stats.kstest((radii / 3) ** 2, "uniform").pvalue > 1e-3
    assert scipy.stats.kstest(np.arctan2(*points.T) / (2 * np.pi) + 0.5, "uniform").pvalue > 1e-3


# ---- filtered rectifier ----------------------------------------------------------------------------------------------

FILTERS = {
    "both": (2, 2, kaiser_filter(12, 2, 12, 32), kaiser_filter(12, 4, 8, 32), (3, 2)),
    "up alone": (4, 1, kaiser_filter(24, 2, 12, 64), np.ones(1), (-3, 5)),
    "radial": (2, 2, kaiser_filter(12, 2, 12, 32), radial_filter(12, 4, 8, 32), (9, 8)),
}


def resampled(image, kernel, up, down, padding):
    """By zeros, a convolution and what is left out; image (height, width)."""
    sizes = [size * up for size in image.shape]
    spread = np.zeros(sizes)
    spread[::up, ::up] = image
    rows, columns = (slice(50 - padding[0], 50 + size + padding[1]) for size in sizes)
    spread = np.pad(spread, 50)[rows, columns]
    return scipy.signal.convolve2d(spread, kernel, mode="valid")[::down, ::down]


@pytest.mark.parametrize("name", FILTERS)
def test_filtered_rectifier_is_scipys(name):
    up, down, up_taps, down_taps, padding = FILTERS[name]
    layer = FilteredLeakyReLU(up, down, up_taps, down_taps, padding)
    images = random(2, 12, 14, 2)
    found = layer(images)
    assert found.shape == layer.compute_output_shape(images.shape)
    square = down_taps if down_taps.ndim == 2 else np.outer(down_taps, down_taps)
    for image, outcome in zip(images, found):
        for channel in range(2):
            fine = resampled(image[:, :, channel], up**2 * np.outer(up_taps, up_taps), up, 1, padding)
            bent = np.sqrt(2) * np.where(fine > 0, fine, 0.2 * fine)
            wanted = resampled(bent, square, 1, down, (0, 0))
            np.testing.assert_allclose(outcome[:, :, channel], wanted, atol=1e-5)
    copy = FilteredLeakyReLU.from_config(layer.get_config())
    np.testing.assert_array_equal(copy(images), found)


def test_a_constant_passes_the_filters():
    up, down, up_taps, down_taps, _ = FILTERS["both"]
    outcome = FilteredLeakyReLU(up, down, up_taps, down_taps, (0, 0))(np.full((1, 20, 20, 1), 0.5, "float32"))
    np.testing.assert_allclose(outcome, 0.5 * np.sqrt(2), rtol=0.02)


# ---- magnitude -------------------------------------------------------------------------------------------------------


def test_power_follows_its_closed_form():
    layer = MagnitudeNormalization(decay=0.9)
    images = 3 * np.ones((2, 4, 4, 1), "float32")
    for step in range(1, 6):
        outputs = layer(images, training=True)
        power = 9 + (1 - 9) * 0.9**step
        assert float(layer.power) == pytest.approx(power, rel=1e-5)
        np.testing.assert_allclose(outputs, 3 / np.sqrt(power), rtol=1e-5)
    np.testing.assert_array_equal(layer(images), outputs)
    assert float(layer.power) == pytest.approx(power, rel=1e-5)


def test_power_is_followed_in_float32_where_features_are_not():
    layer = MagnitudeNormalization(decay=0.999, dtype="mixed_bfloat16")
    outputs = layer(2 * np.ones((2, 4, 4, 1)), training=True)
    assert outputs.dtype == tf.bfloat16
    assert float(layer.power) == pytest.approx(1.003, rel=1e-6)


def test_replicas_follow_the_power_of_all(two_replicas):
    with two_replicas.scope():
        layer = MagnitudeNormalization(decay=0.5)
    given = two_replicas.experimental_distribute_values_from_function(
        lambda context: tf.fill((2, 3), [1.0, 3.0][context.replica_id_in_sync_group])
    )
    two_replicas.run(tf.function(lambda images: layer(images, training=True)), args=(given,))
    for power in two_replicas.experimental_local_results(layer.power.value):
        assert float(power) == pytest.approx(0.5 + 0.5 * (1 + 9) / 2)


# ---- the network -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rotation", [False, True])
def test_network_goes_through_a_file_and_half_precision(rotation, tmp_path):
    options = {"style_dim": 3, "channel_max": 4, "num_layers": 3, "num_critical": 1, "margin": 2, "seed": 0}
    inputs = [random(2, 5, 3), np.repeat(np.eye(3, dtype="float32")[None], 2, axis=0)]
    network = build_synthesis((16, 16, 1), rotation=rotation, **options)
    wanted = network(inputs)
    assert wanted.shape == (2, 16, 16, 1)
    network.save(tmp_path / "network.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "network.keras")(inputs), wanted)
    keras.config.set_dtype_policy("mixed_bfloat16")
    half = build_synthesis((16, 16, 1), rotation=rotation, **options)
    half.set_weights(network.get_weights())
    found = half(inputs)
    assert found.dtype == tf.float32
    assert np.abs(found - wanted).mean() < 0.1 * np.std(wanted)
