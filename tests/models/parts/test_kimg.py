"""The clock of images, and the average that goes by it, against closed forms."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.models import GAN
from gdl_keras.models.gan import build_discriminator, build_generator
from gdl_keras.models.parts.kimg import KimgClock, Latest
from tests import cases, harness

SHAPE = (8, 8, 1)


@keras.saving.register_keras_serializable(package="tests")
class ClockedGAN(KimgClock, GAN):
    """A `GAN` that knows how many images it has seen."""

    metric_names = ("kimg", *GAN.metric_names)

    def build_metrics(self):
        return {**super().build_metrics(), "kimg": Latest(name="kimg")}

    def train_step(self, data):
        self.count_images(self.images_and_labels(data)[0])
        return {**super().train_step(data), **self.report(kimg=self.kimg)}


def clocked(**options):
    discriminator = build_discriminator(SHAPE, (8,))
    model = ClockedGAN(build_generator(SHAPE, 4, (8,)), discriminator=discriminator, seed=1, **options)
    return cases.with_optimizers(model)


def averaged_steps(model, steps, batch, moves=lambda step: True):
    """The average's first weight after steps with a generator whose weights are all 1, from an average of zeros."""
    for variable in model.averaged_generator.weights:
        variable.assign(tf.zeros_like(variable))
    for variable in model.generator.weights:
        variable.assign(tf.ones_like(variable))
    optimizer = SimpleNamespace(iterations=0)
    for step in range(steps):
        model.count_images(np.zeros((batch, *SHAPE)))
        optimizer.iterations += moves(step)
        model.move_average(optimizer)
    return float(np.asarray(model.averaged_generator.weights[0]).ravel()[0])


@pytest.mark.parametrize("batch", [8, 40])
def test_after_the_half_life_half_is_left(batch):
    model = clocked(ema_half_life=0.4, ema_ramp=None)
    assert averaged_steps(model, 400 // batch, batch) == pytest.approx(0.5, rel=1e-5)


def test_the_ramp_is_a_share_of_the_images_so_far():
    model = clocked(ema_half_life=0.02, ema_ramp=0.5)
    left = 1.0
    for step in range(1, 9):
        left *= 0.5 ** (8 / min(20, 0.5 * 8 * step))
    assert averaged_steps(model, 8, 8) == pytest.approx(1 - left, rel=1e-5)


def test_images_of_steps_that_moved_nothing_count_with_the_next_that_did():
    model = clocked(ema_half_life=0.4, ema_ramp=None)
    assert averaged_steps(model, 40, 10, moves=lambda step: step % 4 == 3) == pytest.approx(0.5, rel=1e-5)


def test_history_has_the_clock_and_it_goes_on_after_loading(tmp_path):
    case = SimpleNamespace(data=cases.images)
    model = clocked()
    history = harness.train(case, model, 2)
    np.testing.assert_allclose(history["kimg"], [0.016, 0.032])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.kimg == 0.032
    np.testing.assert_allclose(harness.train(case, loaded, 1)["kimg"], [0.048])


def test_the_clock_counts_the_images_of_all_replicas(two_replicas):
    with two_replicas.scope():
        model = clocked()
    history = harness.train(SimpleNamespace(data=cases.images), model, 1)
    assert model.kimg == 0.016
    np.testing.assert_allclose(history["kimg"], [0.016])


def test_there_may_be_no_average():
    assert clocked(ema_half_life=None).averaged_network.name == "generator"


def test_one_kind_of_average_is_enough():
    with pytest.raises(InputError, match="averages by images: give it ema_half_life, not ema_decay"):
        clocked(ema_decay=0.9)
    with pytest.raises(InputError, match="ema_half_life is None or larger than 0, not 0"):
        clocked(ema_half_life=0)
