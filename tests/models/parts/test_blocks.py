"""Blocks of steps on data that lies on the device: the same examples, steps and numbers as batch by batch."""

import keras
import numpy as np
import pytest

from gdl_keras import data
from gdl_keras.data.mirroring import Mirrored
from gdl_keras.models.parts import blocks, xla
from tests import harness
from tests.cases import IMAGE_SHAPE, cgan, classifier, linear_autoencoder, vae

generator = np.random.default_rng(0)
pixels = generator.integers(0, 256, (50, *IMAGE_SHAPE), dtype="uint8")
labels = generator.integers(0, 3, 50)


@pytest.fixture
def gpu(monkeypatch):
    """The processor passes for a GPU, and a block has 4 steps."""
    monkeypatch.setattr(xla, "is_worth_it", lambda: True)
    monkeypatch.setattr(blocks, "on_gpu", lambda: True)
    monkeypatch.setattr(blocks, "STEPS", 4)


def table(batch_size=8):
    return data.from_arrays(images=pixels, labels=labels, batch_size=batch_size, seed=3)


def autoencoder(optimizer="sgd", **options):
    keras.utils.set_random_seed(1)
    model = linear_autoencoder()
    model.compile(optimizer, **options)
    return model


class Seen(keras.callbacks.Callback):
    """The steps that Keras told of, and what they reported."""

    def __init__(self):
        super().__init__()
        self.steps, self.losses = [], []

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append(batch)
        self.losses.append(float(logs["loss"]))


def both_ways(make, monkeypatch, **options):
    """(history, numbers that decide what comes next) of training in blocks, and batch by batch, compiled both times."""
    results = []
    for largest in (blocks.LARGEST, 0):
        monkeypatch.setattr(blocks, "LARGEST", largest)
        model = make()
        history = model.fit(table(), verbose=0, **options).history
        results.append((history, harness.weights(model)))
    return results


def assert_alike(ways):
    (history, weights), (expected_history, expected_weights) = ways
    assert list(history) == list(expected_history)
    for name, values in history.items():
        np.testing.assert_allclose(values, expected_history[name], rtol=1e-4, atol=1e-6)
    for weight, expected in zip(weights, expected_weights, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-3, atol=1e-5)


def test_blocks_are_the_steps_that_single_batches_would_be(gpu, monkeypatch):
    """Six batches a pass: a block of four, then one of two, then those of the next pass in its order."""
    assert_alike(both_ways(autoencoder, monkeypatch, epochs=3, validation_data=table()))


@pytest.mark.full
def test_epochs_of_any_length_and_a_later_beginning(gpu, monkeypatch):
    assert_alike(both_ways(autoencoder, monkeypatch, epochs=4, initial_epoch=2, steps_per_epoch=5))


@pytest.mark.full
def test_accumulated_gradients(gpu, monkeypatch):
    def make():
        return autoencoder(accumulate=2)

    assert_alike(both_ways(make, monkeypatch, epochs=2))


@pytest.mark.full
def test_labels_and_batches_that_are_joined_for_a_critic(gpu, monkeypatch):
    """What the networks draw is drawn in the same order, too."""

    def make():
        keras.utils.set_random_seed(1)
        return cgan(ema_decay=0.9)

    assert_alike(both_ways(make, monkeypatch, epochs=2))


def test_callbacks_hear_of_each_block(gpu):
    model, seen = autoencoder(), Seen()
    history = model.fit(table(), epochs=2, verbose=0, callbacks=[seen]).history
    assert seen.steps == [3, 7, 3, 7]  # the second block of a pass has two steps
    assert np.isfinite(seen.losses).all() and seen.losses[1] == pytest.approx(history["loss"][0])
    assert int(model.optimizer.iterations) == 12


@pytest.mark.full
def test_what_comes_after_it_is_as_ever(gpu):
    """The next call learns from arrays, one batch a step; evaluation saw every image."""
    model = autoencoder()
    model.fit(table(), verbose=0)
    assert model.steps_per_execution == 1
    model.fit(pixels[:16] / np.float32(255), batch_size=8, verbose=0)
    model.train_on_batch(pixels[:8] / np.float32(255))
    assert int(model.optimizer.iterations) == 6 + 2 + 1
    in_fit = autoencoder(keras.optimizers.SGD(0.0))
    history = in_fit.fit(table(), validation_data=table(), verbose=0).history
    assert history["val_loss"][0] == pytest.approx(in_fit.evaluate(pixels / np.float32(255), verbose=0), rel=1e-5)


@pytest.mark.full
def test_mixed_precision(gpu):
    keras.config.set_dtype_policy("mixed_float16")
    harness.assert_finite(autoencoder("adam").fit(table(), epochs=2, verbose=0).history)


def test_what_lies_on_the_device(gpu, monkeypatch):
    model = autoencoder()
    assert blocks.lies_on_device(model, table())
    assert blocks.lies_on_device(classifier(), table())
    monkeypatch.setattr(blocks, "LARGEST", pixels.nbytes - 1)
    assert not blocks.lies_on_device(model, table())
    monkeypatch.setattr(blocks, "LARGEST", pixels.nbytes)
    assert blocks.lies_on_device(model, table())
    # Labels of eight bytes beside them are too much.
    assert not blocks.lies_on_device(classifier(), table())


@pytest.mark.parametrize("options", [{"jit_compile": False}, {"steps_per_execution": 2}, {"run_eagerly": True}])
def test_what_somebody_asked_for_stays(gpu, options):
    assert not blocks.lies_on_device(autoencoder(**options), table())


def test_on_a_processor_nothing_does():
    assert not blocks.lies_on_device(autoencoder(), table())


@pytest.mark.full
def test_mirrored_images(gpu, monkeypatch):
    """Which are turned around as they are read."""
    twice = table().mirrored()
    assert isinstance(twice.columns["images"].values, Mirrored)
    losses = []
    for largest in (blocks.LARGEST, 0):
        monkeypatch.setattr(blocks, "LARGEST", largest)
        losses.append(autoencoder().fit(twice, verbose=0).history["loss"][0])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.mark.full
def test_another_fit_needs_no_other_compilation_and_another_compile_does(gpu, monkeypatch):
    compiled, really = [], blocks.takes_blocks
    monkeypatch.setattr(blocks, "takes_blocks", lambda *given: compiled.append(given) or really(*given))
    model = autoencoder()
    for _ in range(2):
        model.fit(table(), verbose=0)
    model.fit(data.from_arrays(images=pixels[:30], batch_size=8), verbose=0)
    assert len(compiled) == 1 and int(model.optimizer.iterations) == 6 + 6 + 3
    floats = data.from_arrays(images=pixels / np.float32(255), batch_size=8, seed=3)
    model.fit(floats, verbose=0)
    assert len(compiled) == 2
    model.compile("sgd")
    model.fit(floats, verbose=0)
    assert len(compiled) == 3


def test_a_setting_that_changes_between_two_calls_changes_the_step(gpu):
    """What was compiled for the first call knows the setting as it was then."""
    model = vae()
    for beta in (1.0, keras.Variable(7.0), 3.0):
        model.beta = beta
        history = model.fit(table(), verbose=0).history
        loss, reconstruction, kl = (history[f"{name}loss"][0] for name in ("", "reconstruction_", "kl_"))
        assert loss == pytest.approx(reconstruction + float(model.beta) * kl, rel=1e-5)


def test_weights_of_classes_count(gpu):
    """They are put beside labels that come batch by batch, so these do."""
    model = classifier()
    before = [np.array(weight) for weight in model.trainable_variables]
    model.fit(table(), class_weight={0: 0.0, 1: 0.0, 2: 0.0}, verbose=0)
    assert int(model.optimizer.iterations) == 6
    for weight, expected in zip(model.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(weight, expected)
