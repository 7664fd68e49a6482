"""Spectral normalisation against the singular value from numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from gdl_keras.layers import SpectralNormalization


def built(layer, shape):
    """(wrapped layer after 300 passes in training, its kernel as a matrix, an input)."""
    normalized = SpectralNormalization(layer)
    x = tf.constant(np.random.default_rng(0).normal(size=(2, *shape)), "float32")
    normalized(x)
    for _ in range(300):
        normalized.sigma(training=True)
    kernel = np.asarray(layer.kernel)
    return normalized, kernel.reshape(-1, kernel.shape[-1]), x


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.Dense(5), (7,)),
        (layers.Dense(1), (7,)),
        (layers.Conv2D(6, 3, padding="same"), (4, 4, 2)),
        (layers.Conv2D(6, 1, use_bias=False), (4, 4, 2)),
    ],
    ids=["dense", "one unit", "convolution", "1x1"],
)
def test_kernel_is_divided_by_its_largest_singular_value(layer, shape):
    normalized, matrix, x = built(layer, shape)
    sigma = np.linalg.svd(matrix, compute_uv=False)[0]
    np.testing.assert_allclose(normalized.sigma(), sigma, rtol=1e-4)
    # All biases start at zero, so that the output scales as the kernel does.
    np.testing.assert_allclose(normalized(x), np.asarray(layer(x)) / sigma, rtol=1e-3, atol=1e-5)


def test_estimate_rises_to_the_singular_value_and_the_kernel_stays():
    normalized = SpectralNormalization(layers.Dense(6))
    x = tf.ones((1, 8))
    normalized(x)
    kernel = np.asarray(normalized.layer.kernel)
    sigma = np.linalg.svd(kernel, compute_uv=False)[0]
    estimates = []
    for _ in range(20):
        estimates.append(float(normalized.sigma()))
        normalized(x, training=True)
    assert (np.diff(estimates) >= -1e-5).all()
    assert estimates[0] < estimates[-1] <= sigma * (1 + 1e-5)
    np.testing.assert_array_equal(normalized.layer.kernel, kernel)


def test_one_iteration_in_training_and_none_otherwise():
    normalized = SpectralNormalization(layers.Dense(6))
    x = tf.ones((1, 8))
    normalized(x)
    start = np.asarray(normalized.vector)
    normalized(x, training=False)
    np.testing.assert_array_equal(normalized.vector, start)
    normalized(x, training=True)
    kernel = np.asarray(normalized.layer.kernel)
    expected = kernel.T @ (kernel @ start)
    np.testing.assert_allclose(normalized.vector, expected / np.linalg.norm(expected), rtol=1e-5, atol=1e-6)


def test_gradient_passes_through_sigma():
    """<W, dL/dW> = 0: making the kernel longer changes nothing, as it is divided by its length."""
    normalized, _, x = built(layers.Dense(5), (7,))
    with tf.GradientTape() as tape:
        loss = ops.sum(ops.square(normalized(x)))
    kernel = normalized.layer.kernel
    gradient = np.asarray(tape.gradient(loss, kernel.value))
    assert np.abs(gradient).max() > 0.1
    assert abs((np.asarray(kernel) * gradient).sum()) < 1e-4


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_precision_and_round_trip(policy):
    keras.config.set_dtype_policy(policy)
    images = keras.Input((4, 4, 2))
    model = keras.Model(images, SpectralNormalization(layers.Conv2D(3, 3))(images))
    x = np.ones((2, 4, 4, 2), "float32")
    model(x, training=True)
    assert model(x).dtype == model.layers[-1].compute_dtype
    assert all(w.dtype == "float32" for w in model.weights)
    copy = keras.Model.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(model(x), copy(x))


def test_a_kernel_of_zeros_gives_zeros():
    normalized = SpectralNormalization(layers.Dense(3, kernel_initializer="zeros"))
    np.testing.assert_array_equal(normalized(tf.ones((2, 4)), training=True), np.zeros((2, 3)))
