"""Masked convolutions: they see what comes before a pixel, whole rows above it, and nothing else."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.layers import Gate, MaskedConv2D, RowAbove, UpperConv2D


def some_images(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def convolved_by_hand(images, layer, sees):
    """sum over neighbours, their features and ours that `sees(row, column, theirs, ours)`, in plain loops."""
    kernel, bias = layer.get_weights()
    (rows, columns), (_, height, width, _) = (size // 2 for size in kernel.shape[:2]), images.shape
    result = np.zeros((*images.shape[:3], kernel.shape[3])) + bias
    for r, c, i, j in np.ndindex(height, width, *kernel.shape[:2]):
        y, x = r + i - rows, c + j - columns
        if 0 <= y < height and 0 <= x < width:
            for theirs, ours in np.ndindex(*kernel.shape[2:]):
                if sees(i - rows, j - columns, theirs, ours):
                    result[:, r, c, ours] += images[:, y, x, theirs] * kernel[i, j, theirs, ours]
    return result


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mask", ["A", "B"])
@pytest.mark.parametrize("size", [3, 5, (1, 5), (3, 1), 1])
def test_it_is_the_convolution_with_what_comes_before(mask, channels, size):
    layer = MaskedConv2D(6, size, mask, channels, bias_initializer="normal")
    images = some_images((2, 4, 5, 3))
    outputs = layer(images)

    def sees(row, column, theirs, ours):
        if (row, column) != (0, 0):
            return row < 0 or (row == 0 and column < 0)
        return theirs % channels < ours % channels or (mask == "B" and theirs % channels == ours % channels)

    np.testing.assert_allclose(outputs, convolved_by_hand(images, layer, sees), atol=1e-5)


def test_the_kernel_itself_stays_as_it_is_and_what_is_masked_learns_nothing():
    layer = MaskedConv2D(4, 3, "B")
    images = some_images((2, 4, 4, 2))
    layer.build(images.shape)
    kernel = np.asarray(layer.kernel)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(images) ** 2)
    gradient = np.asarray(tape.gradient(loss, layer.kernel))
    np.testing.assert_array_equal(layer.kernel, kernel)
    seen = np.array([[1, 1, 1], [1, 1, 0], [0, 0, 0]], bool)
    assert (gradient[~seen] == 0).all() and (gradient[seen] != 0).all()


def test_a_copy_from_its_configuration_is_the_same_layer():
    layer = MaskedConv2D(6, (3, 5), "A", 3, activation="relu", name="first")
    copy = MaskedConv2D.from_config(layer.get_config())
    assert (copy.mask, copy.channels, copy.get_config()) == ("A", 3, layer.get_config())


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"kernel_size": 4, "mask": "A"}, "odd"),
        ({"kernel_size": 3, "mask": "C"}, "'A' or 'B'"),
        ({"kernel_size": 3, "mask": "A", "strides": 2}, "strides"),
        ({"kernel_size": 3, "mask": "A", "padding": "valid"}, "padding"),
        ({"kernel_size": 3, "mask": "A", "channels": 3}, "multiple"),
    ],
)
def test_layers_that_cannot_be_are_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        MaskedConv2D(4, **arguments)


def test_the_convolution_over_rows_sees_those_above_and_its_own():
    images = some_images((2, 5, 4, 2))
    layer = UpperConv2D(3, (2, 3))
    outputs = layer(images)
    kernel, bias = layer.get_weights()
    padded = np.pad(images, [(0, 0), (1, 0), (1, 1), (0, 0)])
    expected = bias + sum(padded[:, i : i + 5, j : j + 4] @ kernel[i, j] for i, j in np.ndindex(2, 3))
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    assert layer.compute_output_shape(images.shape) == outputs.shape
    for size, options in (((2, 4), {}), (3, {"strides": 2}), (3, {"padding": "same"})):
        with pytest.raises(InputError):
            UpperConv2D(3, size, **options)


def test_a_pixel_gets_what_is_above_it_and_a_gate_halves_the_features():
    images = some_images((2, 3, 4, 6))
    above = np.asarray(RowAbove()(images))
    assert (above[:, 0] == 0).all()
    np.testing.assert_array_equal(above[:, 1:], images[:, :-1])
    expected = np.tanh(images[..., :3]) / (1 + np.exp(-images[..., 3:]))
    np.testing.assert_allclose(Gate()(images), expected, atol=1e-6)
    assert Gate()(keras.Input((3, 4, 6))).shape == (None, 3, 4, 3)
