"""Chapter 1 through its commands, on a table of the reader's own: what runs, what is drawn, what is measured."""

import csv
import json

import numpy as np
import pytest

from gdl_keras import cli, load
from gdl_keras.models import Gaussian, Histogram, Mixture, PointGAN

pytestmark = pytest.mark.full  # the chapter itself runs in test_chapters.py

STAGES = {"": Mixture, "histogram": Histogram, "gaussian": Gaussian, "gan": PointGAN}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a run on 400 points of a table, of a tilted cloud far from the origin."""
    folder = tmp_path_factory.mktemp("chapter1")
    points = np.random.default_rng(0).normal(size=(400, 2)) @ [[30.0, 10.0], [0.0, 5.0]] + [1000.0, -7.0]
    np.savetxt(folder / "cloud.csv", points, delimiter=",", header="length,width", comments="")
    arguments = ["--preset", "smoke", "--dataset", str(folder / "cloud.csv"), "--every", "1", "--out"]
    assert cli.main(["run", "01_generative/01_densities", *arguments, str(folder / "run")]) == 0
    return folder / "run"


def test_the_run_and_its_stages_hold_the_models(finished):
    for name, model_class in STAGES.items():
        assert type(load(finished / name)) is model_class
        assert (finished / name / "samples" / "epoch_0001.png").exists()
    metrics = json.loads((finished / "metrics.json").read_text())
    assert metrics["ascent_error"] < 1e-3
    assert {"mixture_nats", "gaussian_nats", "gan_energy_distance", "held_out_nats"} <= set(metrics)
    assert "entropy" not in metrics  # nobody knows it


@pytest.mark.parametrize("name", STAGES)
def test_samples_are_written_and_follow_the_seed(finished, name, tmp_path):
    for number, seed in enumerate("778"):
        out = tmp_path / f"{number}.csv"
        assert cli.main(["sample", str(finished / name), "-n", "30", "--seed", seed, "-o", str(out)]) == 0
    first, again, other = ((tmp_path / f"{number}.csv").read_text() for number in range(3))
    assert first == again != other
    header, *rows = csv.reader(first.splitlines())
    assert header == ["x", "y"] and len(rows) == 30
    np.testing.assert_allclose(np.array(rows, "float32"), load(finished / name).generate(30, seed=7), rtol=1e-5)


@pytest.mark.parametrize("name", STAGES)
def test_models_are_measured_against_held_out_points(finished, name, capsys):
    assert cli.main(["evaluate", str(finished / name)]) == 0
    assert capsys.readouterr().out.startswith("20 samples against 20 held-out points of ")
    evaluation = json.loads((finished / name / "metrics.json").read_text())["evaluation"]
    assert evaluation["kind"] == "points" and evaluation["entropy"] is None
    has_nats = {"nats", "training_nats"} <= set(evaluation["metrics"])
    assert has_nats == (name != "gan")
    assert "divergence" not in evaluation["metrics"]


def test_a_point_is_no_picture_of_text(finished, tmp_path, capsys):
    assert cli.main(["sample", str(finished), "-n", "3", "-o", str(tmp_path / "a.txt")]) == 2
    assert ".csv (a table of two columns)" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--components", "--bins", "--gan-steps", "--few"])
def test_settings_out_of_range_are_refused(flag, tmp_path, capsys):
    arguments = ["run", "01_generative/01_densities", flag, "0", "--out", str(tmp_path / "run")]
    assert cli.main(arguments) == 2
    assert f"{flag} is at least" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
