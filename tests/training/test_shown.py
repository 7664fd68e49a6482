"""`--from`: a program's pictures, drawn with a model that is trained already."""

import json
import runpy
import shutil
import sys
from dataclasses import dataclass
from hashlib import sha256

import keras
import numpy as np
import pytest

import gdl_keras
from gdl_keras import cli, pretrained
from gdl_keras.chapters import find_chapter
from gdl_keras.errors import InputError
from gdl_keras.training import ImageConfig, Run, command_line
from gdl_keras.training.history import read_history, write_history
from tests.cases import autoencoder, images, vae
from tests.harness import assert_same, weights

pytestmark = pytest.mark.eager
CHAPTER = "00_test/01_model"


@dataclass
class Settings(ImageConfig):
    """A chapter's settings."""

    # How wide the network is.
    width: int = 8
    epochs: int = 2


@pytest.fixture(autouse=True)
def errors_as_before(monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)


def begin(*flags):
    return Run.start(Settings, CHAPTER, arguments=list(flags))


def learn(run, model):
    model.fit(images(), batch_size=8, shuffle=False, verbose=0, **run.schedule())
    run.finish()
    return model


@pytest.fixture
def finished(tmp_path):
    """The folder of a run that has come to its end, and the weights that it learnt."""
    model = learn(begin("--out", str(tmp_path / "finished"), "--width", "16"), vae())
    return tmp_path / "finished", weights(model)


def digests(folder):
    return {path: sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def test_a_finished_run_is_shown_and_not_trained(finished, tmp_path):
    folder, learnt = finished
    before = digests(folder)
    run = begin("--from", str(folder), "--out", str(tmp_path / "shown"))
    assert (run.width, run.initial_epoch) == (16, 2)  # the settings are its own
    model = learn(run, vae())
    assert_same(weights(model)[: len(model.weights)], learnt[: len(model.weights)])
    assert int(model.optimizer.iterations) == 0
    assert digests(folder) == before
    shown = tmp_path / "shown"
    assert run.history["loss"] == [line["loss"] for line in read_history(folder)] and len(run.history["loss"]) == 2
    assert read_history(shown) == read_history(folder)
    assert json.loads((shown / "metrics.json").read_text())["loss"] == run.history["loss"][-1]
    assert not (shown / "samples").exists() and run.sample_picture(1) is None
    assert np.array_equal(gdl_keras.load(shown).generate(4, seed=3), gdl_keras.load(folder).generate(4, seed=3))


def test_what_comes_along_needs_no_checkpoints(finished, tmp_path, monkeypatch):
    folder, learnt = finished
    shutil.move(folder, tmp_path / "along" / CHAPTER)
    for part in ("checkpoint", "samples"):
        shutil.rmtree(tmp_path / "along" / CHAPTER / part)
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "along")
    run = begin("--from", "pretrained", "--out", str(tmp_path / "shown"))
    model = learn(run, vae())
    assert_same(weights(model)[: len(model.weights)], learnt[: len(model.weights)])
    assert len(run.history["loss"]) == 2


def test_parts_that_do_not_come_along_are_trained(finished, tmp_path):
    folder, _ = finished
    run = begin("--from", str(folder), "--out", str(tmp_path / "shown"))
    stage = run.stage("codec", epochs=1)
    assert (stage.is_finished, stage.initial_epoch) == (False, 0)
    model = autoencoder()
    model.fit(images(), batch_size=8, verbose=0, **stage.schedule())
    assert int(model.optimizer.iterations) > 0 and (tmp_path / "shown" / "codec" / "model.keras").exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--from", "{folder}", "--width", "5"], "--width 5 differs from the run's 16"),
        (["--from", "{folder}", "--epochs", "3"], "--epochs 3 differs from the run's 2"),
        (["--from", "{folder}", "--start-from", "other"], "--start-from other differs from the run's None"),
        (["--from", "{empty}"], "--from .* has no finished model: name the folder of a run that has come to its end"),
        (["--from", "{other}"], r"holds a run of another model, 00_test/02_other: .* gdl run 00_test/02_other --from "),
        (["--from", "pretrained"], f"No trained model of {CHAPTER} comes along: gdl run {CHAPTER} trains one"),
    ],
)
def test_what_cannot_be_shown_is_refused(flags, words, finished, tmp_path):
    (tmp_path / "empty").mkdir()
    other = shutil.copytree(finished[0], tmp_path / "other")
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "chapter": "00_test/02_other"}))
    flags = [flag.format(folder=finished[0], empty=tmp_path / "empty", other=other) for flag in flags]
    with pytest.raises(InputError, match=words):
        begin(*flags, "--out", str(tmp_path / "shown"))
    assert not (tmp_path / "shown").exists()


def test_there_is_nothing_to_go_on_with_in_a_run_that_only_shows(finished, tmp_path):
    learn(begin("--from", str(finished[0]), "--out", str(tmp_path / "shown")), vae())
    with pytest.raises(InputError, match=r"was made with --from .*finished and has nothing to go on with"):
        begin("--resume", str(tmp_path / "shown"))
    with pytest.raises(InputError, match=r"--from .*finished differs from the run's None: leave it away to go on"):
        begin("--resume", str(finished[0]), "--from", str(finished[0]))


def test_a_model_of_another_kind_is_refused(finished, tmp_path):
    run = begin("--from", str(finished[0]), "--out", str(tmp_path / "shown"))
    with pytest.raises(InputError, match=r"--from .*finished holds a VAE, and this run trains a Autoencoder"):
        learn(run, autoencoder())


def test_a_history_is_read_as_it_was_written(tmp_path):
    lines = [{"epoch": 1.0, "loss": 0.1 + 0.2}, {"epoch": 2.0, "loss": 1e-30, "fcd": 3.5}]
    assert read_history(tmp_path) == []
    write_history(tmp_path, lines)
    assert read_history(tmp_path) == lines
    (tmp_path / "history.csv").write_text("epoch,loss\n1,high\n")
    with pytest.raises(InputError, match=r"history\.csv is damaged"):
        read_history(tmp_path)


@pytest.mark.parametrize("name", pretrained.names())
def test_the_settings_of_what_comes_along_are_those_of_its_program(name, monkeypatch):
    asked = {}

    class Asked(Exception):
        pass

    def note(settings_class, chapter, presets=None, arguments=None):
        asked.update(settings_class=settings_class, chapter=chapter, presets=presets)
        raise Asked

    monkeypatch.setattr(Run, "start", note)
    with pytest.raises(Asked):
        runpy.run_path(str(find_chapter(name).program), run_name="__main__")
    settings = command_line.parse(arguments=["--from", "pretrained"], **asked)
    usual = asked["settings_class"]()
    assert (asked["chapter"], settings.preset, settings.dataset) == (name, "cpu", usual.dataset)


def test_a_program_draws_its_pictures_with_what_comes_along(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["run", "02_deeplearning/01_mlp", "--from", "pretrained", "--out", "shown"]) == 0
    kept = json.loads((pretrained.FOLDER / "02_deeplearning/01_mlp/metrics.json").read_text())
    found = json.loads((tmp_path / "shown" / "metrics.json").read_text())
    assert found["test_accuracy"] == pytest.approx(kept["test_accuracy"], abs=0.006)  # a picture of 175
    assert {path.name for path in (tmp_path / "shown" / "pictures").iterdir()} >= {"loss.png", "predictions.png"}
    assert "nothing that it has learnt is trained again" in capsys.readouterr().out
    keras.utils.clear_session()
