"""A run and the reader's own folder: touched, unpacked again, moved, changed, gone, or known by a former name."""

import hashlib
import json
import os
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from gdl_keras.errors import InputError
from gdl_keras.evaluation import evaluate
from gdl_keras.training import ImageConfig, Run
from tests.cases import vae

CHAPTER = "00_test/01_model"


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setenv("GDL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(210):
        Image.fromarray(rng.integers(0, 255, (8, 8), np.uint8)).save(folder / f"{number:03}.png")
    return folder


def start(*flags):
    return Run.start(ImageConfig, CHAPTER, arguments=[str(flag) for flag in flags])


@pytest.fixture
def begun(photos, tmp_path):
    """The folder of a run that has loaded both splits, and whose model is there."""
    run = start("--dataset", "photos", "--image-size", 8, "--out", "run")
    for split in ("train", "test"):
        run.load(split, channels=1)
    run.open_folder()
    vae().save(run.folder / "model.keras")
    return run.folder


def go_on(folder, *flags):
    run = start("--resume", folder, *flags)
    tables = [run.load(split, channels=1) for split in ("train", "test")]
    run.open_folder()
    return run, tables


def test_touched_or_unpacked_again_the_images_are_those_that_the_run_began_with(begun, photos, tmp_path):
    os.utime(photos / "000.png")
    go_on(begun)
    shutil.copytree(photos, tmp_path / "copy", copy_function=shutil.copyfile)
    shutil.rmtree(photos)
    shutil.copytree(tmp_path / "copy", photos, copy_function=shutil.copyfile)
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    go_on(begun)
    assert evaluate(begun, n=10)["n"] == 10


def test_a_moved_folder_can_be_named(begun, photos, tmp_path, capsys):
    photos.rename(tmp_path / "moved")
    gone = r"photos is not there any more: name the place where it lies now with --dataset\."
    for attempt in (lambda: go_on(begun), lambda: evaluate(begun)):
        with pytest.raises(InputError, match=gone):
            attempt()
    capsys.readouterr()
    assert evaluate(begun, n=10, dataset="./moved")["dataset"] == str(tmp_path / "moved")
    assert "not those" not in capsys.readouterr().err
    go_on(begun, "--dataset", "./moved")
    assert json.loads((begun / "config.json").read_text())["dataset"] == str(tmp_path / "moved")
    go_on(begun)  # from now on it is known where they lie


def test_what_is_named_must_be_the_same_images(begun, photos, tmp_path, capsys):
    shutil.copytree(photos, tmp_path / "others")
    held_out = min(photos.iterdir(), key=lambda path: hashlib.sha256(path.name.encode()).digest())
    (tmp_path / "others" / held_out.name).unlink()
    config = (begun / "config.json").read_text()
    assert evaluate(begun, n=10, dataset="./others")["n"] == 10
    assert "test images of" in (told := capsys.readouterr().err) and "are not those that the run had: the" in told
    for flags in (("--dataset", "./others"), ("--dataset", "fashion_mini")):
        with pytest.raises(
            InputError, match=r"not those that the run began with: .*with --dataset, or start a new run"
        ):
            go_on(begun, *flags)
    assert (begun / "config.json").read_text() == config
    go_on(begun, "--dataset", photos)


def test_a_data_set_with_a_name_has_not_moved(tmp_path):
    run = start("--dataset", "fashion_mini", "--image-size", 8, "--out", "run")
    run.load("train")
    run.open_folder()
    with pytest.raises(InputError, match="--dataset emoji differs from the run's fashion_mini"):
        start("--resume", "run", "--dataset", "emoji")


def test_nor_can_another_place_be_named_where_nothing_tells_what_the_data_was(photos, tmp_path):
    start("--dataset", "photos", "--image-size", 8, "--out", "run").open_folder()
    with pytest.raises(InputError, match="--dataset elsewhere differs from the run's"):
        start("--resume", "run", "--dataset", "elsewhere")


def test_a_run_of_an_earlier_version_goes_on(begun, photos):
    config = json.loads((begun / "config.json").read_text())
    times = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(photos.glob("*.png"))]
    for split in ("train", "test"):
        about = json.dumps([1, str(photos), split, 8, 8, 1, "crop", str(photos), *times])
        config["data"][split] = f"photos-{split}-8x8x1-{hashlib.sha256(about.encode()).hexdigest()[:12]}"
    (begun / "config.json").write_text(json.dumps(config))
    assert evaluate(begun, n=10)["n"] == 10
    _, tables = go_on(begun)
    # What it is called now it keeps.
    assert json.loads((begun / "config.json").read_text())["data"] == {t.split: t.identity for t in tables}
    os.utime(photos / "000.png")
    go_on(begun)


def test_what_an_earlier_version_cannot_vouch_for_is_refused_with_the_way_out(begun):
    config = json.loads((begun / "config.json").read_text())
    (begun / "config.json").write_text(json.dumps({**config, "data": {"train": "photos-train-8x8x1-0123456789ab"}}))
    with pytest.raises(InputError, match=r"train images of .*photos are not those that the run began with: bring them"):
        go_on(begun)
