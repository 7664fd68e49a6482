"""The mixture of normal distributions against scipy's, and what models make of it."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax
from scipy.stats import multivariate_normal

from gdl_keras.errors import InputError
from gdl_keras.models import Diffusion, FlowMatching, NormalMixture, build_quick_unet
from gdl_keras.models.diffusion.normal_mixture import k_means, principal_directions
from tests.cases import images

SHAPE = (2, 3, 1)


@pytest.fixture(scope="module")
def mixture():
    """Three clusters of images of six numbers, two axes each, within four directions; nothing is special about it."""
    rng = np.random.default_rng(0)
    layer = NormalMixture(SHAPE, clusters=3, axes=2, directions=4)
    layer.basis.assign(np.linalg.qr(rng.normal(size=(6, 4)))[0])
    layer.shares.assign([0.5, 0.3, 0.2])
    layer.means.assign(rng.normal(size=(3, 4)))
    layer.turns.assign(np.stack([np.linalg.qr(rng.normal(size=(4, 2)))[0] for _ in range(3)], axis=1))
    layer.variances.assign(rng.uniform(0.2, 2.0, (3, 2)))
    layer.rests.assign([0.05, 0.1, 0.2])
    return layer


def normals(layer):
    """Of each cluster (share, mean, covariance) in the space of images, float64."""
    basis, turns = np.float64(layer.basis), np.float64(layer.turns)
    for c in range(layer.clusters):
        axes = basis @ turns[:, c]
        inside = axes * np.float64(layer.variances)[c] @ axes.T
        covariance = inside + float(layer.rests[c]) * (np.eye(len(basis)) - axes @ axes.T)
        yield float(layer.shares[c]), basis @ np.float64(layer.means)[c], covariance


@pytest.mark.parametrize("signal, noise", [(0.9, 0.3), (0.3, 0.95), (1.0, 0.02), (0.0125, 0.9999)])
def test_the_guess_is_the_mean_of_all_that_may_be(mixture, signal, noise):
    x = np.random.default_rng(1).normal(size=(8, 6))
    logs, means = [], []
    for share, mean, covariance in normals(mixture):
        seen = signal**2 * covariance + noise**2 * np.eye(6)
        logs.append(np.log(share) + multivariate_normal(signal * mean, seen).logpdf(x))
        means.append(mean + (x - signal * mean) @ np.linalg.solve(seen, signal * covariance))
    expected = np.einsum("cn,cnd->nd", softmax(logs, axis=0), means)
    shares = tf.fill((8,), signal), tf.fill((8,), noise)
    guess = mixture(tf.constant(x.reshape(8, *SHAPE), "float32"), *shares)
    np.testing.assert_allclose(np.reshape(guess, (8, 6)), expected, atol=2e-4)


def test_a_fit_finds_the_normals_that_images_were_drawn_from():
    rng = np.random.default_rng(0)
    centres = np.array([[4.0, 0, 0, 0, 0, 0], [-4, 2, 0, 0, 0, 0], [0, -4, 0, 0, 0, 0]])
    widths = np.array([[0.1, 0.1, 1.0, 0.1, 0.5, 0.1], [0.1, 0.8, 0.1, 0.1, 0.1, 0.6], [0.9, 0.1, 0.1, 0.7, 0.1, 0.1]])
    cluster = rng.choice(3, 30_000, p=[0.5, 0.3, 0.2])
    drawn = rng.normal(centres[cluster], widths[cluster])
    layer = NormalMixture(SHAPE, clusters=3, axes=2, directions=6)
    layer.fit((drawn - drawn.mean(0)).reshape(-1, *SHAPE).astype("float32"))
    found = sorted(normals(layer), key=lambda each: -each[0])
    for (share, mean, covariance), p, centre, width in zip(found, (0.5, 0.3, 0.2), centres, widths):
        assert share == pytest.approx(p, abs=0.01)
        np.testing.assert_allclose(mean, centre - drawn.mean(0), atol=0.03)
        np.testing.assert_allclose(covariance, np.diag(width**2), atol=0.03)


def test_principal_directions_are_those_of_the_covariance():
    rows = np.random.default_rng(0).normal(size=(500, 40)) * np.geomspace(5, 0.1, 40)
    directions = principal_directions(rows, 5)
    _, vectors = np.linalg.eigh(rows.T @ rows)
    np.testing.assert_allclose(np.abs(directions.T @ vectors[:, ::-1][:, :5]), np.eye(5), atol=2e-3)


def test_clusters_of_points_far_apart_are_found():
    rng = np.random.default_rng(0)
    centres = np.array([[0.0, 0], [10, 0], [0, 10]])
    cluster, means = k_means(np.repeat(centres, 50, axis=0) + rng.normal(size=(150, 2)) * 0.1, 3, rng)
    assert all(len(set(cluster[50 * c : 50 * c + 50])) == 1 for c in range(3)) and len(set(cluster)) == 3
    np.testing.assert_allclose(sorted(means.round().tolist()), sorted(centres.tolist()))


@pytest.mark.parametrize("kind", [Diffusion, FlowMatching])
def test_an_untrained_model_makes_what_the_mixture_says(kind):
    """Its network says nothing yet.  One normal distribution has a flow in closed form: along each of its axes noise
    becomes as wide as that axis."""
    network = build_quick_unet((8, 8, 1), (4, 4), units=8, with_guess=True)
    model = kind(network, mixture=NormalMixture((8, 8, 1), clusters=1, axes=64), seed=1, ema_decay=None)
    some = images(300)
    model.adapt(some)
    latents = model.sample_latents(64, seed=0)
    made = model.generate(latents=latents, steps=400)
    (_, mean, covariance), *_ = normals(model.mixture)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    expected = (mean + latents.reshape(64, -1) @ root).reshape(latents.shape)
    expected = np.clip(expected * np.asarray(model.stddev) + np.asarray(model.mean), 0, 1)
    np.testing.assert_allclose(made, expected, atol=0.02)


def test_a_network_that_sees_one_image_takes_no_mixture():
    with pytest.raises(InputError, match="with_guess=True"):
        Diffusion(build_quick_unet((8, 8, 1), (4, 4), units=8), mixture=NormalMixture((8, 8, 1), 2))


def test_a_mixture_speaks_of_velocities():
    network = build_quick_unet((8, 8, 1), (4, 4), units=8, with_guess=True)
    with pytest.raises(InputError, match="velocity"):
        Diffusion(network, target="noise", mixture=NormalMixture((8, 8, 1), 2))


def test_fewer_images_than_clusters_are_refused():
    with pytest.raises(InputError, match="ask for fewer"):
        NormalMixture((8, 8, 1), clusters=17).fit(images(16))
