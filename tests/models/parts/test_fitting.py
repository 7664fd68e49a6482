"""Networks of a reader's own that do not fit together are refused when the model is built, in one sentence."""

import keras
import numpy as np
import pytest
from keras import layers

from gdl_keras.errors import InputError
from gdl_keras.models import DCGAN, VAE, WGANGP, Autoencoder, Classifier
from tests import cases

pytestmark = pytest.mark.eager
SHAPE = cases.IMAGE_SHAPE


def encoder(outputs=1, size=2):
    """Images -> so many outputs of that size."""
    images = keras.Input(SHAPE)
    heads = [layers.Dense(size)(layers.Flatten()(images)) for _ in range(outputs)]
    return keras.Model(images, heads[0] if outputs == 1 else heads)


def decoder(shape=SHAPE, size=2, activation=None):
    """Points -> what has that shape."""
    points = keras.Input((size,))
    x = layers.Dense(int(np.prod(shape)), activation)(points)
    return keras.Model(points, layers.Reshape(shape)(x))


def judge(shape=SHAPE):
    return keras.Sequential([keras.Input(shape), layers.Flatten(), layers.Dense(1)])


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (
            lambda: VAE(encoder(1), decoder()),
            "VAE puts out mean and log_variance, and this one has 1 output:",
        ),
        (lambda: VAE(encoder(3), decoder()), "and this one has 3 outputs:"),
        (lambda: VAE(encoder(2), decoder(size=5)), r"encoder of VAE gives \(n, 2\), and its decoder takes \(n, 5\)"),
        (
            lambda: VAE(encoder(2), decoder((12, 12, 1))),
            r"\(n, 12, 12, 1\), and its encoder takes \(n, 8, 8, 1\)",
        ),
        (lambda: VAE(encoder(2), decoder((64,))), r"decoder of VAE gives \(n, 64\)"),
        (lambda: Autoencoder(encoder(2), decoder()), "Autoencoder puts out one tensor, and this one has 2 outputs"),
        (lambda: Autoencoder(encoder(), decoder(size=5)), r"encoder of Autoencoder gives \(n, 2\)"),
        (lambda: Autoencoder(encoder(), decoder((8, 8, 3))), r"decoder of Autoencoder gives \(n, 8, 8, 3\)"),
        (lambda: DCGAN(decoder((12, 12, 1), 2, "sigmoid"), judge()), r"DCGAN gives \(n, 12, 12, 1\), and its discrim"),
        (lambda: WGANGP(decoder(SHAPE, 2, "sigmoid"), judge((16, 16, 1))), r"its critic takes \(n, 16, 16, 1\)"),
        (lambda: Classifier(keras.Sequential([keras.Input(SHAPE), layers.Dense(3)])), "put keras.layers.Flatten"),
        (lambda: Classifier(judge()), "gives one number, and should give one for each of two"),
        (lambda: VAE("encoder", decoder()), "encoder of VAE is a keras.Model, not a str"),
        (lambda: DCGAN(judge, judge()), "generator of DCGAN is a keras.Model, not a function"),
        (lambda: Autoencoder(encoder(), keras.Sequential([layers.Dense(64)])), "let it begin with keras.Input"),
        (
            lambda: Autoencoder(keras.Sequential([layers.Dense(2)]), decoder()),
            "encoder of Autoencoder does not know",
        ),
        (lambda: Classifier(keras.Sequential([layers.Dense(2)])), "network of Classifier does not know its shapes"),
    ],
)
def test_networks_that_do_not_fit(build, sentence):
    with pytest.raises(InputError, match=sentence):
        build()


def test_networks_of_any_size_fit():
    images, points = keras.Input((None, None, 1)), keras.Input((2,))
    anywhere = keras.Model(images, layers.Dense(2)(layers.GlobalAveragePooling2D()(images)))
    model = Autoencoder(anywhere, keras.Model(points, decoder()(points)))
    model.compile("adam")
    assert np.isfinite(model.train_on_batch(cases.images()))
