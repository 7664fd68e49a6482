"""Equalised layers against numpy, and how far an optimizer moves them."""

import keras
import numpy as np
import pytest
import scipy.signal
import tensorflow as tf
from keras import layers

from gdl_keras.layers import EqualizedConv2D, EqualizedDense, MinibatchDeviation, ZeroCurvatureLeakyReLU
from tests.layers.test_second_order import relative_error

GAIN = 2**0.5
KINDS = {
    "dense": (EqualizedDense, (500,), (300,), 300),
    "convolution": (EqualizedConv2D, (120, 3), (6, 6, 50), 450),
}
both = pytest.mark.parametrize("kind", KINDS)


def built(kind, **options):
    """(the layer, an input, its fan-in)."""
    make, arguments, shape, fan_in = KINDS[kind]
    layer = make(*arguments, **options)
    inputs = np.random.default_rng(0).normal(size=(4, *shape)).astype("float32")
    layer(inputs)
    return layer, inputs, fan_in


@both
@pytest.mark.parametrize("multiplier", [1.0, 0.01])
def test_weights_begin_as_he_would_have_them(kind, multiplier):
    layer, inputs, fan_in = built(kind, learning_rate_multiplier=multiplier, bias_initializer="ones")
    assert np.std(layer.kernel) == pytest.approx(1 / multiplier, rel=0.01)
    assert np.std(layer.effective_kernel()) == pytest.approx(GAIN / fan_in**0.5, rel=0.01)
    np.testing.assert_allclose(layer(0 * inputs), 1, rtol=1e-6)


def test_dense_is_the_scaled_product():
    layer = EqualizedDense(5, gain=1.5, learning_rate_multiplier=0.1, bias_initializer=keras.initializers.Constant(3.0))
    x = np.random.default_rng(0).normal(size=(2, 6, 7)).astype("float32")
    outputs = layer(x)
    np.testing.assert_allclose(layer.bias, 30 * np.ones(5), rtol=1e-6)
    np.testing.assert_allclose(outputs, 1.5 * 0.1 / 7**0.5 * x @ np.asarray(layer.kernel) + 3, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("strides, padding", [(1, "same"), (2, "same"), (1, "valid")])
def test_convolution_is_the_scaled_one_of_scipy(strides, padding):
    layer = EqualizedConv2D(2, 3, strides, padding, use_bias=False)
    x = np.random.default_rng(0).normal(size=(1, 7, 7, 3)).astype("float32")
    outputs = layer(x)
    kernel = np.asarray(layer.kernel)
    for filter in range(2):
        whole = sum(scipy.signal.correlate(x[0, :, :, c], kernel[:, :, c, filter], padding) for c in range(3))
        # For an odd size both kinds of padding begin at the first pixel.
        expected = GAIN / 27**0.5 * whole[::strides, ::strides]
        np.testing.assert_allclose(outputs[0, :, :, filter], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("resize", ["double", "halve"])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_resizing_is_one_with_the_convolution(resize, kernel_size):
    """Pixels made squares before a convolution of scipy, or means of squares taken after it."""
    layer = EqualizedConv2D(2, kernel_size, resize=resize, bias_initializer="ones")
    x = np.random.default_rng(0).normal(size=(2, 6, 8, 3)).astype("float32")
    outputs = layer(x)
    larger = x.repeat(2, axis=1).repeat(2, axis=2) if resize == "double" else x
    kernel = np.asarray(layer.kernel)
    for image, filter in np.ndindex(2, 2):
        whole = sum(scipy.signal.correlate(larger[image, :, :, c], kernel[:, :, c, filter], "same") for c in range(3))
        expected = GAIN / (3 * kernel_size**2) ** 0.5 * whole + 1
        if resize == "halve":
            expected = expected.reshape(3, 2, 4, 2).mean(axis=(1, 3))
        np.testing.assert_allclose(outputs[image, :, :, filter], expected, rtol=1e-4, atol=1e-5)


@both
def test_a_step_of_adam_moves_every_layer_by_the_same_share_of_its_scale(kind):
    rate = 1e-3
    for multiplier in (1.0, 0.1):
        layer, inputs, fan_in = built(kind, learning_rate_multiplier=multiplier)
        before = np.asarray(layer.effective_kernel())
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(inputs))
        optimizer = keras.optimizers.Adam(rate, 0.0, 0.99, epsilon=1e-8)
        optimizer.apply(tape.gradient(loss, layer.trainable_variables), layer.trainable_variables)
        moved = np.abs(layer.effective_kernel() - before)
        np.testing.assert_allclose(moved, rate * multiplier * GAIN / fan_in**0.5, rtol=0.02)


@both
def test_plain_descent_moves_by_the_square_of_the_multiplier(kind):
    def moved(multiplier):
        layer, inputs, _ = built(kind, learning_rate_multiplier=multiplier, use_bias=False)
        before = np.asarray(layer.effective_kernel())
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(inputs))
        keras.optimizers.SGD(1.0).apply(tape.gradient(loss, [layer.kernel]), [layer.kernel])
        return layer.effective_kernel() - before

    np.testing.assert_allclose(moved(0.25), moved(1.0) / 16, rtol=1e-3, atol=1e-4)


@both
def test_saved_and_loaded(kind):
    layer, inputs, _ = built(kind, gain=1.0, learning_rate_multiplier=0.5, bias_initializer="ones")
    copy = type(layer).from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    copy.build(inputs.shape)
    copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(copy(inputs), layer(inputs))


@both
def test_half_precision_computes_in_half_and_keeps_float32(kind):
    make, arguments, shape, _ = KINDS[kind]
    layer = make(*arguments, dtype="mixed_float16", learning_rate_multiplier=0.01)
    x = np.random.default_rng(0).normal(size=(4, *shape)).astype("float32")
    assert layer(x).dtype == "float16" and layer.kernel.dtype == "float32"
    exact = make(*arguments, learning_rate_multiplier=0.01)
    exact.build(x.shape)
    exact.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(x), exact(x), atol=0.02)


def test_a_penalty_on_the_slope_of_a_judge_of_such_layers_has_the_right_gradient():
    """Gradients of gradients, the statistics over the batch among them, against finite differences in float64."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        images = keras.Input((8, 8, 1))
        x = ZeroCurvatureLeakyReLU(0.2)(EqualizedConv2D(4, 3)(images))
        x = layers.AveragePooling2D(2)(ZeroCurvatureLeakyReLU(0.2)(EqualizedConv2D(4, 3)(x)))
        x = ZeroCurvatureLeakyReLU(0.2)(EqualizedConv2D(4, 3, resize="double")(x))
        x = ZeroCurvatureLeakyReLU(0.2)(EqualizedConv2D(4, 3, resize="halve")(x))
        x = ZeroCurvatureLeakyReLU(0.2)(EqualizedConv2D(4, 3)(MinibatchDeviation(2, channels=2)(x)))
        judge = keras.Model(images, EqualizedDense(1, gain=1.0)(layers.Flatten()(x)))
        assert relative_error(judge) < 1e-5
    finally:
        keras.config.set_floatx("float32")
