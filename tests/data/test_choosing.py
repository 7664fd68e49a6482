"""Which of several data sets a run takes."""

import re
from pathlib import Path

import pytest
from PIL import Image

from gdl_keras import data
from gdl_keras.data import choosing
from gdl_keras.errors import InputError, RunError


@pytest.fixture
def nothing_can_be_fetched(monkeypatch):
    def fail(name):
        raise RunError("no network")

    monkeypatch.setattr(choosing, "download", fail)
    monkeypatch.setattr(choosing, "is_here", lambda name: name in ("fashion_mini", "emoji"))


def test_the_first_that_is_here(nothing_can_be_fetched, capsys):
    assert data.first_available("emoji,fashion_mini") == "emoji"
    assert data.first_available("mnist, fashion_mini") == "fashion_mini"
    assert "mnist cannot be had here (no network)" in capsys.readouterr().err


def test_what_can_be_fetched_is_fetched(monkeypatch):
    fetched = []
    monkeypatch.setattr(choosing, "download", fetched.append)
    monkeypatch.setattr(choosing, "is_here", lambda name: False)
    assert data.first_available("mnist,fashion_mini") == "mnist"
    assert fetched == ["mnist"]


def test_a_single_name_is_left_for_loading_to_explain(nothing_can_be_fetched):
    assert data.first_available("mnist") == "mnist"


def test_an_unknown_name_among_several_is_not_passed_over(nothing_can_be_fetched):
    with pytest.raises(InputError, match="fashion"):
        data.first_available("fashon,emoji")


def test_a_folder_is_found_again_from_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "cats, dogs").mkdir()
    monkeypatch.chdir(tmp_path)
    assert data.first_available("./cats, dogs") == str(tmp_path / "cats, dogs")


@pytest.fixture
def things(tmp_path, monkeypatch):
    """Files of every kind, and of none."""
    monkeypatch.chdir(tmp_path)
    for folder in ("photos", "both"):
        Path(folder).mkdir()
        for name in ("a.png", "b.png"):
            Image.new("RGB", (9, 9)).save(f"{folder}/{name}")
    for folder in ("empty", "midi"):
        Path(folder).mkdir()
    for name, content in {
        "both/a.txt": "A text.",
        "midi/a.mid": "",
        "poem.txt": "A poem.",
        "README.md": "# Words",
        "words.csv": "text,other\nhere,there\nnow,then\n",
        "points.csv": "1,2\n3,4\n5,6\n",
        "three.csv": "1,2,3\n3,4,5\n5,6,7\n",
    }.items():
        Path(name).write_text(content)


@pytest.mark.parametrize(
    ("name", "kind", "told"),
    [
        ("./photos", "text", "./photos is a folder of images; this program learns from texts (a .txt, .json or .csv"),
        ("both", "text", "both is a folder of images; this .*write text:both to take it so."),
        ("photos/a.png", "text", "photos/a.png is a .png file; this program learns from texts"),
        ("README.md", "text", "README.md is a .md file; this program learns from texts"),
        ("README.md", "images", r"README.md is a .md file; this program learns from images (a folder of images)."),
        ("empty", "points", "empty holds no file of a known kind; this program learns from points (a .csv file with"),
        ("photos", "points", "photos is a folder of images; this program learns from points"),
        ("words.csv", "points", "words.csv is a table with no column of numbers; this program learns from points"),
        ("three.csv", "points", "three.csv is a table with 3 columns of numbers; this program learns from points"),
        (
            "points.csv",
            "images",
            "points.csv is a file of points; this program learns from images (a folder of images).",
        ),
        ("points.csv", "text", "points.csv is a file of points; .*write text:points.csv to take it so."),
        ("words.csv", "images", "words.csv is a table with no column of numbers; this program learns from images"),
        ("poem.txt", "images", "poem.txt is a file of texts; this program learns from images"),
        ("midi", "images", "midi is a folder of music; this program learns from images"),
        ("poem.txt", "music", "poem.txt is a file of texts; this program learns from music (a folder of .mid files)."),
        ("photos", "captions", "photos is a folder of images; this program learns from captions."),
        (
            "text:both",
            "images",
            r"text:both is to be read as texts; this program learns from images (a folder of images).",
        ),
        ("emoji", "text", "emoji is a data set of images; this program learns from texts"),
        ("emoji, moons", "images", "moons is a data set of points; this program learns from images"),
        ("kaggle:a/b", "text", "kaggle:a/b is taken for images; this .*write text:kaggle:a/b to take it so."),
        ("./nothing", "text", "nothing does not exist: give a .txt, .json or .csv file"),
    ],
)
def test_data_of_another_kind_than_the_program_learns_from_are_refused(name, kind, told, things):
    start, *rest = map(re.escape, told.split(".*"))
    with pytest.raises(InputError, match=f"(^|/){'.*'.join([start, *rest])}"):
        data.check_names(name, kind)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *[("photos", "images"), ("both", "images"), ("text:both", "text"), ("images:both", "images")],
        *[("poem.txt", "text"), ("words.csv", "text"), ("three.csv", "text"), ("text:points.csv", "text")],
        *[("points.csv", "points"), ("points:README.md", "points"), ("midi", "music"), ("moons, rings", "points")],
        *[("text:kaggle:a/b", "text"), ("README.md", None), ("empty", "images")],  # which loading tells more of
    ],
)
def test_data_of_the_kind_that_is_wanted_go(name, kind, things):
    assert data.check_names(name, kind) == name.split(", ")
