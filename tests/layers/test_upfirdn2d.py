"""Filtered resizing: against scipy, its transpose, its gradients to second order, constants, precision, XLA."""

import keras
import numpy as np
import pytest
import scipy.signal
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.layers import Resampling2D
from gdl_keras.layers.upfirdn2d import low_pass, upfirdn2d

CASES = [(1, 1, 4), (2, 1, 4), (1, 2, 4), (2, 2, 5), (2, 1, 12), (4, 1, 12), (1, 3, 7), (3, 2, 8)]


def random(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


@pytest.mark.parametrize(("up", "down", "taps"), CASES)
def test_it_is_scipys_along_each_axis(up, down, taps):
    images, kernel = random(2, 7, 9, 3), random(taps)
    found = upfirdn2d(tf.constant(images), kernel, up, down, (taps - 1, taps - up))
    wanted = scipy.signal.upfirdn(kernel, images.astype("float64"), up, down, axis=1)
    wanted = scipy.signal.upfirdn(kernel, wanted, up, down, axis=2)
    np.testing.assert_allclose(found, wanted, atol=1e-5 * abs(wanted).max())


def test_a_kernel_that_is_no_product_is_convolved_as_a_whole():
    images, kernel = random(1, 6, 6, 1), random(3, 3)
    found = upfirdn2d(tf.constant(images), kernel, padding=(2, 2))[0, :, :, 0]
    np.testing.assert_allclose(found, scipy.signal.convolve2d(images[0, :, :, 0], kernel), atol=1e-5)


@pytest.mark.parametrize("padding", [(3, 1), (-1, 2), (0, -2)])
def test_padding_is_zeros_and_negative_padding_cuts_off(padding):
    images, kernel = random(1, 8, 8, 2), random(4)
    full = np.asarray(upfirdn2d(tf.constant(images), kernel, 2, padding=(3, 2)))
    wide = np.pad(full, [(0, 0), (8, 8), (8, 8), (0, 0)])
    rows = slice(8 + 3 - padding[0], wide.shape[1] - 8 - 2 + padding[1])
    np.testing.assert_allclose(
        upfirdn2d(tf.constant(images), kernel, 2, padding=padding), wide[:, rows, rows], atol=1e-6
    )


@pytest.mark.parametrize(("up", "down", "taps"), CASES)
@pytest.mark.parametrize("padding", [None, (1, 2)])
def test_gradients_are_of_the_transposed_map_and_their_gradients_are_the_map_again(up, down, taps, padding):
    """<U x, y> = <x, U^T y>; the gradient of <x', U^T y> for y is U x'."""
    images, other, kernel = (tf.constant(random(*shape)) for shape in [(2, 9, 8, 2), (2, 9, 8, 2), (taps,)])

    def resample(x):
        return upfirdn2d(x, kernel, up, down, padding)

    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(images)
            outputs = resample(images)
        upstream = tf.constant(random(*outputs.shape))
        outer.watch(upstream)
        transposed = inner.gradient(outputs, images, output_gradients=upstream)
    back = outer.gradient(transposed, upstream, output_gradients=other)
    scale = float(tf.norm(images) * tf.norm(transposed))
    assert abs(float(tf.reduce_sum(outputs * upstream) - tf.reduce_sum(images * transposed))) < 1e-5 * scale
    np.testing.assert_allclose(back, resample(other), atol=1e-5)


@pytest.mark.parametrize(("up", "down"), [(1, 1), (2, 1), (1, 2)])
def test_second_order_gradients_are_finite_differences(up, down):
    """Of a penalty on a slope, as in R1, behind a curve, so that the second order is not zero."""
    images, direction = tf.constant(random(1, 6, 6, 2)), tf.constant(random(1, 6, 6, 2) / 10)
    layer = Resampling2D(up, down)

    def squared_slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            score = tf.reduce_sum(tf.tanh(layer(tf.tanh(x))))
        return tf.reduce_sum(tape.gradient(score, x) ** 2)

    with tf.GradientTape() as tape:
        tape.watch(images)
        penalty = squared_slope(images)
    slope = float(tf.reduce_sum(tape.gradient(penalty, images) * direction))
    step = 1e-2
    difference = (squared_slope(images + step * direction) - squared_slope(images - step * direction)) / (2 * step)
    assert abs(slope) > 1e-2
    assert float(difference) == pytest.approx(slope, rel=1e-2)


@pytest.mark.parametrize(("up", "down", "size"), [(1, 1, 12), (2, 1, 24), (1, 2, 6)])
def test_a_constant_stays_what_it_is(up, down, size):
    outputs = np.asarray(Resampling2D(up, down)(tf.fill((1, 12, 12, 2), 0.7)))
    assert outputs.shape == (1, size, size, 2)
    np.testing.assert_allclose(outputs[:, 2:-2, 2:-2], 0.7, rtol=1e-6)


def test_what_is_enlarged_is_centred():
    """A ramp of pixels stays a ramp at half the steepness, its middles where they were."""
    ramp = tf.broadcast_to(tf.range(10, dtype=tf.float32)[None, :, None, None], (1, 10, 10, 1))
    larger = np.asarray(Resampling2D(up=2)(ramp))[0, 4:-4, 10, 0]
    np.testing.assert_allclose(larger, (np.arange(20)[4:-4] - 0.5) / 2, atol=1e-5)
    smaller = np.asarray(Resampling2D(down=2)(ramp))[0, 1:-1, 2, 0]
    np.testing.assert_allclose(smaller, 2 * np.arange(1, 4) + 0.5, atol=1e-5)


def test_the_layer_goes_through_files_networks_and_precisions():
    for policy in ("mixed_float16", "mixed_bfloat16"):
        keras.config.set_dtype_policy(policy)
        images = keras.Input((8, 8, 3))
        network = keras.Model(images, Resampling2D(2, taps=(1, 2, 1))(images))
        assert network.output.shape == (None, 16, 16, 3)
        copy = keras.models.clone_model(network)
        given = random(2, 8, 8, 3)
        np.testing.assert_array_equal(network(given), copy(given))
        wanted = upfirdn2d(tf.constant(given), low_pass((1, 2, 1), 2), 2)
        np.testing.assert_allclose(tf.cast(network(given), tf.float32), wanted, atol=0.05)


def test_xla_compiles_it_and_its_gradients():
    images = tf.constant(random(2, 8, 8, 2))

    @tf.function(jit_compile=True)
    def compiled(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = upfirdn2d(upfirdn2d(x, (1, 3, 3, 1), up=2), (1, 2, 1), down=2)
        return outputs, tape.gradient(outputs, x, output_gradients=outputs)

    for found, wanted in zip(compiled(images), compiled.python_function(images)):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_a_filter_that_leaves_nothing_is_refused():
    with pytest.raises(InputError, match="leaves nothing"):
        upfirdn2d(tf.zeros((1, 3, 3, 1)), np.ones(5), padding=(0, 0))
