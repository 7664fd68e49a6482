"""The WGAN-GP: networks, fresh noise and images for each step of the critic, mixing weights, a small training."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from scipy import stats

from gdl_keras.errors import InputError
from gdl_keras.models import WGANGP, hinge_gan
from gdl_keras.models.wgan_gp import build_critic, build_generator
from tests import cases


def test_networks_have_the_books_number_of_weights():
    generator, critic = build_generator((64, 64, 3)), build_critic((64, 64, 3))
    assert generator.count_params() == 3_808_003
    assert critic.count_params() == 2_764_737
    assert sum(int(np.prod(w.shape)) for w in generator.trainable_weights) == 3_806_083
    assert not any(isinstance(layer, layers.BatchNormalization) for layer in critic.layers)


def test_residual_networks_have_the_notebooks_number_of_weights():
    assert hinge_gan.build_generator((28, 28, 1)).count_params() == 301_979
    assert hinge_gan.build_discriminator((28, 28, 1), spectral=False).count_params() == 245_281


@pytest.mark.parametrize("size", [16, 32, 128])
def test_any_size_that_halves(size):
    generator, critic = build_generator((size, size, 1), 4, (4,) * 4), build_critic((size, size, 1), (4,) * 4)
    assert critic(generator(np.zeros((1, 4), "float32"))).shape == (1, 1)
    with pytest.raises(InputError, match="multiple of 16"):
        build_critic((size + 2, size, 1))


def recorded(model, data):
    """(real images, generated images, scores) as the critic's loss sees them, for each step of the critic."""
    seen = []
    penalty = model.penalty

    def recording(critic, reals, fakes):
        seen.append((np.asarray(reals), np.asarray(fakes)))
        return penalty(critic, reals, fakes)

    model.penalty = recording
    model.train_step(tf.constant(data))
    return seen


def test_each_step_of_the_critic_sees_other_images_and_other_noise():
    model = cases.wgan_gp(critic_steps=3)
    data = np.random.default_rng(0).uniform(size=(12, 8, 8, 1)).astype("float32")
    seen = recorded(model, data)
    np.testing.assert_array_equal(np.concatenate([reals for reals, _ in seen]), data)
    fakes = np.concatenate([fakes for _, fakes in seen])
    assert fakes.shape == data.shape
    assert len(np.unique(fakes.reshape(12, -1), axis=0)) == 12


def test_fewer_images_than_steps_are_used_again_with_fresh_noise():
    model = cases.wgan_gp(critic_steps=3)
    data = np.random.default_rng(0).uniform(size=(2, 8, 8, 1)).astype("float32")
    seen = recorded(model, data)
    np.testing.assert_array_equal(np.concatenate([reals for reals, _ in seen]), data[[0, 1, 0]])
    assert len(np.unique(np.concatenate([fakes for _, fakes in seen]).reshape(3, -1), axis=0)) == 3


def test_the_books_variant_shows_the_critic_the_same_images_each_step():
    model = cases.wgan_gp(variant="book")
    assert model.batches_per_step == 1
    for reals, _ in recorded(model, cases.images()):
        np.testing.assert_array_equal(reals, cases.images())


class Numbers:
    """The least that `fit` asks of one of our data sets: ten batches of two images, image i all i / 20."""

    steps_per_epoch = 10

    def batches(self, first_batch=0, columns=()):
        assert columns == ("images",)
        images = np.arange(20, dtype="float32")[:, None, None, None] / 20 * np.ones((1, 8, 8, 1), "float32")
        return tf.data.Dataset.from_tensor_slices(images).batch(2, drop_remainder=True).repeat().skip(first_batch)


@pytest.mark.eager
def test_fit_asks_our_data_sets_for_a_batch_per_step_of_the_critic():
    """An epoch is one pass, and a later epoch goes on where the ones before it stopped."""
    seen = []

    class Recording(WGANGP):
        def train_step(self, data):
            seen.append(np.round(np.asarray(data)[:, 0, 0, 0] * 20).astype(int).tolist())
            return super().train_step(data)

    model = Recording(build_generator((8, 8, 1), 4, (4, 4)), build_critic((8, 8, 1), (4, 4)), critic_steps=2, seed=0)
    model.compile("adam", "adam", run_eagerly=True)
    model.fit(Numbers(), epochs=1, verbose=0)
    assert seen == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, 15], [16, 17, 18, 19]]
    seen.clear()
    model.fit(Numbers(), initial_epoch=1, epochs=2, steps_per_epoch=2, verbose=0)
    assert seen == [[8, 9, 10, 11], [12, 13, 14, 15]]


def test_mixing_weights_are_uniform_and_per_example():
    weights = np.asarray(cases.wgan_gp().mixing_weights(tf.zeros((5000, 8, 8, 1))))
    assert weights.shape == (5000, 1, 1, 1)
    assert stats.kstest(weights.ravel(), "uniform").pvalue > 0.001
    assert np.asarray(cases.wgan_gp().mixing_weights(tf.zeros((3, 2, 4, 4, 1)))).shape == (3, 1, 1, 1, 1)
    of_the_book = np.asarray(cases.wgan_gp(variant="book").mixing_weights(tf.zeros((5000, 8, 8, 1))))
    assert stats.kstest(of_the_book.ravel(), "norm").pvalue > 0.001


@pytest.mark.parametrize("options", [{"penalty_weight": -1.0}, {"variant": "journal"}])
def test_arguments_are_checked(options):
    with pytest.raises(InputError):
        cases.wgan_gp(**options)


@pytest.mark.full
def test_estimate_approaches_the_true_distance_and_then_falls():
    """Real points are shifted from the generator's by a vector of length d = 5, which is then the distance.

    With the generator at rest the best critic has slope s with s d - weight (s - 1)^2 largest: s = 1 + d / (2 weight),
    1.25 here, and an estimate of s d.  With the generator moving, the estimate falls.
    """
    latents = keras.Input((2,))
    generator = keras.Model(latents, layers.Dense(2, kernel_initializer="identity")(latents))
    points = keras.Input((2,))
    x = layers.Dense(32, activation="leaky_relu")(points)
    critic = keras.Model(points, layers.Dense(1)(layers.Dense(32, activation="leaky_relu")(x)))
    reals = np.random.default_rng(0).normal(size=(1500, 2)) + [3, 4]
    data = tf.data.Dataset.from_tensor_slices(reals.astype("float32")).batch(150).repeat()

    class OnPoints(WGANGP):
        makes = "points"

    model = OnPoints(generator, critic, seed=0)
    model.compile(keras.optimizers.Adam(3e-3, 0.5, 0.9), keras.optimizers.SGD(0.0))
    history = model.fit(data, epochs=2, steps_per_epoch=200, verbose=0, shuffle=False).history
    assert history["gradient_norm"][-1] == pytest.approx(1.25, rel=0.05)
    at_rest = model.evaluate(data, steps=10, verbose=0, return_dict=True)["wasserstein_distance"]
    assert at_rest == pytest.approx(1.25 * 5, rel=0.05)

    model.compile(keras.optimizers.Adam(3e-3, 0.5, 0.9), keras.optimizers.Adam(1e-2, 0.5, 0.9))
    model.fit(data, epochs=1, steps_per_epoch=600, verbose=0, shuffle=False)
    moved = model.evaluate(data, steps=10, verbose=0, return_dict=True)["wasserstein_distance"]
    assert abs(moved) < 1
    np.testing.assert_allclose(generator.layers[-1].bias, [3, 4], atol=0.7)


@pytest.mark.parametrize("build", [cases.wgan_gp, cases.cgan])
def test_scores_in_one_batch_are_the_scores_of_each_image(build):
    model = build()
    rng = np.random.default_rng(0)
    shape = (6, *model.generator.output_shape[1:])
    reals, fakes = (tf.constant(rng.uniform(size=shape), "float32") for _ in range(2))
    labels = tf.constant([0, 1, 2, 0, 1, 2]) if model.conditions else None
    _, critic = model.given(labels)
    # Without dropout, which would draw other masks.
    for layer in model.critic._flatten_layers():
        layer.rate = 0.0
    for together, alone in zip(model.scores(reals, fakes, labels), (reals, fakes), strict=True):
        np.testing.assert_allclose(together, critic(alone, training=True), rtol=1e-5, atol=1e-6)
