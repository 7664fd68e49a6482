"""The answers to this chapter's exercises: `python chapters/04_gan/answers.py` runs them all."""

import math

from gdl_keras.exercises import run_all
from gdl_keras import load, losses
from gdl_keras.metrics import Judge, frechet_distance

import numpy as np
import tensorflow as tf


def jensen_shannon(p, q):
    """The divergence of two distributions, arrays (k,) of probabilities that are not both 0: nats."""
    m = (p + q) / 2
    return float(sum(np.sum(each * np.log(np.where(each > 0, each / m, 1))) for each in (p, q))) / 2


def best_discriminator():
    """Exercise 1: What does the best discriminator say, and what is its loss?

    D = p / (p + q), whose logit is log p / q: no slope is left there.  The loss is log 2 less the Jensen-Shannon
    divergence of p and q, so that a generator which makes it as large as it can makes that divergence small.
    """
    p, q = np.array([0.5, 0.3, 0.15, 0.05], "float32"), np.array([0.1, 0.3, 0.4, 0.2], "float32")
    logits = tf.constant(np.log(p / q)[:, None])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        real, fake = (losses.binary_crossentropy(target, logits) for target in (1.0, 0.0))
        loss = 0.5 * tf.reduce_sum(p * real + q * fake)
    divergence = jensen_shannon(p, q)
    np.testing.assert_allclose(tape.gradient(loss, logits), 0, atol=1e-6)
    assert math.isclose(loss, math.log(2) - divergence, rel_tol=1e-5)
    return {"loss": float(loss), "Jensen-Shannon divergence": divergence}


def slope_for_the_generator():
    """Exercise 2: A discriminator gives an image the logit -10. How steep is each of the generator's two losses there?

    That of log(1 - D) is D itself, 0.00005: who is found out for certain learns nothing.  That of -log D, which is
    used, is 1 - D, nearly 1.
    """
    logits = tf.constant([[-10.0]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        minimax = -losses.binary_crossentropy(0.0, logits)
        used = losses.binary_crossentropy(1.0, logits)
    slopes = [abs(float(tape.gradient(loss, logits)[0, 0])) for loss in (minimax, used)]
    d = 1 / (1 + math.exp(10))
    np.testing.assert_allclose(slopes, [d, 1 - d], rtol=1e-4)
    return {"slope of log(1 - D)": slopes[0], "slope of -log D": slopes[1]}


def distance_of_two_piles():
    """Exercise 3: Generated images are the real ones, moved by d in one direction. What do the two distances say of d?

    As soon as none falls onto another the Jensen-Shannon divergence is log 2, whatever d is: there is no slope to
    follow.  A critic w . x, whose slope is |w| everywhere, measures d if w has that direction and the length 1, and
    pays no penalty; with the length 2 it says 2 d, and pays 1.
    """
    rng = np.random.default_rng(1)
    reals, direction = tf.constant(rng.random((500, 8)), tf.float32), tf.constant(np.eye(8)[0], tf.float32)
    divergences, distances = {}, {}
    for d in (0.0, 0.5, 3.0):
        fakes = reals + d * direction
        different, places = np.unique(np.concatenate([reals, fakes]), axis=0, return_inverse=True)
        parts = np.split(places.ravel(), 2)
        divergences[d] = jensen_shannon(*(np.bincount(part, minlength=len(different)) / 500 for part in parts))
        for length in (1, 2):

            def critic(images, length=length):
                return -length * tf.linalg.matvec(images, direction)[:, None]

            distances[d, length] = float(tf.reduce_mean(losses.wasserstein_distance(critic(reals), critic(fakes))))
            penalties, _ = losses.gradient_penalty(critic, reals, fakes, rng.random((500, 1)).astype("float32"))
            np.testing.assert_allclose(penalties, (length - 1) ** 2, atol=1e-5)
            np.testing.assert_allclose(distances[d, length], length * d, atol=1e-4)
    np.testing.assert_allclose(list(divergences.values()), [0, math.log(2), math.log(2)], atol=1e-6)
    return {"divergence, d = 3": divergences[3.0], "distance, d = 0.5": distances[0.5, 1], "d = 3": distances[3.0, 1]}


def nearer_to_the_middle():
    """Exercise 4: What is gained and what is lost if the trained hinge GAN is given latent points at half their length?

    A classifier sees the class asked for in 98 % of five hundred images instead of 91, but they are less different from
    one another: their features vary 0.6 times as much.
    """
    model, judge = load("04_gan/05_hinge_gan"), Judge("fashion")
    labels, latents = np.repeat(np.arange(10), 50), model.sample_latents(500, seed=1)
    told = {}
    for name, length in (("as drawn", 1.0), ("halved", 0.5)):
        images = model.generate(latents=length * latents, labels=labels)
        told[f"as asked, {name}"] = judge.share_as_asked(images, labels)
        told[f"diversity, {name}"] = judge.diversity(images, labels).mean()
    assert told["as asked, halved"] > told["as asked, as drawn"] + 0.05
    assert math.isclose(told["diversity, halved"] / told["diversity, as drawn"], 0.6, rel_tol=0.05)
    return told


def few_images():
    """Exercise 5: How large is the Fréchet distance of two samples from one and the same distribution?

    Not 0: about d (d + 1) / (2 n) + 2 d / n for n points of d normal numbers each.  So distances of different n do not
    compare.
    """
    rng = np.random.default_rng(1)
    d, told = 16, {}
    for n in (250, 500, 1000):
        distances = [frechet_distance(*rng.normal(size=(2, n, d))) for _ in range(20)]
        told[f"of {n} points"] = float(np.mean(distances))
        assert math.isclose(told[f"of {n} points"], d * (d + 1) / (2 * n) + 2 * d / n, rel_tol=0.1)
    return told


if __name__ == "__main__":
    run_all(globals())
