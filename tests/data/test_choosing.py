"""Which of several data sets a run takes."""

import pytest

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
