"""What a Keras user does with a model works, or one sentence says what to do instead: asked of every model."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.layers.settings import Declared
from gdl_keras.models import VAE, ScoreMatching
from gdl_keras.models.autoregressive.base import AutoregressiveModel
from gdl_keras.models.diffusion.denoising import DenoisingModel
from gdl_keras.models.flows.base import FlowModel
from gdl_keras.models.generative import LatentModel
from tests import cases, harness
from tests.test_every_model import every_base, every_class_at_length, every_model, every_model_at_length

# Another value for each setting that may change once a step has been traced.
OTHER = {
    "adversarial_weight": 0.3,
    "alpha": 0.3,
    "beta": 0.25,
    "blur": 0.2,
    "blur_kimg": 0.05,
    "clip": 0.01,
    "data_noise": 0.1,
    "discount": 0.4,
    "drift_weight": 0.3,
    "ema_decay": 0.05,
    "ema_half_life": 0.01,
    "ema_ramp": 0.4,
    "error": "absolute",
    "generator_loss": "hinge",
    "given_length": 2,
    "jacobian_weight": 0.7,
    "kinetic_weight": 0.7,
    "kl_weight": 0.7,
    "label_noise": "one_sided",
    "latents": "uniform",
    "length": 7,
    "log_scale_bound": 0.7,
    "method": "heun",
    "mixing": 0.4,
    "noise": 0.3,
    "orthogonal_weight": 0.3,
    "path_decay": 0.3,
    "path_interval": 2,
    "path_shrink": 1,
    "path_weight": 0.3,
    "penalty": 0.4,
    "penalty_interval": 2,
    "penalty_weight": 3.0,
    "perceptual_weight": 0.3,
    "pixel_stddev": 0.5,
    "reconstruction": "absolute",
    "sigma": 0.4,
    "slope_clip": 0.01,
    "smoothing": 3.0,
    "start_step": 1,
    "step_size": 0.02,
    "steps": 4,
    "style_decay": 0.3,
    "token_noise": 0.3,
    "tolerance": 1e-3,
    "trace": 0.3,
    "trace_method": "hutchinson",
    "updates": 3,
    "weighting": "book",
}


def arrays(case):
    """The case's data as the first arguments of `fit`."""
    data = case.data()
    return data if isinstance(data, tuple) else (data,)


def fit(case, model, **options):
    return model.fit(*arrays(case), **{"batch_size": 8, "verbose": 0, "shuffle": False, **options}).history


def inputs(case, model, n=3):
    """What `model(inputs)` takes, for n examples."""
    if isinstance(model, DenoisingModel):
        noise, levels = model.sample_latents(n, seed=1), np.linspace(0.2, 0.8, n, dtype="float32")
        return [noise, levels, *harness.conditions(model, n).values()]
    if isinstance(model, LatentModel) and not hasattr(model, "encode"):
        latents = model.sample_latents(n, seed=1)
        return [latents, *harness.conditions(model, n).values()] if model.conditions else latents
    if isinstance(model, AutoregressiveModel) and model.conditions:
        return [harness.examples(case)[:n], *harness.conditions(model, n).values()]
    return harness.examples(case)[:n]


# ---- settings --------------------------------------------------------------------------------------------------------


@every_model_at_length
def test_a_setting_assigned_after_a_step_holds_from_the_next_one_on_or_is_refused(case, tmp_path):
    """One that holds does what it does in a model that was built with it and has learnt the same up to there."""
    model = harness.build(case)
    harness.train(case, model, epochs=1)
    before = np.asarray(model.predict(inputs(case, model), verbose=0))
    others = {}
    for name in set(model.get_config()) - {"name", "trainable", "dtype", *model.read_by_no_step}:
        old = getattr(model, name)
        if isinstance(getattr(type(model), name, None), Declared) and old is not None:
            others[name] = "min_snr" if (name, old) == ("weighting", "none") else OTHER[name]
            continue
        with pytest.raises(InputError, match=f"{name} of {type(model).__name__}|{name}=None"):
            setattr(model, name, object())
        setattr(model, name, old)  # what it is already
    model.save(tmp_path / "model.keras")
    built_so = type(model).from_config({**model.get_config(), **others})
    built_so.compile_from_config(model.get_compile_config())
    built_so.load_weights(tmp_path / "model.keras")
    for name, value in others.items():
        setattr(model, name, value)
        assert getattr(model, name) == getattr(built_so, name) == value == model.get_config()[name]
    histories = [harness.train(case, m, epochs=1) for m in (model, built_so)]
    assert histories[0] == histories[1]
    harness.assert_same(harness.weights(model), harness.weights(built_so))
    after = [np.asarray(m.predict(inputs(case, m), verbose=0)) for m in (model, built_so)]
    np.testing.assert_array_equal(*after)
    assert not np.array_equal(before, after[0])


# ---- callbacks -------------------------------------------------------------------------------------------------------


@pytest.mark.eager
@every_class_at_length
def test_schedulers_move_the_rates_of_all_optimizers_by_the_same_factor(case):
    model = harness.build(case)
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    plateau = keras.callbacks.ReduceLROnPlateau(model.metric_names[0], 0.1, patience=1, mode="max", min_delta=1e6)
    if not model.optimizers:
        for callback in (halve, plateau):
            with pytest.raises(InputError, match=f"{type(model).__name__} is trained by no optimizer"):
                fit(case, model, callbacks=[callback])
        return
    before = {name: float(optimizer.learning_rate) for name, optimizer in model.optimizers.items()}
    history = fit(case, model, epochs=3, callbacks=[halve])
    for name, optimizer in model.optimizers.items():
        assert float(optimizer.learning_rate) == pytest.approx(before[name] / 8)
        kept = history[f"learning_rate_{name}" if name else "learning_rate"]
        np.testing.assert_allclose(kept, before[name] / np.array([2, 4, 8]), rtol=1e-6)
    fit(case, model, epochs=2, callbacks=[plateau])
    for name, optimizer in model.optimizers.items():
        assert float(optimizer.learning_rate) == pytest.approx(before[name] / 80)


@pytest.mark.eager
@every_base
def test_what_is_not_a_number_ends_training_for_terminate_on_nan(case):
    model = harness.build(case)
    if not model.trainable_weights:
        pytest.skip("has no weights that could spoil its numbers")
    steps = []
    count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: steps.append(batch))
    fit(case, model, epochs=2, callbacks=[keras.callbacks.TerminateOnNaN(), count])
    assert len(steps) == 4
    for weight in model.trainable_weights:
        weight.assign(np.full(weight.shape, np.nan))
    fit(case, model, epochs=2, callbacks=[keras.callbacks.TerminateOnNaN(), count])
    assert len(steps) == 5
    with pytest.raises(RuntimeError, match="NaN"):
        fit(case, model, callbacks=keras.callbacks.TerminateOnNaN(raise_error=True))


@every_base
def test_kerass_other_callbacks_work(case, tmp_path):
    model, callbacks = harness.build(case), keras.callbacks
    name = model.metric_names[0]
    data = arrays(case)
    chosen = [
        callbacks.EarlyStopping(f"val_{name}", mode="min", restore_best_weights=True),
        callbacks.ModelCheckpoint(tmp_path / "best.keras", f"val_{name}", save_best_only=True, mode="min"),
        callbacks.ModelCheckpoint(tmp_path / "last.weights.h5", save_weights_only=True),
        callbacks.CSVLogger(tmp_path / "log.csv"),
        callbacks.TensorBoard(tmp_path / "logs", histogram_freq=1, write_steps_per_second=bool(model.optimizers)),
        callbacks.BackupAndRestore(tmp_path / "backup"),
    ]
    fit(case, model, epochs=2, validation_data=data if len(data) > 1 else data[0], callbacks=chosen)
    last = harness.build(case)
    last.load_weights(tmp_path / "last.weights.h5")
    best = keras.models.load_model(tmp_path / "best.keras", custom_objects={type(model).__name__: type(model)})
    assert [w.shape for w in best.weights] == [w.shape for w in last.weights]
    assert name in (tmp_path / "log.csv").read_text() and any((tmp_path / "logs").iterdir())


# ---- weights of examples ---------------------------------------------------------------------------------------------


@pytest.mark.eager
@every_class_at_length
def test_weights_of_zero_do_not_train_and_weights_of_one_change_nothing_or_weights_are_refused(case):
    model = harness.build(case)
    nothing, ones = np.zeros(16, "float32"), np.ones(16, "float32")
    if not model.weighs_examples:
        triples = tf.data.Dataset.from_tensor_slices((*(*arrays(case), ones)[:2], ones)).batch(8)
        data, given = arrays(case), {"sample_weight": ones}
        calls = [
            lambda: fit(case, model, **given),
            lambda: fit(case, model, class_weight={0: 2.0}),
            lambda: model.fit(triples, verbose=0),
            lambda: model.fit((batch for batch in triples.as_numpy_iterator()), steps_per_epoch=1, verbose=0),
            lambda: model.evaluate(*data, verbose=0, **given),
            lambda: model.train_on_batch(*data, **given),
            lambda: model.test_on_batch(*data, **given),
        ]
        for call in calls:
            with pytest.raises(InputError, match=f"^{type(model).__name__} does not weigh examples"):
                call()
        return
    before = [np.asarray(w) for w in model.trainable_weights]
    history = fit(case, model, sample_weight=nothing, epochs=2)
    harness.assert_same(before, model.trainable_weights)
    assert history["loss"] == [0, 0]
    model, plain = harness.build(case), harness.build(case)
    assert fit(case, model, sample_weight=ones) == fit(case, plain)
    harness.assert_same(harness.weights(model), harness.weights(plain))


@pytest.mark.eager
@every_model
def test_the_loss_is_the_mean_of_weights_times_losses(case):
    """Against the losses of the examples one by one, in numpy; wherever the weights come from."""
    model = harness.build(case)
    draws_noise = (
        isinstance(model, (VAE, ScoreMatching, DenoisingModel)) or getattr(model, "trace_method", None) == "hutchinson"
    )
    if not model.weighs_examples or draws_noise:
        pytest.skip("weighs nothing, or draws noise for each loss")
    # Penalties of the networks' weights are no example's, and weigh as they are.
    name = "nats" if isinstance(model, FlowModel) else "loss"
    data, weights = arrays(case), np.linspace(0, 3, 16).astype("float32")
    alone = [model.test_on_batch(*(column[i : i + 1] for column in data), return_dict=True) for i in range(16)]
    wanted = np.mean(weights * [one[name] for one in alone])
    pairs = (data[0], data[1] if len(data) > 1 else np.zeros(16), weights)
    found = [
        model.test_on_batch(*data, sample_weight=weights, return_dict=True),
        model.evaluate(*data, sample_weight=weights, batch_size=8, verbose=0, return_dict=True),
        model.evaluate(*data, sample_weight=weights[:, None], batch_size=8, verbose=0, return_dict=True),
        model.evaluate(tf.data.Dataset.from_tensor_slices(pairs).batch(8), verbose=0, return_dict=True),
    ]
    np.testing.assert_allclose([one[name] for one in found], wanted, rtol=1e-5)


# ---- calling, predicting, exporting ----------------------------------------------------------------------------------


@every_model_at_length
def test_an_exported_model_serves_what_the_model_gives(case, tmp_path):
    model = harness.build(case)
    given = inputs(case, model)
    own = np.asarray(model(given))
    np.testing.assert_allclose(model.predict(given, verbose=0), own, atol=1e-6)
    if isinstance(model, LatentModel) and not isinstance(model, DenoisingModel) and not hasattr(model, "encode"):
        generated = model.generate(latents=model.sample_latents(3, seed=1), **harness.conditions(model, 3))
        np.testing.assert_allclose(own, generated, atol=1e-6)
    model.export(tmp_path / "before", verbose=False)
    fit(case, model)
    model.export(tmp_path / "after", verbose=False)
    for folder, wanted in (("before", own), ("after", np.asarray(model(given)))):
        served = tf.saved_model.load(tmp_path / folder)
        np.testing.assert_allclose(served.serve(given), wanted, rtol=1e-5, atol=1e-6)
    assert not np.allclose(own, np.asarray(model(given)), atol=1e-9)


@every_model
def test_what_a_model_is_not_called_with_is_said_in_one_sentence(case):
    model = harness.untouched(case)
    for wrong in (np.zeros((3, 5, 5, 5, 5), "float32"), np.zeros(3, "float32")):
        with pytest.raises(InputError, match=f"^{type(model).__name__} is called with .* not "):
            model(wrong)
        with pytest.raises(InputError):
            model.predict(wrong, verbose=0)


# ---- saving ----------------------------------------------------------------------------------------------------------


@every_model
def test_h5_is_refused_before_anything_is_written(case, tmp_path):
    model = harness.untouched(case)
    for name in ("model.h5", "model.hdf5"):
        (tmp_path / name).write_text("older")
        for save in (type(model).save, keras.saving.save_model, keras.models.save_model):
            for path in (tmp_path / f"new_{name}", tmp_path / name):
                with pytest.raises(InputError, match=r"\.keras"):
                    save(model, path)
        assert [file.name for file in tmp_path.iterdir()] == [name]
        assert (tmp_path / name).read_text() == "older"
        (tmp_path / name).unlink()
    model.save_weights(tmp_path / "model.weights.h5")


def test_h5_is_refused_of_a_model_that_holds_one_of_ours_and_of_no_other(tmp_path):
    vae = cases.vae()
    pixels = keras.Input(cases.IMAGE_SHAPE)
    with pytest.raises(InputError, match=r"\.keras"):
        keras.saving.save_model(keras.Model(pixels, vae(pixels)), tmp_path / "model.h5")
    assert not list(tmp_path.iterdir())
    keras.saving.save_model(vae.encoder, tmp_path / "encoder.h5")
    assert keras.saving.load_model(tmp_path / "encoder.h5", compile=False).count_params() == vae.encoder.count_params()


@every_base
def test_kerass_other_ways_to_look_at_a_model_work(case):
    model = harness.build(case)
    lines = []
    model.summary(print_fn=lambda line, **options: lines.append(line))
    assert f"{sum(int(np.prod(w.shape)) for w in model.trainable_weights):,}" in "".join(lines)
    for copy in (keras.models.clone_model(model), keras.models.model_from_json(model.to_json())):
        copy.set_weights(model.get_weights())
        np.testing.assert_array_equal(*[np.asarray(m(inputs(case, m))) for m in (model, copy)])
    with pytest.raises(InputError, match="not metrics: it computes its own loss"):
        model.compile(metrics=["accuracy"])
