"""StyleGAN2's game: its losses, its two penalties and when they are taken, and what it learns."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras import losses
from gdl_keras.errors import InputError
from gdl_keras.models.stylegan.stylegan2 import penalty_weight_for
from tests import cases, harness
from tests.stylegan_cases import stylegan2

pytestmark = pytest.mark.eager
IMAGES = cases.images()


def still(model, rate=0.0):
    """The model with optimizers that move the weights by so much of the gradient."""
    model.compile(keras.optimizers.SGD(rate), keras.optimizers.SGD(rate))
    return model


def softplus(x):
    return np.logaddexp(0, np.asarray(x, "float64"))


def drawn(model, images=IMAGES):
    """What the next training step draws for its images: (styles, noise)."""
    state = np.asarray(model.seed_generator.state)
    noise = model.drawn_noise(images)
    _, styles = model.drawn_styles(images, None)
    model.seed_generator.state.assign(state)
    return styles, noise


def test_first_losses_are_those_of_the_formula():
    model = still(stylegan2())
    styles, noise = drawn(model)
    fakes = model.synthesis([styles, noise])
    report = model.train_step(IMAGES)
    real, fake = (np.asarray(model.discriminator(images)) for images in (IMAGES, fakes))
    assert float(report["discriminator_loss"]) == pytest.approx((softplus(-real) + softplus(fake)).mean(), rel=1e-4)
    assert float(report["generator_loss"]) == pytest.approx(softplus(-fake).mean(), rel=1e-4)
    assert float(report["kimg"]) == pytest.approx(0.016)


# ---- R1 --------------------------------------------------------------------------------------------------------------


def test_the_slope_is_that_of_central_differences_per_unit_of_minus_one_to_one():
    """Of one image in a group of its own; the deviation of a group would pass slopes from one image to another."""
    model = stylegan2()
    slope = model.squared_slopes(tf.constant(True), model.discriminator, tf.constant(IMAGES[:1]))
    pixels, step = 64, 2e-3
    steps = step * np.eye(pixels, dtype="float32").reshape(pixels, 8, 8, 1)
    ups, downs = (
        np.concatenate([model.discriminator(IMAGES[:1] + sign * one[None]) for one in steps]) for sign in (1, -1)
    )
    # Half a pixel's value is a unit of [-1, 1].
    assert float(slope[0]) == pytest.approx((((ups - downs) / (2 * step) / 2) ** 2).sum(), rel=2e-2)


def test_the_penalty_of_a_linear_discriminator_is_its_squared_length_and_its_gradient_the_weights():
    weights = tf.Variable(np.random.default_rng(0).normal(size=(64, 1)).astype("float32"))

    def scores(images):
        return tf.reshape(2 * images - 1, (-1, 64)) @ weights

    with tf.GradientTape() as tape:
        slopes = losses.squared_slope(scores, tf.constant(IMAGES))
        penalty = tf.reduce_mean(slopes) / 2
    np.testing.assert_allclose(slopes, np.sum(np.asarray(weights) ** 2), rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(penalty, weights), weights, rtol=1e-4)


def moved(model, network, steps):
    """What so many steps of gradient descent with rate 1 add to a network's weights, all from the same weights."""
    total = [np.zeros(weight.shape) for weight in network.trainable_variables]
    start, state = network.get_weights(), np.asarray(model.seed_generator.state)
    for _ in range(steps):
        model.seed_generator.state.assign(state)
        model.mean_path.assign(1.0)
        model.train_step(IMAGES)
        for sums, weight, old in zip(total, network.trainable_variables, _trainable(network, start)):
            sums += np.asarray(weight) - old
        network.set_weights(start)
    return [sums / steps for sums in total]


def _trainable(network, values):
    return [value for value, weight in zip(values, network.weights) if weight.trainable]


@pytest.mark.parametrize("penalty", ["penalty", "path"])
def test_what_is_due_now_and_then_is_on_average_what_is_due_always(penalty):
    """Seen in what the steps do to the weights; without the penalty they do something else."""
    network, means = "discriminator" if penalty == "penalty" else "generator", []
    other = {"path_weight": 0.0} if penalty == "penalty" else {"penalty_weight": 0.0}
    for options in ({f"{penalty}_interval": 1}, {f"{penalty}_interval": 4}, {f"{penalty}_weight": 0.0}):
        keras.utils.set_random_seed(0)
        model = stylegan2(mixing=0.0, path_decay=1e-9, **other, **options)
        rates = {"discriminator": 0.0, "generator": 0.0, network: 1e-2}
        model.compile(*[keras.optimizers.SGD(rates[name]) for name in model.trained_networks])
        means.append(moved(model, getattr(model, network), 4 if options.get(f"{penalty}_interval") == 4 else 1))
    always, lazily, never = means
    for one, other, weight in zip(always, lazily, getattr(model, network).trainable_variables, strict=True):
        # A weight of a hundred, as those of the mapping network, moves by multiples of its rounding.
        rounding = np.spacing(np.abs(weight).max())
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-6 + rounding)
    assert max(abs(one - other).max() for one, other in zip(always, never)) > 1e-4


def test_penalties_come_in_one_of_so_many_steps_and_only_those_are_reported():
    model = still(stylegan2(penalty_interval=4, path_interval=2))
    due = []
    for _ in range(5):
        now = [model.due(1.0, interval) for interval in (4, 2)]
        due.append([(bool(is_due), float(weight)) for is_due, weight in now])
        report = model.train_step(IMAGES)
    assert [first for first, _ in due] == [(n % 4 == 0, 4.0 * (n % 4 == 0)) for n in range(5)]
    assert [second for _, second in due] == [(n % 2 == 0, 2.0 * (n % 2 == 0)) for n in range(5)]
    slopes = model.squared_slopes(tf.constant(True), model.discriminator, tf.constant(IMAGES))
    # With nothing in between moved, the mean of those that were taken is each of them.
    assert float(report["squared_slope"]) == pytest.approx(float(tf.reduce_mean(slopes)), rel=1e-4)
    assert float(report["path_length"]) > 0


# ---- path lengths ----------------------------------------------------------------------------------------------------


def test_a_path_length_is_the_jacobians_by_central_differences():
    model = stylegan2()
    styles, noise = drawn(model, IMAGES[:1])
    direction = np.random.default_rng(0).normal(size=(1, 8, 8, 1)).astype("float32")
    length = losses.path_length(lambda given: model.synthesis([given, noise]), styles, tf.constant(direction))
    steps = 1e-2 * np.eye(20, dtype="float32").reshape(20, 1, 4, 5)
    images = [[2 * np.asarray(model.synthesis([styles + s * one, noise])) for one in steps] for s in (1, -1)]
    pulled = ((np.stack(images[0]) - np.stack(images[1])) / 2e-2 * direction).sum(axis=(1, 2, 3, 4)).reshape(4, 5)
    wanted = np.sqrt((pulled**2).sum(axis=1).mean() / 64)
    assert float(length[0]) == pytest.approx(wanted, rel=2e-2)


def test_where_images_move_alike_in_all_directions_lengths_are_those_of_the_directions_and_the_penalty_can_be_0():
    """G(w) = A w / 2 + 1/2 with A^T A = 1, and y in the span of A."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(64, 5)))[0].astype("float32")

    def synthesis(styles):
        return tf.reshape(styles[:, 0] @ basis.T, (-1, 8, 8, 1)) / 2 + 0.5

    inside = rng.normal(size=(6, 5)).astype("float32")
    inside *= 3 / np.linalg.norm(inside, axis=1, keepdims=True)
    direction = tf.reshape(inside @ basis.T, (6, 8, 8, 1))
    lengths = losses.path_length(synthesis, tf.constant(rng.normal(size=(6, 1, 5)).astype("float32")), direction)
    np.testing.assert_allclose(lengths, 3 / 8, rtol=1e-4)


def test_second_order_gradients_of_a_path_length_are_finite_differences():
    model = stylegan2()
    styles, noise = drawn(model, IMAGES[:2])
    direction = tf.random.stateless_normal((2, 8, 8, 1), [1, 2])
    weights = [w for w in model.synthesis.trainable_weights if w.path.endswith("kernel")]
    rng = np.random.default_rng(0)
    start = [np.asarray(weight) for weight in weights]
    way = [rng.normal(size=weight.shape).astype("float32") for weight in weights]

    def penalty():
        lengths = losses.path_length(lambda given: model.synthesis([given, noise]), styles, direction)
        return tf.reduce_mean((lengths - 0.1) ** 2)

    with tf.GradientTape() as tape:
        value = penalty()
    gradients = tape.gradient(value, [weight.value for weight in weights])
    slope = sum(float(np.sum(np.asarray(g) * w)) for g, w in zip(gradients, way) if g is not None)
    # Short, so that no rectifier on the way turns on or off.
    values, step = [], 1e-4
    for sign in (1, -1):
        for weight, old, one in zip(weights, start, way):
            weight.assign(old + sign * step * one)
        values.append(float(penalty()))
    assert (values[0] - values[1]) / (2 * step) == pytest.approx(slope, rel=3e-2)


def test_the_mean_length_follows_its_closed_form_when_it_is_due():
    model = stylegan2(path_decay=0.1)
    lengths = tf.constant([1.0, 3.0])
    for steps in range(1, 11):
        model.mean_path.assign(model.followed_path(tf.constant(True), lengths))
        model.mean_path.assign(model.followed_path(tf.constant(False), 100 * lengths))
        assert float(model.mean_path) == pytest.approx(2 * (1 - 0.9**steps), rel=1e-5)


def test_the_paths_batch_is_smaller_and_its_random_numbers_are_drawn_whether_it_is_due_or_not():
    model, states = stylegan2(path_shrink=4), []
    for is_due in (True, False):
        model.seed_generator.state.assign([1, 1])
        assert model.path_lengths(tf.constant(is_due), IMAGES, None).shape == (4,)
        states.append(np.asarray(model.seed_generator.state))
    np.testing.assert_array_equal(*states)


# ---- as a whole ------------------------------------------------------------------------------------------------------


def test_a_run_that_is_stopped_between_two_penalties_goes_on_as_if_it_had_not_been(tmp_path):
    """Steps, the mean length, the average style and the clock are in the file."""
    case = cases.ModelCase("", lambda: stylegan2(penalty_interval=3, path_interval=2), cases.images)
    never_stopped, resumed = (harness.build(case) for _ in range(2))
    saving = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")
    whole = harness.train(case, never_stopped, epochs=3, callbacks=[saving])
    resumed.load_weights(tmp_path / "1.keras")
    assert int(resumed.steps_taken) == 2 and float(resumed.mean_path) > 0
    rest = harness.train(case, resumed, epochs=3, initial_epoch=1)
    assert {name: values[1:] for name, values in whole.items()} == rest
    harness.assert_same(harness.weights(never_stopped), harness.weights(resumed))
    np.testing.assert_allclose(whole["kimg"], [0.016, 0.032, 0.048], rtol=1e-6)


@pytest.mark.full
@pytest.mark.graph
def test_two_replicas_train_and_hold_the_same(two_replicas):
    case = cases.ModelCase("", lambda: stylegan2(penalty_interval=2, path_interval=2), cases.images)
    with two_replicas.scope():
        model = harness.build(case)
    harness.assert_finite(harness.train(case, model, epochs=2))
    for weight in [*model.trainable_weights, model.mean_style, model.mean_path, model.images_seen]:
        copies = two_replicas.experimental_local_results(weight.value)
        np.testing.assert_array_equal(*[np.asarray(copy) for copy in copies])
    assert model.kimg == 32 / 1000


@pytest.mark.full
@pytest.mark.graph
def test_xla_compiles_a_step_that_does_what_it_does_without():
    """But for the random numbers, which XLA draws otherwise: here they are given, all but the path's direction."""
    rng = np.random.default_rng(0)
    latents, noise = (rng.normal(size=(16, size)).astype("float32") for size in (6, 144))
    reports = []
    for jit_compile in (False, True):
        keras.utils.set_random_seed(0)
        model = still(stylegan2(mixing=0.0))
        model.latents_like = lambda images: tf.constant(latents)[: tf.shape(images)[0]]
        model.drawn_noise = lambda images: tf.constant(noise)[: tf.shape(images)[0]]
        step = tf.function(model.train_step, jit_compile=jit_compile)
        reports.append({name: float(value) for name, value in step(tf.constant(IMAGES)).items()})
    lengths = [report.pop("path_length") for report in reports]
    assert reports[1] == pytest.approx(reports[0], rel=1e-3)
    assert lengths[1] == pytest.approx(lengths[0], rel=0.5) and lengths[0] > 0


@pytest.mark.full
@pytest.mark.graph
def test_it_learns_sixteen_images_by_heart():
    """Its images come nearer to the sixteen, each to the nearest, than those of its start."""
    model = stylegan2(penalty_weight=0.01, path_weight=0.0, ema_half_life=0.5)
    before = nearest(model)
    harness.many_steps(model, cases.images(), 800)
    assert nearest(model) < before / 2


def nearest(model):
    """The mean over generated images of the squared distance to the nearest of the sixteen."""
    made, real = (images.reshape(-1, 64) for images in (model.generate(64, seed=3), cases.images()))
    return np.min(((made[:, None] - real[None]) ** 2).sum(axis=-1), axis=1).mean()


def test_the_penaltys_weight_grows_with_the_images_area():
    assert penalty_weight_for(256, 64) == pytest.approx(0.2048)
    assert penalty_weight_for(512, 64) == pytest.approx(4 * penalty_weight_for(256, 64))


@pytest.mark.parametrize(
    "options",
    [{"mixing": 1.5}, {"penalty_weight": -1.0}, {"path_interval": 0}, {"path_decay": 0.0}, {"ema_decay": 0.9}],
)
def test_arguments_are_checked(options):
    with pytest.raises(InputError):
        stylegan2(**options)
