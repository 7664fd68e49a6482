"""Our batch normalisation: the numbers of Keras' own, in training, after it, and in its gradients."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.layers import FusedBatchNormalization

SHAPES = [(16, 6, 5, 3), (32, 3), (8, 10, 3), (4, 3, 3, 2, 3)]


def pair(shape, dtype="float32", **options):
    """Our layer and Keras' own, with the same weights."""
    layers = [
        kind(momentum=0.8, dtype=dtype, **options)
        for kind in (FusedBatchNormalization, keras.layers.BatchNormalization)
    ]
    rng = np.random.default_rng(0)
    for layer in layers:
        layer.build(shape)
    values = [rng.uniform(0.5, 2, w.shape) for w in layers[0].weights]
    for layer in layers:
        layer.set_weights(values)
    return layers


def images(shape):
    return tf.constant(np.random.default_rng(1).normal(3, 2, shape), "float32")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("training", [True, False])
def test_outputs_gradients_and_moving_averages(shape, training):
    x, upstream = images(shape), images(shape)
    results = []
    for layer in pair(shape):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=training)
        gradients = tape.gradient(y, [x, layer.gamma.value, layer.beta.value], output_gradients=upstream)
        results.append([y, *gradients, layer.moving_mean, layer.moving_variance])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-4)


def test_moments_by_hand():
    x = images((16, 6, 5, 3))
    layer = FusedBatchNormalization(momentum=0.0)
    y = layer(x, training=True)
    pixels = np.asarray(x, "float64").reshape(-1, 3)
    np.testing.assert_allclose(layer.moving_mean, pixels.mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, pixels.var(0), rtol=1e-5)
    expected = (pixels - pixels.mean(0)) / np.sqrt(pixels.var(0) + layer.epsilon)
    np.testing.assert_allclose(np.reshape(y, (-1, 3)), expected, atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_statistics_of_half_precision_are_counted_in_float32(policy):
    """Numbers near 300 with a spread of 1: their squares end float16, and bfloat16 cannot tell them apart."""
    x = tf.cast(300 + np.random.default_rng(0).integers(0, 2, (64, 8, 8, 2)) * 2, policy[6:])
    layer = FusedBatchNormalization(momentum=0.0, dtype=policy)
    y = layer(x, training=True)
    exact = np.asarray(tf.cast(x, "float64")).reshape(-1, 2)
    assert y.dtype == policy[6:] and layer.moving_mean.dtype == "float32"
    np.testing.assert_allclose(layer.moving_mean, exact.mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, exact.var(0), rtol=1e-3)


@pytest.mark.parametrize(
    "options",
    [{"axis": 1}, {"scale": False}, {"center": False}, {"renorm": True}, {"dtype": "float64"}],
    ids=lambda options: str(*options),
)
def test_what_the_kernel_does_not_know_goes_the_way_of_keras(options):
    shape = (16, 6, 5, 3)
    x = tf.cast(images(shape), options.get("dtype", "float32"))
    ours, theirs = (layer(x, training=True) for layer in pair(shape, **options))
    np.testing.assert_array_equal(ours, theirs)


def test_frozen_it_uses_and_keeps_its_averages():
    ours, theirs = pair((16, 6, 5, 3))
    before = [np.asarray(w) for w in ours.weights]
    ours.trainable = theirs.trainable = False
    x = images((16, 6, 5, 3))
    np.testing.assert_allclose(ours(x, training=True), theirs(x, training=True), rtol=1e-4, atol=1e-4)
    for weight, value in zip(ours.weights, before):
        np.testing.assert_array_equal(weight, value)


def test_a_batch_of_unknown_size_and_compiled():
    ours, theirs = pair((None, 3))
    x = images((7, 3))
    compiled = tf.function(lambda x: ours(x, training=True), input_signature=[tf.TensorSpec((None, 3))])
    np.testing.assert_allclose(compiled(x), theirs(x, training=True), rtol=1e-4, atol=1e-4)


def test_saved_and_loaded():
    layer = FusedBatchNormalization(momentum=0.7, epsilon=1e-4)
    assert FusedBatchNormalization.from_config(layer.get_config()).get_config() == layer.get_config()
