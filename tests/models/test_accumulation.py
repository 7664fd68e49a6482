"""Gradient accumulation: a large batch learnt from in parts is the large batch."""

import itertools

import keras
import numpy as np
import pytest

from gdl_keras import data
from gdl_keras.errors import InputError
from gdl_keras.models.accumulation import set_accumulation_steps
from tests import cases


@pytest.fixture(autouse=True)
def one_batch_a_step_again():
    yield
    set_accumulation_steps(1)


def trained(build, examples, parts):
    """Two epochs of batches of 16, in so many parts."""
    keras.utils.set_random_seed(0)
    set_accumulation_steps(parts)
    model = build()
    x, y = examples if isinstance(examples, tuple) else (examples, None)
    model.fit(x, y, batch_size=16 // parts, epochs=2, shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
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
    set_accumulation_steps(3)
    model = cases.gan(ema_decay=0.9)
    images = cases.images(8)
    states = [[np.asarray(w) for w in model.averaged_generator.weights + model.discriminator.weights]]
    for _ in range(4):
        model.train_step(images)
        states.append([np.asarray(w) for w in model.averaged_generator.weights + model.discriminator.weights])
    moved = [any(not np.array_equal(*pair) for pair in zip(*two)) for two in itertools.pairwise(states)]
    assert moved == [False, False, True, False]
    assert float(model.averaged_steps) == 4


def test_a_data_set_counts_steps_of_the_optimizer():
    set_accumulation_steps(2)
    model = cases.autoencoder()
    images = data.load("fashion_mini", "train", image_size=8, batch_size=4, seed=1)
    model.fit(images, epochs=1, steps_per_epoch=3, verbose=0)
    assert int(model.optimizer.iterations) == 3


def test_it_survives_saving(tmp_path):
    set_accumulation_steps(2)
    cases.cgan().save(tmp_path / "model.keras")
    set_accumulation_steps(1)
    assert keras.saving.load_model(tmp_path / "model.keras").accumulation_steps == 2


def test_less_than_one_is_refused():
    with pytest.raises(InputError, match="at least 1"):
        set_accumulation_steps(0)
