"""What a run says first, and what it refuses before anything is fetched or written."""

import sys

import pytest

from gdl_keras.errors import InputError
from gdl_keras.training import ImageConfig, PointConfig, Run, TextConfig

CHAPTER = "00_test/01_model"


@pytest.fixture(autouse=True)
def errors_as_before(monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)


@pytest.mark.parametrize(
    ("settings", "dataset", "told"),
    [
        (
            ImageConfig,
            "austen,fashion_mini",
            "austen is a data set of texts; this program learns from images (a folder",
        ),
        (TextConfig, "emoji", "emoji is a data set of images; this program learns from texts (a .txt, .json or .csv"),
        (
            PointConfig,
            "austen_mini",
            "austen_mini is a data set of texts; this program learns from points (a .csv file",
        ),
    ],
)
def test_data_of_another_kind_are_refused_before_anything_is_fetched(settings, dataset, told, tmp_path, capsys):
    with pytest.raises(InputError) as error:
        Run.start(settings, CHAPTER, arguments=["--dataset", dataset, "--out", str(tmp_path / "run")])
    assert str(error.value).startswith(told)
    assert not (tmp_path / "run").exists() and "Downloading" not in capsys.readouterr().err


def test_the_first_line_says_what_the_preset_book_is(tmp_path, capsys):
    class Ours(ImageConfig):
        book_is = "more of the same"

    for preset in ("cpu", "book", "smoke"):
        for settings, words in [(ImageConfig, "the book's own recipe"), (Ours, "more of the same")]:
            Run.start(settings, CHAPTER, arguments=["--preset", preset, "--out", str(tmp_path / "run")])
            first, *_ = capsys.readouterr().out.splitlines()
            assert words in first and first.startswith(f"{CHAPTER}, preset {preset}: ")
