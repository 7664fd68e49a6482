"""Classifiers: the book's networks, the loss, and that they learn."""

import numpy as np
from keras.optimizers import Adam

from gdl_keras.models import Classifier, build_cnn, build_mlp
from tests.cases import images
from tests.harness import many_steps


def test_the_books_networks_have_its_number_of_weights():
    assert build_mlp((32, 32, 3), 10).count_params() == 646_260
    cnn = build_cnn((32, 32, 3), 10)
    assert cnn.count_params() == 592_554
    assert sum(np.prod(w.shape) for w in cnn.trainable_weights) == 591_914


def test_probabilities_add_up_to_one_and_loss_and_accuracy_are_those_of_numpy():
    x, labels = images(13), np.arange(13) % 3
    model = Classifier(build_cnn((8, 8, 1), 3, (4, 4), 8), seed=1)
    model.compile()
    p = model.predict(x, verbose=0)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    results = model.evaluate(x, labels, batch_size=5, verbose=0, return_dict=True)
    np.testing.assert_allclose(results["loss"], -np.log(p[np.arange(13), labels]).mean(), rtol=1e-4)
    np.testing.assert_allclose(results["accuracy"], (p.argmax(axis=1) == labels).mean(), rtol=1e-6)


def test_learns_where_a_blob_lies():
    """Four classes: the quarter of the image in which the blob's centre lies."""
    x = images(64)
    mass = x[..., 0] / x.sum(axis=(1, 2, 3))[:, None, None]
    right = (mass.sum(axis=1) @ np.arange(8)) > 3.5
    low = (mass.sum(axis=2) @ np.arange(8)) > 3.5
    labels = (2 * right + low).astype("int64")
    for network in (build_mlp((8, 8, 1), 4, (32,)), build_cnn((8, 8, 1), 4, (8, 8), 16)):
        model = Classifier(network, seed=1)
        model.compile(Adam(3e-3))
        many_steps(model, (x, labels), 400)
        assert model.evaluate(x, labels, verbose=0, return_dict=True)["accuracy"] > 0.95
