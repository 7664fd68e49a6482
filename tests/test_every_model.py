"""Each model of the project goes through the same checks.  The core runs them once; `--full` under every policy."""

from contextlib import nullcontext

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from gdl_keras.errors import InputError
from gdl_keras.kinds import kind_of
from gdl_keras.models.generative import LatentModel
from tests import harness
from tests.cases import CASES

every_model = pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.full) if case.variant else case for case in CASES], ids=str
)


def policies(in_core):
    """All precision policies, those outside the core marked as long."""
    return pytest.mark.parametrize(
        "policy", [p if p == in_core else pytest.param(p, marks=pytest.mark.full) for p in harness.POLICIES]
    )


core_and_full = policies(in_core="mixed_float16")
float32_and_full = policies(in_core="float32")


@every_model
def test_config_round_trip(case):
    model = harness.build(case)
    copy = type(model).from_config(model.get_config())
    assert copy.get_config() == model.get_config()
    assert [w.shape for w in copy.weights] == [w.shape for w in model.weights]


@every_model
@float32_and_full
def test_saved_and_loaded_model_goes_on_as_if_never_stopped(case, policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    model = harness.build(case)
    harness.assert_finite(harness.train(case, model, epochs=1))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    harness.assert_same(harness.weights(model), harness.weights(loaded))
    if case.generates:
        made = [m.generate(3, seed=7, **case.conditions(3)) for m in (model, loaded)]
        np.testing.assert_array_equal(*made)
    histories = [harness.train(case, m, epochs=2) for m in (model, loaded)]
    assert histories[0] == histories[1]
    harness.assert_same(harness.weights(model), harness.weights(loaded))


@every_model
@float32_and_full
@pytest.mark.parametrize("replicas", [1, pytest.param(2, marks=pytest.mark.full)])
def test_stop_and_resume_equals_never_stopped(case, policy, replicas, two_replicas, tmp_path):
    """The second process is played by a model that is built afresh and loads the first one's state."""
    keras.config.set_dtype_policy(policy)
    with two_replicas.scope() if replicas == 2 else nullcontext():
        never_stopped, stopped, resumed = (harness.build(case) for _ in range(3))
    whole = harness.train(case, never_stopped, epochs=2)
    first = harness.train(case, stopped, epochs=1)
    stopped.save(tmp_path / "model.keras")
    resumed.load_weights(tmp_path / "model.keras")
    second = harness.train(case, resumed, epochs=2, initial_epoch=1)
    harness.assert_same(harness.weights(never_stopped), harness.weights(resumed))
    assert whole == {name: first[name] + second[name] for name in whole}


@every_model
@core_and_full
def test_training_stays_finite_and_moves_every_weight(case, policy):
    keras.config.set_dtype_policy(policy)
    model = harness.build(case)
    before = [np.asarray(w) for w in model.trainable_weights]
    # float16 begins with a loss scale that is too large, and skips steps until it has come down.
    harness.assert_finite(harness.train(case, model, epochs=8 if policy == "mixed_float16" else 2))
    for weight, old in zip(model.trainable_weights, before):
        assert weight.dtype == "float32"
        assert weight.path.endswith(case.still) or not np.array_equal(old, weight), f"{weight.path} did not move"
    if policy == "mixed_float16":
        for name in harness.optimizer_names(model):
            assert isinstance(getattr(model, name), keras.optimizers.LossScaleOptimizer)
    if case.generates:
        kind_of(model).check(model.generate(3, seed=1, **case.conditions(3)))


@every_model
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_low_precision_stays_inside_the_networks(case, policy, monkeypatch):
    """What networks put out, losses, what is reported, weights and the optimizers' memories are float32."""
    keras.config.set_dtype_policy(policy)
    model = harness.build(case)
    networks = [layer for layer in model._flatten_layers(include_self=False) if isinstance(layer, keras.Model)]
    if not networks:
        pytest.skip("has no network")
    inside = {layer.compute_dtype for network in networks for layer in network.layers}
    assert policy.removeprefix("mixed_") in inside
    assert {output.dtype for network in networks for output in network.outputs} == {"float32"}

    report, minimize, handed = model.report, model.minimize, {}
    monkeypatch.setattr(model, "report", lambda **values: handed.update(values) or report(**values))
    monkeypatch.setattr(
        model, "minimize", lambda tape, loss, *args: handed.update({args[0].name: loss}) or minimize(tape, loss, *args)
    )
    model.train_step(next(iter(harness.dataset(case))))
    assert len(handed) > len(harness.optimizer_names(model))
    assert {name for name, value in handed.items() if value.dtype != tf.float32} == set()

    kept = [*model.variables, *(v for name in harness.optimizer_names(model) for v in getattr(model, name).variables)]
    assert {v.dtype for v in kept if "float" in v.dtype} == {"float32"}


@every_model
@core_and_full
def test_two_replicas_train(case, policy, two_replicas):
    keras.config.set_dtype_policy(policy)
    with two_replicas.scope():
        model = harness.build(case)
    harness.assert_finite(harness.train(case, model, epochs=2))
    for weight in model.trainable_weights:
        copies = two_replicas.experimental_local_results(weight.value)
        assert len(copies) == 2
        np.testing.assert_array_equal(*[np.asarray(copy) for copy in copies])


@every_model
def test_two_replicas_equal_one_device(case, two_replicas):
    """Where no noise is drawn: gradients and losses are averages over the whole batch, however it was split."""
    if case.draws_noise:
        pytest.skip("each replica draws noise of its own")
    with two_replicas.scope():
        on_two = harness.build(case)
    on_one = harness.build(case)
    for model in (on_one, on_two):
        for name in harness.optimizer_names(model):
            setattr(model, name, keras.optimizers.SGD(0.1))
    histories = [harness.train(case, model, epochs=2) for model in (on_one, on_two)]
    for name in histories[0]:
        np.testing.assert_allclose(histories[0][name], histories[1][name], rtol=1e-5)
    for one, two in zip(on_one.trainable_weights, on_two.trainable_weights):
        np.testing.assert_allclose(np.asarray(one), np.asarray(two), atol=1e-5)


@every_model
def test_samples_follow_the_seed(case):
    if not case.generates:
        pytest.skip("makes nothing")
    model = harness.build(case)
    first = model.generate(3, seed=5, **case.conditions(3))
    kind_of(model).check(first)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, model.generate(3, seed=5, **case.conditions(3)))
    assert not np.array_equal(first, model.generate(3, seed=6, **case.conditions(3)))
    one_by_one = model.generate(3, seed=5, batch_size=1, **case.conditions(3))
    np.testing.assert_allclose(first, one_by_one, atol=1e-5)
    if not isinstance(model, LatentModel):
        return
    latents = model.sample_latents(3, seed=5)
    one_by_one = model.generate(latents=latents, batch_size=1, **case.conditions(3))
    np.testing.assert_allclose(first, one_by_one, atol=1e-5)
    for weight in model.weights:
        weight.assign(weight + ops.cast(0.5, weight.dtype))
    assert not np.allclose(first, model.generate(latents=latents, **case.conditions(3)), atol=1e-3)


@every_model
def test_a_morph_goes_from_one_image_to_the_other(case):
    model = harness.build(case)
    if not isinstance(model, LatentModel):
        pytest.skip("has no latent points")
    start, end = model.sample_latents(2, seed=1)
    conditions = case.conditions(5)
    images = model.morph(start, end, steps=5, **conditions)
    stops = np.stack([start, 0.75 * start + 0.25 * end, 0.5 * (start + end), 0.25 * start + 0.75 * end, end])
    np.testing.assert_allclose(images, model.generate(latents=stops, **conditions), atol=1e-5)


@every_model
def test_generate_wants_either_a_number_or_points(case):
    model = harness.build(case)
    if not isinstance(model, LatentModel):
        pytest.skip("has no latent points")
    latents = model.sample_latents(2)
    wrong = {}, {"n": 2, "latents": latents}, {"n": 0}, {"latents": latents[:0]}, {"n": 2, "colours": latents}
    for arguments in wrong:
        with pytest.raises(InputError):
            model.generate(**arguments)
