"""A kind is found by its name, and each has all that commands and callbacks ask it for."""

from types import SimpleNamespace

import pytest

from gdl_keras import kinds
from gdl_keras.errors import InputError
from tests import cases


@pytest.mark.parametrize("name", kinds.names())
def test_a_kind_is_complete(name):
    kind = kinds.kind(name)
    assert kind.name == name
    assert kind.unit
    assert kind.sheet_suffix in kind.suffixes
    assert all(suffix == "" or suffix.startswith(".") for suffix in kind.suffixes)
    assert all(isinstance(way, str) and way for way in kind.better.values())
    for method in ("check", "write_sheet", "write", "load", "measure", "follow"):
        assert getattr(type(kind), method) is not getattr(kinds.Kind, method), method


def test_a_model_says_what_it_makes():
    assert kinds.kind_of(cases.vae()) is kinds.kind("images")
    with pytest.raises(InputError, match="Classifier makes no samples"):
        kinds.kind_of(cases.classifier())


def test_an_unknown_kind_is_answered_with_those_that_there_are():
    with pytest.raises(InputError, match=r"no kind of samples 'image'\.  Did you mean images"):
        kinds.kind("image")
    with pytest.raises(InputError, match="no kind"):
        kinds.kind_of(SimpleNamespace(makes="base"))


def test_a_path_is_checked_before_anything_is_made(tmp_path):
    images = kinds.kind("images")
    with pytest.raises(
        InputError, match=r"should end in \.png \(a grid of images\) or \.npz \(an array\), or in no su"
    ):
        images.check_path("samples.jpg")
    for path in ("a.png", "a.npz", tmp_path / "new"):
        images.check_path(path)
