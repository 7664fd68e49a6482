"""Models that come along: whole, small, named by their programs, and never written to."""

import csv
import json
import runpy
from hashlib import sha256
from pathlib import Path

import keras
import numpy as np
import pytest

import gdl_keras
from gdl_keras import cli, pretrained
from gdl_keras.chapters import all_chapters, chapters_folder
from gdl_keras.errors import InputError
from gdl_keras.kinds import kind_of
from tests import harness
from tests.cases import CASES

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "make_pretrained.py"))
every_one = pytest.mark.parametrize("name", pretrained.names())


def digests(folder):
    return {path: sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


@every_one
def test_it_is_whole_and_says_where_it_comes_from(name):
    folder = pretrained.FOLDER / name
    model = gdl_keras.load(name)
    # What is counted, and not trained, is in whole numbers.
    kinds = {weight.dtype for weight in model.trainable_weights or model.weights}
    assert kinds == {"float32" if model.trainable_weights else "int64"}
    assert all(np.isfinite(np.asarray(weight)).all() for weight in model.weights)
    if hasattr(model, "generate"):
        conditions = harness.conditions(model, 4)
        samples = model.generate(4, seed=1, **conditions)
        kind_of(model).check(samples)
        assert np.array_equal(np.asarray(samples), np.asarray(model.generate(4, seed=1, **conditions)))
    settings = json.loads((folder / "config.json").read_text())
    assert settings["chapter"] == name
    assert not {"out", "resume"} & set(settings)
    assert set(json.loads((folder / "environment.json").read_text())) == {"packages"}
    metrics = json.loads((folder / "metrics.json").read_text())
    assert "evaluation" in metrics or not hasattr(model, "generate")
    with open(folder / "history.csv") as file:
        assert len(list(csv.DictReader(file))) == settings["epochs"]


def test_all_of_them_are_in_the_table_and_take_little_room():
    assert (ROOT / "docs" / "pretrained.md").read_text(encoding="utf-8") == SCRIPT["page"]()
    assert set(pretrained.names()) <= {chapter.name for chapter in all_chapters()}
    assert sum(path.stat().st_size for path in pretrained.FOLDER.glob("*/*/*")) <= SCRIPT["MOST_BYTES"]


def test_the_map_of_families_has_a_row_for_each_that_comes_along(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    families = runpy.run_path(str(ROOT / "scripts" / "make_families.py"))
    page = (ROOT / "docs" / "families.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert set(families["FAMILIES"]) <= {chapter.name for chapter in all_chapters()}
    here = [name for name in families["FAMILIES"] if name in pretrained.names()]
    assert [row.split("`")[1] for row in rows] == here
    # But for the time of sampling, a row is what it says now.
    now = families["row_of"]("04_gan/04_gan").split("|")
    kept = next(row for row in rows if "04_gan/04_gan" in row).split("|")
    seconds = families["HEADINGS"].split().index("seconds") + 1
    assert now[:seconds] + now[seconds + 1 :] == kept[:seconds] + kept[seconds + 1 :]


def test_commands_take_it_by_its_programs_name_and_write_nothing_to_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = digests(pretrained.FOLDER)
    name = "03_vae/02_vae_fashion"
    assert cli.main(["sample", name, "-n", "4", "-o", "grid.png", "--seed", "7"]) == 0
    assert cli.main(["sample", "vae_fashion", "-n", "4", "-o", "again.png", "--seed", "7"]) == 0
    assert (tmp_path / "grid.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    assert cli.main(["animate", name, "--walk", "--frames", "2", "--rows", "1"]) == 0
    assert cli.main(["report", name]) == 0
    assert cli.main(["evaluate", name, "-n", "100", "--dataset", "fashion_mini"]) == 0
    assert "Written" not in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {"grid.png", "again.png", "walk.gif", "report.html"}
    assert digests(pretrained.FOLDER) == before


def test_a_run_of_ones_own_comes_first(tmp_path, monkeypatch):
    own = tmp_path / "03_vae" / "02_vae_fashion"
    own.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert pretrained.folder_of("03_vae/02_vae_fashion").resolve() == own
    # The programs themselves lie in folders of these names.
    monkeypatch.chdir(chapters_folder())
    shipped = pretrained.FOLDER / "03_vae/02_vae_fashion"
    assert pretrained.folder_of("03_vae/02_vae_fashion") == shipped
    monkeypatch.chdir(chapters_folder() / "03_vae")
    assert pretrained.folder_of("02_vae_fashion") == shipped
    assert pretrained.folder_of("runs/nothing") == Path("runs/nothing")


def test_where_none_comes_along_that_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path)
    for command in ("sample", "evaluate", "report"):
        assert cli.main([command, "hinge_gan"]) == 2
        sentence = "No trained model of 04_gan/05_hinge_gan comes along: gdl run 04_gan/05_hinge_gan trains one."
        assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("case", [case for case in CASES if case.name in ("vae", "cgan", "lstm", "ebm")], ids=str)
def test_what_is_left_behind_changes_nothing(case, tmp_path):
    model = harness.build(case)
    harness.train(case, model, epochs=1)
    model.save(tmp_path / "model.keras")
    kind, moved = SCRIPT["write_model"](tmp_path, tmp_path / "small.keras")
    small = keras.saving.load_model(tmp_path / "small.keras")
    assert not small.compiled
    assert (tmp_path / "small.keras").stat().st_size < 0.8 * (tmp_path / "model.keras").stat().st_size
    ours, theirs = (harness.sample(one, 8, seed=7) for one in (model, small))
    assert kind == "float16"
    if isinstance(ours, np.ndarray):
        assert moved <= 1 / 255
        np.testing.assert_allclose(ours, theirs, atol=1 / 255)
    else:
        assert (moved, ours) == (0, theirs)
    for old, new in zip(model.weights, small.weights, strict=True):
        np.testing.assert_allclose(np.asarray(new), np.asarray(old), rtol=1e-3, atol=1e-7)


def test_a_run_that_is_not_finished_does_not_come_along(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"chapter": "03_vae/02_vae_fashion"}))
    with pytest.raises(InputError, match="has not come to its end"):
        SCRIPT["ship"](tmp_path)
