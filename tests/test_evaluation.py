"""`gdl evaluate`: what it prints and writes, that it can be repeated, and how it refuses."""

import csv
import importlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gdl_keras import cli, data, load
from gdl_keras.evaluation import BETTER, evaluate
from gdl_keras.metrics import JudgeExtractor
from gdl_keras.metrics.summary import Summary, compare
from tests import cases

ROOT = Path(__file__).resolve().parent.parent
N = 40


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory):
    """The folder of a run: a VAE for garments of 8x8."""
    folder = tmp_path_factory.mktemp("runs") / "vae"
    folder.mkdir()
    cases.vae().save(folder / "model.keras")
    identities = {split: data.load("fashion_mini", split, image_size=8).identity for split in ("train", "test")}
    config = {"chapter": "03_vae/02_vae_fashion", "dataset": "fashion_mini", "image_size": 8, "data": identities}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "metrics.json").write_text(json.dumps({"epoch": 3, "test_loss": 12.5}))
    return folder


@pytest.fixture
def run(finished_run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(finished_run, tmp_path / "run")


@pytest.fixture
def gdl(capsys):
    """gdl("evaluate", ...) -> (exit code, stdout, stderr)."""

    def call(*arguments):
        try:
            code = cli.main([str(argument) for argument in arguments])
        except SystemExit as exit_:
            code = exit_.code or 0
        return code, *capsys.readouterr()

    return call


def test_the_result_joins_what_the_run_has_written(gdl, run):
    code, out, _ = gdl("evaluate", run, "-n", N, "--seed", 7)
    assert code == 0
    metrics = json.loads((run / "metrics.json").read_text())
    assert (metrics["epoch"], metrics["test_loss"]) == (3, 12.5)
    result = metrics["evaluation"]
    judge = JudgeExtractor("fashion")
    assert (result["n"], result["seed"], result["dataset"]) == (N, 7, "fashion_mini")
    assert result["extractor"] == {
        "name": "fashion",
        "weights_sha256": judge.sha256,
        "image_shape": [32, 32, 1],
        "resizing": "bilinear, antialiased, 8x8 to 32x32",
    }
    for part, split in (("held_out", "test"), ("floor", "train")):
        identity = data.load("fashion_mini", split, image_size=8).identity
        assert result[part] == {"split": split, "images": N, "identity": identity}
    assert result["packages"]["keras"]
    assert out.endswith(f"Written to {run / 'metrics.json'}\n")
    _, out, _ = gdl("evaluate", run, "-n", N)
    assert out.endswith(f"Written to {run / 'metrics.json'}, in place of the evaluation there\n")


def test_unequal_counts_are_pointed_out(gdl, run):
    _, out, _ = gdl("evaluate", run, "-n", 1010)
    assert out.startswith("1,010 samples against 1,000 held-out images")
    assert "-n 1000 compares like with like" in out


def test_the_table_says_what_is_better_and_what_real_images_reach(gdl, run):
    _, out, _ = gdl("evaluate", run, "-n", N)
    metrics = json.loads((run / "metrics.json").read_text())["evaluation"]["metrics"]
    lines = out.splitlines()
    assert lines[:3] == [
        "40 samples against 40 held-out images of fashion_mini",
        "features: fashion, resizing: bilinear, antialiased, 8x8 to 32x32",
        "floor: 40 training images in place of the samples",
    ]
    assert lines[4].split() == ["metric", "samples", "floor", "better"]
    table = {line.split()[0]: line.split(None, 1)[1] for line in lines[5:-1]}
    assert list(table) == list(metrics)
    distance = metrics["frechet_classifier_distance"]
    assert table["frechet_classifier_distance"].split() == [
        f"{distance['value']:.4g}",
        f"{distance['floor']['value']:.4g}",
        "smaller",
    ]
    assert table["reconstruction_psnr"].split()[3:] == ["-", "larger", "(dB)"]
    assert table["nats"].endswith("-  smaller (a bound on -log p), bernoulli likelihood")
    assert len({line.index(metrics[line.split()[0]]["better"]) for line in lines[5:-1]}) == 1


@pytest.mark.parametrize("kind", ["classifier", "inception"])
def test_every_metric_has_a_direction(kind):
    summary = Summary([data.load("fashion_mini", "test", image_size=32).sample(40)], JudgeExtractor("fashion"))
    names = set(compare(summary, summary, kind))
    assert f"frechet_{kind}_distance" in names
    assert names <= set(BETTER)


def test_it_can_be_repeated_and_the_seed_decides(run):
    first, second, other = (evaluate(run, n=N, seed=seed) for seed in (1, 1, 2))
    assert first == second
    assert first["metrics"]["precision"] is not None
    name = "frechet_classifier_distance"
    assert first["metrics"][name]["value"] != other["metrics"][name]["value"]
    assert json.loads((run / "metrics.json").read_text()) == {"epoch": 3, "test_loss": 12.5}


def test_by_default_there_are_as_many_samples_as_held_out_images(gdl, run):
    assert evaluate(run)["n"] == 1000


def test_more_samples_than_held_out_images(run):
    result = evaluate(run, n=1200)
    assert (result["n"], result["held_out"]["images"], result["floor"]["images"]) == (1200, 1000, 1200)


def test_a_file_is_evaluated_on_the_data_that_is_named_and_written_beside_if_asked(gdl, run, tmp_path):
    file = shutil.copy(run / "model.keras", tmp_path / "mine.keras")
    code, _, err = gdl("evaluate", file)
    assert code == 2
    assert "add --dataset" in err
    code, out, _ = gdl("evaluate", file, "--dataset", "fashion_mini", "-n", N)
    assert code == 0
    assert "Written" not in out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.keras", "run"]
    assert gdl("evaluate", file, "--dataset", "fashion_mini", "-n", N, "--output")[0] == 0
    written = json.loads((tmp_path / "mine.metrics.json").read_text())
    assert written["evaluation"]["dataset"] == "fashion_mini"


def test_a_file_in_a_runs_folder_knows_its_data(gdl, run):
    code, out, _ = gdl("evaluate", run / "model.keras", "-n", N)
    assert code == 0
    assert "images of fashion_mini" in out
    assert "evaluation" not in json.loads((run / "metrics.json").read_text())


def test_colour_images_are_judged_by_emoji(tmp_path):
    from gdl_keras.models import Autoencoder, build_decoder, build_encoder

    model = Autoencoder(build_encoder((8, 8, 3), 2, (4,)), build_decoder((8, 8, 3), 2, (4,)))
    model.save(tmp_path / "model.keras")
    result = evaluate(tmp_path / "model.keras", n=N, dataset="emoji")
    assert result["extractor"]["name"] == "emoji"


def test_an_attribute_is_the_label_of_a_run_that_says_so(run, monkeypatch):
    """The data has no attributes: that they are asked for shows in the sentence."""
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | {"attribute": "Blond_Hair"}))
    with pytest.raises(ValueError, match="no attribute Blond_Hair"):
        evaluate(run, n=N)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["-n", "19"], "-n is at least 20"),
        (["--seed", "-1"], "--seed is not negative"),
        (["--dataset", "fashon"], "fashion"),
        (["--features", "pixels"], "invalid choice"),
        (["-n", "many"], "invalid int"),
    ],
)
def test_bad_flags_are_refused(gdl, run, flags, words):
    code, _, err = gdl("evaluate", run, *flags)
    assert code == 2
    assert words in err
    assert "Traceback" not in err


def test_a_folder_that_is_no_run_is_refused(gdl, tmp_path):
    for path, words in ((tmp_path, "is not the folder of a run"), (tmp_path / "nowhere", "There is no")):
        code, _, err = gdl("evaluate", path)
        assert code == 2
        assert err.startswith("Error") and words in err


def test_a_classifier_makes_no_images(gdl, run):
    cases.classifier().save(run / "model.keras")
    code, _, err = gdl("evaluate", run)
    assert code == 2
    assert "holds a Classifier, which generates no images" in err


def test_other_images_than_the_runs_are_noticed(gdl, run):
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | {"data": {"test": "fashion_mini-test-8x8x1-0123456789ab"}}))
    code, _, err = gdl("evaluate", run, "-n", N)
    assert code == 2
    assert "test images of fashion_mini are not those that the run had" in err
    assert gdl("evaluate", run, "-n", N, "--dataset", "fashion_mini")[0] == 0


def test_a_few_images_are_no_measure(gdl, run, tmp_path):
    (tmp_path / "photos").mkdir()
    for index in range(30):
        noise = np.random.default_rng(index).integers(0, 255, (8, 8), np.uint8)
        Image.fromarray(noise).save(tmp_path / "photos" / f"{index}.png")
    code, _, err = gdl("evaluate", run, "--dataset", tmp_path / "photos")
    assert code == 2
    assert "3 test images, too few to compare with" in err


def test_damaged_metrics_are_not_written_over(gdl, run):
    (run / "metrics.json").write_text("[1, 2")
    code, _, err = gdl("evaluate", run, "-n", N)
    assert code == 2
    assert "metrics.json is damaged" in err
    assert (run / "metrics.json").read_text() == "[1, 2"


def test_help_shows_examples(gdl):
    code, out, _ = gdl("evaluate", "--help")
    assert code == 0
    assert "gdl evaluate runs/mine" in out
    assert "gdl evaluate model.keras --dataset fashion --output" in out


@pytest.mark.parametrize("chapter", ["03_vae/01_autoencoder", "04_gan/03_cgan"])
def test_a_run_may_keep_the_distance_of_every_epoch(gdl, tmp_path, monkeypatch, chapter):
    monkeypatch.chdir(tmp_path)
    code, *_ = gdl("run", chapter, "--preset", "smoke", "--epochs", 2, "--every", 2, "--out", "run")
    assert code == 0
    first, second = csv.DictReader((tmp_path / "run" / "history.csv").open())
    assert first["frechet_classifier_distance"] == ""
    assert float(second["frechet_classifier_distance"]) > 0
    settings = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    held_out = data.load(json.loads((tmp_path / "run" / "config.json").read_text())["dataset"], "test", image_size=32)
    assert settings["n"] == min(1000, held_out.num_images)
    assert settings["held_out"]["identity"] == held_out.identity
    assert len(settings["extractor"]["weights_sha256"]) == 64


def test_a_classifier_has_no_distance_to_keep(gdl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = gdl("run", "02_deeplearning/01_mlp", "--preset", "smoke", "--every", 1, "--out", "run")
    assert code == 2 and "Classifier generates no images" in err
    assert not (tmp_path / "run").exists()


def test_results_take_an_evaluation_only_as_gdl_evaluate_makes_it(run, monkeypatch):
    """docs/results.md is not to show what somebody tried with flags of their own, or of a model trained since."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    make_results = importlib.import_module("make_results")
    model, other = load(run), cases.autoencoder()
    evaluation = evaluate(run, n=N)
    assert make_results.is_current(evaluation, model)
    assert not make_results.is_current(evaluation, other)
    assert not make_results.is_current(None, model)
    assert not make_results.is_current({**evaluation, "seed": 1}, model)
    assert not make_results.is_current({**evaluation, "n": N + 1}, model)
    assert not make_results.is_current({**evaluation, "metrics": {"frechet_inception_distance": {}}}, model)
