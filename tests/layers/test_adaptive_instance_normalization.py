"""Adaptive instance normalisation: against loops, the moments that a style asks for, gradients to second order."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from gdl_keras.layers import AdaptiveInstanceNormalization
from tests.layers.test_second_order import relative_error

RNG = np.random.default_rng(0)
FEATURES = (3 + 2 * RNG.normal(size=(3, 4, 5, 2))).astype("float32")
STYLES = RNG.normal(size=(3, 6)).astype("float32")


def built(**options):
    """The layer, with a bias of its dense layer that is not zero."""
    layer = AdaptiveInstanceNormalization(**options)
    layer.build([(None, 4, 5, 2), (None, 6)])
    layer.affine.bias.assign([0.5, -2.0, 1.0, 3.0])
    return layer


def asked_for(layer):
    """(scales, biases) that the styles ask for, float64 (3, 2) each: of a dense layer with weights / root(inputs)."""
    kernel, bias = (np.asarray(weight, "float64") for weight in (layer.affine.kernel, layer.affine.bias))
    numbers = STYLES @ kernel / np.sqrt(6) + bias
    return numbers[:, :2], numbers[:, 2:]


def test_it_is_what_loops_over_images_and_channels_compute():
    layer = built()
    scales, biases = asked_for(layer)
    wanted = np.zeros(FEATURES.shape)
    for image in range(3):
        for channel in range(2):
            plane = FEATURES[image, :, :, channel].astype("float64")
            plane = (plane - plane.mean()) / np.sqrt(plane.var() + 1e-8)
            wanted[image, :, :, channel] = plane * (1 + scales[image, channel]) + biases[image, channel]
    np.testing.assert_allclose(layer([FEATURES, STYLES]), wanted, rtol=1e-4, atol=1e-5)


def test_each_channel_of_each_image_has_the_moments_that_its_style_asks_for():
    layer = built()
    scales, biases = asked_for(layer)
    outputs = np.asarray(layer([FEATURES, STYLES]))
    np.testing.assert_allclose(outputs.mean(axis=(1, 2)), biases, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(outputs.std(axis=(1, 2)), np.abs(1 + scales), rtol=1e-4)


def test_how_loud_and_how_bright_a_feature_was_leaves_no_trace():
    layer = built()
    louder = (7 * FEATURES - 3 * np.arange(2)).astype("float32")
    np.testing.assert_allclose(layer([louder, STYLES]), layer([FEATURES, STYLES]), atol=1e-4)


def test_a_style_of_zeros_changes_nothing_in_a_new_layer():
    layer = AdaptiveInstanceNormalization()
    outputs = np.asarray(layer([FEATURES, 0 * STYLES]))
    np.testing.assert_allclose(outputs.mean(axis=(1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(outputs.std(axis=(1, 2)), 1, rtol=1e-4)


def test_a_feature_that_is_the_same_everywhere_becomes_the_bias_and_has_a_finite_slope():
    layer = built()
    flat = tf.ones((3, 4, 5, 2))
    with tf.GradientTape() as tape:
        tape.watch(flat)
        outputs = layer([flat, STYLES])
        loss = tf.reduce_sum(outputs**2)
    biases = np.broadcast_to(asked_for(layer)[1][:, None, None], outputs.shape)
    np.testing.assert_allclose(outputs, biases, rtol=1e-4, atol=1e-5)
    assert np.isfinite(tape.gradient(loss, flat)).all()


@pytest.fixture
def float64():
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")


def test_gradients_are_finite_differences(float64):
    """Of a score for the features, the styles, and the weights of the dense layer."""
    layer = built()
    weights = layer.trainable_variables
    start = [FEATURES.astype("float64"), STYLES.astype("float64"), *map(np.asarray, weights)]
    way = [RNG.normal(size=value.shape) for value in start]

    def score_at(step):
        x, style, *values = [tf.constant(value + step * one) for value, one in zip(start, way)]
        for weight, value in zip(weights, values):
            weight.assign(value)
        with tf.GradientTape() as tape:
            tape.watch([x, style])
            score = tf.reduce_sum(tf.tanh(layer([x, style])))
        return float(score), tape.gradient(score, [x, style, *[weight.value for weight in weights]])

    _, gradients = score_at(0.0)
    slope = sum(float(np.sum(gradient * one)) for gradient, one in zip(gradients, way))
    measured = (score_at(1e-6)[0] - score_at(-1e-6)[0]) / 2e-6
    assert measured == pytest.approx(slope, rel=1e-6) and abs(slope) > 0.1


def test_a_penalty_on_slopes_has_the_right_gradient_through_it(float64):
    images, styles = keras.Input((8, 8, 1)), keras.Input((6,))
    x = layers.Conv2D(4, 3, padding="same", activation="softplus")(images)
    x = AdaptiveInstanceNormalization()([x, styles])
    x = layers.Conv2D(3, 3, padding="same", activation="softplus")(x)
    judge = keras.Model([images, styles], layers.Dense(1)(layers.Flatten()(x)))
    assert relative_error(judge, tf.constant(STYLES.astype("float64"))) < 1e-5


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_moments_are_exact_in_half_precision(policy):
    """A mean of 300 beside a deviation of 2: in float16 the mean of squares would be without a limit."""
    keras.config.set_dtype_policy(policy)
    layer = built()
    loud = (300 + 2 * RNG.normal(size=(3, 4, 5, 2))).astype("float32")
    outputs = layer([loud, STYLES])
    assert outputs.dtype == layer.compute_dtype != "float32" and layer.affine.kernel.dtype == "float32"
    rounded = tf.cast(tf.cast(loud, layer.compute_dtype), tf.float32)
    styles = tf.cast(tf.cast(STYLES, layer.compute_dtype), tf.float32)
    keras.config.set_dtype_policy("float32")
    exact = built()
    exact.set_weights(layer.get_weights())
    np.testing.assert_allclose(tf.cast(outputs, tf.float32), exact([rounded, styles]), rtol=1e-2, atol=1e-2)
    assert layer.from_config(layer.get_config()).get_config() == layer.get_config()
