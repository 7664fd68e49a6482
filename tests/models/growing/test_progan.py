"""ProGAN while it grows: nothing is lost, whenever it is stopped, and the step is traced once a phase."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.distance import cdist

from gdl_keras import data
from gdl_keras.errors import InputError
from gdl_keras.models import ProGAN
from gdl_keras.models.growing.networks import build_discriminator, build_generator
from gdl_keras.models.growing.schedule import Phase
from gdl_keras.models.parts import blocks, xla
from tests import cases, harness
from tests.growing_cases import Always, MeanOfPixels, progan, random_images

# Epochs of 16 images: 4x4, two of fading, 8x8.
GROWING = {"stable_kimg": 0.016, "transition_kimg": 0.032}
PHASES = [Phase(0), Phase(1, True), Phase(1, True), Phase(1)]


def fit(model, epochs, **options):
    images = random_images(16, model.generator.output_shape[1])
    options = {"batch_size": 16, **options}
    return model.fit(images, epochs=epochs, verbose=0, shuffle=False, **options).history


def after(model, images):
    """The model in the phase that it is in after so many images."""
    model.images_seen.assign(images)
    model.keep_up()
    return model


@pytest.mark.eager
def test_history_tells_what_was_learnt_when():
    model, phases = progan(**GROWING), []
    look = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: phases.append(model.phase))
    history = fit(model, 4, callbacks=look)
    assert phases == PHASES and model.phase == Phase(1)
    np.testing.assert_allclose(history["kimg"], np.arange(1, 5) * 0.016)
    assert history["resolution"] == [4, 8, 8, 8]
    # A step fades by the images that were seen before it.
    np.testing.assert_allclose(history["fade"], [1, 0, 0.5, 1])
    harness.assert_finite(history)


def test_the_step_is_traced_once_a_phase(monkeypatch):
    traced = []
    step = ProGAN.train_step
    monkeypatch.setattr(ProGAN, "train_step", lambda self, data: traced.append(self.phase) or step(self, data))
    fit(progan(**GROWING), 5)
    assert traced == [Phase(0), Phase(1, True), Phase(1)]


@pytest.mark.eager
def test_stopped_in_any_phase_it_goes_on_as_if_never_stopped(tmp_path):
    """At the beginning of a fade, in its middle, at its end."""
    never_stopped = progan(**GROWING)
    saving = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")
    whole = fit(never_stopped, 4, callbacks=saving)
    for epochs in (1, 2, 3):
        loaded = keras.saving.load_model(tmp_path / f"{epochs}.keras")
        assert loaded.phase == PHASES[epochs]
        rest = fit(loaded, 4, initial_epoch=epochs)
        assert {name: values[epochs:] for name, values in whole.items()} == rest
        harness.assert_same(harness.weights(never_stopped), harness.weights(loaded))


@pytest.mark.eager
def test_growing_keeps_every_weight_and_every_slot():
    model, kept = progan(**GROWING), {}

    def remember(batch, logs):
        kept[model.phase] = [np.array(value) for value in harness.weights(model)]

    # The callback of the model's own comes after it: here the phase is that of the step which has just been taken.
    old = model._staged[0].trainable_variables
    fit(model, 1, callbacks=keras.callbacks.LambdaCallback(on_train_batch_end=remember))
    assert model.phase == Phase(1, True)
    harness.assert_same(kept[Phase(0)], harness.weights(model))
    assert all(np.any(slot_of(model, weight)) for weight in old)
    # The first step fades by nothing: what is new has no slope, and what is old moves as ever.
    new = [weight for weight in model._staged[0].trainable_variables if all(weight is not one for one in old)]
    before = [np.array(weight) for weight in old + new]
    model.train_on_batch(random_images(8))
    moved = [not np.array_equal(one, weight) for one, weight in zip(before, old + new)]
    assert moved == [True] * len(old) + [False] * len(new)
    model.train_on_batch(random_images(8))
    assert all(np.any(slot_of(model, weight)) for weight in new)


def slot_of(model, weight):
    """What Adam keeps of the squares of a weight's gradients."""
    optimizer = model.generator_optimizer
    return np.asarray(optimizer._velocities[optimizer._get_variable_index(weight)])


@pytest.mark.eager
def test_optimizers_forget_if_they_are_to():
    model = progan(**GROWING, reset_optimizers=True)
    fit(model, 1)
    assert model.phase == Phase(1, True)
    for optimizer in model.optimizers.values():
        assert float(optimizer.learning_rate) == pytest.approx(2e-3)
        others = [v for v in optimizer.variables if v is not optimizer._learning_rate]
        assert len(others) > 10 and not any(np.any(np.asarray(variable)) for variable in others)
    keeping = progan(**GROWING)
    fit(keeping, 1)
    assert int(keeping.generator_optimizer.iterations) == 1


@pytest.mark.eager
def test_real_images_fade_along():
    model, images = progan(16, **GROWING), random_images(4, 16)
    squares = [images.reshape(4, s, 16 // s, s, 16 // s, 1).mean(axis=(2, 4)) for s in (4, 8)]
    np.testing.assert_allclose(model.as_learnt(images), squares[0], rtol=1e-5)
    model.images_seen.assign(24)
    assert model.keep_up() and not model.keep_up()
    assert float(model.fade) == 0.25
    faded = 0.75 * squares[0].repeat(2, axis=1).repeat(2, axis=2) + 0.25 * squares[1]
    np.testing.assert_allclose(model.as_learnt(images), faded, rtol=1e-5)
    np.testing.assert_array_equal(after(model, 10**6).as_learnt(images), images)


@pytest.mark.eager
def test_generated_images_are_of_full_size_at_any_time():
    model = progan(16, **GROWING)
    latents = model.sample_latents(3, seed=1)
    for images_seen, times in ((0, 4), (30, 2), (60, 2), (10**6, 1)):
        images = after(model, images_seen).generate(latents=latents)
        assert images.shape == (3, 16, 16, 1) and images.min() >= 0 and images.max() <= 1
        squares = images[:, ::times, ::times].repeat(times, axis=1).repeat(times, axis=2)
        np.testing.assert_array_equal(images, squares)
    for weight in model.generator.weights:
        weight.assign(weight + 1)
    np.testing.assert_array_equal(model.generate(latents=latents), images)
    np.testing.assert_allclose(images, model.averaged_generator(latents), atol=1e-6)


@pytest.mark.eager
def test_loss_is_that_of_the_formula():
    """For a discriminator that takes the mean of all pixels, w times: the slope is w a pixel / (number of pixels)."""
    model = progan(stable_kimg=1.0, first_size=8, penalty_weight=7.0, drift_weight=0.5)
    reals, fakes = random_images(4, 8), 1 - random_images(4, 8)
    model._staged = Always(model, fakes), MeanOfPixels(model)
    model.minimize_discriminator = model.minimize_generator = lambda tape, loss: None
    report = model.train_step(tf.constant(reals))
    real_scores, fake_scores = (3 * (2 * images - 1).mean(axis=(1, 2, 3)) for images in (reals, fakes))
    penalty = (3 / 64**0.5 - 1) ** 2
    loss = fake_scores.mean() - real_scores.mean() + 7 * penalty + 0.5 * (real_scores**2).mean()
    assert float(report["gradient_norm"]) == pytest.approx(3 / 8, rel=1e-5)
    assert float(report["discriminator_loss"]) == pytest.approx(loss, rel=1e-4)
    assert float(report["generator_loss"]) == pytest.approx(-fake_scores.mean(), rel=1e-4)


def test_several_steps_a_call_are_late_by_less_than_a_call():
    model = progan(stable_kimg=0.012, transition_kimg=0.012)
    model.compile("adam", "adam", steps_per_execution=2, run_eagerly=True)
    phases = []
    look = keras.callbacks.LambdaCallback(on_train_batch_begin=lambda batch, logs: phases.append(model.phase))
    history = model.fit(random_images(32), batch_size=8, epochs=1, verbose=0, callbacks=look).history
    # Due after 12 and 24 images, and calls end after 16 and 32.
    assert history["resolution"] == [8] and phases == [Phase(0), Phase(1, True)] and model.phase == Phase(1)
    # The fade does not begin anew: its second step, after 24 images, has nothing left to fade.
    assert history["fade"] == [1.0]


@pytest.mark.full
def test_two_replicas_grow_alike(two_replicas):
    with two_replicas.scope():
        model = progan(stable_kimg=0.016, transition_kimg=0.016)
    history = fit(model, 3)
    assert history["resolution"] == [4, 8, 8] and history["fade"] == [1, 0, 1]
    np.testing.assert_allclose(history["kimg"], [0.016, 0.032, 0.048])
    for weight in model.trainable_weights:
        np.testing.assert_array_equal(*map(np.asarray, two_replicas.experimental_local_results(weight.value)))


@pytest.mark.eager
def test_it_grows_in_every_way_that_keras_trains():
    in_a_list = progan(**GROWING)
    keras.utils.set_random_seed(0)  # as at the beginning of each test
    by_batches = progan(**GROWING)
    callbacks = keras.callbacks.CallbackList([], add_history=True, model=in_a_list)
    fit(in_a_list, 2, callbacks=callbacks)
    for _ in range(2):
        by_batches.train_on_batch(random_images(16))
    assert in_a_list.phase == by_batches.phase == Phase(1, True)
    harness.assert_same(harness.weights(in_a_list), harness.weights(by_batches))
    copy = progan(**GROWING)
    copy.set_weights(in_a_list.get_weights())
    assert copy.phase == Phase(1, True)
    np.testing.assert_array_equal(copy.generate(2, seed=0), in_a_list.generate(2, seed=0))


def test_networks_are_checked():
    networks = build_generator((16, 16, 1), None, 4, 32, 4), build_discriminator((8, 8, 1), None, 32, 4)
    with pytest.raises(InputError, match="build both for the same size"):
        ProGAN(*networks)
    with pytest.raises(InputError, match="ProGAN grows networks of build_generator and build_discriminator"):
        ProGAN(cases.wgan_gp().generator, cases.wgan_gp().critic)
    with pytest.raises(InputError, match="first_size is one of 4, 8, 16, not 32"):
        progan(size=16, first_size=32)
    with pytest.raises(InputError, match="penalty_weight is not negative, not -1"):
        progan(penalty_weight=-1.0)


@pytest.mark.full
def test_learns_four_images_by_heart():
    """Every image that it makes is near one of them, and each of them is made."""
    model = progan(
        channel_base=256, channel_max=32, latent_dim=8, stable_kimg=2.0, transition_kimg=2.0, ema_half_life=1.0
    )
    images = cases.images(4)
    batch = images[np.arange(16) % 4]
    before = cdist(model.generate(64, seed=1).reshape(64, -1), images.reshape(4, -1))
    harness.many_steps(model, batch, 1500)
    after = cdist(model.generate(64, seed=1).reshape(64, -1), images.reshape(4, -1))
    print("nearest, root mean square of a pixel:", before.min(axis=1).mean() / 8, after.min(axis=1).mean() / 8)
    print("made:", np.bincount(after.argmin(axis=1), minlength=4))
    assert after.min(axis=1).mean() / 8 < 0.1
    assert np.bincount(after.argmin(axis=1), minlength=4).min() >= 4


@pytest.mark.full
def test_blocks_of_steps_on_a_gpu_grow_between_blocks(monkeypatch):
    """The processor passes for a GPU, XLA compiles, and a block has 2 steps: phases begin where blocks do."""
    monkeypatch.setattr(xla, "is_worth_it", lambda: True)
    monkeypatch.setattr(blocks, "on_gpu", lambda: True)
    monkeypatch.setattr(blocks, "STEPS", 2)
    table = data.from_arrays(images=(255 * random_images(16)).astype("uint8"), batch_size=8, seed=3)
    histories = []
    for largest in (blocks.LARGEST, 0):
        monkeypatch.setattr(blocks, "LARGEST", largest)
        keras.utils.set_random_seed(0)
        histories.append(progan(**GROWING).fit(table, epochs=4, verbose=0).history)
    assert histories[0]["resolution"] == [4, 8, 8, 8]
    for name, values in histories[0].items():
        np.testing.assert_allclose(values, histories[1][name], rtol=1e-3, atol=1e-4)
