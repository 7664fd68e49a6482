"""The energy-based model of images: its network, its loss by hand, its buffer, uneven batches, what it finds odd."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.metrics import auroc
from gdl_keras.models import EBM, build_energy_network
from tests import cases, harness
from tests.energy_cases import ebm


def test_the_book_s_network_has_76_993_weights():
    network = build_energy_network((32, 32, 1))
    assert network.count_params() == 76_993
    assert network.output_shape == (None, 1)
    assert EBM(network, buffer_size=4).network is network


def test_an_energy_is_one_number_any_number():
    images = keras.Input((8, 8, 1))
    flat = keras.layers.Flatten()(images)
    for outputs, words in ((2, "one number a sample"), (1, "ends in a sigmoid")):
        network = keras.Model(images, keras.layers.Dense(outputs, None if outputs == 2 else "sigmoid")(flat))
        with pytest.raises(InputError, match=words):
            EBM(network, buffer_size=4)
    for wrong in ({"step_size": 0}, {"noise": -1}, {"slope_clip": 0}, {"penalty": -1}, {"steps": 0}, {"steps": 2.5}):
        with pytest.raises(InputError):
            ebm(**wrong)
    for stops in ([], [-1], [3, 1]):
        with pytest.raises(InputError, match="ascending"):
            ebm().chains(2, stops, seed=1)
    with pytest.raises(InputError, match="1 or more"):
        ebm(sampling_steps=0)


def test_chains_walk_in_units_of_minus_one_to_one():
    """A step down an energy that is linear in the image, by hand."""
    images = keras.Input((8, 8, 1))
    network = keras.Model(images, keras.layers.Dense(1)(keras.layers.Flatten()(images)))
    slope = np.random.default_rng(1).normal(size=(64, 1)).astype("float32")
    network.set_weights([slope, np.zeros(1)])
    model = EBM(network, step_size=0.5, noise=0.0, slope_clip=None, buffer_size=4, seed=1)
    start, end = model.chains(3, [0, 1], seed=1)
    in_units = np.clip(2 * start - 1 - 0.5 * slope.reshape(8, 8, 1) / 2, -1, 1)
    np.testing.assert_allclose(end, (in_units + 1) / 2, atol=1e-6)
    low, high = model.chains(40, [0], seed=1)[0].min(), model.chains(40, [0], seed=1)[0].max()
    assert 0 <= low < 0.01 and 0.99 < high <= 1


def test_low_energies_are_for_what_is_in_the_data():
    model = ebm(steps=10, step_size=5.0, buffer_size=32, noise=0.02)
    model.optimizer.learning_rate = 3e-3
    harness.many_steps(model, cases.images(), 150)
    blobs, noise = cases.images(), np.random.default_rng(0).random((100, 8, 8, 1), dtype="float32")
    energies, of_noise = model.energies(blobs), model.energies(noise)
    assert energies.mean() < of_noise.mean()
    scores, is_noise = np.concatenate([energies, of_noise]), np.arange(116) >= 16
    assert auroc(scores, is_noise) > 0.95
    # Its own samples are nearer to the data than the noise that they begin as.
    samples = model.generate(50, seed=1, steps=100, start="noise")
    distance = [np.square(some[:, None] - blobs).sum(axis=(2, 3, 4)).min(axis=1).mean() for some in (noise, samples)]
    assert distance[1] < 0.75 * distance[0]


def test_the_loss_and_the_step_are_those_of_the_formula():
    """With no steps to speak of, chains are what was picked; numpy does the rest."""
    model = ebm(step_size=1e-12, noise=0.0, data_noise=0.0, fresh=0.0, buffer_size=8, penalty=0.3)
    network = keras.models.clone_model(model.network)
    network.set_weights(model.network.get_weights())
    images, chains = cases.images(8), (model.buffer.chains.numpy() + 1) / 2
    real, fake = (network(part).numpy()[:, 0] for part in (images, chains))
    model.compile(keras.optimizers.SGD(0.1))
    results = {name: float(value) for name, value in model.train_step(tf.constant(images)).items()}
    assert results["loss"] == pytest.approx(real.mean() - fake.mean(), abs=1e-6)
    assert results["real_energy"] == pytest.approx(real.mean(), abs=1e-6)
    assert results["fake_energy"] == pytest.approx(fake.mean(), abs=1e-6)
    with tf.GradientTape() as tape:
        energies = [network(part)[:, 0] for part in (images, chains)]
        loss = tf.reduce_mean(energies[0]) - tf.reduce_mean(energies[1])
        loss += 0.3 * sum(tf.reduce_mean(energy**2) for energy in energies)
    for weight, slope in zip(network.trainable_weights, tape.gradient(loss, network.trainable_weights)):
        weight.assign_sub(0.1 * slope)
    for one, other in zip(network.weights, model.network.weights):
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-6)


@pytest.mark.eager
@pytest.mark.parametrize("count", [5, 8, 20])
def test_an_uneven_batch_is_compared_with_as_many_chains(count, monkeypatch):
    """No chain counts for an example: 5 are compared with 5 chains, and 20 with all 12 that there are."""
    model, seen = ebm(), {}
    monkeypatch.setattr(model, "report_energies", lambda real, fake: seen.update(real=real, fake=fake) or {})
    images = np.tile(cases.images(), (2, 1, 1, 1))[:count]
    model.train_step(tf.constant(images))
    assert seen["real"].shape == (count,) and seen["fake"].shape == (min(count, 12),)
    expected = model.energies(images)
    # With hardly any noise on them, these are the examples' own energies, before the step that moved the weights.
    assert np.abs(seen["real"].numpy() - expected).max() < 0.1


@pytest.mark.eager
def test_an_epoch_with_an_uneven_last_batch_weighs_every_example_alike():
    model = ebm()
    images = cases.images(11)
    results = model.evaluate(images, batch_size=8, verbose=0, return_dict=True)
    assert results["real_energy"] == pytest.approx(model.energies(images).mean(), abs=1e-6)
    of_chains = model.energies((model.buffer.chains.numpy() + 1) / 2)
    by_hand = (8 * (model.energies(images[:8]).mean() - of_chains[:8].mean())) / 11
    by_hand += 3 * (model.energies(images[8:]).mean() - of_chains[:3].mean()) / 11
    assert results["loss"] == pytest.approx(by_hand, abs=1e-6)
    assert set(model.fit(images, batch_size=8, verbose=0).history) == {"loss", "real_energy", "fake_energy"}


@pytest.mark.eager
def test_chains_of_the_buffer_go_on_from_step_to_step():
    model = ebm(fresh=0.0, buffer_size=16, noise=0.0, step_size=1.0)
    before = model.buffer.chains.numpy()
    model.fit(cases.images(8), batch_size=8, verbose=0)
    moved = (model.buffer.chains.numpy() != before).any(axis=(1, 2, 3))
    assert moved.sum() == 8
    # From where they were, not from anywhere: three steps, and no slope is above its bound.
    assert np.abs(model.buffer.chains.numpy() - before).max() <= 3 * 1.0 * 0.03 + 1e-6


def test_chains_on_their_way_are_those_of_the_samples():
    model = ebm()
    seen = model.chains(3, [0, 1, 4], seed=5)
    assert seen.shape == (3, 3, 8, 8, 1)
    np.testing.assert_array_equal(seen[2], model.generate(3, seed=5, steps=4, start="noise"))
    np.testing.assert_array_equal(seen[1], model.generate(3, seed=5, steps=1, start="noise"))
    np.testing.assert_allclose(model.sample_sheet(seed=5)[0][:3], model.generate(3, seed=5), atol=1e-5)


def test_what_is_annealed_holds_from_the_next_step_on():
    model = ebm(noise=0.0, fresh=0.0, data_noise=0.0, buffer_size=16)
    data = tf.data.Dataset.from_tensors(cases.images(8)).repeat()
    model.fit(data, steps_per_epoch=1, verbose=0)
    before = model.buffer.chains.numpy()
    model.step_size = 1e-9
    model.fit(data, steps_per_epoch=1, verbose=0)
    np.testing.assert_allclose(model.buffer.chains.numpy(), before, atol=1e-7)
    model.noise = 0.5
    model.fit(data, steps_per_epoch=1, verbose=0)
    assert np.abs(model.buffer.chains.numpy() - before).max() > 0.3
    before = model.buffer.chains.numpy()
    model.noise, model.buffer.fresh = 0.0, 1.0
    model.fit(data, steps_per_epoch=1, verbose=0)
    assert (np.abs(model.buffer.chains.numpy() - before).max(axis=(1, 2, 3)) > 0.1).sum() == 8


def test_samples_go_on_from_all_the_chains_of_the_buffer():
    model = ebm(noise=0.0, step_size=1e-9)
    samples = model.generate(24, seed=3)
    np.testing.assert_allclose(samples[:12], samples[12:], atol=1e-6)
    chains = (model.buffer.chains.numpy() + 1) / 2
    distances = np.abs(samples[:12, None] - chains).max(axis=(2, 3, 4))
    np.testing.assert_array_equal(np.sort(distances.argmin(axis=1)), np.arange(12))
    assert distances.min(axis=1).max() < 1e-6
    assert not np.array_equal(distances.argmin(axis=1), np.arange(12))
    with pytest.raises(InputError, match="start"):
        model.generate(2, seed=3, start="anywhere")


@pytest.mark.full
def test_a_step_compiles_with_xla():
    """As it is on a GPU by default: the loop, the shuffled buffer and its update are one program."""
    model = ebm(fresh=0.0)
    before = model.buffer.chains.numpy()
    model.compile("adam", jit_compile=True)
    harness.assert_finite(model.fit(cases.images(8), batch_size=8, epochs=2, verbose=0).history)
    moved = (model.buffer.chains.numpy() != before).any(axis=(1, 2, 3))
    assert 8 <= moved.sum() <= 12
