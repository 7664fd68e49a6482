"""Adversarial losses against numpy; the gradient penalty against closed forms and finite differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from scipy.special import expit

from gdl_keras import losses


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def linear_critic(weights):
    """D(x) = <w, x>, whose gradient is w everywhere."""
    return lambda x: ops.sum(ops.reshape(x, (-1, weights.size)) * weights.ravel(), axis=1, keepdims=True)


def penalty_of(critic, shape, rng, batch=4):
    reals, fakes = (tf.constant(rng.uniform(size=(batch, *shape)), "float32") for _ in range(2))
    mix = tf.constant(rng.uniform(size=(batch,) + (1,) * len(shape)), "float32")
    return losses.gradient_penalty(critic, reals, fakes, mix)


def test_crossentropy_of_logits(rng):
    logits, targets = rng.normal(size=(5, 1)).astype("float32"), rng.uniform(size=(5, 1)).astype("float32")
    p = expit(logits.astype("float64"))
    expected = -(targets * np.log(p) + (1 - targets) * np.log(1 - p))[:, 0]
    np.testing.assert_allclose(losses.binary_crossentropy(targets, logits), expected, rtol=1e-5)


def test_crossentropy_of_very_large_logits_stays_exact():
    logits = np.array([[200.0], [-200.0]], "float32")
    np.testing.assert_allclose(losses.binary_crossentropy(1.0, logits), [0, 200])
    np.testing.assert_allclose(losses.binary_crossentropy(0.0, logits), [200, 0])


@pytest.mark.parametrize("logit", [-40.0, -17.5, -1.0, 0.0, 2.0, 17.5, 40.0])
def test_crossentropy_has_a_slope_wherever_the_answer_is_wrong(logit):
    """Its slope is p - t; a probability that is clipped at 1e-7 has none beyond a logit of 16.1."""
    logits = tf.constant([[logit]])
    for target in (0.0, 0.3, 1.0):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = losses.binary_crossentropy(target, logits)
        np.testing.assert_allclose(tape.gradient(loss, logits), [[expit(logit) - target]], atol=1e-6)


def test_penalty_per_unit_of_another_scale(rng):
    """Images in [0, 1] are those in [-1, 1] at half the length: there the same critic is half as steep."""
    weights = (3.0 * np.ones((4, 4, 1)) / 4).astype("float32")
    critic = linear_critic(weights)
    zero_to_one = tf.constant(rng.uniform(size=(2, 4, 4, 1)), "float32")
    mix = tf.ones((2, 1, 1, 1))
    penalties, norms = losses.gradient_penalty(critic, zero_to_one, zero_to_one, mix, unit=0.5)
    in_papers_range = 2 * zero_to_one - 1
    expected = losses.gradient_penalty(lambda x: critic((x + 1) / 2), in_papers_range, in_papers_range, mix)
    np.testing.assert_allclose(norms, [1.5, 1.5], rtol=1e-5)
    np.testing.assert_allclose((penalties, norms), expected, rtol=1e-5)


def test_hinge_loss(rng):
    scores = np.array([[-3.0], [-1.0], [-0.5], [0.0], [0.25], [1.0], [7.0]], "float32")
    np.testing.assert_allclose(losses.hinge_loss(scores, 1), [4, 2, 1.5, 1, 0.75, 0, 0])
    np.testing.assert_allclose(losses.hinge_loss(scores, -1), [0, 0, 0.5, 1, 1.25, 2, 8])


def test_wasserstein_distance_of_a_shift_along_a_linear_critic(rng):
    weights = np.array([0.6, 0.8], "float32")
    reals = rng.normal(size=(1000, 2)).astype("float32")
    critic = linear_critic(weights)
    distances = losses.wasserstein_distance(critic(reals), critic(reals - 3 * weights))
    np.testing.assert_allclose(distances, np.full(1000, 3.0), rtol=1e-4)


@pytest.mark.parametrize("shape", [(7,), (5, 4, 3), (2, 3, 4, 2)], ids=["rank 2", "rank 4", "rank 5"])
@pytest.mark.parametrize("norm", [0.0, 0.3, 1.0, 5.0])
def test_penalty_of_a_linear_critic_is_exact(shape, norm, rng):
    weights = rng.normal(size=shape)
    weights = (norm * weights / np.linalg.norm(weights)).astype("float32")
    penalties, norms = penalty_of(linear_critic(weights), shape, rng)
    assert penalties.shape == norms.shape == (4,)
    np.testing.assert_allclose(norms, np.full(4, norm), rtol=1e-5, atol=2e-6)
    np.testing.assert_allclose(penalties, np.full(4, (norm - 1) ** 2), rtol=1e-4, atol=1e-5)


def test_norm_against_finite_differences_of_each_example(rng):
    """A critic that is not linear, and examples with different slopes."""
    reals, fakes = rng.uniform(size=(2, 3, 2, 2, 1))
    mix = rng.uniform(size=(3, 1, 1, 1))

    def critic(x):
        return ops.sum(ops.sin(3 * x) * x**2, axis=(1, 2, 3))

    points, step = mix * reals + (1 - mix) * fakes, 1e-5
    expected = []
    for point in points:
        slopes = []
        for place in np.ndindex(point.shape):
            moved = np.zeros_like(point)
            moved[place] = step
            above, below = (np.asarray(critic(tf.constant(p[None])))[0] for p in (point + moved, point - moved))
            slopes.append((above - below) / (2 * step))
        expected.append(np.linalg.norm(slopes))
    penalties, norms = losses.gradient_penalty(critic, *(tf.constant(a) for a in (reals, fakes, mix)))
    np.testing.assert_allclose(norms, expected, rtol=1e-7)
    np.testing.assert_allclose(penalties, (np.array(expected) - 1) ** 2, rtol=1e-6)


@pytest.mark.parametrize("critic", ["flat", "blind"])
def test_penalty_of_a_flat_critic_has_a_finite_gradient(critic, rng):
    weights = tf.Variable(tf.zeros((3, 1)))
    score = {"flat": lambda x: x @ weights, "blind": lambda x: tf.zeros((4, 1)) + weights[0]}[critic]
    with tf.GradientTape() as tape:
        penalties, _ = penalty_of(score, (3,), rng)
        loss = tf.reduce_mean(penalties)
    assert float(loss) == pytest.approx(1, abs=1e-5)
    gradient = tape.gradient(loss, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("size", [1e-4, 1e-1, 1.0, 1e3])
def test_float16_penalty_is_close_to_float32s(size, rng):
    """The entries of the smallest gradient here are below what float16 can hold, those of the largest far above 1."""
    gradients, norms = {}, {}
    for policy in ("float32", "mixed_float16"):
        keras.config.set_dtype_policy(policy)
        keras.utils.set_random_seed(0)
        critic = keras.Sequential(
            [
                keras.Input((32, 32, 3)),
                layers.Conv2D(8, 4, strides=2, padding="same"),
                layers.LeakyReLU(0.2),
                layers.Flatten(),
                layers.Dense(1, dtype="float32"),
            ]
        )
        images = tf.constant(np.random.default_rng(0).uniform(size=(4, 32, 32, 3)), "float32")
        unit = tf.reduce_mean(losses.gradient_norm(critic, images))
        kernel = critic.layers[-1].kernel
        kernel.assign(kernel * size / unit)
        with tf.GradientTape() as tape:
            norms[policy] = losses.gradient_norm(critic, images)
            loss = tf.reduce_mean(tf.square(norms[policy] - 1))
        # Loss scaling, as the optimizer does it, keeps the rest of the way in range.
        loss_scale = tf.constant(2.0 ** (10 if size < 100 else -8))
        gradient = tape.gradient(loss, critic.trainable_variables[0], output_gradients=loss_scale)
        gradients[policy] = gradient / loss_scale
    np.testing.assert_allclose(norms["mixed_float16"], norms["float32"], rtol=5e-3)
    difference = np.linalg.norm(gradients["mixed_float16"] - gradients["float32"])
    assert difference < 1e-2 * np.linalg.norm(gradients["float32"])
