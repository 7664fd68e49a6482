"""StyleGAN3: images that the caller moves and turns, styles, the blur, running means, a run that goes on."""

from functools import cache, partial

import keras
import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.keywords import read
from gdl_keras.metrics.equivariance import decibels
from gdl_keras.models import StyleGAN3
from gdl_keras.models.stylegan3.blur import blurred
from gdl_keras.models.stylegan3.magnitude import MagnitudeNormalization
from gdl_keras.models.stylegan3.networks import build_generator
from gdl_keras.models.stylegan3.stylegan3 import BLUR_OF_ROTATION, penalty_weight_for
from gdl_keras.models.stylegan3.transforms import moved_and_turned
from gdl_keras.sampling import sampling_options
from tests import cases, harness
from tests.harness import long
from tests.stylegan3_cases import large_images, stylegan3, stylegan3_networks
from tests.stylegan_cases import stylegan2_networks

pytestmark = pytest.mark.eager
IMAGES = large_images()


# ---- networks --------------------------------------------------------------------------------------------------------


def test_the_generator_says_a_style_to_all_layers_and_moves_nothing():
    generator, _ = stylegan3_networks()
    generator.get_layer("synthesis").weights[-1].assign([4.0])  # the image's bias: some of it is above 1
    latents = np.random.default_rng(0).normal(size=(2, 6)).astype("float32")
    styles = np.repeat(np.asarray(generator.get_layer("mapping")(latents))[:, None], 4, axis=1)
    unmoved = np.repeat(np.eye(3, dtype="float32")[None], 2, axis=0)
    images = np.asarray(generator.get_layer("synthesis")([styles, unmoved]))
    assert images.min() < 1 < images.max()
    np.testing.assert_allclose(generator(latents), np.clip(images, 0, 1), atol=1e-6)
    assert np.max(generator(latents, training=True)) > 1


@pytest.mark.parametrize(
    ("size", "rotation", "count"),
    [long(64, False, 37_768_199), long(128, False, 32_833_523), long(256, True, 18_816_387)],
)
def test_the_generator_has_the_published_number_of_weights(size, rotation, count):
    generator = build_generator((size, size, 3), rotation=rotation)
    assert sum(int(np.prod(weight.shape)) for weight in generator.trainable_weights) == count


def test_a_generator_that_does_not_move_is_refused():
    generator, discriminator = stylegan2_networks()
    with pytest.raises(InputError, match=r"StyleGAN3 has no layer transforms: models\.stylegan3\.networks\."):
        StyleGAN3(generator, discriminator)


def test_the_penaltys_weight_is_the_papers():
    assert [penalty_weight_for(size) for size in (128, 256, 512, 1024)] == [0.5, 2, 8, 32]


# ---- images that are moved and turned --------------------------------------------------------------------------------


def test_the_matrix_leads_back_from_where_a_turned_and_moved_place_has_gone():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-0.5, 0.5, (2, 20))
    # With y upwards a counter-clockwise turn is a product of complex numbers.
    gone = (x - 1j * y) * np.exp(1j * np.deg2rad(35)) + (3 - 1j * -1.5) / 16
    places = np.stack([gone.real, -gone.imag, np.ones(20)])
    found = np.asarray(moved_and_turned(3, -1.5, 35, 16)) @ places
    np.testing.assert_allclose(found, [x, y, np.ones(20)], atol=1e-6)
    np.testing.assert_array_equal(moved_and_turned(0, 0, 0, 16), np.eye(3))


@cache
def turning(steps):
    """A model of the variant R with a margin, whose layers have unit power, after so many steps of training."""
    keras.utils.set_random_seed(1)
    synthesis = {"rotation": True, "channel_max": 6, "num_layers": 5, "margin": 8, "magnitude_decay": 0.0}
    model = stylegan3(synthesis=synthesis, ema_half_life=None, blur=0.02)
    model.generator(model.sample_latents(8, seed=1), training=True)
    for _ in range(steps):
        model.train_step(tf.constant(IMAGES[:4]))
    return model


@pytest.mark.parametrize("steps", [0, 3])
def test_images_move_by_what_the_caller_says_and_turn(steps):
    """Against `np.roll` and `np.rot90`, where both show something; in decibels of the images' own contrast."""
    model = turning(steps)
    images = model.generate(3, seed=1)
    contrast = images.std()
    assert contrast > 0.03
    inside = slice(4, 12)

    def signal(moved, wanted):
        return decibels((moved - wanted)[:, inside, inside] ** 2) + 20 * np.log10(contrast)

    moved = model.generate(3, seed=1, right=2, down=-1)
    wanted = np.roll(images, (-1, 2), axis=(1, 2))
    assert signal(moved, wanted) > 30 > 15 > signal(images, wanted)
    turned = model.generate(3, seed=1, turn=90)
    assert signal(turned, np.rot90(images, axes=(1, 2))) > 30 > 15 > signal(turned, np.rot90(images, -1, axes=(1, 2)))
    both = model.generate(3, seed=1, turn=90, right=2)
    assert signal(both, np.roll(np.rot90(images, axes=(1, 2)), 2, axis=2)) > 30


def test_given_points_move_as_well_and_images_of_styles_take_any_matrix():
    model = turning(0)
    latents = model.sample_latents(2, seed=1)
    moved = model.generate(2, seed=1, right=1.5, turn=20)
    np.testing.assert_allclose(model.generate(latents=latents, right=1.5, turn=20), moved, atol=1e-5)
    transforms = np.repeat(np.asarray(moved_and_turned(1.5, 0, 20, 16))[None], 2, axis=0)
    np.testing.assert_allclose(model.images_of(model.styles_of(latents), transforms), moved, atol=1e-5)
    np.testing.assert_allclose(model.images_of(model.styles_of(latents)), model.generate(2, seed=1), atol=1e-5)


def test_the_command_line_offers_them():
    model = stylegan3()
    known = sampling_options(model)
    given = read({"right": "2.5", "down": "-1", "turn": "30", "truncation": "0.5", "cutoff": "2"}, known, "StyleGAN3")
    assert given == {"right": 2.5, "down": -1.0, "turn": 30.0, "truncation": 0.5, "cutoff": 2}
    assert "noise" not in known
    np.testing.assert_array_equal(model.generate(2, seed=1, **given), model.generate(2, seed=1, **given))
    with pytest.raises(InputError, match="between 0 and 4"):
        model.generate(1, cutoff=5)


# ---- styles ----------------------------------------------------------------------------------------------------------


def test_truncation_pulls_styles_to_their_average():
    model = stylegan3()
    model.mean_style.assign(np.linspace(-1, 1, 5))
    latents, mean = model.sample_latents(3, seed=1), np.linspace(-1, 1, 5)
    own = np.asarray(model.averaged_generator.get_layer("mapping")(latents))
    wanted = np.repeat(own[:, None], 4, axis=1)
    wanted[:, :3] = (mean + 0.4 * (own - mean))[:, None]
    images = model.generate(latents=latents, truncation=0.4, cutoff=3)
    np.testing.assert_allclose(images, model.images_of(wanted), atol=1e-6)
    of_average = model.images_of(np.broadcast_to(mean, (1, 4, 5)).astype("float32"))
    np.testing.assert_allclose(model.generate(2, seed=1, truncation=0.0), np.repeat(of_average, 2, axis=0), atol=1e-6)


def test_a_training_step_moves_the_average_of_styles_and_draws_no_noise_and_no_second_style():
    model = stylegan3()
    state = np.asarray(model.seed_generator.state)
    mapping = model.generator.get_layer("mapping")
    styles = np.asarray(mapping(model.latents_like(IMAGES)))
    after = np.asarray(model.seed_generator.state)
    model.seed_generator.state.assign(state)
    report = model.train_step(tf.constant(IMAGES))
    np.testing.assert_allclose(model.mean_style, 0.002 * styles.mean(axis=0), rtol=1e-4, atol=1e-7)
    np.testing.assert_array_equal(model.seed_generator.state, after)
    assert "path_length" not in report


# ---- the blur --------------------------------------------------------------------------------------------------------


def test_the_blur_is_scipys_among_the_pixels_that_there_are():
    images = np.random.default_rng(0).random((2, 16, 16, 1)).astype("float32")
    for sigma in (0.5, 1.7):
        smooth = partial(scipy.ndimage.gaussian_filter, sigma=sigma, mode="constant", truncate=30)
        wanted = [smooth(image[..., 0].astype("float64")) / smooth(np.ones((16, 16))) for image in images]
        np.testing.assert_allclose(blurred(tf.constant(images), tf.constant(sigma))[..., 0], wanted, atol=1e-5)
    np.testing.assert_array_equal(blurred(tf.constant(images), tf.constant(0.0)), images)


def test_it_fades_with_the_images_seen_and_both_players_see_it():
    model = stylegan3(blur=BLUR_OF_ROTATION, blur_kimg=0.2)
    seen = []

    def scores(images, training):
        seen.append(np.asarray(images))
        return images[:, 0, 0]

    for count, sigma in ((0, 0.625), (50, 0.625 * 0.75), (100, 0.3125), (200, 0.0), (300, 0.0)):
        model.images_seen.assign(count)
        assert float(model.blur_now) == pytest.approx(sigma, abs=1e-6)
        model.judge(scores)(tf.constant(IMAGES))
        np.testing.assert_allclose(seen[-1], blurred(tf.constant(IMAGES), tf.constant(sigma, "float32")), atol=1e-6)
    np.testing.assert_array_equal(seen[-1], IMAGES)
    assert not np.allclose(seen[0], IMAGES, atol=1e-2)


def test_the_slope_is_that_of_what_scores_blurred_images():
    """Of D(x) = w . blurred(x) it is half the length of the blur's transpose of w, per unit of [-1, 1]."""
    model = stylegan3(blur=0.1)
    weights = np.random.default_rng(0).normal(size=(16, 16)).astype("float32")
    judge = model.judge(lambda images, training: tf.reduce_sum(images[..., 0] * weights, axis=(1, 2))[:, None])
    slopes = model.squared_slopes(tf.constant(True), judge, tf.constant(IMAGES[:2]))
    ones = np.eye(256, dtype="float32").reshape(256, 16, 16, 1)
    pulled = np.asarray(blurred(tf.constant(ones), model.blur_now))[..., 0] * weights
    np.testing.assert_allclose(slopes, np.square(pulled.sum(axis=(1, 2)) / 2).sum(), rtol=1e-4)


# ---- running means ---------------------------------------------------------------------------------------------------


def powers(network):
    """The running means of squares of a generator's layers: array (layers,)."""
    layers = network.get_layer("synthesis").layers
    return np.array([float(np.asarray(layer.power)) for layer in layers if isinstance(layer, MagnitudeNormalization)])


def test_they_move_in_training_alone_and_the_averaged_generator_holds_their_average():
    """Half of itself an average keeps in as many images as its half-life."""
    model = stylegan3(ema_half_life=0.016, ema_ramp=None)
    first = powers(model.generator)
    np.testing.assert_array_equal(first, 1)
    model.train_step(tf.constant(IMAGES))
    after_one = powers(model.generator)
    assert (after_one != first).all()
    np.testing.assert_allclose(powers(model.averaged_generator), (first + after_one) / 2, rtol=1e-6)
    model.test_step(tf.constant(IMAGES))
    model.generate(2, seed=1)
    np.testing.assert_array_equal(powers(model.generator), after_one)
    model.train_step(tf.constant(IMAGES))
    wanted = (first + after_one) / 4 + powers(model.generator) / 2
    np.testing.assert_allclose(powers(model.averaged_generator), wanted, rtol=1e-6)


# ---- as a whole ------------------------------------------------------------------------------------------------------


def test_a_run_that_is_stopped_while_the_blur_fades_goes_on_as_if_it_had_not_been(tmp_path):
    """Steps, the clock, the average style and the running means are in the file."""
    case = cases.ModelCase("", lambda: stylegan3(penalty_interval=3, blur=0.1, blur_kimg=0.04), large_images)
    never_stopped, resumed = (harness.build(case) for _ in range(2))
    saving = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")
    whole = harness.train(case, never_stopped, epochs=2, callbacks=[saving])
    resumed.load_weights(tmp_path / "1.keras")
    assert int(resumed.steps_taken) == 2 and (powers(resumed.generator) != 1).all()
    assert 0 < float(resumed.blur_now) < 1.6
    rest = harness.train(case, resumed, epochs=2, initial_epoch=1)
    assert {name: values[1:] for name, values in whole.items()} == rest
    harness.assert_same(harness.weights(never_stopped), harness.weights(resumed))


@pytest.mark.full
@pytest.mark.graph
def test_two_replicas_hold_the_running_means_of_one_device(two_replicas):
    """But for what a layer is divided by in the step itself, a thousandth of what its own replica sees."""
    case = cases.ModelCase("", stylegan3, large_images)
    with two_replicas.scope():
        on_two = harness.build(case)
    on_one = harness.build(case)
    latents = tf.constant(on_one.sample_latents(8, seed=1))
    on_one.latents_like = lambda images, training=True: latents

    def of_replica(images, training=True):
        first = 4 * tf.distribute.get_replica_context().replica_id_in_sync_group
        return latents[first : first + 4]

    on_two.latents_like = of_replica
    for model in (on_two, on_one):
        harness.train(case, model, epochs=1)
    moved = powers(on_one.generator) - 1
    np.testing.assert_allclose(powers(on_two.generator) - 1, moved, rtol=1e-2)
    assert (np.abs(moved) > 1e-4).all()
    for network in (on_two.generator, on_two.averaged_generator):
        for layer in network.get_layer("synthesis").layers:
            if isinstance(layer, MagnitudeNormalization):
                copies = two_replicas.experimental_local_results(layer.power.value)
                np.testing.assert_array_equal(*[np.asarray(copy) for copy in copies])


@pytest.mark.full
@pytest.mark.graph
def test_it_learns_sixteen_images_by_heart():
    """Its images come nearer to the sixteen, each to the nearest, than those of its start."""
    model = stylegan3(penalty_weight=0.01, ema_half_life=0.5, synthesis={"channel_max": 6, "num_layers": 4})
    before = nearest(model)
    harness.many_steps(model, IMAGES, 600)
    assert nearest(model) < before / 2


def nearest(model):
    """The mean over generated images of the squared distance to the nearest of the sixteen."""
    made, real = (images.reshape(-1, 256) for images in (model.generate(64, seed=3), IMAGES))
    return np.min(((made[:, None] - real[None]) ** 2).sum(axis=-1), axis=1).mean()


@pytest.mark.parametrize("options", [{"blur": -1.0}, {"blur_kimg": 0.0}, {"penalty_weight": -1.0}, {"mixing": 2.0}])
def test_arguments_are_checked(options):
    with pytest.raises(InputError):
        stylegan3(**options)
