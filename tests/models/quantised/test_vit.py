"""The transformers of the ViT-VQGAN: what is counted, who sees whom, what they train as."""

import warnings

import keras
import numpy as np
import pytest

from gdl_keras.errors import InputError
from gdl_keras.layers import VectorQuantizer
from gdl_keras.models import VQGAN, VQVAE, ImageTransformer, build_image_transformer
from gdl_keras.models.quantised.vit import build_vit_decoder, build_vit_encoder
from gdl_keras.models.quantised.vqgan import build_patch_discriminator
from tests import cases, harness

SHAPE = (8, 8, 1)
BUILD = {"encoder": build_vit_encoder, "decoder": build_vit_decoder}


def small(build, num_blocks=1):
    return build(SHAPE, 4, 4, 8, num_blocks, 2, 16)


def weights_by_hand(channels, patch_size, code_dim, dim, num_blocks, feed_forward_dim):
    """Of encoder and decoder, with a bias wherever ours have one."""
    norm, attention = 2 * dim, 4 * (dim * dim + dim)
    feed_forward = dim * feed_forward_dim + feed_forward_dim + feed_forward_dim * dim + dim
    blocks = num_blocks * (2 * norm + attention + feed_forward) + norm
    kernel = channels * patch_size**2 * dim
    encoder = kernel + dim + blocks + dim * code_dim + code_dim
    return encoder, code_dim * dim + dim + blocks + kernel + channels


def test_networks_have_the_weights_that_a_formula_counts_and_the_published_ones_but_for_biases():
    """That of the paper's small model leaves the biases of queries, keys and values away: 3 x 512 in each block."""
    counted = weights_by_hand(1, 4, 4, 8, 3, 16)
    assert tuple(small(build, 3).count_params() for build in BUILD.values()) == counted
    networks, codebook = sum(weights_by_hand(3, 8, 32, 512, 8, 2048)), 8192 * 32
    projections = 512 * 32 + 32 + 32 * 512 + 512
    assert projections == 33_312 and codebook == 262_144
    assert networks + codebook - 2 * 8 * 3 * 512 == 50_908_195
    assert networks - projections - 2 * 8 * 3 * 512 == 25_306_624 + 25_306_115


@pytest.mark.eager
def test_every_patch_sees_all_others_and_only_through_attention():
    encoder = small(build_vit_encoder)
    images = np.random.default_rng(0).uniform(size=(1, *SHAPE)).astype("float32")
    vectors = np.asarray(encoder(images))
    assert vectors.shape == (1, 2, 2, 4)
    for row in range(2):
        for column in range(2):
            changed = images.copy()
            changed[0, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] += 0.5
            assert (np.abs(np.asarray(encoder(changed)) - vectors).max(axis=-1) > 0).all()
    for layer in encoder.layers:
        if layer.name == "block_1":
            layer.attention.output_dense.kernel.assign(np.zeros((8, 8)))
    alone = np.asarray(encoder(images))
    changed = images.copy()
    changed[0, :4, 4:] += 0.5
    moved = np.abs(np.asarray(encoder(changed)) - alone).max(axis=-1) > 0
    np.testing.assert_array_equal(moved[0], [[False, True], [False, False]])


@pytest.mark.eager
def test_a_token_becomes_the_patch_in_its_place():
    decoder = small(build_vit_decoder, num_blocks=0)
    vectors = np.random.default_rng(0).normal(size=(1, 2, 2, 4)).astype("float32")
    changed = vectors.copy()
    changed[0, 1, 0] += 1
    moved = np.asarray(decoder(changed)) != np.asarray(decoder(vectors))
    assert moved[0, 4:, :4].all() and moved.sum() == 16


def test_positions_are_not_trained():
    paths = [weight.path for weight in small(build_vit_encoder).weights]
    assert paths and not any("positions" in path for path in paths)


def test_what_is_no_grid_of_patches_is_refused():
    with pytest.raises(InputError, match="8x8 is not made of patches of 3x3"):
        build_vit_encoder(SHAPE, 3)
    with pytest.raises(InputError, match="among 3 heads"):
        build_vit_decoder(SHAPE, 4, 4, 8, 1, 3, 16)


@pytest.mark.parametrize("policy", ["float32", harness.long("mixed_float16")])
def test_it_trains_between_codes_that_are_compared_by_their_angle(policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    codebook = VectorQuantizer(6, 4, distance="cosine", seed=2)
    networks = [small(build) for build in BUILD.values()]
    model = VQGAN(*networks, codebook, build_patch_discriminator(SHAPE, (4,)), seed=1)
    model.compile(keras.optimizers.Adam(3e-3), keras.optimizers.Adam(1e-3))
    few = cases.images(8)
    harness.many_steps(model, few, 2)
    before = float(model.evaluate(few, verbose=0, return_dict=True)["reconstruction_loss"])
    harness.many_steps(model, few, 40)
    after = model.evaluate(few, verbose=0, return_dict=True)
    assert after["reconstruction_loss"] < 0.7 * before
    np.testing.assert_allclose(np.linalg.norm(codebook.table(), axis=1), 1, rtol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.encode(few), model.encode(few))


def test_in_a_file_of_the_prior_no_weight_of_the_codec_is_one_that_an_optimizer_trains(tmp_path):
    """The blocks' own layers are new when a file is read; what the optimizer had learnt of the prior is all there."""
    quantizer = VectorQuantizer(5, 4, distance="cosine", seed=1)
    codec = VQVAE(small(build_vit_encoder), small(build_vit_decoder), quantizer, seed=1)
    model = ImageTransformer(build_image_transformer((2, 2), 5, 1, 4, 1, 1), codec=codec, seed=1)
    model.compile(keras.optimizers.Adam())
    model.fit(np.zeros((2, 2, 2), "int32"), verbose=0)
    model.save(tmp_path / "model.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert {w.path for w in loaded.trainable_variables} == {w.path for w in loaded.network.trainable_variables}
    for kept, before in zip(loaded.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(kept, before)
