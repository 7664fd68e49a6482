"""The transformer of images: what it sees, its cache, its probabilities, and what it makes of levels and codes."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.optimizers import Adam

from gdl_keras.errors import InputError
from gdl_keras.models import ImageTransformer, build_image_transformer
from tests import cases
from tests.harness import many_steps
from tests.image_token_cases import PatchCodec, codes, image_transformer

pytestmark = pytest.mark.eager

POST = {"norm": "post", "activation": "relu", "positions": "fixed", "logits_of_starts": True}
MODELS = {
    "levels": {"grid": (3, 3, 1), "num_classes": 3},
    "colour, two blocks": {"grid": (2, 2, 3), "levels": 3, "network": {"num_blocks": 2}},
    "codes, norm last": {"codec": PatchCodec, "num_classes": 2, "network": POST},
}
models = pytest.mark.parametrize("options", MODELS.values(), ids=MODELS)


def lively(codec=None, **options):
    """A tiny model whose weights are large enough for every token to matter."""
    model = image_transformer(codec=None if codec is None else codec(), **options)
    rng = np.random.default_rng(0)
    model.network.set_weights([weight + 0.4 * rng.normal(size=weight.shape) for weight in model.network.get_weights()])
    return model


def random_tokens(model, n=3, seed=0):
    return np.random.default_rng(seed).integers(0, model.vocabulary_size, (n, model.length)).astype("int32")


def labels_for(model, n=3):
    return {name: tf.constant(values) for name, values in model.conditions.in_turn(n).items()}


def test_the_notebooks_network_has_its_number_of_weights():
    network = build_image_transformer((12, 12), 256, 2, 64, 8, 8, 2048, 0.1, "post", "relu", "fixed", True)
    assert sum(np.prod(weight.shape) for weight in network.trainable_weights) == 2_282_498
    assert network.output_shape == (None, None, 258)
    assert ImageTransformer(network).logits(np.zeros((1, 144), "int32")).shape == (1, 144, 256)


# ---- what it sees ----------------------------------------------------------------------------------------------------


@models
def test_what_comes_later_has_no_influence_at_all_and_what_was_just_before_has(options):
    model = lively(**options)
    tokens, labels = random_tokens(model), labels_for(model)
    logits_of = tf.function(model.logits)
    logits = np.asarray(logits_of(tf.constant(tokens), **labels))
    for place in range(model.length):
        changed = tokens.copy()
        changed[:, place:] = (changed[:, place:] + 1) % model.vocabulary_size
        others = np.asarray(logits_of(tf.constant(changed), **labels))
        np.testing.assert_array_equal(others[:, : place + 1], logits[:, : place + 1])
        assert place == model.length - 1 or not np.allclose(others[:, place + 1], logits[:, place + 1])


@models
def test_reading_with_the_cache_gives_what_the_whole_image_gives(options):
    model = lively(**options)
    tokens, labels = random_tokens(model), labels_for(model)
    state, before, logits = model.initial_state(3, model.length), np.full(3, -1, "int32"), []
    for place in range(model.length):
        here, state = model.read(tf.constant(before), tf.constant(place), state, **labels)
        logits.append(here)
        before = tokens[:, place]
    np.testing.assert_allclose(np.stack(logits, axis=1), model.logits(tokens, **labels), atol=1e-5)


def test_what_is_read_first_is_the_start_of_the_class():
    model = lively(**MODELS["levels"])
    tokens = random_tokens(model)
    read = model.before(tokens, np.array([2, 0, 1]))
    np.testing.assert_array_equal(read, np.concatenate([[[6], [4], [5]], tokens[:, :-1]], axis=1))
    logits = np.asarray(model.logits(np.repeat(tokens[:1], 3, axis=0), np.arange(3)))
    assert len(np.unique(logits[:, 0], axis=0)) == 3


def test_noise_replaces_a_share_of_what_is_read_and_never_the_start():
    model = image_transformer(token_noise=0.3)
    read = model.before(random_tokens(model, 200))
    noisy = np.asarray(model.with_noise(read))
    np.testing.assert_array_equal(noisy[:, 0], 4)
    assert set(np.unique(noisy[:, 1:])) == {0, 1, 2, 3}
    # One in four is replaced by what it was: a share of 0.3 * 3/4 differs, up to five standard deviations.
    assert (noisy != np.asarray(read))[:, 1:].mean() == pytest.approx(0.225, abs=0.02)
    model.token_noise = 0.0
    np.testing.assert_array_equal(model.with_noise(read), read)


def test_the_average_is_what_is_asked():
    model = image_transformer((3, 3, 1), ema_decay=0.9)
    tokens = random_tokens(model)
    before, made = np.asarray(model.logits(tokens)), model.generate(3, seed=1)
    for weight in model.network.weights:
        weight.assign(weight + 1)
    np.testing.assert_array_equal(model.logits(tokens), before)
    np.testing.assert_array_equal(model.generate(3, seed=1), made)
    assert not np.allclose(model.logits(tokens, training=True), before)


# ---- probabilities ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("num_classes", [None, 3])
def test_all_images_together_are_as_likely_as_one(num_classes):
    model = lively(grid=(2, 2, 1), levels=3, num_classes=num_classes, network={"logits_of_starts": True})
    images = model.to_samples(np.array(list(itertools.product(range(3), repeat=4)), "int32"))
    p = np.exp(-model.negative_log_likelihood(images))
    assert p.sum() == pytest.approx(1, abs=1e-5) and p.max() > 2 * p.min()
    if num_classes:
        of_classes = [
            np.exp(-model.negative_log_likelihood(images, labels=np.full(81, label))) for label in range(num_classes)
        ]
        np.testing.assert_allclose([one.sum() for one in of_classes], 1, atol=1e-5)
        np.testing.assert_allclose(np.mean(of_classes, axis=0), p, rtol=1e-5)


def test_the_loss_is_nats_a_token_and_nats_of_codes_those_of_an_image():
    model = lively(PatchCodec)
    log_p = np.asarray(tf.nn.log_softmax(model.logits(codes().reshape(16, 16))), "float64")
    nats = -np.take_along_axis(log_p, codes().reshape(16, 16, 1), axis=-1)[..., 0]
    np.testing.assert_allclose(model.nats_of_codes(codes()), nats.sum(axis=1), rtol=1e-5)
    model.compile(Adam(0.0))
    for values in (
        model.evaluate(codes(), verbose=0, return_dict=True),
        model.train_on_batch(codes(), return_dict=True),
    ):
        assert float(values["loss"]) == pytest.approx(nats.mean(), rel=1e-5)
        assert float(values["bits_per_token"]) == pytest.approx(nats.mean() / np.log(2), rel=1e-5)


@pytest.mark.graph
def test_of_a_source_that_is_known_it_learns_as_much_as_there_is_to_know():
    """Rows of codes, each the one before with probability 0.8, else another: 0.720 nats a token after the first."""
    rng = np.random.default_rng(0)

    def drawn(n):
        steps = np.where(rng.random((n, 16)) < 0.8, 0, rng.integers(1, 4, (n, 16)))
        return (np.cumsum(steps, axis=1) + rng.integers(0, 4, (n, 1))).reshape(n, 4, 4).astype("int32") % 4

    rate = -0.8 * np.log(0.8) - 0.2 * np.log(0.2 / 3)
    entropy = (np.log(4) + 15 * rate) / 16
    keras.utils.set_random_seed(0)
    model = image_transformer(codec=PatchCodec())
    model.compile(Adam(1e-2))
    model.fit(drawn(4096), batch_size=64, epochs=4, verbose=0)
    loss = model.evaluate(drawn(2000), batch_size=500, verbose=0, return_dict=True)["loss"]
    assert entropy - 0.02 < loss < entropy + 0.03


# ---- making images ---------------------------------------------------------------------------------------------------


@pytest.mark.graph
def test_the_start_decides_what_is_made_and_one_file_makes_it(tmp_path):
    """A grid of codes for each class, learnt by heart, and drawn by the codec that is saved along."""
    codec = PatchCodec()
    codec.values.assign([0.1, 0.2, 0.5, 0.9])
    keras.utils.set_random_seed(0)
    model = image_transformer(codec=codec, num_classes=3)
    codec.values.assign(np.zeros(4))  # the model has a copy of its own
    model.compile(Adam(1e-2))
    grids, labels = np.random.default_rng(1).integers(0, 4, (3, 4, 4)).astype("int32"), np.array([2, 0, 1])
    many_steps(model, (grids, labels), 200)
    wanted = np.array([0.1, 0.2, 0.5, 0.9], "float32")[grids].repeat(2, axis=1).repeat(2, axis=2)[..., None]
    for options in ({"temperature": 0}, {"top_k": 1}, {"top_p": 1e-3}):
        np.testing.assert_allclose(model.generate(3, labels=labels, seed=1, **options), wanted, atol=1e-6)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(*[m.generate(5, labels=np.arange(5) % 3, seed=2) for m in (model, loaded)])
    assert not loaded.codec.trainable_weights


def test_an_image_that_is_begun_is_completed():
    model = lively()
    image = model.to_samples(random_tokens(model, 1))
    completed = model.generate(3, given=image[:, :4], seed=2)
    np.testing.assert_array_equal(completed[:, :4], np.repeat(image[:, :4], 3, axis=0))
    assert len(np.unique(completed[:, 4:], axis=0)) == 3
    np.testing.assert_array_equal(model.generate(given=image, seed=2), image)


def test_of_rows_that_are_given_the_codes_stay_whose_patches_lie_in_them():
    model = lively(PatchCodec)
    image = model.to_samples(codes(1).reshape(1, 16))
    np.testing.assert_array_equal(model.to_tokens(image), codes(1).reshape(1, 16))
    np.testing.assert_array_equal(model.to_tokens(codes(1)[:, :3]), codes(1).reshape(1, 16)[:, :12])
    for rows, known in ((0, 0), (1, 0), (2, 4), (3, 4), (4, 8), (8, 16)):
        np.testing.assert_array_equal(model.to_tokens(image[:, :rows]), codes(1).reshape(1, 16)[:, :known])
    completed = model.generate(3, given=image[:, :5], seed=2)
    np.testing.assert_array_equal(completed[:, :4], np.repeat(image[:, :4], 3, axis=0))
    assert len(np.unique(completed[:, 4:], axis=0)) == 3


@pytest.mark.parametrize("codec", [None, PatchCodec], ids=["levels", "codes"])
def test_on_the_way_what_is_there_is_shown_and_the_rest_is_black(codec):
    model = lively(codec)
    images = model.generate(2, seed=1)
    frames = model.on_the_way(2, 1, 5)
    assert frames.shape == (5, *images.shape)
    for frame, rows in zip(frames, (0, 2, 4, 6, 8)):
        np.testing.assert_array_equal(frame[:, :rows], images[:, :rows])
        assert not frame[:, rows:].any()


# ---- what is refused -------------------------------------------------------------------------------------------------


def test_networks_that_cannot_be_are_refused():
    for name, wrong in (("num_heads", 0), ("vocabulary_size", 0), ("multiple", 9), ("norm", "both")):
        options = {"embedding_dim": wrong} if name == "multiple" else {name: wrong}
        with pytest.raises(InputError, match=name):
            build_image_transformer(**{"grid": (2, 2), "vocabulary_size": 4, **options})


@pytest.mark.parametrize(
    "sizes, options, words",
    [
        (((4, 4), 4), {"levels": 5}, "vocabulary_size=5"),
        (((4, 4), 4), {"levels": 4, "num_classes": 2}, "num_starts=2"),
        (((4, 5), 4), {"codec": PatchCodec}, "grid"),
        (((4, 4), 3), {"codec": PatchCodec}, "vocabulary_size=4"),
        (((4, 4), 4), {"levels": 4, "token_noise": 1.0}, "token_noise"),
        (((4, 4), 4), {"levels": 300}, "levels"),
    ],
)
def test_what_does_not_fit_the_network_is_refused(sizes, options, words):
    network = build_image_transformer(*sizes, embedding_dim=4, num_blocks=1)
    if "codec" in options:
        options = {**options, "codec": options["codec"]()}
    with pytest.raises(InputError, match=words):
        ImageTransformer(network, **options)


def test_what_is_no_image_and_no_code_is_refused():
    model = lively(PatchCodec)
    for wrong in (codes() + 3, codes()[:, :, :3], codes().astype("float64")):
        with pytest.raises(InputError, match="Codes"):
            model.nats_of_codes(wrong)
    with pytest.raises(InputError, match="whole"):
        model.nats_of_codes(codes()[:, :3])
    with pytest.raises(NotImplementedError, match="nats_of_codes"):
        model.negative_log_likelihood(cases.images())
    with pytest.raises(InputError, match="first rows"):
        model.generate(1, given=cases.images(1)[:, :, :4])
    with pytest.raises(InputError, match="labels"):
        lively(num_classes=2).logits(np.zeros((1, 4), "int32"))
