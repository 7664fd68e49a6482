"""The answers to this chapter's exercises: `python chapters/03_vae/answers.py` runs them all."""

from functools import cache

from gdl_keras.exercises import run_all
from gdl_keras import data, load, losses
from gdl_keras.layers import Sampling

import numpy as np
import tensorflow as tf


@cache
def garments_and_model():
    """Fifty held-out garments, and the trained VAE of such."""
    return data.load("fashion_mini", "test", image_size=32).images(slice(50)), load("03_vae/02_vae_fashion")


def divergence_by_sampling():
    """Exercise 1: Is the closed form of the KL divergence what its definition, a mean of log q(z) - log p(z), gives?

    Yes: over 100,000 points z of the cloud q the mean agrees within its standard error.
    """
    rng = np.random.default_rng(1)
    mean, log_variance = (rng.normal(size=(1, 5)).astype("float32") for _ in range(2))
    z = mean + np.exp(log_variance / 2) * rng.normal(size=(100_000, 5)).astype("float32")
    ratios = np.asarray(losses.normal_log_density(z, mean, log_variance) - losses.normal_log_density(z), "float64")
    error = ratios.std() / len(z) ** 0.5
    closed_form = float(losses.kl_to_standard_normal(mean, log_variance)[0])
    assert abs(ratios.mean() - closed_form) < 4 * error < 0.05
    return {"closed form": closed_form, "by sampling": ratios.mean(), "standard error": error}


def two_gradients():
    """Exercise 2: Why is the randomness of z moved into an epsilon, when d/dm E[f(z)] = E[f(z) (z - m) / s^2] will do?

    Because that estimate scatters more.  For f(z) = z^2, m = s = 1 both are 2 in the mean, with a variance of 30; of
    the gradient through `Sampling`, 2 z, it is 4.
    """
    means = tf.ones((200_000, 1))
    with tf.GradientTape() as tape:
        tape.watch(means)
        z = Sampling(seed=1)((means, tf.zeros_like(means)), training=True)
        f = tf.square(z)
    through = tape.gradient(f, means).numpy()
    score = (f * (z - means)).numpy()
    np.testing.assert_allclose([through.mean(), score.mean()], 2, atol=0.06)
    np.testing.assert_allclose([through.var(), score.var()], [4, 30], rtol=0.05)
    return {"variance through epsilon": float(through.var()), "variance of the other": float(score.var())}


def dimensions_in_use():
    """Exercise 3: How many of the 200 dimensions of the trained VAE of emoji say much about an image?

    Few: of the 14 nats of an image's cloud half are in 17 dimensions, and nearly 2 in one.  To move that one by 2
    changes a pixel by 0.08 in the mean, to move the last one by 0.003.
    """
    images = data.load("emoji", "test", image_size=32).images(slice(None))
    model = load("03_vae/03_vae_faces")
    mean, log_variance = model.encode(images)
    nats = np.mean(np.square(mean) + np.exp(log_variance) - log_variance - 1, axis=0) / 2
    assert np.isclose(nats.sum(), np.mean(losses.kl_to_standard_normal(mean, log_variance)), rtol=1e-4)
    order = np.argsort(nats)[::-1]
    half = 1 + np.count_nonzero(np.cumsum(nats[order]) < nats.sum() / 2)

    def change(dimension):
        moved = mean + 2 * np.eye(200, dtype="float32")[dimension]
        return float(np.abs(model.generate(latents=moved) - model.generate(latents=mean)).mean())

    first, last = change(order[0]), change(order[-1])
    assert half == 17 and first > 20 * last
    return {"with half of the nats": half, "nats of all": nats.sum(), "of the first": nats.max(), "change": first}


def bound_and_estimate():
    """Exercise 4: The mean over k points of a cloud, before the logarithm is taken, is a tighter bound. By how much?

    Of fifty garments the ELBO is -288.3 nats, and with one point the estimate is the same but for chance.  With ten it
    is 3.3 nats higher, with fifty 3.9: so much at least is missing in the ELBO.
    """
    images, model = garments_and_model()
    elbo = -model.negative_log_likelihood(images).mean()
    estimates = [model.log_likelihood(images, k, seed=1) for k in (1, 10, 50)]
    of_one, of_ten, of_fifty = (estimate.mean() for estimate in estimates)
    assert abs(elbo - of_one) < 4 * (estimates[0] - estimates[2]).std() / 50**0.5
    np.testing.assert_allclose([of_ten - elbo, of_fifty - elbo], [3.3, 3.9], atol=0.5)
    return {"ELBO": elbo, "k = 1": of_one, "k = 10": of_ten, "k = 50": of_fifty}


def between_two_garments():
    """Exercise 5: Which does the VAE find likelier, the mean of two garments' pixels, or what it draws between them?

    What it draws, by 70 nats in the mean of 25 pairs: a mean of pixels shows two garments, one through the other.
    """
    images, model = garments_and_model()
    mean, _ = model.encode(images)
    of_pixels = (images[:25] + images[25:]) / 2
    drawn = model.generate(latents=(mean[:25] + mean[25:]) / 2)
    nats, nats_of_drawn = (model.negative_log_likelihood(each).mean() for each in (of_pixels, drawn))
    assert np.isclose(nats - nats_of_drawn, 70, atol=5)
    return {"nats of the mean": nats, "of what is drawn": nats_of_drawn}


if __name__ == "__main__":
    run_all(globals())
