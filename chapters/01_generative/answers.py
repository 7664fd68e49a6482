"""The answers to this chapter's exercises: `python chapters/01_generative/answers.py` runs them all."""

import math

from gdl_keras.exercises import run_all
from gdl_keras import data
from gdl_keras.data.densities import Moons
from gdl_keras.metrics.ngrams import ngrams
from gdl_keras.models import Gaussian, Histogram, NGram

import numpy as np
import tensorflow as tf


def counted(model, examples):
    """The model after one pass of counting; for a step or two nothing is worth being compiled."""
    model.compile(None, run_eagerly=True)
    model.fit(examples, batch_size=len(examples), verbose=0)
    return model


def likeliest_normal_distribution():
    """Exercise 1: Which normal distribution is the likeliest, and what does it cost to move its mean by d?

    The one with the mean and the covariance C of the points: no weight has a slope there.  Moved by d, it is more
    surprised by d^T C^-1 d / 2 nats.
    """
    points = Moons().sample(1000, seed=1).astype("float32")
    model = Gaussian()
    model.solve(points)
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(model.log_density(points))
    steepest = max(float(tf.reduce_max(tf.abs(slope))) for slope in tape.gradient(loss, model.trainable_variables))

    d = np.array([0.3, -0.2], "float32")
    before = model.negative_log_likelihood(points).mean()
    model.mean.assign_add(d)
    cost = model.negative_log_likelihood(points).mean() - before
    assert steepest < 1e-5
    assert math.isclose(cost, d @ np.linalg.inv(model.covariance) @ d / 2, rel_tol=1e-3)
    return {"steepest slope": steepest, "nats that moving costs": cost}


def cells_of_a_histogram():
    """Exercise 2: How many cells should a histogram of a thousand points have along each side?

    The more cells, the less its own points surprise it: with 128 by 0.5 nats, far less than the truth's 1.8.  Held-out
    points surprise it least with 16, by 2.1 nats, and with 128 by 7.5: most of them fall into empty cells.
    """
    train, test = (Moons().sample(1000, seed).astype("float32") for seed in (1, 2))
    own, held_out = {}, {}
    for cells in (4, 8, 16, 32, 64, 128):
        model = counted(Histogram.around(train, cells), train)
        own[cells], held_out[cells] = (-float(tf.reduce_mean(model(points))) for points in (train, test))
    best = min(held_out, key=held_out.get)
    assert list(own.values()) == sorted(own.values(), reverse=True)
    assert best == 16
    return {
        "best number of cells": best,
        "its held-out nats": held_out[best],
        "those of 128 cells": held_out[128],
        "and on its own points": own[128],
    }


def divergence_of_a_normal_distribution():
    """Exercise 3: How far is the best normal distribution from the two moons, in nats?

    Its cross-entropy is log det(2 pi e C) / 2, whatever has that covariance C; less the entropy of the moons, that is
    the divergence, and the mean of log p - log q over points of p says the same.
    """
    moons = Moons()
    points = moons.sample(20_000, seed=1)
    model = Gaussian()
    model.solve(points)
    nats = model.negative_log_likelihood(points)
    cross_entropy = np.linalg.slogdet(2 * np.pi * np.e * np.cov(points.T, bias=True))[1] / 2
    divergence = cross_entropy - moons.entropy
    differences = moons.log_density(points) + nats
    error = differences.std() / len(points) ** 0.5
    assert math.isclose(nats.mean(), cross_entropy, rel_tol=1e-5)
    assert abs(divergence - differences.mean()) < 4 * error < 0.05
    return {"cross-entropy": cross_entropy, "divergence": divergence, "by sampling": differences.mean()}


def context_against_memory():
    """Exercise 4: What does a longer context do to the perplexity of a text that is known, and of a new one?

    Of the known text it falls with every order, to 2.1 at six; of a new novel, from so little text, it turns at three:
    9.1, and 19.9 at six, where most contexts have never been seen.
    """
    train, test = (data.load("austen_mini", split, tokens="characters", length=1024) for split in ("train", "test"))
    known, new = (part.rows("tokens", slice(32)) for part in (train, test))
    perplexities = {}
    for order in range(1, 7):
        model = counted(NGram(train.vocabulary, order, smoothing="additive", alpha=0.01, capacity=2**15), known)
        perplexities[order] = [math.exp(np.mean(model.nats_per_token(tokens))) for tokens in (known, new)]
    of_known, of_new = zip(*perplexities.values())
    best = 1 + int(np.argmin(of_new))
    assert list(of_known) == sorted(of_known, reverse=True)
    assert best == 3
    return {"best order": best, "new text": of_new[2], "at order 6": of_new[5], "known text, order 6": of_known[5]}


def text_learnt_by_heart():
    """Exercise 5: How long a context does an n-gram model need to write a text of 300 characters word for word?

    So long a one that none in that text is ever followed by two different characters: here 8.  With one character less
    it takes a wrong turning.
    """
    train = data.load("austen_mini", "train", tokens="characters", length=1024)
    text = train.vocabulary.decode(train.rows("tokens", slice(1))[0, :300])
    tokens = train.vocabulary.encode(text)

    def is_enough(context):
        return len(np.unique(ngrams(tokens[:-1], context))) == len(np.unique(ngrams(tokens, context + 1)))

    context = next(filter(is_enough, range(1, 20)))
    for length in (context - 1, context):
        model = NGram(train.vocabulary, length + 1, smoothing="additive", alpha=0.01, capacity=len(text))
        counted(model, tokens[None])
        written = model.generate(1, given=text[:context], length=len(text), temperature=0)[0]
        assert (written == text) == (length == context)
    assert context == 8
    return {"characters of context": context}


if __name__ == "__main__":
    run_all(globals())
