"""Runs that are learnt in parts: each stage goes on by itself, and a finished one is loaded, not trained again."""

import csv
import json
import os
import random
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

import gdl_keras
from gdl_keras import cli
from gdl_keras.errors import InputError
from gdl_keras.training import ImageConfig, Run, checkpoint
from tests.cases import autoencoder, images, vae
from tests.harness import assert_same, weights

PROGRAM = Path(__file__).with_name("two_stages.py")
FLAGS = ["--epochs", "4", "--codec-epochs", "4", "--steps-per-epoch", "4"]
STAGES = ("codec", "")


@pytest.fixture(autouse=True)
def errors_as_before(monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)


def start(*flags, log):
    """The two stages as a process of its own."""
    return subprocess.Popen(
        [sys.executable, PROGRAM, *flags],
        stdout=log,
        stderr=subprocess.STDOUT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )


def in_this_process(monkeypatch, *flags):
    """The two stages here; returns the names that the program leaves."""
    monkeypatch.setattr(sys, "argv", [str(PROGRAM), *map(str, flags)])
    return runpy.run_path(str(PROGRAM))


def flags_for(folder):
    return ["--resume", str(folder)] if (folder / "config.json").exists() else [*FLAGS, "--out", str(folder)]


def epochs_done(folder):
    return max([int(path.name[-4:]) for path in folder.glob("checkpoint/epoch_????")], default=0)


def history(folder):
    with open(folder / "history.csv", newline="") as file:
        return [{name: value for name, value in line.items() if "seconds" not in name} for line in csv.DictReader(file)]


def times(folder):
    """When each file was written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def learnt(folder):
    """`times` of what training writes."""
    return {path: moment for path, moment in times(folder).items() if path.name != "config.json"}


@pytest.fixture(scope="module")
def never_stopped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "never_stopped"
    with open(folder.with_suffix(".log"), "wb") as log:
        assert start(*flags_for(folder), log=log).wait() == 0, folder.with_suffix(".log").read_text()
    return folder


def kill_in(stage, folder, log):
    """Goes on until some random moment in that stage, and kills the process."""
    process = start(*flags_for(folder), log=log)
    own, former = folder / stage, folder / STAGES[max(0, STAGES.index(stage) - 1)]
    epoch = random.randint(min(epochs_done(own), 3), 3)
    while process.poll() is None:
        has_begun = (own / "config.json").exists() if stage else (former / "checkpoint" / "finished.json").exists()
        if has_begun and epochs_done(own) >= epoch:
            break
        time.sleep(0.01)
    pause = random.uniform(0, 1.0)
    time.sleep(pause)
    process.send_signal(signal.SIGKILL)
    assert process.wait() in (0, -signal.SIGKILL)  # 0: it ended before the signal
    return f"{stage or 'the run itself'}, {pause:.2f} seconds after epoch {epoch}"


@pytest.mark.full
@pytest.mark.parametrize("kills", [1, 4])
def test_killed_in_either_stage_and_resumed_is_bit_identical_to_never_stopped(kills, never_stopped, tmp_path):
    killed, finished = tmp_path / "killed", {}
    with open(tmp_path / "log.txt", "wb") as log:
        moments = []
        for stage in STAGES:
            for _ in range(kills):
                moments.append(kill_in(stage, killed, log))
                if checkpoint.finished_model(killed / "codec", 4):
                    finished = finished or learnt(killed / "codec")
        assert start(*flags_for(killed), log=log).wait() == 0, (tmp_path / "log.txt").read_text()

    assert finished and learnt(killed / "codec") == finished, moments
    for stage in STAGES:
        assert history(killed / stage) == history(never_stopped / stage), moments
        assert len(history(killed / stage)) == 4
        assert_same(*(weights(gdl_keras.load(folder / stage)) for folder in (killed, never_stopped)))
        pictures = sorted((never_stopped / stage / "samples").iterdir())
        assert len(pictures) == 4
        for picture in pictures:
            assert (killed / stage / "samples" / picture.name).read_bytes() == picture.read_bytes(), moments
    assert not [path for path in killed.rglob("*") if ".partial" in path.name]


def test_a_finished_run_is_loaded_and_nothing_that_was_learnt_is_written_again(never_stopped, monkeypatch, capsys):
    before = learnt(never_stopped)
    left = in_this_process(monkeypatch, "--resume", never_stopped)
    assert "Stage codec: trained already" in (printed := capsys.readouterr().out)
    assert "Epoch" not in printed.replace("Epochs", "")
    written = {path.name for path, moment in learnt(never_stopped).items() if moment != before[path]}
    assert written == {"environment.json", "metrics.json"}
    for model, stage in ((left["codec"], "codec"), (left["model"], "")):
        assert_same(weights(model), weights(gdl_keras.load(never_stopped / stage)))
    assert left["run"].history["epoch"] == left["stage"].history["epoch"] == [1, 2, 3, 4]


def test_a_stage_is_sampled_and_evaluated_by_its_folder(never_stopped, tmp_path):
    assert cli.main(["sample", str(never_stopped / "codec"), "-n", "4", "-o", str(tmp_path / "grid.png")]) == 0
    assert cli.main(["evaluate", str(never_stopped / "codec"), "-n", "20"]) == 0
    assert "evaluation" in json.loads((never_stopped / "codec" / "metrics.json").read_text())


def test_a_stage_is_not_gone_on_with_by_itself(never_stopped, monkeypatch):
    with pytest.raises(InputError, match=f"one stage of a run: go on with the whole by --resume {never_stopped}"):
        in_this_process(monkeypatch, "--resume", never_stopped / "codec")


@pytest.fixture
def run(tmp_path):
    """run() begins a run in a folder, and goes on with it from the second time on."""

    def begin(*flags):
        folder = tmp_path / "run"
        where = ["--resume", str(folder)] if (folder / "config.json").exists() else ["--out", str(folder)]
        return Run.start(ImageConfig, "00_test/01_model", arguments=[*where, *flags])

    return begin


def fit(model, stage, **options):
    model.fit(images(), batch_size=8, shuffle=False, verbose=0, **stage.schedule(**options))
    return model


def part(run, epochs=2, **options):
    return run.stage("part", epochs=epochs, steps_per_epoch=2, **options)


@pytest.mark.eager
def test_the_epochs_of_a_stage_stay_what_they_are_when_it_begins(run):
    fit(vae(), part(run()))
    with pytest.raises(InputError, match="part began with 2 epochs, not 3: go on with the settings"):
        part(run(), epochs=3)
    assert part(run()).is_finished


@pytest.mark.eager
def test_random_numbers_before_and_after_a_stage_are_its_own(run):
    """So that what comes next begins the same where the stage was trained, and where it is loaded."""
    numbers = []
    for _ in range(2):
        stage = part(run())
        before = keras.random.uniform((3,)).numpy()
        fit(vae(), stage)
        numbers.append((before, keras.random.uniform((3,)).numpy(), np.random.rand(3), random.random()))
    for trained, loaded in zip(*numbers):
        np.testing.assert_array_equal(trained, loaded)
    other = run().stage("other", epochs=1)
    assert not np.array_equal(keras.random.uniform((3,)).numpy(), numbers[0][0])
    assert other.name == "other"


@pytest.mark.parametrize("name", ["samples", "checkpoint", "../part", "", "Part", "a/b", ".hidden"])
def test_a_name_that_is_no_folder_of_its_own_is_refused(run, name):
    with pytest.raises(InputError, match="small letters, digits"):
        run().stage(name, epochs=1)


@pytest.mark.eager
def test_a_run_that_was_ended_early_stays_ended_with_the_weights_that_were_put_back(run):
    """Its model.keras is not the last checkpoint, and going on with that would put worse weights in its place."""

    def patient():
        # From the second epoch on, every number is worse than that of the first.
        return keras.callbacks.EarlyStopping("worse", mode="min", patience=2, restore_best_weights=True)

    class Worse(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["worse"] = epoch

    first = run("--epochs", "9", "--steps-per-epoch", "2")
    model = fit(vae(), first, callbacks=[Worse(), patient()])
    assert len(first.history["epoch"]) == 3
    file = first.folder / "model.keras"
    best, before = weights(gdl_keras.load(file)), learnt(first.folder)
    assert_same(weights(model), best)

    again = run()
    assert (again.initial_epoch, again.history["epoch"]) == (9, [1, 2, 3])
    assert_same(weights(fit(vae(), again, callbacks=[Worse(), patient()])), best)
    assert {path: moment for path, moment in learnt(first.folder).items() if path.name != "environment.json"} == {
        path: moment for path, moment in before.items() if path.name != "environment.json"
    }

    # More epochs are trained on from the last checkpoint.
    more = run("--epochs", "10")
    assert more.initial_epoch == 3
    fit(vae(), more)
    assert more.history["epoch"] == list(range(1, 11))


@pytest.mark.eager
def test_a_finished_model_that_was_damaged_comes_from_its_checkpoint(run):
    stage = part(run())
    whole = weights(fit(vae(), stage))
    (stage.folder / "model.keras").write_bytes(b"PK")
    again = part(run())
    assert not again.is_finished and again.initial_epoch == 2
    assert_same(weights(fit(vae(), again)), whole)
    assert_same(weights(gdl_keras.load(stage.folder)), whole)


@pytest.mark.eager
def test_a_run_that_has_models_in_its_stages_alone_names_them(run):
    fit(autoencoder(), part(run()))
    folder = run().folder
    with pytest.raises(InputError, match=f"has a model for each stage: name {folder / 'part'}"):
        gdl_keras.load(folder)
