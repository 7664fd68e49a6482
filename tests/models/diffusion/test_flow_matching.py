"""Flow matching: lines, velocities and walks against closed forms."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from gdl_keras.errors import InputError
from gdl_keras.models import FlowMatching
from tests import harness
from tests.cases import images
from tests.diffusion_cases import flow_matching

MEANS, DEVIATION = np.array([-1.5, 1.0]), 0.4


def velocity_of_two(x, u):
    """E[noise - image | x] where images are of two normal distributions, each half of the time, and noise is normal."""
    variance = (1 - u) ** 2 * DEVIATION**2 + u**2
    from_means = x[..., None] - (1 - u) * MEANS
    shares = np.exp(-0.5 * from_means**2 / variance)
    shares /= shares.sum(axis=-1, keepdims=True)
    of_each = (u - (1 - u) * DEVIATION**2) / variance * from_means - MEANS
    return (shares * of_each).sum(axis=-1)


def test_the_velocity_of_two_gaussians_is_a_mean_over_lines():
    """The closed form itself, by integrating over images: at x the noise is (x - (1 - u) image) / u."""
    image = np.linspace(-6, 6, 4001)
    density = np.exp(-0.5 * ((image[:, None] - MEANS) / DEVIATION) ** 2).sum(axis=1)
    for u in (0.2, 0.5, 0.9):
        for x in (-2.0, 0.1, 1.3):
            noise = (x - (1 - u) * image) / u
            weight = density * np.exp(-0.5 * noise**2)
            expected = (weight * (noise - image)).sum() / weight.sum()
            assert velocity_of_two(np.array(x), u) == pytest.approx(expected, abs=1e-6)


def slope_of_the_loss(field, bend, count=200_000):
    """How the loss changes where a field (x, u) is bent: the mean over lines, and its standard error."""
    rng = np.random.default_rng(1)
    image = MEANS[rng.integers(0, 2, count)] + DEVIATION * rng.normal(size=count)
    noise, times = rng.normal(size=count), rng.uniform(0.02, 0.98, count)
    image, noise = (tf.constant(each.reshape(-1, 1, 1, 1), "float32") for each in (image, noise))
    model, amount = FlowMatching(in_the_plane(4), middle=False, seed=1), tf.zeros(count)

    def ask(x, u, *_, **__):
        x, u = np.asarray(x).ravel(), np.asarray(u)
        return tf.reshape(tf.cast(field(x, u) + amount * bend(x, u), "float32"), (-1, 1, 1, 1))

    model.ask = ask
    with tf.GradientTape() as tape:
        tape.watch(amount)
        losses = model.losses_of(image, tf.constant(times, "float32"), noise, None, False)
    slopes = np.asarray(tape.gradient(losses, amount))
    return slopes.mean(), slopes.std() / count**0.5


def test_the_loss_is_least_at_the_velocity_of_two_gaussians():
    """Bent in any direction, it grows: every slope is zero there, and not beside it."""

    def right(x, u):
        return velocity_of_two(x, u[:, None])

    bends = [
        lambda x, u: np.ones_like(x),
        lambda x, u: x,
        lambda x, u: np.cos(3 * x) * u,
        lambda x, u: np.exp(-8 * (x - 0.5) ** 2) * (1 - u),
    ]
    for bend in bends:
        slope, error = slope_of_the_loss(right, bend)
        assert error < 0.01
        assert abs(slope) < 4 * error
    slope, error = slope_of_the_loss(lambda x, u: right(x, u) + 0.1 * x, bends[1])
    assert slope > 10 * error


def in_the_plane(units):
    """A network of single numbers: [x (batch, 1, 1, 1), u (batch,)] -> (batch, 1, 1, 1)."""
    x, u = keras.Input((1, 1, 1)), keras.Input(())
    hidden = layers.Concatenate()([layers.Flatten()(x), layers.Reshape((1,))(u)])
    for _ in range(3):
        hidden = layers.Dense(units, "silu")(hidden)
    return keras.Model([x, u], layers.Reshape((1, 1, 1))(layers.Dense(1)(hidden)))


@pytest.mark.full
def test_a_network_learns_the_velocity_of_two_gaussians():
    keras.utils.set_random_seed(0)
    model = FlowMatching(in_the_plane(128), middle=False, ema_decay=0.99, seed=1)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(5e-3, 1500)))
    rng = np.random.default_rng(0)
    data = (MEANS[rng.integers(0, 2, 50_000)] + DEVIATION * rng.normal(size=50_000)).astype("float32")
    batches = tf.data.Dataset.from_tensor_slices(data.reshape(-1, 1, 1, 1)).repeat().batch(1024)
    # The numbers stand for images that are standardised already, and not for greys: the step is called as it is.
    step = tf.function(model.train_step)
    for batch in batches.take(1500):
        step(batch)
    noise = rng.normal(size=2000).astype("float32")
    for level in (0.05, 0.2, 0.5, 0.8, 0.95):
        # Where lines pass: elsewhere nothing was to be learnt.
        x = (1 - level) * data[:2000] + level * noise
        learnt = np.asarray(model.ask(tf.reshape(x, (-1, 1, 1, 1)), level))[:, 0, 0, 0]
        right = velocity_of_two(x, level)
        assert np.square(learnt - right).mean() < 0.01 * np.square(right).mean(), level


def walk_of_one(solver, steps, monkeypatch):
    """How far a walk is from that of a normal distribution, x(0) = mean + deviation * x(1)."""
    mean, deviation, model = 0.3, 0.4, flow_matching()

    def velocity(x, u, *_):
        variance = (1 - u) ** 2 * deviation**2 + u**2
        return (u - (1 - u) * deviation**2) / variance * (x - (1 - u) * mean) - mean

    monkeypatch.setattr(model, "ask", velocity)
    start = tf.random.stateless_normal((2, 8, 8, 1), (1, 1))
    levels = [tf.constant(level) for level in model.levels_of(steps)]
    end = model.walk(start, None, None, None, levels, solver=solver)
    return float(np.abs(end - (mean + deviation * start)).max())


def test_walks_reach_a_gaussian_with_the_solvers_order(monkeypatch):
    for solver, order in (("euler", 1), ("heun", 2)):
        errors = [walk_of_one(solver, steps, monkeypatch) for steps in (20, 40)]
        assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.35), solver
    assert errors[1] < 0.01


def test_the_loss_against_numpy(monkeypatch):
    model = flow_matching(middle=False)
    image, noise = (tf.random.stateless_normal((3, 8, 8, 1), (k, 0)) for k in range(2))
    seen = {}
    monkeypatch.setattr(model, "ask", lambda x, u, *_, **__: seen.update(x=x, u=u) or tf.zeros_like(x))
    losses = model.losses_of(image, tf.constant([0.0, 0.25, 1.0]), noise, None, False)
    np.testing.assert_allclose(losses, np.square(noise - image).mean(axis=(1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(seen["x"], np.stack([image[0], 0.75 * image[1] + 0.25 * noise[1], noise[2]]), rtol=1e-5)
    model = flow_matching()
    monkeypatch.setattr(model, "ask", lambda x, u, *_, **__: seen.update(u=u) or tf.zeros_like(x))
    model.losses_of(image, tf.constant([0.1, 0.5, 0.8413447]), noise, None, False)
    np.testing.assert_allclose(seen["u"][1:], [0.5, 1 / (1 + np.exp(-1))], atol=1e-4)


def test_what_is_given_is_kept_and_what_does_not_fit_is_refused():
    model, given = flow_matching(), images(2).copy()
    given[:, 4:] = np.nan
    for solver in ("euler", "heun"):
        np.testing.assert_allclose(model.generate(given=given, solver=solver)[:, :4], given[:, :4], atol=1e-4)
    with pytest.raises(InputError):
        model.generate(2, solver="ddim")


@pytest.mark.full
def test_sixteen_images_are_learnt_by_heart():
    model, data = flow_matching(), images()
    model.adapt(data)
    model.optimizer.learning_rate = 5e-3
    harness.many_steps(model, np.tile(data, (8, 1, 1, 1)), 600)
    samples = model.generate(16, seed=1, steps=20)
    nearest = np.sqrt(np.square(samples[:, None] - data[None]).mean(axis=(2, 3, 4))).min(axis=1)
    apart = np.sqrt(np.square(data[:, None] - data[None]).mean(axis=(2, 3, 4)))
    assert np.median(nearest) < 0.5 * np.median(apart)
