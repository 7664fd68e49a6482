"""Precision policies, two replicas and resumed runs: every combination for one model of each base class."""

from contextlib import nullcontext

import keras
import numpy as np
import pytest

from tests import harness
from tests.cases import CASES
from tests.harness import long
from tests.test_every_model import (
    every_base,
    low_precision_stays_inside_the_networks,
    of,
    of_bases,
    saved_loaded_and_gone_on,
    training_stays_finite_and_moves_every_weight,
)

# Whose steps know of replicas, or stand for others: one trained by gradients a kind of data.
REPLICATED = ("histogram", "ngram", "mixture", "autoencoder", "lstm")


# ---- precision -------------------------------------------------------------------------------------------------------


@every_base
@pytest.mark.full
def test_training_in_bfloat16_stays_finite_and_moves_every_weight(case):
    training_stays_finite_and_moves_every_weight(case, "mixed_bfloat16")


@every_base
@pytest.mark.full
def test_float16_stays_inside_the_networks(case, monkeypatch):
    low_precision_stays_inside_the_networks(case, "mixed_float16", monkeypatch)


@every_base
@pytest.mark.full
@pytest.mark.parametrize("policy", harness.POLICIES[1:])
def test_saved_and_loaded_under_every_policy(case, policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    saved_loaded_and_gone_on(case, tmp_path)


# ---- resumed runs and replicas ---------------------------------------------------------------------------------------


@pytest.mark.eager
@of_bases("vae")
@pytest.mark.parametrize(("policy", "replicas"), [("float32", 1), *(long(policy, 2) for policy in harness.POLICIES)])
def test_stop_and_resume_equals_never_stopped(case, policy, replicas, two_replicas, tmp_path):
    """What was saved after the first epoch, as a run does, goes on in a model that is built afresh."""
    keras.config.set_dtype_policy(policy)
    with two_replicas.scope() if replicas == 2 else nullcontext():
        never_stopped, resumed = (harness.build(case) for _ in range(2))
    saving = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")
    whole = harness.train(case, never_stopped, epochs=2, callbacks=[saving])
    resumed.load_weights(tmp_path / "1.keras")
    second = harness.train(case, resumed, epochs=2, initial_epoch=1)
    harness.assert_finite(whole)
    harness.assert_same(harness.weights(never_stopped), harness.weights(resumed))
    if replicas == 2:
        assert_alike_on_both(two_replicas, resumed)
    assert {name: values[1:] for name, values in whole.items()} == second


@of([case for case in CASES if case.name == "vae"])
def test_two_replicas_train(case, two_replicas):
    """A model that draws noise; the long tests stop and resume one of each base on two replicas."""
    with two_replicas.scope():
        model = harness.build(case)
    harness.assert_finite(harness.train(case, model, epochs=2))
    assert_alike_on_both(two_replicas, model)


def assert_alike_on_both(two_replicas, model):
    """Both replicas hold the same weights."""
    for weight in model.trainable_weights:
        copies = two_replicas.experimental_local_results(weight.value)
        assert len(copies) == 2
        np.testing.assert_array_equal(*[np.asarray(copy) for copy in copies])


@of([case for case in CASES if not case.draws_noise], lambda case: case.name not in REPLICATED)
def test_two_replicas_equal_one_device(case, two_replicas):
    """Where no noise is drawn: gradients and losses are averages over the whole batch, however it was split."""
    with two_replicas.scope():
        on_two = harness.build(case)
    on_one = harness.build(case)
    for model in (on_one, on_two):
        model.compile(*[keras.optimizers.SGD(0.1) for _ in model.optimizers])
    histories = [harness.train(case, model, epochs=2) for model in (on_one, on_two)]
    for name in histories[0]:
        np.testing.assert_allclose(histories[0][name], histories[1][name], rtol=1e-5)
    for one, two in zip(on_one.trainable_weights, on_two.trainable_weights):
        np.testing.assert_allclose(np.asarray(one), np.asarray(two), atol=1e-5)
