"""Batch normalisation whose gain and bias a vector decides, against numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.layers import ConditionalBatchNormalization

SHAPE = (8, 4, 5, 3)


def images():
    return np.random.default_rng(1).normal(2, 3, SHAPE).astype("float32")


def one_hot(labels, count=4):
    return np.eye(count, dtype="float32")[labels]


def layer_of(vectors, **options):
    keras.utils.set_random_seed(0)
    layer = ConditionalBatchNormalization(**{"kernel_initializer": "random_normal", **options})
    layer.build((SHAPE, vectors.shape))
    return layer


def normalised(x, epsilon=1e-5):
    x = x.astype("float64")
    return (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + epsilon)


def kernels(layer):
    """(W, U) as they are used."""
    if not layer.spectral:
        return [np.asarray(part.kernel) for part in (layer.gain, layer.bias)]
    return [np.asarray(part.layer.kernel) / float(part.sigma()) for part in (layer.gain, layer.bias)]


@pytest.mark.parametrize("spectral", [True, False])
def test_gain_and_bias_are_what_the_vector_says(spectral):
    vectors, x = np.random.default_rng(2).normal(size=(8, 6)).astype("float32"), images()
    layer = layer_of(vectors, spectral=spectral)
    y = layer([x, vectors], training=True)
    # Power iterations went on in the pass itself, for the next one.
    layer = layer_of(vectors, spectral=spectral)
    w, u = kernels(layer)
    expected = (1 + vectors @ w)[:, None, None] * normalised(x) + (vectors @ u)[:, None, None]
    np.testing.assert_allclose(y, expected, atol=1e-4)


def test_of_one_hot_vectors_it_is_a_table_with_a_row_for_each_class():
    labels, x = np.arange(8) % 4, images()
    layer = layer_of(one_hot(labels))
    gains, biases = np.random.default_rng(3).normal(size=(2, 4, 3))
    layer.gain.kernel.assign(gains - 1)
    layer.bias.kernel.assign(biases)
    expected = gains[labels][:, None, None] * normalised(x) + biases[labels][:, None, None]
    np.testing.assert_allclose(layer([x, one_hot(labels)], training=True), expected, atol=1e-4)
    assert sum(np.prod(w.shape) for w in layer.trainable_weights) == 2 * 4 * 3


def test_classes_with_equal_rows_give_equal_outputs_and_others_do_not():
    x = np.repeat(images()[:1], 4, axis=0)
    layer = layer_of(one_hot([0]))
    for part in (layer.gain, layer.bias):
        part.kernel.assign(np.asarray(part.kernel)[[0, 1, 0, 3]])
    y = np.asarray(layer([x, one_hot(np.arange(4))]))
    np.testing.assert_array_equal(y[0], y[2])
    assert not np.allclose(y[0], y[1], atol=1e-3)


def test_a_gain_of_zero_leaves_the_bias_alone():
    layer = layer_of(one_hot([0]))
    layer.gain.kernel.assign(-np.ones((4, 3)))
    y = np.asarray(layer([images(), one_hot(np.zeros(8, int))], training=True))
    np.testing.assert_allclose(y, np.broadcast_to(np.asarray(layer.bias.kernel)[0], SHAPE), atol=1e-6)


def test_with_kernels_of_zero_it_is_batch_normalisation():
    labels, x = np.arange(8) % 4, images()
    ours = layer_of(one_hot(labels), kernel_initializer="zeros")
    theirs = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
    for training in (True, True, False):
        expected = theirs(x, training=training)
        np.testing.assert_allclose(ours([x, one_hot(labels)], training=training), expected, atol=1e-4)
        x = 1.5 * x + 1
    for average, other in zip(ours.non_trainable_weights, theirs.non_trainable_weights):
        np.testing.assert_allclose(average, other, rtol=1e-4)


def test_statistics_are_those_of_two_replicas_together(two_replicas):
    labels, x = np.arange(8) % 4, images() + np.arange(8, dtype="float32")[:, None, None, None]
    alone = layer_of(one_hot(labels))
    expected = alone([x, one_hot(labels)], training=True)
    with two_replicas.scope():
        layer = layer_of(one_hot(labels))

    def part(array):
        halves = tf.constant(array[:4]), tf.constant(array[4:])
        return two_replicas.experimental_distribute_values_from_function(
            lambda context: halves[context.replica_id_in_sync_group]
        )

    run = tf.function(lambda x, vectors: layer([x, vectors], training=True))
    result = two_replicas.run(run, args=(part(x), part(one_hot(labels))))
    together = np.concatenate(two_replicas.experimental_local_results(result))
    np.testing.assert_allclose(together, expected, atol=1e-4)


def test_saved_and_loaded(tmp_path):
    x, vectors = keras.Input(SHAPE[1:]), keras.Input((4,))
    layer = ConditionalBatchNormalization(True, "orthogonal", momentum=0.7, epsilon=1e-4)
    model = keras.Model([x, vectors], layer([x, vectors]))
    given = [images(), one_hot(np.arange(8) % 4)]
    model(given, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[-1].get_config() == layer.get_config()
    np.testing.assert_array_equal(model(given), loaded(given))
