"""Codes, gradients past the choice of one, and how codebooks learn."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.layers import FiniteScalarQuantizer, VectorQuantizer
from gdl_keras.layers.quantizer import rotated_to, straight_through
from gdl_keras.layers.vector_quantizer import k_means, nearest, smoothed

DIM = 3


def vectors(count=40, seed=0):
    """Vectors of different lengths: float32 (count, DIM)."""
    return np.random.default_rng(seed).normal(size=(count, DIM)).astype("float32")


def quantizer(**options):
    """One that has 7 codes and never starts one again, unless told otherwise."""
    return VectorQuantizer(**{"num_codes": 7, "code_dim": DIM, "revive_below": 0.0, "seed": 1, **options})


def gradient(function, x, upstream):
    """That of sum(upstream * function(x)): float32 array of x's shape."""
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(upstream * function(x))
    return tape.gradient(total, x).numpy()


# ---- the nearest code ----------------------------------------------------------------------------------------------


def test_the_nearest_code_is_that_of_all_distances():
    x, codebook = vectors(200), vectors(31, seed=1)
    distances = np.square(x[:, None] - codebook[None]).sum(axis=-1)
    np.testing.assert_array_equal(nearest(tf.constant(x), tf.constant(codebook)), distances.argmin(axis=1))


def test_codes_and_vectors_lead_to_each_other():
    layer = quantizer()
    layer.codebook.assign(vectors(7, seed=1))
    codes = np.arange(7).reshape(1, 7)
    np.testing.assert_array_equal(layer.codes_of(layer.vectors_of(codes)), codes)


def test_a_call_gives_the_code_in_the_place_of_each_vector():
    layer = quantizer()
    layer.codebook.assign(vectors(7, seed=1))
    x = vectors(24).reshape(2, 3, 4, DIM)
    outputs, codes, losses = layer(x)
    assert codes.shape == (2, 3, 4) and losses.shape == (2,)
    np.testing.assert_allclose(outputs, layer.codebook.numpy()[codes.numpy()], atol=1e-6)
    distances = np.square(x - outputs).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(losses, 0.25 * distances, rtol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_it_computes_in_float32_under_every_policy(policy):
    keras.config.set_dtype_policy(policy)
    try:
        layer = quantizer()
    finally:
        keras.config.set_dtype_policy("float32")
    layer.codebook.assign(vectors(7, seed=1))
    outputs, _, losses = layer(tf.cast(vectors().reshape(2, 20, DIM), policy.removeprefix("mixed_")))
    assert (outputs.dtype, losses.dtype, layer.codebook.dtype) == ("float32", "float32", "float32")


def test_by_the_cosine_only_the_direction_counts():
    layer = quantizer(distance="cosine")
    layer.codebook.assign(vectors(7, seed=1))
    x = vectors()
    codes = layer.codes_of(x)
    np.testing.assert_array_equal(codes, layer.codes_of(7.5 * x))
    book = layer.codebook.numpy()
    cosines = x @ book.T / np.linalg.norm(x, axis=1)[:, None] / np.linalg.norm(book, axis=1)
    np.testing.assert_array_equal(codes, cosines.argmax(axis=1))
    np.testing.assert_allclose(np.linalg.norm(layer.vectors_of(codes), axis=-1), 1, rtol=1e-6)


# ---- gradients past the choice -------------------------------------------------------------------------------------


def test_the_straight_through_gradient_is_that_of_the_code():
    x, codes, upstream = vectors(), vectors(seed=1), vectors(seed=2)
    np.testing.assert_allclose(straight_through(tf.constant(x), codes), codes, atol=1e-6)
    np.testing.assert_array_equal(gradient(lambda x: straight_through(x, codes), x, upstream), upstream)


def test_the_rotation_leads_to_the_code_and_keeps_angle_and_norm():
    x, codes, upstream = vectors(), vectors(seed=1), vectors(seed=2)
    np.testing.assert_allclose(rotated_to(tf.constant(x), codes), codes, rtol=1e-4, atol=1e-5)
    pulled = gradient(lambda x: rotated_to(x, codes), x, upstream)

    def norm(vectors):
        return np.linalg.norm(vectors, axis=1)

    def cosine(one, other):
        return (one * other).sum(axis=1) / norm(one) / norm(other)

    np.testing.assert_allclose(cosine(pulled, x), cosine(upstream, codes), atol=1e-5)
    # A rotation keeps its length; the stretch |q| / |x| is there in the gradient as well.
    np.testing.assert_allclose(norm(pulled), norm(upstream) * norm(codes) / norm(x), rtol=1e-4)


@pytest.mark.parametrize("learning", ["ema", "loss"])
def test_the_codebooks_loss_moves_the_codebook_alone_and_commitment_the_vectors_alone(learning):
    layer = quantizer(learning=learning, commitment_weight=0.5)
    layer.codebook.assign(vectors(7, seed=1))
    x = tf.constant(vectors().reshape(1, -1, DIM))
    with tf.GradientTape() as tape:
        tape.watch(x)
        _, codes, losses = layer(x)
        total = tf.reduce_sum(losses)
    for_vectors, for_codes = tape.gradient(total, [x, layer.codebook.value])
    apart = (x - layer.vectors_of(codes)).numpy()
    np.testing.assert_allclose(for_vectors, 0.5 * 2 * apart / apart.size, rtol=1e-4, atol=1e-7)
    if learning == "ema":
        assert for_codes is None and not layer.trainable_variables
        return
    expected = np.zeros((7, DIM), "float32")
    np.add.at(expected, codes.numpy().ravel(), -2 * apart.reshape(-1, DIM) / apart.size)
    np.testing.assert_allclose(tf.convert_to_tensor(for_codes), expected, rtol=1e-4, atol=1e-7)


# ---- how a codebook learns -----------------------------------------------------------------------------------------


def test_a_code_follows_its_vectors_as_the_closed_form_says():
    layer = quantizer(decay=0.9, start="uniform")
    centres = 10 * np.eye(DIM, dtype="float32")
    layer.codebook.assign(np.concatenate([centres + 1, np.full((4, DIM), -99.0)]))
    x = np.repeat(centres, [8, 4, 2], axis=0)
    for _ in range(5):
        layer(x[None], training=True)
    # All begin as the even share of uses, 14 / 7 = 2, with the sum that belongs to where they begin.
    kept, counts = 0.9**5, np.array([8.0, 4.0, 2.0])
    uses = kept * 2 + (1 - kept) * counts
    np.testing.assert_allclose(layer.uses.numpy()[:3], uses, rtol=1e-5)
    sums = kept * 2 * (centres + 1) + (1 - kept) * counts[:, None] * centres
    all_uses = np.concatenate([uses, np.full(4, kept * 2)])
    smooth = all_uses.sum() * (all_uses + 1e-5) / (all_uses.sum() + 7e-5)
    np.testing.assert_allclose(layer.codebook.numpy()[:3], sums / smooth[:3, None], rtol=1e-4)


def test_smoothing_keeps_the_sum_and_leaves_no_zero():
    uses = smoothed(tf.constant([0.0, 3.0, 5.0])).numpy()
    assert uses.sum() == pytest.approx(8.0) and uses.min() > 0


def test_k_means_finds_blobs():
    rng = np.random.default_rng(0)
    middles = 20 * np.eye(DIM, dtype="float32")
    x = (middles[np.arange(90) % 3] + 0.1 * rng.normal(size=(90, DIM))).astype("float32")
    centres = k_means(tf.constant(x), tf.constant(x[:3])).numpy()
    np.testing.assert_allclose(centres, [x[n::3].mean(axis=0) for n in range(3)], rtol=1e-5)


def test_a_codebook_begins_in_the_middle_of_its_first_batch():
    layer = quantizer(num_codes=2)
    x = np.repeat(np.array([[5.0, 0, 0], [0, -5.0, 0]], "float32"), 20, axis=0)
    _, _, losses = layer(x[None], training=True)
    assert float(losses[0]) == pytest.approx(0, abs=1e-9)
    assert set(map(tuple, layer.codebook.numpy().round(3))) == {(5, 0, 0), (0, -5, 0)}


@pytest.mark.parametrize("learning", ["ema", "loss"])
def test_a_code_that_nothing_chooses_becomes_a_vector_of_the_batch(learning):
    layer = quantizer(num_codes=3, start="uniform", decay=0.5, revive_below=0.3, learning=learning)
    x = vectors(30)
    layer.codebook.assign([[0.0, 0, 0], [1e3, 0, 0], [0, 1e3, 0]])
    layer(x[None], training=True)  # 5 uses of 10 are left
    np.testing.assert_allclose(layer.codebook.numpy()[1:].max(axis=1), 1e3, rtol=1e-4)
    layer(x[None], training=True)  # 2.5
    revived = layer.codebook.numpy()[1:]
    assert all(np.abs(x - code).max(axis=1).min() < 1e-6 for code in revived)
    np.testing.assert_allclose(layer.uses.numpy()[1:], 10)


def test_outside_training_nothing_changes():
    layer = quantizer(revive_below=0.5)
    before = [weight.numpy() for weight in layer.weights]
    layer(vectors()[None])
    for weight, old in zip(layer.weights, before):
        np.testing.assert_array_equal(weight, old)


@pytest.mark.parametrize("options", [{}, {"learning": "loss"}, {"distance": "cosine"}], ids=str)
def test_two_replicas_learn_what_one_learns_of_both_parts(two_replicas, options):
    options = {"decay": 0.5, "revive_below": 0.6, **options}
    x = vectors(64).reshape(2, 32, DIM)
    alone = quantizer(**options)
    with two_replicas.scope():
        shared = quantizer(**options)
    parts = two_replicas.experimental_distribute_values_from_function(
        lambda context: tf.constant(x[context.replica_id_in_sync_group][None])
    )
    step = tf.function(lambda layer, x: layer(x, training=True)[1])
    for _ in range(3):
        codes = step(alone, tf.constant(x))
        shared_codes = two_replicas.run(step, args=(shared, parts))
        values = tf.concat(two_replicas.experimental_local_results(shared_codes), axis=0)
        np.testing.assert_array_equal(values, codes)
    for one, other in zip(alone.weights, shared.weights):
        np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-6, err_msg=one.name)


def test_it_is_saved_with_all_that_it_knows(tmp_path):
    layer = quantizer(distance="cosine", gradient="rotation", learning="loss", commitment_weight=0.3)
    layer(vectors()[None], training=True)
    inputs = keras.Input((None, DIM))
    keras.Model(inputs, layer(inputs)[0]).save(tmp_path / "layer.keras")
    loaded = keras.models.load_model(tmp_path / "layer.keras").layers[-1]
    assert loaded.get_config() == layer.get_config()
    for one, other in zip(layer.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(other, one)


@pytest.mark.parametrize(
    "wrong", [{"num_codes": 0}, {"decay": 1.0}, {"revive_below": 1.0}, {"distance": "far"}, {"gradient": "none"}]
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(InputError):
        quantizer(**wrong)


# ---- finite scalars ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [(8, 6, 5), (2, 3), (8, 5, 5, 5)], ids=str)
def test_every_code_of_finite_scalars_is_reached_and_comes_back(levels):
    layer = FiniteScalarQuantizer(levels)
    codes = np.arange(np.prod(levels))
    grid = layer.vectors_of(codes).numpy()
    assert len({tuple(row) for row in grid}) == len(codes) and np.abs(grid).max() <= 1
    # What bounds them, backwards: an encoder's numbers that land on each level.
    half = (np.array(levels) - 1) * 1.001 / 2
    offset = np.where(np.array(levels) % 2 == 0, 0.5, 0)
    inputs = np.arctanh((grid * (np.array(levels) // 2) + offset) / half) - np.arctanh(offset / half)
    np.testing.assert_array_equal(layer.codes_of(inputs.astype("float32")), codes)
    outputs, again, losses = layer(inputs.astype("float32")[None])
    np.testing.assert_array_equal(again[0], codes)
    np.testing.assert_allclose(outputs[0], grid, atol=1e-6)
    assert float(losses[0]) == 0


def test_numbers_of_any_size_are_codes_of_finite_scalars():
    layer = FiniteScalarQuantizer((8, 5))
    x = np.array([[-1e9, -1e9], [1e9, 1e9], [0, 0]], "float32")
    codes = layer.codes_of(x).numpy()
    np.testing.assert_array_equal(layer.vectors_of(codes)[:2], [[-1, -1], [0.75, 1]])
    assert codes.min() >= 0 and codes.max() < 40


def test_a_number_between_two_levels_moves_by_the_slope_of_what_bounds_it():
    layer = FiniteScalarQuantizer((5, 5))
    x = np.array([[0.3, -0.7]], "float32")
    found = gradient(lambda x: layer(x[None])[0][0], x, np.ones((1, 2), "float32"))
    np.testing.assert_allclose(found, 2.002 / 2 * (1 - np.tanh(x) ** 2), rtol=1e-5)


def test_levels_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="at least 2 levels"):
        FiniteScalarQuantizer((8, 1))
