"""A page of a data set: the examples that a model would get, spread over all, and what there is of each class."""

import numpy as np
import pytest
from PIL import Image

from gdl_keras import data, plotting
from gdl_keras.cli import main
from gdl_keras.errors import InputError
from gdl_keras.preview import preview


@pytest.fixture
def photos(tmp_path):
    """A folder of 50 pictures of two classes, wider than high, whose brightness is their number."""
    for number in range(50):
        folder = tmp_path / "photos" / ("dark" if number < 30 else "light")
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (12, 8), (5 * number,) * 3).save(folder / f"{number:02}.png")
    return tmp_path / "photos"


def test_the_page_shows_examples_from_the_first_to_the_last_as_they_are_learnt_from(photos, tmp_path):
    told = preview(str(photos), tmp_path / "page.png", 9, image_size=8)
    train = data.load(str(photos), "train", image_size=8)
    rows = train.rows("images", np.linspace(0, train.num_examples - 1, 9).round().astype(int))
    plotting.save_mosaic(rows, tmp_path / "expected.png")
    assert (tmp_path / "page.png").read_bytes() == (tmp_path / "expected.png").read_bytes()
    test = data.load(str(photos), "test", image_size=8)
    counts = np.bincount(train.labels, minlength=2)
    assert told.splitlines() == [
        f"{tmp_path / 'page.png'}: 9 of {train.num_examples} training examples, {test.num_examples} held out",
        f"dark: {counts[0]}",
        f"light: {counts[1]}",
    ]
    assert sum(counts) == train.num_examples and train.num_examples + test.num_examples == 50


def test_of_fewer_than_asked_for_all_are_shown_once(photos, tmp_path):
    preview(str(photos), tmp_path / "page.png", 1000, image_size=8)
    train = data.load(str(photos), "train", image_size=8)
    plotting.save_mosaic(train.rows("images", slice(None)), tmp_path / "expected.png")
    assert (tmp_path / "page.png").read_bytes() == (tmp_path / "expected.png").read_bytes()


def test_texts_and_points_have_pages_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tale.txt").write_text("Once upon a time there was a pig. " * 200)
    assert main(["data", "preview", "tale.txt", "-n", "2"]) == 0
    assert (tmp_path / "preview.txt").read_text().count("Once upon a time") >= 1
    assert preview("moons", tmp_path / "moons.png", 50).startswith(f"{tmp_path / 'moons.png'}: 50 of 10,000")
    assert Image.open(tmp_path / "moons.png").width > 100


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("emoji", {"n": 0}, "-n is at least 1, not 0"),
        ("emoji", {"output": "page.txt"}, "page.txt is to be a page of images: give it a name that ends in .png"),
        ("chorales", {}, "chorales holds music, of which no page can be drawn"),
        ("moons", {"image_size": 8}, "points takes no image_size"),
        ("no_such", {}, "There is no data set 'no_such'"),
    ],
)
def test_what_cannot_be_shown_is_said_in_a_sentence(name, options, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=sentence):
        preview(name, **options)
    assert not list(tmp_path.glob("p*"))
