"""Each text a row: cut where it is too long, filled up where it is too short; texts made of several fields."""

import json

import numpy as np
import pytest

from gdl_keras import data
from gdl_keras.data.columns import Beginnings
from gdl_keras.errors import InputError

RECIPES = [
    {"title": "Soup", "directions": ["Boil water.", "Add salt."], "rating": 4.4},
    {"title": "Toast", "directions": "Toast bread."},
    {"title": "Nothing", "directions": []},
    {"directions": "Of no dish."},
    {"title": "Tea", "directions": "Brew, and wait for {minutes}."},
]
AS_ONE = "Recipe for {title} | {directions}"


@pytest.fixture
def recipes(tmp_path):
    """A folder with RECIPES to learn from, and the first of them held out."""
    for split, entries in (("train", RECIPES), ("test", RECIPES[:1])):
        (tmp_path / "recipes" / split).mkdir(parents=True)
        (tmp_path / "recipes" / split / "some.json").write_text(json.dumps(entries))
    return str(tmp_path / "recipes")


@pytest.mark.parametrize("indices", [slice(None), slice(1, 3), np.array([2, 0, 0]), 1, slice(3, None, -2)], ids=str)
def test_rows_are_beginnings_filled_up_with_the_end(indices):
    values = np.array([5, 6, 7, 0, 8, 0, 9, 9, 9, 9, 9, 0, 4, 3], "uint16")
    rows = np.array([[5, 6, 7, 0], [8, 0, 0, 0], [9, 9, 9, 9], [4, 3, 0, 0]])
    beginnings = Beginnings(values, 4, 0)
    assert beginnings.shape == (4, 4) and len(beginnings) == 4 and beginnings[0].dtype == beginnings.dtype == "uint16"
    np.testing.assert_array_equal(beginnings[indices], rows[indices])


def test_a_text_may_be_made_of_several_fields(recipes, capsys):
    train = data.load(recipes, field=AS_ONE, example="text", length=60)
    texts = [train.vocabulary.decode(text) for text in train.texts(slice(None))]
    assert texts == [
        "Recipe for Soup | Boil water.\nAdd salt.",
        "Recipe for Toast | Toast bread.",
        "Recipe for Tea | Brew, and wait for {minutes}.",  # braces in the data are no field
    ]
    assert ": left out: 2 empty texts." in capsys.readouterr().err
    with pytest.raises(InputError, match="no text in a field 'name': its fields with text are title, directions"):
        data.load(recipes, field="{name}: {title}", example="text")


def test_batches_hold_whole_texts(recipes):
    train = data.load(recipes, field=AS_ONE, example="text", tokens="words", length=7, batch_size=3)
    assert (train.num_examples, train.length, train.example) == (3, 7, "text")
    (batch,) = train.batches(shuffle=False, repeat=False, columns=("tokens",)).as_numpy_iterator()
    assert batch.shape == (3, 8) and batch.dtype == "int32"
    np.testing.assert_array_equal(batch, train.rows("tokens", slice(None)))
    assert train.vocabulary.decode(batch[0]) == "recipe for soup | boil water. add"
    end = train.vocabulary.end
    np.testing.assert_array_equal([(row == end).sum() for row in batch], [0, 1, 0])
    assert [len(text) for text in train.texts(np.array([1, 0]))] == [7, 8]


def test_windows_and_texts_are_told_apart_on_resume(recipes):
    windows, texts = (data.load(recipes, field="title", example=example, length=4) for example in ("window", "text"))
    assert texts.identity == windows.identity + "-texts"
    with pytest.raises(InputError, match="example is 'window' or 'text', not 'line'"):
        data.load(recipes, field="title", example="line")


def test_a_text_may_be_shorter_than_a_row(recipes):
    test = data.load(recipes, "test", field="title", example="text", length=500)
    assert test.num_examples == 1 and test.vocabulary.decode(test.texts(slice(None))[0]) == "Soup"
    with pytest.raises(InputError, match="too few for one example of 500"):
        data.load(recipes, "test", field="title", length=500)


def test_the_books_sets_are_its_texts():
    """Of recipes the title and the directions, of wines where they come from and what they are."""
    assert data.entries.find("recipes").field == AS_ONE
    assert data.entries.find("wines").field == "wine review : {country} : {province} : {variety} : {description}"
