"""Each model of the project goes through the same checks.

What is asked follows from what a model is: one that makes samples, one with a latent space, one that writes token by
token, one with a likelihood, one that is told what to make.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from gdl_keras.errors import InputError
from gdl_keras.kinds import kind_of
from gdl_keras.models.autoregressive.base import AutoregressiveModel
from gdl_keras.models.generative import GenerativeModel, LatentModel
from tests import harness
from tests.cases import CASES
from tests.harness import long


def of(cases, is_long=lambda case: case.variant):
    """The test is for each of these cases, of some in the long tests alone."""
    return pytest.mark.parametrize("case", [long(case, when=is_long(case)) for case in cases], ids=str)


def of_bases(*names):
    """The test is for one model of each base class, but for those of these names in the long tests alone."""
    return of([case for case in CASES if case.stands_for_its_base], lambda case: case.name not in names)


every_model = of(CASES)
# One model of each base now, the others with the long tests; and the same without the variants, which share their code.
every_model_at_length = of(CASES, lambda case: case.variant or not case.stands_for_its_base)
every_class_at_length = of([case for case in CASES if not case.variant], lambda case: not case.stands_for_its_base)
every_base = of([case for case in CASES if case.stands_for_its_base])


def built(case, base):
    """The case's model as it is built, where it is one of that class."""
    model = harness.untouched(case)
    if not isinstance(model, base):
        pytest.skip(f"is no {base.__name__}")
    return model


# ---- what every model does -------------------------------------------------------------------------------------------


@every_model
def test_config_round_trip(case):
    model = harness.untouched(case)
    copy = type(model).from_config(model.get_config())
    assert copy.get_config() == model.get_config()
    assert [w.shape for w in copy.weights] == [w.shape for w in model.weights]


@every_model
def test_saved_and_loaded_model_goes_on_as_if_never_stopped(case, tmp_path):
    saved_loaded_and_gone_on(case, tmp_path)


@every_model
def test_training_stays_finite_and_moves_every_weight(case):
    """In float16, where it is hardest; float32 trains in the other tests."""
    training_stays_finite_and_moves_every_weight(case, "mixed_float16")


def training_stays_finite_and_moves_every_weight(case, policy):
    keras.config.set_dtype_policy(policy)
    model = harness.build(case)
    before = [np.asarray(w) for w in model.trainable_weights]
    # float16 begins with a loss scale that is too large, and skips steps until it has come down.
    harness.assert_finite(harness.train(case, model, epochs=8 if policy == "mixed_float16" else 2))
    for weight, old in zip(model.trainable_weights, before):
        assert weight.dtype == "float32"
        assert weight.path.endswith(case.still) or not np.array_equal(old, weight), f"{weight.path} did not move"
    if policy == "mixed_float16":
        for optimizer in model.optimizers.values():
            assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if isinstance(model, GenerativeModel):
        kind_of(model).check(harness.sample(model, 3, seed=1))


@every_model
def test_low_precision_stays_inside_the_networks(case, monkeypatch):
    """What networks put out, losses, what is reported, weights and the optimizers' memories are float32."""
    low_precision_stays_inside_the_networks(case, "mixed_bfloat16", monkeypatch)


def low_precision_stays_inside_the_networks(case, policy, monkeypatch):
    keras.config.set_dtype_policy(policy)
    model = harness.build(case)
    networks = [layer for layer in model._flatten_layers(include_self=False) if isinstance(layer, keras.Model)]
    inside = {layer.compute_dtype for network in networks for layer in network.layers}
    assert not networks or policy.removeprefix("mixed_") in inside
    outputs = [output for network in networks for output in getattr(network, "outputs", None) or ()]
    assert {output.dtype for output in outputs} <= {"float32"}

    report, minimize, handed = model.report, model.minimize, {}
    monkeypatch.setattr(model, "report", lambda **values: handed.update(values) or report(**values))
    monkeypatch.setattr(
        model, "minimize", lambda tape, loss, *args: handed.update({args[0].name: loss}) or minimize(tape, loss, *args)
    )
    model.train_step(next(iter(harness.dataset(case))))
    assert len(handed) >= len(model.optimizers) + 1
    dtypes = {name: tf.nest.flatten(value)[0].dtype for name, value in handed.items()}
    # Counted are whole numbers, such as codes.
    assert {name for name, dtype in dtypes.items() if not dtype.is_integer and dtype != tf.float32} == set()

    kept = [*model.variables, *(v for optimizer in model.optimizers.values() for v in optimizer.variables)]
    assert {v.dtype for v in kept if "float" in v.dtype} <= {"float32"}


# ---- what models of some sort do -------------------------------------------------------------------------------------


@every_model
def test_sample_i_follows_the_seed_and_i_alone(case):
    model = built(case, GenerativeModel)
    conditions = harness.conditions(model, 5)
    samples = model.generate(5, seed=5, **conditions)
    kind_of(model).check(samples)
    assert_equal(samples, model.generate(5, seed=5, **conditions))
    assert not equal(samples, model.generate(5, seed=6, **conditions))
    rest = {name: values[2:] for name, values in conditions.items()}
    assert_equal(samples[2:], model.generate(3, seed=5, first=2, **rest), exactly=False)
    assert_equal(samples, model.generate(5, seed=5, batch_size=3, **conditions), exactly=False)


@every_model
def test_the_page_of_samples_is_the_same_each_time(case):
    model = built(case, GenerativeModel)
    (samples, columns), (again, _) = model.sample_sheet(), model.sample_sheet()
    kind_of(model).check(samples)
    assert columns >= 1 and len(samples) % columns == 0
    assert_equal(samples, again)


@every_model
def test_generate_refuses_what_it_does_not_know(case):
    model = built(case, GenerativeModel)
    conditions = harness.conditions(model, 2)
    wrong = [{}, {"n": 0}, {"n": 2, "colours": np.zeros(2), **conditions}]
    if conditions:
        wrong.append({"n": 2})
        wrong += [{"n": 3, **conditions}]
    if isinstance(model, LatentModel):
        latents = model.sample_latents(2)
        wrong += [{"n": 2, "latents": latents, **conditions}, {"latents": latents[:0], **conditions}]
    for arguments in wrong:
        with pytest.raises(InputError):
            model.generate(**arguments)


@every_model
def test_points_of_a_latent_space_decode_alike_alone_and_together(case):
    model = built(case, LatentModel)
    conditions, latents = harness.conditions(model, 3), model.sample_latents(3, seed=5)
    samples = model.generate(3, seed=5, **conditions)
    one_by_one = model.generate(latents=latents, batch_size=1, **conditions)
    np.testing.assert_allclose(samples, one_by_one, atol=1e-5)
    np.testing.assert_array_equal(model.sample_latents(2, seed=5, first=1), latents[1:])
    moved = harness.build(case)
    moved.generate(latents=latents, **conditions)  # compiled with the weights of before
    for weight in moved.weights:
        weight.assign(weight + ops.cast(0.5, weight.dtype))
    assert not np.allclose(samples, moved.generate(latents=latents, **conditions), atol=1e-3)


@every_model
def test_a_morph_goes_from_one_sample_to_the_other(case):
    model = built(case, LatentModel)
    start, end = model.sample_latents(2, seed=1)
    conditions = harness.conditions(model, 5)
    samples = model.morph(start, end, steps=5, **conditions)
    stops = np.stack([start, 0.75 * start + 0.25 * end, 0.5 * (start + end), 0.25 * start + 0.75 * end, end])
    np.testing.assert_allclose(samples, model.generate(latents=stops, **conditions), atol=1e-5)


@every_model
def test_a_likelihood_is_one_number_an_example_and_follows_the_seed_and_its_place(case):
    model = built(case, GenerativeModel)
    if type(model).negative_log_likelihood is GenerativeModel.negative_log_likelihood:
        assert model.likelihood_is is None
        with pytest.raises(NotImplementedError):
            model.negative_log_likelihood(harness.examples(case))
        return
    if model.likelihood_is is None:
        pytest.skip("is trained for something else")
    assert model.likelihood_is in ("exact", "bound")
    examples = harness.examples(case)
    values = model.negative_log_likelihood(examples, seed=3)
    assert values.dtype == "float64" and values.shape == (len(examples),) and np.isfinite(values).all()
    np.testing.assert_allclose(model.negative_log_likelihood(examples[5:], seed=3, first=5), values[5:], rtol=1e-5)
    if model.likelihood_is == "exact":
        np.testing.assert_allclose(model.negative_log_likelihood(examples, seed=4), values, rtol=1e-6)


@every_model
def test_no_token_sees_itself_or_what_comes_after(case):
    model = built(case, AutoregressiveModel)
    tokens = np.random.default_rng(0).integers(0, model.vocabulary_size, (2, 6)).astype("int32")
    conditions = harness.conditions(model, 2)
    logits = np.asarray(model.logits(tf.constant(tokens), **conditions))
    assert logits.shape == (2, 6, model.vocabulary_size)
    for place in range(6):
        changed = tokens.copy()
        changed[:, place:] = (changed[:, place:] + 1) % model.vocabulary_size
        np.testing.assert_array_equal(
            np.asarray(model.logits(tf.constant(changed), **conditions))[:, : place + 1], logits[:, : place + 1]
        )


def saved_loaded_and_gone_on(case, tmp_path):
    model = harness.build(case)
    harness.assert_finite(harness.train(case, model, epochs=1))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    harness.assert_same(harness.weights(model), harness.weights(loaded))
    assert_equal(*[harness.sample(m, 3, seed=7) for m in (model, loaded)])
    histories = [harness.train(case, m, epochs=2) for m in (model, loaded)]
    assert histories[0] == histories[1]
    harness.assert_same(harness.weights(model), harness.weights(loaded))


def equal(first, second):
    """Whether samples, arrays or lists of texts, are the same."""
    return np.array_equal(np.asarray(first), np.asarray(second))


def assert_equal(first, second, exactly=True):
    """Samples are the same: to the bit, or as near as sums in another order come."""
    first, second = np.asarray(first), np.asarray(second)
    if exactly or first.dtype.kind not in "f":
        np.testing.assert_array_equal(first, second)
    else:
        np.testing.assert_allclose(first, second, atol=1e-5)
