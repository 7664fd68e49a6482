"""Dense networks against numpy; the linear one against principal component analysis by singular value decomposition."""

import numpy as np
import pytest
from keras.optimizers import Adam
from scipy.linalg import subspace_angles

from gdl_keras.errors import InputError
from gdl_keras.models import Autoencoder, build_dense_decoder, build_dense_encoder
from gdl_keras.models.dense_autoencoder import principal_components
from tests.harness import many_steps

SHAPE = (8, 8, 1)


def test_number_of_weights_on_28x28():
    """784 x 100 + 100 + 100 x 30 + 30, and backwards."""
    assert build_dense_encoder((28, 28, 1)).count_params() == 81_530
    assert build_dense_decoder((28, 28, 1)).count_params() == 82_284


def selu(x):
    """Klambauer et al. 2017, equation 2 and the two numbers below equation 14."""
    return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x))


@pytest.mark.parametrize(("shape", "units"), [((8, 8, 3), (12, 6)), (SHAPE, ())])
def test_networks_against_numpy(shape, units):
    rng = np.random.default_rng(0)
    encoder, decoder = build_dense_encoder(shape, 4, units), build_dense_decoder(shape, 4, units)
    for network, values in ((encoder, rng.uniform(0, 1, (3, *shape))), (decoder, rng.normal(size=(3, 4)))):
        weights = [w + rng.normal(size=w.shape) * 0.1 for w in network.get_weights()]
        network.set_weights(weights)
        x = values.reshape(3, -1)
        for kernel, bias in zip(weights[:-2:2], weights[1:-2:2]):
            x = selu(x @ kernel + bias)
        x = x @ weights[-2] + weights[-1]
        expected = x if network is encoder else x.reshape(3, *shape)
        np.testing.assert_allclose(network(values), expected, rtol=1e-4, atol=1e-5)


def test_the_decoder_has_the_encoders_layers_backwards():
    encoder, decoder = build_dense_encoder(SHAPE, 4, (12, 6)), build_dense_decoder(SHAPE, 4, (12, 6))
    kernels = [[w.shape for w in network.weights[::2]] for network in (encoder, decoder)]
    assert kernels[0] == [(64, 12), (12, 6), (6, 4)]
    assert kernels[1] == [shape[::-1] for shape in kernels[0][::-1]]


def test_hidden_layers_keep_the_variance_that_selu_needs():
    """LeCun's initialisation: the variance of a weight is 1 / inputs of the layer."""
    kernel = build_dense_encoder((28, 28, 1)).get_weights()[0]
    assert kernel.var() * 784 == pytest.approx(1, abs=0.03)


@pytest.fixture
def data():
    """(training images, test images): Gaussian around grey, three directions strong and the others weak."""
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.normal(size=(64, 64)))[0].T
    stddevs = np.array([0.4, 0.35, 0.3] + [0.05] * 61)
    mean = 0.5 + 0.1 * rng.normal(size=64)
    images = mean + (rng.normal(size=(800, 64)) * stddevs) @ directions
    return np.split(images.reshape(-1, *SHAPE).astype("float32"), [600])


def linear_autoencoder(encoder, decoder):
    return Autoencoder(encoder, decoder, "mean_squared_error", final_activation="linear", seed=1)


def by_svd(images, count=3):
    """(mean, directions (count, pixels)) of the training images."""
    flat = images.reshape(len(images), -1).astype("float64")
    return flat.mean(axis=0), np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)[2][:count]


def squared_error_by_svd(train, images):
    mean, directions = by_svd(train)
    centred = images.reshape(len(images), -1) - mean
    return np.square(centred - centred @ directions.T @ directions).mean()


def test_a_linear_autoencoder_learns_the_plane_of_principal_components(data):
    train = data[0]
    decoder = build_dense_decoder(SHAPE, 3, ())
    model = linear_autoencoder(build_dense_encoder(SHAPE, 3, ()), decoder)
    _, directions = by_svd(train)
    start = subspace_angles(decoder.get_weights()[0].T, directions.T).max()
    for learning_rate, steps in ((5e-2, 1000), (5e-3, 500)):
        model.compile(Adam(learning_rate))
        many_steps(model, train, steps)
    learnt = subspace_angles(decoder.get_weights()[0].T, directions.T).max()
    assert np.rad2deg(start) > 45
    assert np.rad2deg(learnt) < 1
    for images in data:
        assert model.evaluate(images, verbose=0) == pytest.approx(squared_error_by_svd(train, images), rel=5e-3)
    assert model.evaluate(train, verbose=0) >= squared_error_by_svd(train, train) * (1 - 1e-5)


def test_principal_components_are_those_of_the_svd(data):
    train, test = data
    encoder, decoder = principal_components(train, 3)
    mean, directions = by_svd(train)
    signs = np.sign((directions * decoder.get_weights()[0]).sum(axis=1))
    np.testing.assert_allclose(decoder.get_weights()[0], signs[:, None] * directions, atol=1e-4)
    expected = (test.reshape(len(test), -1) - mean) @ directions.T * signs
    np.testing.assert_allclose(encoder(test), expected, atol=1e-4)
    model = linear_autoencoder(encoder, decoder)
    model.compile()
    assert model.evaluate(test, verbose=0) == pytest.approx(squared_error_by_svd(train, test), rel=1e-4)
    np.testing.assert_allclose(encoder(train).numpy().mean(axis=0), 0, atol=1e-5)


def test_principal_components_that_are_not_there_are_refused(data):
    for images, count in ((data[0][:1], 1), (data[0], 65)):
        with pytest.raises(InputError, match="principal directions"):
            principal_components(images, count)
