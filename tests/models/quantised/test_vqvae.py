"""The VQ-VAE: sizes, loss, images and codes, and that it learns."""

import numpy as np
import pytest

from gdl_keras.errors import InputError
from gdl_keras.layers import FiniteScalarQuantizer, VectorQuantizer
from gdl_keras.models.quantised.networks import (
    build_codec_decoder,
    build_codec_encoder,
    build_notebook_decoder,
    build_notebook_encoder,
)
from gdl_keras.models.quantised.vqvae import VQVAE
from gdl_keras.optimizers import FusedAdam
from tests.cases import images
from tests.harness import many_steps

SHAPE = (8, 8, 1)


def codec(quantizer=None, filters=(8, 8), code_dim=4, **options):
    """A tiny one."""
    quantizer = quantizer or VectorQuantizer(6, code_dim, seed=1)
    dim = quantizer.code_dim
    networks = build_codec_encoder(SHAPE, dim, filters, 1), build_codec_decoder(SHAPE, dim, filters, 1)
    return VQVAE(*networks, quantizer, seed=1, **options)


@pytest.mark.parametrize(("size", "halvings", "weights"), [(32, 2, 1_522_435), (128, 3, 2_702_595)])
def test_the_notebooks_networks_have_its_number_of_weights(size, halvings, weights):
    shape = (size, size, 3)
    networks = [build(shape, halvings=halvings) for build in (build_notebook_encoder, build_notebook_decoder)]
    codebook = VectorQuantizer(512, 64).codebook
    assert sum(network.count_params() for network in networks) + np.prod(codebook.shape) == weights
    assert networks[0].output_shape[1:] == (size // 2**halvings, size // 2**halvings, 64)


def test_the_loss_is_the_squared_error_and_the_commitment():
    model = codec()
    model.compile(FusedAdam(1e-3))
    vectors = model.encoder.predict(images(), verbose=0)
    book = model.quantizer.codebook.numpy()
    codes = np.square(vectors[..., None, :] - book).sum(axis=-1).argmin(axis=-1)
    drawn = 1 / (1 + np.exp(-model.decoder.predict(book[codes], verbose=0)))
    errors = np.square(drawn - images())
    numbers = model.evaluate(images(), verbose=0, return_dict=True, batch_size=5)
    assert numbers["reconstruction_loss"] == pytest.approx(4 * errors.mean(), rel=1e-5)
    assert numbers["quantisation_loss"] == pytest.approx(0.25 * np.square(vectors - book[codes]).mean(), rel=1e-5)
    assert numbers["loss"] == pytest.approx(numbers["reconstruction_loss"] + numbers["quantisation_loss"], rel=1e-5)
    assert numbers["psnr"] == pytest.approx(-10 * np.log10(errors.mean()), rel=1e-5)
    assert numbers["codes_used"] == pytest.approx(len(np.unique(codes)) / 6)
    np.testing.assert_array_equal(model.encode(images()), codes)


def test_an_image_goes_to_codes_and_back():
    model = codec()
    codes = model.encode(images())
    assert codes.shape == (16, *model.code_shape) and codes.dtype == "int32"
    reconstructions = model.predict(images(), verbose=0)
    np.testing.assert_allclose(model.decode_codes(codes), reconstructions, atol=1e-6)
    np.testing.assert_allclose(model.generate(latents=model.latents_of(images())), reconstructions, atol=1e-6)


@pytest.mark.parametrize("kind", [VectorQuantizer, FiniteScalarQuantizer])
def test_it_learns_sixteen_images_by_heart(kind):
    quantizer = VectorQuantizer(48, 4, decay=0.9, seed=1) if kind is VectorQuantizer else kind((5, 5, 5))
    model = codec(quantizer, (16, 16))
    model.compile(FusedAdam(5e-3))
    many_steps(model, images(), 400)
    numbers = model.evaluate(images(), verbose=0, return_dict=True)
    # As one image, their mean, they are 14.4 dB.
    assert numbers["psnr"] > 30 and numbers["perplexity"] > 5


def test_codes_are_drawn_as_often_as_they_are_chosen():
    model = codec()
    uses = np.array([5.0, 0, 1, 0, 2, 0], "float32")
    model.quantizer.uses.assign(uses)
    drawn = np.asarray(model.quantizer.codes_of(model.sample_latents(2000, seed=3)))
    share = np.bincount(drawn.ravel(), minlength=6) / drawn.size
    np.testing.assert_allclose(share, uses / 8, atol=4 * np.sqrt(0.25 / drawn.size))
    np.testing.assert_array_equal(model.sample_latents(3, seed=3, first=2), model.sample_latents(5, seed=3)[2:])


def test_a_frozen_one_gives_the_same_and_learns_no_more():
    model = codec(final_activation="linear")
    frozen = model.frozen()
    assert not frozen.trainable_variables
    np.testing.assert_array_equal(frozen.predict(images(), verbose=0), model.predict(images(), verbose=0))
    before = model.encode(images())
    model.compile(FusedAdam(0.1))
    many_steps(model, images(), 5)
    np.testing.assert_array_equal(frozen.encode(images()), before)


def test_networks_of_another_number_of_numbers_are_refused():
    with pytest.raises(InputError, match="4 numbers, and those of the quantizer 5"):
        VQVAE(build_codec_encoder(SHAPE, 4), build_codec_decoder(SHAPE, 4), VectorQuantizer(6, 5))
