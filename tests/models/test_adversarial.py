"""What holds for every model of the GAN family: who moves when, the average, latent points, labels."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.models import GAN
from gdl_keras.models.gan import build_discriminator, build_generator
from tests import cases, harness
from tests.test_every_model import of

pytestmark = pytest.mark.eager
# A VQGAN has a codec in the place of a generator: what holds for it is in quantised/test_vqgan.py.
FAMILY = [case for case in cases.CASES if "gan" in case.name and not case.name.startswith("vqgan")]
every_gan = pytest.mark.parametrize("case", FAMILY, ids=str)
every_family = of(FAMILY)  # with the long tests, its variants


def values(network):
    """Copies of all weights, those that no gradient moves included."""
    return [np.array(w) for w in network.weights]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second))


def recorded_step(case):
    """One eager training step; [(optimizer's name, judge before, generator before, judge after, generator after)]."""
    model = harness.build(case)
    judge = getattr(model, model.judge_name)
    updates = []
    minimize = model.minimize

    def recording(tape, loss, optimizer, variables):
        before = values(judge), values(model.generator)
        minimize(tape, loss, optimizer, variables)
        name = "generator" if optimizer is model.generator_optimizer else model.judge_name
        updates.append((name, *before, values(judge), values(model.generator)))

    model.minimize = recording
    start = values(judge), values(model.generator)
    data = case.data()
    model.train_step(tuple(map(tf.constant, data)) if isinstance(data, tuple) else tf.constant(data))
    return model, start, updates, (values(judge), values(model.generator))


@every_gan
def test_no_network_is_moved_by_the_others_step(case):
    """Weights and statistics alike.  A step reaches from the end of the one before to the update that it ends with."""
    model, start, updates, end = recorded_step(case)
    assert [name for name, *_ in updates] == [model.judge_name] * getattr(model, "critic_steps", 1) + ["generator"]
    for name, _, generator_before, _, generator_after in updates[:-1]:
        assert same(generator_before, generator_after), name
        # Where the two do not share a forward pass, the judge's steps leave the generator's statistics alone too.
        assert model.judge_name == "discriminator" or same(start[1], generator_before)
    _, judge_before, generator_before, judge_after, generator_after = updates[-1]
    # The judge after its own last step, before and after the generator's, and at the end.
    assert same(updates[-2][3], judge_before)
    assert same(judge_before, judge_after)
    assert same(judge_after, end[0])
    assert not same(start[0], end[0])
    assert not same(generator_before, generator_after)
    # Up to the generator's own update its trainable weights are as at the start.
    trainable = [w.trainable for w in model.generator.weights]
    kept = [(a, b) for a, b, moves in zip(start[1], generator_before, trainable) if moves]
    assert same(*zip(*kept))


@pytest.mark.parametrize("case", [c for c in FAMILY if c.name in ("dcgan", "wgan_gp")], ids=str)
def test_generators_statistics_follow_one_batch_a_step(case):
    model, start, _, end = recorded_step(case)
    names = [w.path for w in model.generator.weights]
    moved = [abs(b - a).max() for name, a, b in zip(names, start[1], end[1]) if "moving_variance" in name]
    # From 1, one update with momentum 0.9 goes no further down than 0.9; a second one would reach 0.81.
    lowest = min(b.min() for name, b in zip(names, end[1]) if "moving_variance" in name)
    assert min(moved) > 0
    assert 0.9 <= lowest < 0.95


@pytest.mark.graph
@every_family
def test_evaluation_moves_nothing(case):
    model = harness.build(case)
    before = [np.array(w) for w in model.weights], np.array(model.seed_generator.state)
    history = model.evaluate(harness.dataset(case), steps=2, verbose=0, return_dict=True)
    harness.assert_finite({name: [value] for name, value in history.items()})
    assert {"generator_loss"} < set(history)
    assert same(before[0], model.weights)
    np.testing.assert_array_equal(before[1], model.seed_generator.state)


@of(FAMILY, lambda case: case.name != "gan")
def test_evaluation_in_between_changes_nothing_in_training(case):
    plain, evaluated = harness.build(case), harness.build(case)
    evaluated.evaluate(harness.dataset(case), steps=1, verbose=0)
    assert harness.train(case, plain, 1) == harness.train(case, evaluated, 1)


def test_average_follows_its_formula():
    model = cases.gan(ema_decay=0.9)
    average = values(model.generator)
    rng = np.random.default_rng(0)
    for t in range(1, 201):
        for weight in model.generator.weights:
            weight.assign(rng.normal(size=weight.shape))
        model.generator_optimizer.iterations.assign(t)
        model.move_average(model.generator_optimizer)
        decay = min(0.9, (1 + t) / (10 + t))
        average = [decay * a + (1 - decay) * w for a, w in zip(average, values(model.generator))]
    for expected, actual in zip(average, values(model.averaged_generator)):
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


def test_average_forgets_its_beginning_at_once():
    """With a decay of 0.999 and no ramp, 98 % of it would still be there after 20 steps."""
    model = cases.gan(ema_decay=0.999)
    for weight in model.averaged_generator.weights:
        weight.assign(weight + 1)
    for t in range(1, 21):
        model.generator_optimizer.iterations.assign(t)
        model.move_average(model.generator_optimizer)
    for average, weight in zip(values(model.averaged_generator), values(model.generator)):
        assert abs(average - weight).max() < 1e-3


@pytest.mark.graph
def test_images_are_those_of_the_average():
    model = cases.gan(ema_decay=0.9)
    latents = model.sample_latents(2, seed=0)
    np.testing.assert_allclose(model.generate(latents=latents), model.averaged_generator(latents), atol=1e-6)
    for weight in model.generator.weights:
        weight.assign(weight + 1)
    np.testing.assert_allclose(model.generate(latents=latents), model.averaged_generator(latents), atol=1e-6)
    assert not np.allclose(model.generate(latents=latents), model.generator(latents), atol=1e-2)


@pytest.mark.graph
def test_a_new_optimizer_does_not_make_the_average_forget():
    model = cases.gan(ema_decay=0.9)
    harness.many_steps(model, cases.images(), 100)
    cases.with_optimizers(model)
    before = [np.asarray(weight) for weight in model.averaged_generator.weights]
    harness.many_steps(model, cases.images(), 1)
    for average, old, weight in zip(model.averaged_generator.weights, before, model.generator.weights):
        np.testing.assert_allclose(average, 0.9 * old + 0.1 * np.asarray(weight), atol=1e-6)


def test_latent_points_have_the_distribution_asked_for():
    def moments(kind):
        model = GAN(build_generator((8, 8, 1), 40), build_discriminator((8, 8, 1)), latents=kind, seed=0)
        for points in (model.latents_like(tf.zeros((1000, 8, 8, 1))), model.sample_latents(1000, seed=1)):
            points = np.asarray(points)
            assert points.shape == (1000, 40)
            yield points.mean(), points.var(), np.abs(points).max()

    for mean, variance, largest in moments("normal"):
        assert abs(mean) < 0.02
        assert variance == pytest.approx(1, abs=0.03)
        assert largest > 3
    for mean, variance, largest in moments("uniform"):
        assert abs(mean) < 0.02
        assert variance == pytest.approx(1 / 3, abs=0.01)
        assert largest <= 1


@pytest.mark.graph
def test_replicas_draw_different_latent_points(two_replicas):
    with two_replicas.scope():
        model = cases.gan()
    result = two_replicas.run(tf.function(lambda: model.latents_like(tf.zeros((4, 8, 8, 1)))))
    first, second = (np.asarray(points) for points in two_replicas.experimental_local_results(result))
    assert not np.isclose(first, second).any()


@pytest.mark.graph
def test_a_step_that_overflows_on_one_replica_is_skipped_on_both(two_replicas):
    keras.config.set_dtype_policy("mixed_float16")
    with two_replicas.scope():
        model = cases.gan()
    variables = model.generator.trainable_variables
    before = values(model.generator)
    scale = float(np.array(model.generator_optimizer.dynamic_scale))

    @tf.function
    def step(first_factor, second_factor):
        first = tf.distribute.get_replica_context().replica_id_in_sync_group == 0
        factor = tf.where(first, first_factor, second_factor)
        with tf.GradientTape() as tape:
            loss = factor * tf.add_n([tf.reduce_sum(v) for v in variables])
        model.minimize(tape, loss, model.generator_optimizer, variables)

    two_replicas.run(step, args=(tf.constant(1.0), tf.constant(np.inf)))
    assert same(before, values(model.generator))
    assert float(np.array(model.generator_optimizer.dynamic_scale)) == scale / 2
    two_replicas.run(step, args=(tf.constant(1.0), tf.constant(1.0)))
    assert all(np.isfinite(w).all() for w in values(model.generator))
    assert not same(before, values(model.generator))


@pytest.mark.parametrize("options", [{"latents": "cauchy"}, {"ema_decay": 1.0}, {"label_noise": "loud"}, {"noise": 2}])
def test_arguments_are_checked(options):
    with pytest.raises(InputError):
        cases.gan(**options)


def test_optimizers_are_the_ones_given_and_come_back(tmp_path):
    model = cases.wgan_gp()
    model.compile(critic_optimizer=keras.optimizers.SGD(0.25), generator_optimizer="adam", steps_per_execution=2)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.critic_optimizer, keras.optimizers.SGD)
    assert float(loaded.critic_optimizer.learning_rate) == 0.25
    assert isinstance(loaded.generator_optimizer, keras.optimizers.Adam)
    assert loaded.steps_per_execution == 2
