"""Gradient accumulation: a large batch learnt from in parts is the large batch."""

from functools import partial

import keras
import numpy as np
import pytest

from gdl_keras import data
from gdl_keras.errors import InputError
from tests import cases
from tests.cases import accumulating


def trained(build, examples, parts):
    """Two epochs of batches of 16, in so many parts."""
    keras.utils.set_random_seed(0)
    model = accumulating(build(), parts)
    x, y = examples if isinstance(examples, tuple) else (examples, None)
    model.fit(x, y, batch_size=16 // parts, epochs=2, shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize("policy", [pytest.param("float32", marks=pytest.mark.eager), "mixed_float16"])
@pytest.mark.parametrize(
    ("build", "examples"),
    [(cases.autoencoder, cases.images), (cases.stacked_autoencoder, cases.images)],
    ids=["autoencoder", "stacked"],
)
def test_parts_equal_the_large_batch(build, examples, policy):
    keras.config.set_dtype_policy(policy)
    whole, parts = (trained(build, examples(32), count) for count in (1, 4))
    # Under float16 each activation is rounded alone, but sums over the batch are taken in another order.
    tolerance = 1e-5 if policy == "float32" else 2e-3
    for one, other in zip(whole.trainable_weights, parts.trainable_weights, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), atol=tolerance)
    assert int(whole.optimizer.iterations) == 4 and parts.accumulation_steps == 4


def test_weights_and_their_average_move_after_the_last_part_alone():
    model = accumulating(cases.gan(ema_decay=0.9), 3)
    watched = model.averaged_generator.weights + model.discriminator.weights
    images = cases.images(8)
    assert [moves(watched, lambda: model.train_step(images)) for _ in range(4)] == [False, False, True, False]
    assert float(model.averaged_steps) == 1


@pytest.mark.parametrize(("parts", "moved"), [(1, [True, False, True, True]), (2, [False, False, True, False])])
def test_a_gradient_that_overflows_float16_is_no_part_of_a_step(parts, moved):
    """The average keeps to the optimizer's own count, so that the two do not run out of step."""
    keras.config.set_dtype_policy("mixed_float16")
    model = accumulating(cases.gan(ema_decay=0.9), parts)
    images = cases.images(8)

    def train(scale):
        model.generator_optimizer.dynamic_scale.assign(scale)
        model.train_step(images)

    scales = [2.0**8, 2.0**127, 2.0**8, 2.0**8]  # the second sends every gradient out of range
    assert [moves(model.averaged_generator.weights, partial(train, scale)) for scale in scales] == moved
    assert float(model.averaged_steps) == int(model.generator_optimizer.iterations) == sum(moved)


def test_a_critic_keeps_its_steps_for_each_of_the_generators():
    """Each optimizer counts its own gradients, so the critic moves in the middle of parts, too."""
    model = accumulating(cases.wgan_gp(), 3)
    moments = {"critic": [], "generator": []}
    minimize = model.minimize

    def recording(tape, loss, optimizer, variables):
        name = "generator" if optimizer is model.generator_optimizer else "critic"
        moments[name].append(moves(variables, lambda: minimize(tape, loss, optimizer, variables)))

    model.minimize = recording
    for _ in range(3):
        model.train_step(cases.images(4))
    assert moments["generator"] == [False, False, True]
    assert moments["critic"] == [False, False, True] * model.critic_steps


def moves(variables, action):
    """Whether `action` changes any of the variables."""
    before = [np.array(v) for v in variables]
    action()
    return any(not np.array_equal(old, new) for old, new in zip(before, variables))


@pytest.mark.eager
def test_a_data_set_counts_steps_of_the_optimizer():
    model = accumulating(cases.autoencoder(), 2)
    images = data.load("fashion_mini", "train", image_size=8, batch_size=4, seed=1)
    model.fit(images, epochs=1, steps_per_epoch=3, verbose=0)
    assert int(model.optimizer.iterations) == 3


def test_it_survives_saving(tmp_path):
    accumulating(cases.cgan(), 2).save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").accumulation_steps == 2


def test_less_than_one_is_refused():
    with pytest.raises(InputError, match="at least 1"):
        accumulating(cases.autoencoder(), 0)
