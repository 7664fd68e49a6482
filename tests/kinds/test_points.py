"""Points as a kind: files, what is refused, and each number against an independent computation."""

import csv
import json

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from gdl_keras import data
from gdl_keras.errors import InputError
from gdl_keras.kinds import kind
from gdl_keras.models import Gaussian, Histogram, Mixture
from gdl_keras.plotting.densities import levels_that_hold
from tests import cases

POINTS = kind("points")


@pytest.fixture(scope="module")
def moons():
    """(train, test), of 600 points each."""
    return data.load("moons", "train", count=600), data.load("moons", "test", count=600)


@pytest.fixture(scope="module")
def gaussian(moons):
    model = Gaussian(seed=1)
    model.solve(moons[0].rows("points", slice(None)))
    return model


@pytest.mark.parametrize(
    ("samples", "phrase"),
    [
        (np.zeros((3, 3), "float32"), "arrays"),
        (np.zeros(3, "float32"), "arrays"),
        ([[0.0, 1.0]], "arrays"),
        (np.zeros((3, 2), "int64"), "finite floats"),
        (np.array([[0.0, np.nan]]), "finite floats"),
        (np.array([[0.0, np.inf]]), "has it diverged"),
    ],
)
def test_what_is_no_point_of_the_plane_is_refused(samples, phrase):
    POINTS.check(np.zeros((3, 2), "float32"))
    with pytest.raises(InputError, match=phrase):
        POINTS.check(samples)


def test_a_table_an_array_and_a_picture_are_written(tmp_path):
    samples = np.random.default_rng(0).normal(size=(30, 2)).astype("float32")
    for suffix in (".csv", ".npz", ".png"):
        POINTS.write(samples, tmp_path / f"points{suffix}")
    with open(tmp_path / "points.csv", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["x", "y"]
    np.testing.assert_allclose(np.array(rows, "float32"), samples, rtol=1e-6)
    np.testing.assert_array_equal(np.load(tmp_path / "points.npz")["points"], samples)
    with Image.open(tmp_path / "points.png") as picture:
        assert min(picture.size) > 200 and len(picture.convert("RGB").getcolors(10_000)) > 2
    with pytest.raises(InputError, match=r"\.csv \(a table"):
        POINTS.write(samples, tmp_path / "points.txt")


def test_a_table_that_was_written_is_a_data_set_again(tmp_path):
    POINTS.write(cases.points(40), tmp_path / "points.csv")
    table = data.load(str(tmp_path / "points.csv"))
    assert table.kind == "points" and table.num_examples == 36


def test_nats_and_divergence_are_those_of_the_formulas(moons, gaussian):
    train, test = moons
    measured = POINTS.measure(gaussian, train, test, 300, seed=1)
    points, examples = (part.rows("points", slice(None)).astype("float64") for part in (test, train))
    normal = stats.multivariate_normal(examples.mean(axis=0), np.cov(examples.T, bias=True))
    nats = -normal.logpdf(points)
    metrics = measured["metrics"]
    assert metrics["nats"]["value"] == pytest.approx(nats.mean(), rel=1e-5)
    assert metrics["nats"]["standard_error"] == pytest.approx(nats.std(ddof=1) / 600**0.5, rel=1e-4)
    assert metrics["nats"]["floor"]["value"] == pytest.approx(-test.log_density(points).mean(), rel=1e-5)
    assert metrics["training_nats"]["value"] == pytest.approx(-normal.logpdf(examples).mean(), rel=1e-5)
    gaps = nats + test.log_density(points)
    assert metrics["divergence"]["value"] == pytest.approx(gaps.mean(), rel=1e-4)
    # Cross entropy of a normal distribution that has the truth's moments: its own entropy.
    expected = stats.multivariate_normal(cov=np.cov(examples.T, bias=True)).entropy() - test.entropy
    assert gaps.mean() == pytest.approx(expected, abs=5 * metrics["divergence"]["standard_error"])
    assert measured["entropy"] == test.entropy
    assert measured["held_out"] == {"split": "test", "points": 300, "identity": test.identity}
    assert set(metrics) <= set(POINTS.better)
    json.dumps(measured, allow_nan=False)


def test_a_memory_is_seen_in_its_numbers(moons):
    train, test = moons
    memory = Mixture.on_examples(train.rows("points", slice(None)), 0.01)
    metrics = POINTS.measure(memory, train, test, 300)["metrics"]
    near = metrics["distance_to_training"]
    assert near["value"] < 0.5 * near["floor"]["value"]
    assert metrics["training_nats"]["value"] < metrics["training_nats"]["floor"]["value"] - 0.5
    assert metrics["divergence"]["value"] > 2
    # Its samples are as good as real ones, all the same: that is why one asks for both.
    assert metrics["energy_distance"]["value"] < 5 * metrics["energy_distance"]["standard_error"]
    assert metrics["coverage"]["value"] > 0.9


def test_what_a_model_thinks_impossible_is_counted_where_nats_are_infinite(moons):
    train, test = moons
    model = Histogram((-1, -1), (1, 1), 4, seed=1)
    metrics = POINTS.measure(model, train, test, 300)["metrics"]
    points = test.rows("points", slice(None))
    assert metrics["impossible"]["value"] == pytest.approx((np.abs(points) > 1).any(axis=1).mean())
    assert "nats" not in metrics and "divergence" not in metrics and "training_nats" not in metrics


def test_a_model_without_a_density_is_measured_by_its_samples(moons):
    measured = POINTS.measure(cases.point_gan(), *moons, 300)
    assert set(measured["metrics"]) == {
        *("energy_distance", "precision", "recall", "density", "coverage", "distance_to_training")
    }
    assert measured["metrics"]["energy_distance"]["value"] > measured["metrics"]["energy_distance"]["floor"]["value"]


@pytest.mark.eager
def test_numbers_while_training_follow_the_held_out_points(moons):
    model = cases.mixture()
    callback = POINTS.follow(2, moons[1], n=100, seed=3)
    history = model.fit(cases.points(), epochs=4, verbose=0, callbacks=[callback]).history
    assert len(history["energy_distance"]) == len(history["held_out_nats"]) == 2
    nats = model.negative_log_likelihood(moons[1].sample(100, 3)).mean()
    assert history["held_out_nats"][-1] == pytest.approx(nats, rel=1e-6)
    assert callback.settings["n"] == 100
    history = cases.point_gan().fit(cases.points(), verbose=0, callbacks=[POINTS.follow(1, moons[1], n=100)]).history
    assert "energy_distance" in history and "held_out_nats" not in history


def test_contour_lines_hold_what_they_say():
    """Within the line at height h, a standard normal distribution of the plane holds 1 - 2 pi h of its mass."""
    x, y = np.meshgrid(*[np.linspace(-6, 6, 600)] * 2)
    density = np.exp(-(x**2 + y**2) / 2) / (2 * np.pi)
    heights = levels_that_hold(density, (0.5, 0.9))
    np.testing.assert_allclose(heights, [0.1 / (2 * np.pi), 0.5 / (2 * np.pi)], rtol=1e-2)
