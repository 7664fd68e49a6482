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
from gdl_keras.evaluation import evaluate
from gdl_keras.metrics import JudgeExtractor
from tests import cases

pytestmark = pytest.mark.eager
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
    identity = data.load("fashion_mini", "test", image_size=8).identity
    for part in ("held_out", "floor"):
        assert result[part] == {"split": "test", "images": N, "identity": identity}
    assert result["packages"]["keras"]
    assert out.endswith(f"Written to {run / 'metrics.json'}\n")
    _, out, _ = gdl("evaluate", run, "-n", N)
    assert out.endswith(f"Written to {run / 'metrics.json'}, in place of the evaluation there\n")


def test_unequal_counts_are_pointed_out(gdl, run):
    _, out, _ = gdl("evaluate", run, "-n", 510)
    assert out.startswith("510 samples against 500 held-out images")
    assert "floor: 500 other held-out images" in out
    assert "-n 500 compares like with like" in out


def test_the_table_says_what_is_better_and_what_real_images_reach(gdl, run):
    _, out, _ = gdl("evaluate", run, "-n", 200)
    metrics = json.loads((run / "metrics.json").read_text())["evaluation"]["metrics"]
    lines = out.splitlines()
    assert lines[:3] == [
        "200 samples against 200 held-out images of fashion_mini",
        "features: fashion, resizing: bilinear, antialiased, 8x8 to 32x32",
        "floor: 200 other held-out images in place of the samples",
    ]
    assert lines[4].split() == ["metric", "samples", "floor", "better"]
    table = {line.split()[0]: line.split(None, 1)[1] for line in lines[5:-1]}
    assert list(table) == list(metrics)
    distance = metrics["frechet_classifier_distance_extrapolated"]
    assert table["frechet_classifier_distance_extrapolated"].split() == [
        f"{distance['value']:.4g}",
        f"{distance['floor']['value']:.4g}",
        "smaller",
    ]
    assert table["reconstruction_psnr"].split()[3:] == ["-", "larger", "(dB)"]
    assert table["nats"].endswith("-  smaller (a bound on -log p), bernoulli likelihood")
    assert len({line.index(metrics[line.split()[0]]["better"]) for line in lines[5:-1]}) == 1


def test_it_can_be_repeated_and_the_seed_decides(run):
    first, second, other = (evaluate(run, n=N, seed=seed) for seed in (1, 1, 2))
    assert first == second
    assert first["metrics"]["precision"] is not None
    for name in ("kernel_classifier_distance", "nats", "bits_per_dim"):
        assert first["metrics"][name]["value"] != other["metrics"][name]["value"]
    assert json.loads((run / "metrics.json").read_text()) == {"epoch": 3, "test_loss": 12.5}


def test_by_default_there_are_as_many_samples_as_half_of_the_held_out_images(run):
    assert evaluate(run)["n"] == 500


def test_no_more_samples_than_the_model_says(gdl, run, monkeypatch):
    monkeypatch.setattr("gdl_keras.models.VAE.evaluation_size", 60)
    code, out, _ = gdl("evaluate", run)
    assert code == 0
    assert out.startswith("60 samples against 60 held-out images")
    assert evaluate(run, n=70)["n"] == 70


def test_more_samples_than_held_out_images(run):
    result = evaluate(run, n=1200)
    assert (result["n"], result["held_out"]["images"], result["floor"]["images"]) == (1200, 500, 500)


def test_from_enough_images_a_feature_on_the_distance_is_reported_as_it_is(run, monkeypatch):
    monkeypatch.setattr("gdl_keras.kinds.images.ENOUGH_PER_FEATURE", 5)
    names = list(evaluate(run, n=500)["metrics"])
    assert "frechet_classifier_distance" in names and "frechet_classifier_distance_extrapolated" not in names


def test_a_stage_is_evaluated_with_the_settings_of_its_run(gdl, run):
    (run / "vision").mkdir()
    (run / "model.keras").rename(run / "vision" / "model.keras")
    code, out, _ = gdl("evaluate", run / "vision", "-n", N)
    assert code == 0
    assert "held-out images of fashion_mini" in out
    written = json.loads((run / "vision" / "metrics.json").read_text())
    assert list(written) == ["evaluation"]


def test_an_infinite_number_is_told_and_not_written(gdl, run, monkeypatch):
    monkeypatch.setattr("gdl_keras.kinds.images.psnr", lambda first, second: np.full(len(first), np.inf))
    before = (run / "metrics.json").read_text()
    code, _, err = gdl("evaluate", run, "-n", N)
    assert code == 1
    assert "evaluation.metrics.reconstruction_psnr.value is inf" in err
    assert (run / "metrics.json").read_text() == before


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


def test_where_the_features_have_learnt_from_the_data_nothing_is_said(gdl, run):
    _, out, _ = gdl("evaluate", run, "-n", N)
    evaluation = json.loads((run / "metrics.json").read_text())["evaluation"]
    assert "sight" not in evaluation and "has not learnt" not in out
    assert "classifier_score" in evaluation["metrics"]


def test_an_attribute_is_the_label_of_a_run_that_says_so(run, monkeypatch):
    """The data has no attributes: that they are asked for shows in the sentence."""
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | {"attribute": "Blond_Hair"}))
    with pytest.raises(ValueError, match="no attribute Blond_Hair"):
        evaluate(run, n=N)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["-n", "9"], "-n is at least 10"),
        (["--seed", "-1"], "--seed is not negative"),
        (["--dataset", "fashon"], "fashion"),
        (["--features", "pixels"], "invalid choice"),
        (["-n", "many"], "-n takes a whole number, not 'many'"),
        (["--shade", "7"], "gdl evaluate of images takes no --shade.  Known are: --features"),
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
    assert "3 test images, too few to compare with: name a data set that has 20 or more" in err


def test_twenty_images_are_enough(gdl, run, tmp_path):
    """Ten against ten, which the standard errors show."""
    for index in range(20):
        noise = np.random.default_rng(index).integers(0, 255, (8, 8), np.uint8)
        for split in ("train", "test"):
            (tmp_path / "photos" / split).mkdir(parents=True, exist_ok=True)
            Image.fromarray(noise).save(tmp_path / "photos" / split / f"{index}.png")
    code, out, _ = gdl("evaluate", run, "--dataset", tmp_path / "photos")
    assert code == 0
    assert out.startswith("10 samples against 10 held-out images")


@pytest.mark.parametrize("text", ["[1, 2", '{"test_psnr": Infinity}'])
def test_damaged_metrics_are_not_written_over(gdl, run, text):
    (run / "metrics.json").write_text(text)
    code, _, err = gdl("evaluate", run, "-n", N)
    assert code == 2
    assert "metrics.json is damaged" in err
    assert (run / "metrics.json").read_text() == text


def test_help_shows_examples(gdl):
    code, out, _ = gdl("evaluate", "--help")
    assert code == 0
    assert "gdl evaluate runs/mine" in out
    assert "gdl evaluate model.keras --dataset fashion --output" in out


@pytest.mark.graph
@pytest.mark.parametrize(("chapter", "distance"), [("04_gan/04_gan", "frechet"), ("04_gan/03_cgan", "kernel")])
def test_a_run_may_keep_the_distance_of_every_epoch(gdl, tmp_path, monkeypatch, chapter, distance):
    """Of the 175 held-out emoji it is the kernel distance: that is less than two images a feature."""
    monkeypatch.chdir(tmp_path)
    code, *_ = gdl("run", chapter, "--preset", "smoke", "--epochs", 2, "--every", 2, "--out", "run")
    assert code == 0
    first, second = csv.DictReader((tmp_path / "run" / "history.csv").open())
    assert first[f"{distance}_classifier_distance"] == ""
    assert float(second[f"{distance}_classifier_distance"]) > 0
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
    assert not make_results.is_current({**evaluation, "metrics": {"kernel_inception_distance": {}}}, model)
    of_training_images = {**evaluation["floor"], "split": "train"}
    assert not make_results.is_current({**evaluation, "floor": of_training_images}, model)
