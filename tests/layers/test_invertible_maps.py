"""The maps of image flows: their inverses, and their log-determinants against the Jacobian's and numpy's."""

import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.layers import ActivationNormalization, AffineCoupling, InvertibleConvolution

SHAPE = (2, 3, 4)


def images(n=3, shape=SHAPE, seed=0):
    return np.random.default_rng(seed).normal(1.0, 2.0, (n, *shape)).astype("float32")


def moved(layer, shape=SHAPE, **shapes):
    """The layer, built, with other weights than it begins with."""
    layer.build((None, *shape), **shapes)
    rng = np.random.default_rng(1)
    for weight in layer.trainable_weights:
        weight.assign(weight + rng.normal(0, 0.3, weight.shape))
    return layer


def log_det_by_jacobian(function, inputs):
    """log |det| of a function of each example, by its Jacobian: float64 array (batch,)."""
    x = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    size = int(np.prod(x.shape[1:]))
    return np.linalg.slogdet(tape.batch_jacobian(y, x).numpy().astype("float64").reshape(-1, size, size))[1]


MAPS = {"actnorm": ActivationNormalization, "1x1": InvertibleConvolution, "coupling": lambda: AffineCoupling(8)}


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("channels", [4, pytest.param(5, marks=pytest.mark.full)])
def test_a_map_can_be_undone_and_its_determinant_is_that_of_the_jacobian(name, channels):
    shape = (*SHAPE[:2], channels)
    layer, x = moved(MAPS[name](), shape), images(shape=shape)
    outputs, log_det = layer(x)
    assert np.abs(outputs - x).max() > 0.1
    np.testing.assert_allclose(layer.inverse(outputs), x, atol=1e-5)
    np.testing.assert_allclose(log_det, log_det_by_jacobian(lambda x: layer(x)[0], x), rtol=1e-4, atol=1e-4)


def test_a_coupling_sees_its_context_but_nothing_of_what_it_changes():
    layer = moved(AffineCoupling(8), context_shape=(None, *SHAPE[:2], 2))
    x, context = images(), images(shape=(*SHAPE[:2], 2), seed=2)
    outputs, log_det = layer(x, context)
    np.testing.assert_allclose(layer.inverse(outputs, context), x, atol=1e-5)
    expected = log_det_by_jacobian(lambda x: layer(x, tf.constant(context))[0], x)
    np.testing.assert_allclose(log_det, expected, rtol=1e-4, atol=1e-4)
    assert np.abs(layer(x, context + 1)[0] - outputs).max() > 1e-3
    np.testing.assert_array_equal(outputs[..., :2], x[..., :2])
    np.testing.assert_array_equal(layer(np.concatenate([x[..., :2], x[..., 2:] + 1], axis=-1), context)[1], log_det)


def test_a_coupling_begins_as_the_identity_and_never_stretches_beyond_its_limit():
    layer, x = AffineCoupling(8, limit=1.5), images()
    outputs, log_det = layer(x)
    np.testing.assert_array_equal(outputs, x)
    np.testing.assert_array_equal(log_det, 0)
    layer.network.layers[-1].bias.assign([0, 0, 99, -99])
    np.testing.assert_allclose(layer(x)[0] / x, np.exp([[[[0, 0, 1.5, -1.5]]]]) * np.ones_like(x), rtol=1e-5)


def test_the_convolution_begins_as_a_rotation_and_its_determinant_is_numpys():
    layer = InvertibleConvolution()
    layer.build((None, 5, 7, 6))
    start = layer.matrix().numpy().astype("float64")
    np.testing.assert_allclose(start @ start.T, np.eye(6), atol=1e-5)
    assert np.abs(start - np.eye(6)).max() > 0.1
    for weight in layer.trainable_weights:
        weight.assign(weight + np.random.default_rng(3).normal(0, 0.5, weight.shape))
    matrix = layer.matrix().numpy().astype("float64")
    x = images(2, (5, 7, 6))
    outputs, log_det = layer(x)
    np.testing.assert_allclose(log_det, 5 * 7 * np.linalg.slogdet(matrix)[1] * np.ones(2), rtol=1e-5)
    np.testing.assert_allclose(outputs, x @ matrix, atol=1e-4)
    assert abs(np.linalg.slogdet(matrix)[1]) > 0.1


def test_the_first_batch_comes_out_with_mean_0_and_variance_1_and_no_later_one_changes_that():
    layer, first, second = ActivationNormalization(), images(8), 3 * images(8, seed=1)
    np.testing.assert_array_equal(layer(first)[0], first)  # looked at only, nothing is begun with
    outputs, log_det = layer(first, training=True)
    np.testing.assert_allclose(np.mean(outputs, axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(np.var(outputs, axis=(0, 1, 2)), 1, atol=1e-4)
    np.testing.assert_allclose(log_det, -2 * 3 * np.log(first.std(axis=(0, 1, 2))).sum() * np.ones(8), rtol=1e-4)
    before = [np.asarray(weight) for weight in layer.weights]
    outputs = layer(second, training=True)[0]
    for weight, old in zip(layer.weights, before):
        np.testing.assert_array_equal(weight, old)
    assert np.var(outputs) > 4


def test_a_channel_that_is_the_same_everywhere_stays_finite():
    layer = ActivationNormalization()
    outputs, log_det = layer(np.full((4, *SHAPE), 0.25, "float32"), training=True)
    assert np.isfinite(outputs).all() and np.isfinite(log_det).all()


def test_two_replicas_begin_with_the_statistics_of_both(two_replicas):
    with two_replicas.scope():
        layer = ActivationNormalization()
        layer.build((None, *SHAPE))
    batches = tf.data.Dataset.from_tensor_slices(images(8) * np.arange(8).reshape(-1, 1, 1, 1)).batch(8)
    batch = next(iter(two_replicas.experimental_distribute_dataset(batches)))
    outputs = two_replicas.run(tf.function(lambda x: layer(x, training=True)[0]), args=(batch,))
    outputs = np.concatenate([part.numpy() for part in two_replicas.experimental_local_results(outputs)])
    assert outputs.shape[0] == 8
    np.testing.assert_allclose(outputs.mean(axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(outputs.var(axis=(0, 1, 2)), 1, atol=1e-4)
