"""The PixelCNN: what it may see, that its probabilities are probabilities, and how it makes images."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.optimizers import Adam
from PIL import Image
from scipy.special import log_softmax

from gdl_keras.errors import InputError
from gdl_keras.kinds.base import likelihood
from gdl_keras.models import PixelCNN, build_pixel_cnn
from gdl_keras.models.autoregressive.levels import level_values
from tests import cases
from tests.harness import many_steps

NETWORKS = {
    "plain": {"image_shape": (4, 5, 1)},
    "gated": {"image_shape": (4, 3, 1), "gated": True},
    "colour": {"image_shape": (3, 4, 3), "levels": 3, "filters": 12, "blocks": 2},
    "colour, gated": {"image_shape": (3, 4, 3), "levels": 3, "filters": 12, "gated": True},
    "wide": {"image_shape": (2, 5, 1), "levels": 2, "blocks": 2},
}
networks = pytest.mark.parametrize(
    "options",
    [
        pytest.param(options, id=name, marks=[pytest.mark.full] * (options is NETWORKS["wide"]))
        for name, options in NETWORKS.items()
    ],
)


def lively(build=cases.pixel_cnn, **options):
    """A tiny model whose weights are so large that everything has an influence that can be seen."""
    model = build(**options)
    rng = np.random.default_rng(3)
    for weight in model.trainable_weights:
        scale = 1.5 / np.sqrt(np.prod(weight.shape[:-1])) if len(weight.shape) > 1 else 0.3
        weight.assign(scale * rng.normal(size=weight.shape) + (0.1 if len(weight.shape) == 1 else 0))
    return model


def random_tokens(model, n=2, seed=0):
    return np.random.default_rng(seed).integers(0, model.levels, (n, model.length)).astype("int32")


def test_the_books_network_has_its_number_of_weights():
    network = build_pixel_cnn((16, 16, 1))
    assert network.count_params() == 307_460
    assert network.output_shape == (None, 16, 16, 4)


# ---- levels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [2, 3, 4, 7, 16, 100, 200, 255, 256])
def test_levels_become_images_of_the_whole_range_and_the_same_levels_again(levels):
    model = cases.pixel_cnn((2, 2, 1), levels)
    values = level_values(levels)
    assert (values[0], values[-1]) == (0, 1) and (np.diff(values) > 0).all()
    np.testing.assert_array_equal(model.levels_of(values), np.arange(levels))
    bytes_of_them = np.rint(values * 255)  # as a picture file has them
    np.testing.assert_array_equal(model.levels_of((bytes_of_them / 255).astype("float32")), np.arange(levels))


def test_bytes_become_the_levels_that_the_book_gives_them():
    model = cases.pixel_cnn()
    images = (np.arange(256) / 255).astype("float32")
    np.testing.assert_array_equal(model.levels_of(images), (np.arange(256) / 64).astype(int))
    np.testing.assert_allclose(level_values(4), [0, 1 / 3, 2 / 3, 1])


def test_images_as_tokens_and_back():
    model = cases.pixel_cnn(**NETWORKS["colour"])
    tokens = random_tokens(model)
    images = model.to_samples(tokens)
    assert images.shape == (2, 3, 4, 3) and images.dtype == "float32"
    np.testing.assert_array_equal(model.to_tokens(images), tokens)
    np.testing.assert_array_equal(model.to_tokens(images[:, :2]), tokens[:, :24])
    np.testing.assert_array_equal(model.to_tokens(images[0]), tokens[:1])
    for wrong in (images[:, :, :2], np.zeros((1, 4, 4, 3)), images[..., :1], 255 * images):
        with pytest.raises(InputError):
            model.to_tokens(wrong)


# ---- causality -------------------------------------------------------------------------------------------------------


@networks
def test_what_comes_later_has_no_influence_at_all_and_what_was_just_before_has(options):
    model = lively(**options)
    tokens = random_tokens(model)
    logits_of = tf.function(model.logits)
    logits = np.asarray(logits_of(tf.constant(tokens)))
    for place in range(model.length):
        changed = tokens.copy()
        changed[:, place:] = (changed[:, place:] + 1) % model.levels
        others = np.asarray(logits_of(tf.constant(changed)))
        np.testing.assert_array_equal(others[:, : place + 1], logits[:, : place + 1])
        is_last_of_row = (place + 1) % (model.image_shape[1] * model.image_shape[2]) == 0
        assert is_last_of_row or not np.allclose(others[:, place + 1], logits[:, place + 1], atol=1e-6)


def influences(model, row, column):
    """Whether the logits of a pixel depend on each pixel: bool array (height, width)."""
    tokens = random_tokens(model, 16)
    height, width, _ = model.image_shape
    place = row * width + column
    logits_at = tf.function(lambda tokens: model.logits_at(tokens, place))
    logits = np.asarray(logits_at(tf.constant(tokens)))
    found = np.zeros(height * width, bool)
    for other in range(height * width):
        changed = tokens.copy()
        changed[:, other] = (changed[:, other] + 1) % model.levels
        found[other] = not np.array_equal(logits_at(tf.constant(changed)), logits)
    return found.reshape(height, width)


def test_one_stack_has_a_blind_spot_and_two_have_none():
    shape = (4, 9, 1)
    earlier = np.arange(36).reshape(4, 9) < 3 * 9 + 3
    gated = influences(lively(image_shape=shape, gated=True, blocks=2), 3, 3)
    np.testing.assert_array_equal(gated, earlier)
    plain = influences(lively(image_shape=shape, blocks=2), 3, 3)
    # 7x7 reaches three columns to the right and three rows up; each 3x3 after it one column more, but only with a row.
    assert not plain[~earlier].any() and plain[2, 3:7].all()
    assert not plain[2, 7:].any() and not plain[1, 8]


# ---- probabilities ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"gated": True}], ids=["plain", "gated"])
def test_all_images_together_are_as_likely_as_one(options):
    model = lively(image_shape=(2, 2, 1), levels=3, **options)
    images = model.to_samples(np.array(list(itertools.product(range(3), repeat=4)), "int32"))
    p = np.exp(-model.negative_log_likelihood(images))
    assert p.sum() == pytest.approx(1, abs=1e-5)
    assert p.max() > 2 * p.min()


def test_all_colours_of_a_pixel_together_are_as_likely_as_one():
    model = lively(image_shape=(1, 2, 3), levels=2, filters=6)
    images = model.to_samples(np.array(list(itertools.product(range(2), repeat=6)), "int32"))
    assert np.exp(-model.negative_log_likelihood(images)).sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    "options", [{}, pytest.param(NETWORKS["colour"], marks=pytest.mark.full)], ids=["grey", "colour"]
)
def test_the_loss_is_nats_a_number_and_the_likelihood_nats_an_image(options):
    model = lively(**options)
    model.compile(Adam(0.0))
    tokens = random_tokens(model, 5)
    images = model.to_samples(tokens)
    log_p = log_softmax(np.asarray(model.logits(tokens), "float64"), axis=-1)
    nats = -np.take_along_axis(log_p, tokens[..., None], axis=-1)[..., 0]
    np.testing.assert_allclose(model.negative_log_likelihood(images), nats.sum(axis=1), rtol=1e-5)
    weights = np.array([1, 2, 0, 1, 3], "float32")
    for values, expected in (
        (model.evaluate(images, verbose=0, return_dict=True), nats.mean()),
        (model.train_on_batch(images, return_dict=True), nats.mean()),
        (
            model.evaluate(images, sample_weight=weights, verbose=0, return_dict=True),
            (nats.mean(axis=1) * weights).mean(),
        ),
    ):
        assert float(values["loss"]) == pytest.approx(expected, rel=1e-5)
        assert float(values["bits_per_dim"]) == pytest.approx(expected / np.log(2), rel=1e-5)


def test_an_evaluation_says_of_how_many_levels_its_bits_are():
    model = cases.pixel_cnn()
    bits = likelihood(model, [cases.images()])["bits_per_dim"]
    expected = model.evaluate(cases.images(), verbose=0, return_dict=True)["bits_per_dim"]
    assert bits["value"] == pytest.approx(expected, rel=1e-5)
    assert bits["likelihood"] == "4 levels"


def test_half_an_image_has_no_likelihood():
    model = cases.pixel_cnn()
    with pytest.raises(InputError, match="whole"):
        model.negative_log_likelihood(cases.images(2)[:, :4])


# ---- making images ---------------------------------------------------------------------------------------------------


def test_an_image_that_is_begun_is_completed(tmp_path):
    model = lively()
    image = model.to_samples(random_tokens(model, 1))
    top = image[:, :4]
    completed = model.generate(3, given=top, seed=2)
    np.testing.assert_array_equal(completed[:, :4], np.repeat(top, 3, axis=0))
    assert len(np.unique(completed[:, 4:], axis=0)) == 3
    np.testing.assert_array_equal(model.generate(given=image, seed=2), image)
    Image.fromarray(np.rint(image[0, ..., 0] * 255).astype("uint8")).save(tmp_path / "begun.png")
    np.testing.assert_array_equal(model.generate(3, given=str(tmp_path / "begun.png"), seed=2), completed)
    (tmp_path / "text.png").write_text("no pixels")
    for name, words in (("none.png", "There is no picture"), ("text.png", "is no picture")):
        with pytest.raises(InputError, match=words):
            model.generate(1, given=str(tmp_path / name))


def test_what_a_temperature_of_zero_makes_is_the_likeliest_level_each_time():
    model = lively()
    made = model.generate(2, seed=1, temperature=0)
    np.testing.assert_array_equal(made[0], made[1])
    tokens = model.to_tokens(made)
    np.testing.assert_array_equal(np.asarray(model.logits(tokens)).argmax(axis=-1), tokens)


@pytest.mark.full
def test_sixteen_images_are_learnt_by_heart():
    keras.utils.set_random_seed(0)
    model = cases.pixel_cnn(filters=16)
    model.compile(Adam(1e-2))
    before = model.evaluate(cases.images(), verbose=0, return_dict=True)["loss"]
    many_steps(model, cases.images(), 250)
    after = model.evaluate(cases.images(), verbose=0, return_dict=True)["loss"]
    assert after < 0.2 < 1 < before
    half = model.generate(given=cases.images()[:, :4], temperature=0)
    wanted = model.to_samples(model.to_tokens(cases.images()))
    assert (half == wanted).mean() > 0.9


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda x: keras.layers.Softmax()(x), "softmax"),
        (lambda x: keras.layers.Conv2D(1, 1)(x), "levels"),
        (lambda x: keras.layers.Conv2D(257, 1)(x), "levels"),
    ],
)
def test_networks_that_give_no_logits_of_levels_are_refused(change, words):
    network = build_pixel_cnn((4, 4, 1), filters=4, blocks=1)
    with pytest.raises(InputError, match=words):
        PixelCNN(keras.Model(network.inputs, change(network.outputs[0])))


def test_arguments_that_cannot_be_are_refused():
    for levels in (1, 257, 2.5):
        with pytest.raises(InputError, match="levels"):
            build_pixel_cnn((4, 4, 1), levels)
    with pytest.raises(InputError, match="multiple"):
        build_pixel_cnn((4, 4, 3), filters=16)
    with pytest.raises(InputError, match="one size"):
        PixelCNN(build_pixel_cnn((None, None, 1), filters=4, blocks=1))
