"""The modulated convolution: against a kernel made for each image, unit norms, scale, variance, its gradients."""

import keras
import numpy as np
import pytest
import scipy.signal
import tensorflow as tf

from gdl_keras.layers import ModulatedConv2D

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(3, 6, 6, 4)).astype("float32")
STYLES = (1 + RNG.normal(size=(3, 4))).astype("float32")


def built(**options):
    """The layer, with a bias that is not zero."""
    layer = ModulatedConv2D(5, **options)
    layer.build([(None, 6, 6, 4), (None, 4)])
    layer.bias.assign(np.linspace(-1, 1, 5))
    return layer


def own_kernels(layer):
    """The kernel of each image as the paper writes it: float64 (images, size, size, 4, 5)."""
    kernel = np.asarray(layer.kernel, "float64")[None] * STYLES[:, None, None, :, None].astype("float64")
    kernel /= np.sqrt(layer.kernel_size**2 * 4)
    return kernel / np.sqrt((kernel**2).sum(axis=(1, 2, 3), keepdims=True)) if layer.demodulate else kernel


def convolved(image, kernel, up):
    """The sum over input channels, float64: correlated as Keras does; enlarged, a true convolution, then filtered."""
    channels, filters = kernel.shape[2:]
    larger = np.zeros((image.shape[0] * up, image.shape[1] * up, channels))
    larger[::up, ::up] = image
    taps = np.outer((1, 3, 3, 1), (1, 3, 3, 1)) / 16

    def one(channel, part):
        if up == 1:
            return scipy.signal.correlate2d(channel, part, "same")
        whole = scipy.signal.convolve2d(scipy.signal.convolve2d(channel, part), taps)
        return whole[2 : 2 + len(channel), 2 : 2 + len(channel)]

    return np.stack(
        [sum(one(larger[..., i], kernel[..., i, o]) for i in range(channels)) for o in range(filters)], axis=-1
    )


@pytest.mark.parametrize("options", [{}, {"up": 2}, {"demodulate": False}, {"kernel_size": 1, "gain": 3.0}], ids=str)
def test_it_is_a_convolution_of_each_image_with_a_kernel_of_its_own(options):
    layer = built(**options)
    wanted = [convolved(image, kernel, layer.up) for image, kernel in zip(IMAGES, own_kernels(layer))]
    found = layer([IMAGES, STYLES])
    assert found.shape == layer.compute_output_shape([IMAGES.shape, STYLES.shape])
    np.testing.assert_allclose(found, layer.gain * np.stack(wanted) + np.linspace(-1, 1, 5), rtol=1e-4, atol=1e-5)


def test_kernels_that_are_demodulated_have_norm_1():
    """Their numbers are what comes out where one pixel of one channel is 1."""
    layer = built()
    layer.bias.assign(np.zeros(5))
    places = np.zeros((4, 6, 6, 4), "float32")
    places[np.arange(4), 3, 3, np.arange(4)] = 1
    for style in STYLES:
        kernel = np.asarray(layer([places, np.tile(style, (4, 1))]))
        np.testing.assert_allclose((kernel**2).sum(axis=(0, 1, 2)), 1, rtol=1e-5)


def test_how_loud_a_style_is_as_a_whole_changes_nothing():
    layer = built(up=2)
    np.testing.assert_allclose(layer([IMAGES, 7 * STYLES]), layer([IMAGES, STYLES]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("up", [1, 2])
def test_unit_variance_stays_unit_variance(up):
    layer = ModulatedConv2D(16, up=up)
    noise = RNG.normal(size=(4, 32, 32, 16)).astype("float32")
    outputs = np.asarray(layer([noise, RNG.lognormal(size=(4, 16)).astype("float32")]))[:, 4:-4, 4:-4]
    # One pixel of four is no zero, and the squares of [1, 3, 3, 1] / 4 sum to 5/4 along each axis.
    assert outputs.std() == pytest.approx(1.0 if up == 1 else np.sqrt((5 / 4) ** 2 / 4), rel=0.2)


@pytest.mark.parametrize("up", [1, 2])
def test_second_order_gradients_are_finite_differences(up):
    """Of a squared slope for the styles, as in the penalty on path lengths."""
    layer = built(up=up)
    direction = tf.constant(RNG.normal(size=layer.kernel.shape).astype("float32") / 10)

    def squared_slope():
        styles = tf.constant(STYLES)
        with tf.GradientTape() as tape:
            tape.watch(styles)
            score = tf.reduce_sum(tf.tanh(layer([IMAGES, styles])))
        return tf.reduce_sum(tape.gradient(score, styles) ** 2)

    with tf.GradientTape() as tape:
        penalty = squared_slope()
    slope = float(tf.reduce_sum(tape.gradient(penalty, layer.kernel.value) * direction))
    step, values = 1e-2, []
    start = np.asarray(layer.kernel)
    for sign in (1, -1):
        layer.kernel.assign(start + sign * step * direction)
        values.append(float(squared_slope()))
    assert abs(slope) > 1
    assert (values[0] - values[1]) / (2 * step) == pytest.approx(slope, rel=1e-2)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_gives_the_same_up_to_rounding(policy):
    wanted = built(up=2)
    keras.config.set_dtype_policy(policy)
    layer = built(up=2)
    layer.set_weights(wanted.get_weights())
    outputs = layer([IMAGES, STYLES])
    assert outputs.dtype == layer.compute_dtype != "float32"
    np.testing.assert_allclose(tf.cast(outputs, tf.float32), wanted([IMAGES, STYLES]), atol=0.1)
    assert layer.from_config(layer.get_config()).get_config() == layer.get_config()
