"""The autoencoder: the book's networks, and that it learns."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.optimizers import Adam
from scipy.special import xlogy

from gdl_keras.errors import InputError
from gdl_keras.layers import Corruption
from gdl_keras.models import Autoencoder, build_decoder, build_dense_decoder, build_dense_encoder, build_encoder
from tests.cases import images
from tests.harness import assert_same, many_steps, weights

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


def crossentropy(images, probabilities):
    """The mean over all pixels, from probabilities: float."""
    p = np.asarray(probabilities, "float64")
    return -np.mean(images * np.log(p) + (1 - images) * np.log(1 - p))


def small(**options):
    encoder, decoder = build_encoder((8, 8, 1), 4, (16, 16)), build_decoder((8, 8, 1), 4, (16, 16))
    return Autoencoder(encoder, decoder, seed=1, **options)


def linear(loss="mean_squared_error"):
    encoder, decoder = build_dense_encoder((8, 8, 1), 4, ()), build_dense_decoder((8, 8, 1), 4, ())
    return Autoencoder(encoder, decoder, loss, final_activation="linear", seed=1)


def trained(model, array):
    """Trains for one step; returns the loss of that."""
    return model.fit(array, batch_size=len(array), verbose=0).history["loss"]


def test_overfits_sixteen_images():
    """0.3217 is what the best possible reconstruction of these grey images costs; a constant grey costs 0.57."""
    x = images()
    best = -(xlogy(x, x) + xlogy(1 - x, 1 - x)).mean()
    model = small()
    model.compile(Adam(3e-3))
    many_steps(model, x, 400)
    assert model.evaluate(x, verbose=0) < best + 0.01


@pytest.mark.eager
def test_loss_is_the_average_over_images_whatever_the_batches():
    x = images(13)
    model = small()
    model.compile()
    expected = crossentropy(x, model.predict(x, verbose=0))
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


@pytest.mark.eager
@pytest.mark.parametrize(
    ("loss", "of_an_image"),
    [
        ("binary_crossentropy", lambda x, p: -(x * np.log(p) + (1 - x) * np.log(1 - p)).mean(axis=(1, 2, 3))),
        ("mean_squared_error", lambda x, p: np.square(x - p).mean(axis=(1, 2, 3))),
        ("root_mean_squared_error", lambda x, p: np.sqrt(np.square(x - p).mean(axis=(1, 2, 3)))),
    ],
)
def test_losses_against_numpy(loss, of_an_image):
    """With a learning rate of 0, training reports the same number as evaluation."""
    x = images()
    model = small(loss=loss)
    model.compile(Adam(0.0))
    expected = of_an_image(x, model.predict(x, verbose=0).astype("float64")).mean()
    assert model.evaluate(x, verbose=0) == pytest.approx(expected, rel=1e-4)
    assert trained(model, x) == pytest.approx([expected], rel=1e-4)


def test_a_loss_that_does_not_fit_is_refused():
    with pytest.raises(InputError, match="'mean_squared_error'"):
        small(loss="mse")
    with pytest.raises(InputError, match="takes logits"):
        linear("binary_crossentropy")


@pytest.mark.eager
def test_only_the_loss_sees_what_a_linear_decoder_draws_beyond_black_and_white():
    x = images()
    model = linear()
    model.decoder.set_weights([np.zeros((4, 64)), np.repeat([-1.0, 3.0], 32)])
    black_and_white = np.repeat([0.0, 1.0], 32).reshape(1, 8, 8, 1)
    np.testing.assert_array_equal(model.generate(5, seed=1), np.repeat(black_and_white, 5, axis=0))
    np.testing.assert_array_equal(model.predict(x, verbose=0), np.repeat(black_and_white, len(x), axis=0))
    model.compile(Adam(0.0))
    expected = np.square(x - np.repeat([-1.0, 3.0], 32).reshape(1, 8, 8, 1)).mean()
    assert model.evaluate(x, verbose=0) == pytest.approx(expected, rel=1e-5)
    assert trained(model, x) == pytest.approx([expected], rel=1e-5)


def test_corruption_is_what_the_encoder_sees_in_training_alone():
    """Here it blackens every image; the loss compares with the clean one."""
    x = images()
    model = small(corruption=keras.layers.Rescaling(0.0))
    model.compile(Adam(0.0))
    of_black, of_images = (crossentropy(x, model.predict(seen, verbose=0)) for seen in (0 * x, x))
    assert abs(of_black - of_images) > 1e-4
    assert trained(model, x) == pytest.approx([of_black], rel=1e-5)
    assert model.evaluate(x, verbose=0) == pytest.approx(of_images, rel=1e-5)


def test_images_beside_the_images_are_what_these_become():
    clean = images()
    noisy = 1 - clean
    model = small()
    model.compile(Adam(0.0))
    expected = crossentropy(clean, model.predict(noisy, verbose=0))
    assert abs(expected - crossentropy(noisy, model.predict(noisy, verbose=0))) > 1e-3
    stream = tf.data.Dataset.from_tensor_slices((noisy, clean)).batch(len(clean))
    assert model.fit(noisy, clean, batch_size=len(clean), verbose=0).history["loss"] == pytest.approx([expected])
    assert model.fit(stream, verbose=0).history["loss"] == pytest.approx([expected])
    assert model.evaluate(noisy, clean, verbose=0) == pytest.approx(expected)
    labels = np.arange(len(clean))
    assert model.evaluate(clean, labels, verbose=0) == pytest.approx(model.evaluate(clean, verbose=0))


def test_denoising_learns_to_take_noise_away():
    x = images()
    noisy = np.asarray(Corruption("gaussian", 0.3, seed=9)(x, training=True))
    errors = {}
    for corruption in (None, Corruption("gaussian", 0.3, seed=1)):
        keras.utils.set_random_seed(0)
        model = small(loss="mean_squared_error", corruption=corruption)
        model.compile(Adam(3e-3))
        many_steps(model, x, 300)
        errors[corruption is not None] = np.square(model.predict(noisy, verbose=0) - x).mean()
    assert errors[True] < 0.5 * np.square(noisy - x).mean()
    assert errors[True] < 0.8 * errors[False]


def test_noise_goes_on_after_saving(tmp_path):
    x = images()
    model = small(loss="root_mean_squared_error", corruption=Corruption("masking", 0.4, seed=2))
    model.compile()
    many_steps(model, x, 2)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (loaded.loss, loaded.corruption.get_config()) == (model.loss, model.corruption.get_config())
    for one in (model, loaded):
        many_steps(one, x, 2)
    assert_same(weights(model), weights(loaded))
    np.testing.assert_array_equal(*[np.asarray(one.corruption(x, training=True)) for one in (model, loaded)])
