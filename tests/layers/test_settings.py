"""Settings that may change while a model trains: what is read, by Python and by a traced step, saved and refused."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.layers import Corruption
from tests import cases, harness


def batches():
    return tf.data.Dataset.from_tensor_slices(cases.images()).batch(8).repeat()


def losses(model, callbacks=(), epochs=3):
    """What each epoch reports: {name: float64 array (epochs,)}."""
    options = {"epochs": epochs, "steps_per_epoch": 2, "verbose": 0, "shuffle": False}
    history = model.fit(batches(), callbacks=list(callbacks), **options).history
    return {name: np.array(values, "float64") for name, values in history.items()}


@pytest.mark.parametrize("steps_per_execution", [1, 2])
def test_a_callback_anneals_beta_as_everybody_does(steps_per_execution):
    model = cases.vae(beta=0.0)
    model.compile("adam", steps_per_execution=steps_per_execution)

    class Anneal(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.beta = 10.0 * epoch

    got = losses(model, [Anneal()])
    np.testing.assert_allclose(got["loss"], got["reconstruction_loss"] + [0, 10, 20] * got["kl_loss"], rtol=1e-5)
    assert (got["kl_loss"] > 0).all() and model.beta == 20.0


@pytest.mark.parametrize("variable", [keras.Variable, tf.Variable])
def test_whoever_gives_a_variable_moves_it_and_it_is_neither_trained_nor_lost(variable, tmp_path):
    beta = variable(0.5)
    model = cases.vae(beta=beta)
    plain = cases.vae(beta=0.5)
    for kind in ("trainable_weights", "non_trainable_weights", "variables"):
        assert len(getattr(model, kind)) == len(getattr(plain, kind))
    move = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: beta.assign(0.5 + epoch))
    got = losses(model, [move])
    np.testing.assert_allclose(got["loss"], got["reconstruction_loss"] + [0.5, 1.5, 2.5] * got["kl_loss"], rtol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.beta == model.beta == 2.5 and loaded.get_config()["beta"] == 2.5
    beta.assign(9.0)
    assert model.beta == 9.0 and loaded.beta == 2.5
    loaded.beta = variable(7.0)  # in the place of the one that the step has read so far
    got = losses(loaded, epochs=1)
    np.testing.assert_allclose(got["loss"], got["reconstruction_loss"] + 7 * got["kl_loss"], rtol=1e-5)


def test_an_annealed_number_reads_as_the_float_that_was_given():
    model = cases.vae(beta=0.3)
    assert model.beta == 0.3 and f"{model.beta:.1f} {json.dumps(model.beta)} {model.beta}" == "0.3 0.3 0.3"
    assert type(model.get_config()["beta"]) is float
    model.beta.assign(0.7)
    assert model.beta == 0.7
    model.beta = np.float32(0.5)
    assert model.beta == 0.5


@pytest.mark.parametrize("wrong", [-1, float("nan"), "0.5", None, [1.0, 2.0]])
def test_what_it_cannot_be_is_refused_as_by_the_constructor(wrong):
    model = cases.vae()
    for attempt in (lambda: setattr(model, "beta", wrong), lambda: cases.vae(beta=wrong)):
        with pytest.raises(InputError, match="beta"):
            attempt()
    assert model.beta == 1.0
    with pytest.raises(InputError, match="weighting is 'elbo' or 'book', not 'bok'"):
        model.weighting = "bok"
    with pytest.raises(InputError, match="pixel_stddev is larger than 0, not 0"):
        model.pixel_stddev = 0


@pytest.mark.eager
def test_a_resumed_run_has_the_number_that_the_stopped_one_had(tmp_path):
    """Also where the callback that sets it does so once: the file of weights holds it, and older ones do without."""
    once = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: setattr(once.model, "beta", 0.1) if epoch == 1 else None
    )
    never_stopped, stopped, resumed = (harness.build(case()) for _ in range(3))
    whole = losses(never_stopped, [once], epochs=3)
    losses(stopped, [once], epochs=2)
    for name in ("model.keras", "model.weights.h5"):
        (stopped.save if name == "model.keras" else stopped.save_weights)(tmp_path / name)
        resumed.beta = 5.0
        resumed.load_weights(tmp_path / name)
        assert resumed.beta == 0.1
    rest = resumed.fit(batches(), initial_epoch=2, epochs=3, steps_per_epoch=2, verbose=0, shuffle=False).history
    assert rest["loss"] == [whole["loss"][2]]
    unmoved, other = cases.vae(), cases.vae(beta=4.0)
    unmoved.save(tmp_path / "unmoved.keras")
    other.load_weights(tmp_path / "unmoved.keras")
    assert other.beta == 4.0  # as it was built


def case():
    return next(case for case in cases.CASES if case.name == "vae")


def test_the_average_of_a_generator_may_keep_less_of_itself_and_stays_one():
    model = cases.gan(ema_decay=0.999)
    model.ema_decay = 0.0
    model.fit(batches(), steps_per_epoch=2, verbose=0)
    harness.assert_same(model.generator.get_weights(), model.averaged_generator.get_weights())
    for built, assigned in ((0.9, None), (None, 0.9)):
        with pytest.raises(InputError, match="build a new one"):
            cases.gan(ema_decay=built).ema_decay = assigned


def test_noise_may_be_annealed_in_a_layer_of_the_model_and_is_saved(tmp_path):
    model = cases.autoencoder(corruption=Corruption("masking", 0.0, seed=2))
    images = tf.ones((4, 8, 8, 1))

    @tf.function
    def corrupt():
        return model.corruption(images, training=True)

    np.testing.assert_array_equal(corrupt(), images)
    with pytest.raises(InputError, match="assign a number, no variable"):
        model.corruption.amount = keras.Variable(0.5)
    model.corruption.amount = 1.0
    np.testing.assert_array_equal(corrupt(), 0 * images)
    model.save_weights(tmp_path / "model.weights.h5")
    other = cases.autoencoder(corruption=Corruption("masking", 0.0, seed=2))
    other.load_weights(tmp_path / "model.weights.h5")
    assert other.corruption.amount == 1.0 == other.corruption.get_config()["amount"]


def test_two_replicas_read_the_same_number(two_replicas):
    with two_replicas.scope():
        model = cases.vae(beta=1.0)
    losses(model, epochs=1)
    model.beta = 7.0
    got = losses(model, epochs=1)
    np.testing.assert_allclose(got["loss"], got["reconstruction_loss"] + 7 * got["kl_loss"], rtol=1e-5)


def test_what_is_built_in_is_refused_once_compiled_with_the_settings_that_are_not():
    model = cases.vae()
    sentence = "decoder of VAE is built into its steps.*can be assigned: pixel_stddev, beta, weighting"
    with pytest.raises(InputError, match=sentence):
        model.decoder = cases.vae().decoder
    with pytest.raises(InputError, match="critic_steps of WGANGP"):
        cases.wgan_gp().critic_steps = 5
    model.likelihood = "bernoulli"  # what it is
