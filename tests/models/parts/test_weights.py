"""Weights of examples, against Keras's own training and against examples that are there twice."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras import data
from gdl_keras.errors import InputError
from gdl_keras.models import Classifier, Histogram
from gdl_keras.models.parts.weights import weighted, weighted_mean
from tests import cases, harness

pytestmark = pytest.mark.eager


def network():
    keras.utils.set_random_seed(3)
    return keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])


@pytest.mark.graph
@pytest.mark.parametrize(
    "given", [{"sample_weight": np.linspace(0, 3, 16).astype("float32")}, {"class_weight": {0: 0.5, 1: 2.0, 2: 0.0}}]
)
def test_a_classifier_learns_with_weights_as_a_plain_keras_model_does(given):
    images, labels = cases.labelled_images()
    ours, plain = Classifier(network()), network()
    ours.compile(keras.optimizers.SGD(0.5))
    plain.compile(keras.optimizers.SGD(0.5), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    options = {"batch_size": 8, "epochs": 3, "shuffle": False, "verbose": 0, **given}
    histories = [model.fit(images, labels, **options).history["loss"] for model in (ours, plain)]
    np.testing.assert_allclose(histories[0], histories[1], rtol=1e-5)
    for one, other in zip(ours.network.get_weights(), plain.get_weights()):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_an_autoencoder_describes_the_points_that_count():
    images, weights = cases.images(), np.array([1, 0] * 8, "float32")
    all_of_them, half = cases.autoencoder(), cases.autoencoder()
    half.set_weights(all_of_them.get_weights())
    for model in (all_of_them, half):
        model.compile(keras.optimizers.SGD(0.0))
    all_of_them.fit(images, sample_weight=weights, batch_size=16, verbose=0)
    half.fit(images[::2], batch_size=8, verbose=0)
    np.testing.assert_allclose(all_of_them.latent_mean, half.latent_mean, rtol=1e-5)
    before = np.asarray(all_of_them.latent_mean)
    all_of_them.fit(images, sample_weight=0 * weights, verbose=0)
    np.testing.assert_array_equal(all_of_them.latent_mean, before)


def test_a_point_of_weight_two_is_counted_twice():
    points = cases.points()
    weighted_once, twice = cases.histogram(), cases.histogram()
    weighted_once.fit(points, sample_weight=np.full(16, 2.0), verbose=0)
    twice.fit(np.repeat(points, 2, axis=0), verbose=0)
    np.testing.assert_array_equal(weighted_once.counts, twice.counts)
    assert isinstance(twice, Histogram) and float(np.sum(twice.counts)) == 32


@pytest.mark.graph
def test_two_replicas_with_weights_equal_one_device(two_replicas):
    case = next(case for case in cases.CASES if case.name == "autoencoder")
    with two_replicas.scope():
        on_two = harness.build(case)
    on_one = harness.build(case)
    weights = np.linspace(0, 3, 16).astype("float32")
    for model in (on_one, on_two):
        model.compile(keras.optimizers.SGD(0.1))
        model.fit(cases.images(), sample_weight=weights, batch_size=8, shuffle=False, verbose=0)
    for one, two in zip(on_one.trainable_weights, on_two.trainable_weights):
        np.testing.assert_allclose(np.asarray(one), np.asarray(two), atol=1e-6)


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        (np.ones(15), r"one number for each of the 16 examples, and this has shape \(15,\)"),
        (np.ones((16, 8, 8)), r"has shape \(16, 8, 8\)"),
        (np.full(16, np.nan), "some in sample_weight are NaN or infinite"),
        ([np.inf] + [1.0] * 15, "NaN or infinite"),
    ],
)
def test_weights_are_one_finite_number_for_each_example(weights, sentence):
    images, labels = cases.labelled_images()
    for call in (cases.classifier().fit, cases.classifier().evaluate):
        with pytest.raises(InputError, match=sentence):
            call(images, labels, sample_weight=weights, verbose=0)
    with pytest.raises(InputError, match=sentence):
        cases.vae().fit(images, sample_weight=weights, verbose=0)
    cases.vae().fit(images, sample_weight=np.ones((16, 1)), verbose=0)


def test_an_impossible_example_of_no_weight_counts_nothing():
    values = tf.constant([np.inf, 2.0, np.nan])
    np.testing.assert_array_equal(weighted(values, tf.constant([0, 3, 0])), [0, 6, 0])
    rows = tf.constant([[1.0, 2.0], [3.0, 6.0]])
    np.testing.assert_allclose(weighted_mean(rows, tf.constant([3.0, 1.0])), [1.5, 3.0])
    np.testing.assert_array_equal(weighted_mean(rows, tf.constant([0.0, 0.0])), [0, 0])


def test_weights_beside_our_own_data_sets():
    images, labels = cases.labelled_images()
    table = data.from_arrays(images=images, labels=labels, batch_size=8)
    model, again = cases.classifier(), cases.classifier()
    loss = model.fit(table, class_weight={0: 0.0, 1: 0.0, 2: 0.0}, verbose=0).history["loss"]
    assert loss == [0]
    with pytest.raises(InputError, match="sample_weight goes along with arrays"):
        again.fit(table, sample_weight=np.ones(16), verbose=0)
    for unlabelled in (table, images):
        with pytest.raises(InputError, match="class_weight wants labels"):
            cases.vae().fit(unlabelled, class_weight={0: 1.0}, verbose=0)
