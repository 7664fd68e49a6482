"""The autoencoder: the book's networks, and that it learns."""

import numpy as np
import pytest
from keras.optimizers import Adam

from gdl_keras.errors import InputError
from gdl_keras.losses import binary_crossentropy
from gdl_keras.models import Autoencoder, build_decoder, build_encoder
from tests.cases import images
from tests.harness import many_steps

BOOK_SHAPE = (32, 32, 1)


def test_the_books_networks_have_its_number_of_weights():
    assert build_encoder(BOOK_SHAPE, latent_dim=2).count_params() == 96_770
    assert build_decoder(BOOK_SHAPE, latent_dim=2).count_params() == 246_273


@pytest.mark.parametrize("shape", [(8, 8, 1), (64, 64, 3), (16, 24, 3)])
def test_other_image_sizes(shape):
    encoder, decoder = build_encoder(shape, 5), build_decoder(shape, 5)
    assert encoder.output_shape == (None, 5)
    assert decoder.output_shape == (None, *shape)


def test_an_image_that_cannot_be_halved_is_refused():
    with pytest.raises(InputError, match="multiple of 8"):
        build_encoder((28, 28, 1))
    with pytest.raises(InputError, match="multiple of 8"):
        build_decoder((28, 28, 1))


def small():
    return Autoencoder(build_encoder((8, 8, 1), 4, (16, 16)), build_decoder((8, 8, 1), 4, (16, 16)), seed=1)


def test_overfits_sixteen_images():
    """0.3217 is what the best possible reconstruction of these grey images costs; a constant grey costs 0.57."""
    x = images()
    best = binary_crossentropy(x, x).numpy().mean()
    model = small()
    model.compile(Adam(3e-3))
    many_steps(model, x, 400)
    assert model.evaluate(x, verbose=0) < best + 0.01


def test_loss_is_the_average_over_images_whatever_the_batches():
    x = images(13)
    model = small()
    model.compile()
    expected = binary_crossentropy(x, model.predict(x, verbose=0)).numpy().mean()
    for batch_size in (13, 8, 4):
        assert model.evaluate(x, batch_size=batch_size, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_new_points_come_from_where_the_images_lie():
    """With a learning rate of 0 the encoder stands still, and the running moments must become those of its points."""
    x = images()
    model = small()
    model.compile(Adam(0.0))
    many_steps(model, x, 1000)
    points = model.encode(x)
    np.testing.assert_allclose(model.latent_mean, points.mean(axis=0), rtol=1e-2, atol=1e-3)
    np.testing.assert_allclose(model.latent_variance, points.var(axis=0), rtol=1e-2, atol=1e-3)
    drawn = model.sample_latents(20_000, seed=1)
    np.testing.assert_allclose(drawn.mean(axis=0), points.mean(axis=0), atol=0.05)
    np.testing.assert_allclose(drawn.var(axis=0), points.var(axis=0), rtol=0.05)
