"""The dense GAN: its networks, self-normalisation, label noise."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras import losses
from gdl_keras.models.gan import GAN, LABEL_NOISES, build_discriminator, build_generator, noisy_targets, selu_layers
from tests import cases


def test_networks_have_the_layers_of_the_notebook():
    generator, discriminator = build_generator((28, 28, 1)), build_discriminator((28, 28, 1))
    assert generator.count_params() == 31 * 100 + 101 * 150 + 151 * 784 == 136_634
    assert discriminator.count_params() == 785 * 150 + 151 * 100 + 101 == 132_951
    assert build_generator((5, 7, 3)).output_shape == (None, 5, 7, 3)


def test_selu_layers_keep_mean_and_variance_through_20_layers():
    inputs = keras.Input((500,))
    outputs = [inputs]
    for _ in range(20):
        outputs.append(selu_layers(outputs[-1], [500]))
    model = keras.Model(inputs, outputs[1:])
    for layer in model(np.random.default_rng(0).normal(size=(2000, 500)).astype("float32")):
        assert abs(float(np.mean(layer))) < 0.1
        assert float(np.var(layer)) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("kind", LABEL_NOISES)
def test_label_noise_stays_where_probabilities_are_except_the_books(kind):
    uniform = np.random.default_rng(0).uniform(size=(2, 10_000, 1)).astype("float32")
    reals, fakes = (np.asarray(t) for t in noisy_targets(kind, 0.1, *uniform))
    outside = reals.max() > 1 or fakes.min() < 0
    assert outside == (kind == "book")
    expected = {
        "none": (1, 0),
        "smooth": (0.95, 0.05),
        "one_sided": (0.9, 0),
        "flip": (0.9, 0.1),
        "book": (1.05, -0.05),
    }
    np.testing.assert_allclose((reals.mean(), fakes.mean()), expected[kind], atol=0.01)
    if kind == "flip":
        assert set(np.unique(reals)) == set(np.unique(fakes)) == {0, 1}


def test_loss_is_bounded_below_by_default_and_not_with_the_books_labels():
    """At the book's labels a surer discriminator has an ever lower loss; at ours the label's entropy is the least."""
    uniform = np.full((2, 1, 1), 0.5, "float32")
    logits = np.linspace(-200, 200, 4001, dtype="float32")[:, None]

    def least(kind):
        target = np.asarray(noisy_targets(kind, 0.1, *uniform)[0])
        return float(np.min(losses.binary_crossentropy(target, logits)))

    p = 0.95
    assert least("smooth") == pytest.approx(-p * np.log(p) - (1 - p) * np.log(1 - p), abs=1e-3)
    assert least("book") < -5


def test_first_losses_are_those_of_the_formula():
    model = cases.gan()
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    images = cases.images()
    state = model.seed_generator.state.numpy().copy()
    report = model.train_step(tf.constant(images))
    model.seed_generator.state.assign(state)
    fakes = model.generator(model.latents_like(images))
    real, fake = (1 / (1 + np.exp(-np.asarray(model.discriminator(x)))) for x in (images, fakes))
    expected = -0.5 * np.log(real).mean() - 0.5 * np.log(1 - fake).mean()
    assert float(report["discriminator_loss"]) == pytest.approx(expected, rel=1e-4)
    assert float(report["generator_loss"]) == pytest.approx(-np.log(fake).mean(), rel=1e-4)
    assert float(report["real_accuracy"]) == pytest.approx((real > 0.5).mean())
    assert float(report["fake_accuracy"]) == pytest.approx((fake < 0.5).mean())


def test_generator_learns_from_the_discriminator_as_it_then_is():
    model = cases.gan()
    model.compile(keras.optimizers.SGD(5.0), keras.optimizers.SGD(0.0))
    images = cases.images()
    state = model.seed_generator.state.numpy().copy()
    report = model.train_step(tf.constant(images))
    model.seed_generator.state.assign(state)
    logits = np.asarray(model.discriminator(model.generator(model.latents_like(images))))
    assert float(report["generator_loss"]) == pytest.approx(np.log1p(np.exp(-logits)).mean(), rel=1e-4)


def test_small_networks_make_many_samples_at_once(monkeypatch):
    """As many as have four million numbers in their largest layer, between 256 and 4,096."""
    small = cases.gan()
    assert small.samples_at_once == 4096
    judge = build_discriminator((2, 2, 1))
    for width, expected in ((4096, 2**22 // 4096), (20_000, 256)):
        assert GAN(build_generator((2, 2, 1), 4, (width,)), judge).samples_at_once == expected
    assert cases.real_nvp().samples_at_once == 4096  # points
    assert cases.image_flow().samples_at_once == 256  # no single network decodes
    # Networks of one's own may have layers of several outputs, or not know all their sizes.
    latents = keras.Input((4,))
    _, state, _ = keras.layers.LSTM(4, return_state=True)(keras.layers.Reshape((2, 2))(latents))
    several = keras.Model(latents, keras.layers.Reshape((2, 2, 1))(keras.layers.Activation("sigmoid")(state)))
    assert GAN(several, judge).samples_at_once == 4096
    images = keras.Input((None, None, 1))
    monkeypatch.setattr(GAN, "decoding_network", keras.Model(images, keras.layers.ReLU()(images)))
    assert small.samples_at_once == 256
    monkeypatch.undo()
    made = small.generate(5000, seed=1)
    np.testing.assert_allclose(made[4090:4100], small.generate(10, seed=1, first=4090), atol=1e-6)
    assert cases.dcgan().generate(3, seed=1).flags.writeable
