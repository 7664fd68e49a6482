"""The networks for faces, and arithmetic in their latent space."""

import numpy as np
import pytest

from gdl_keras.errors import InputError
from gdl_keras.models.vae_faces import attribute_vector, build_decoder, build_encoder


def test_the_books_networks_have_its_number_of_weights():
    encoder, decoder = build_encoder((32, 32, 3)), build_decoder((32, 32, 3))
    assert (encoder.count_params(), decoder.count_params()) == (653_584, 700_803)
    trainable = [sum(np.prod(w.shape) for w in network.trainable_weights) for network in (encoder, decoder)]
    assert trainable == [652_560, 698_755]


def test_an_attribute_that_moves_one_dimension_is_found():
    rng = np.random.default_rng(0)
    has = rng.random(4000) < 0.3
    latents = rng.normal(size=(4000, 5))
    latents[:, 2] += 3 * has
    expected = latents[has].mean(axis=0) - latents[~has].mean(axis=0)
    found = attribute_vector(latents, has)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert abs(found[2] - 3) < 0.2
    # mean(has) - mean(all) = (1 - share) (mean(has) - mean(others))
    np.testing.assert_allclose(attribute_vector(latents, has, minus="all"), (1 - has.mean()) * expected, rtol=1e-4)


@pytest.mark.parametrize(("has", "minus"), [([True] * 4, "others"), ([False] * 4, "all"), ([True, False] * 2, "some")])
def test_directions_that_do_not_exist_are_refused(has, minus):
    with pytest.raises(InputError):
        attribute_vector(np.zeros((4, 2)), has, minus)
