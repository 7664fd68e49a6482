"""Names that are no text, archives in the place of folders, sizes that are no number."""

import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from gdl_keras import data
from gdl_keras.errors import InputError
from tests.data.test_layouts import both


def test_names_that_are_no_unicode_are_used_and_written_out(photos):
    folder = photos(10, "set", within="Größe")
    odd = os.fsencode(folder) + b"/caf\xe9"
    os.mkdir(odd)
    for number in range(10):
        Image.new("RGB", (20, 20)).save(odd + b"/\xff%d.png" % number)
    with open(odd + b"/\xff.png", "w") as file:
        file.write("no image")
    with pytest.raises(InputError, match=r"caf\\xe9/\\xff.png \(not an image"):
        both(folder)
    train, test = both(folder, skip_unreadable=True)
    assert train.class_names == ["Größe", "caf\\xe9"] and train.num_images + test.num_images == 20
    command = [sys.executable, "-m", "gdl_keras", "data", "info", str(folder)]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert r"Gr\xf6\xdfe, caf\xe9" in answer.stdout


def test_texts_whose_names_are_no_unicode_are_used(tmp_path):
    folder = tmp_path / "books"
    folder.mkdir()
    for number in range(30):
        with open(os.fsencode(folder) + b"/caf\xe9%d.txt" % number, "w") as file:
            file.write(f"text {number}. " * 20)
    with open(os.fsencode(folder) + b"/\xff.txt", "wb") as file:
        file.write(b"caf\xe9")
    with pytest.raises(InputError, match=r"^\\xff.txt is not text in UTF-8"):
        data.load(f"text:{folder}", length=4)
    assert data.load(f"text:{folder}", length=4, skip_unreadable=True).num_tokens > 100


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("photos.zip", r"unzip photos\.zip -d photos"),
        ("my photos.tar.gz", r"tar -xf 'my photos\.tar\.gz'"),
        ("photos.7z", r"7z x photos\.7z"),
    ],
)
def test_an_archive_is_to_be_unpacked(tmp_path, name, command):
    (tmp_path / "inside").mkdir()
    for path in (tmp_path / name, tmp_path / "inside" / name):
        path.write_bytes(b"PK")
    for given in (tmp_path / name, f"images:{tmp_path / name}", f"text:{tmp_path / name}", tmp_path / "inside"):
        with pytest.raises(InputError, match=rf"is packed: unpack it first \({command}\)"):
            data.load(given)
    with pytest.raises(InputError, match=command):
        data.info(tmp_path / name)


@pytest.mark.parametrize("number", ["8", None, 2.5, True])
def test_other_numbers_are_whole(photos, number):
    folder = photos(4)
    for name, setting in (("batch size", "batch_size"), ("seed", "seed")):
        with pytest.raises(InputError, match=rf"The {name} is a whole number .*, not {number!r}"):
            data.load(folder, **{setting: number})
    with pytest.raises(InputError, match="batch size is a whole number of at least 1"):
        data.from_arrays(images=np.zeros((4, 8, 8), "uint8"), batch_size=number)
    assert data.load(folder, batch_size=np.int64(2), seed=np.uint8(3)).batch_size == 2


@pytest.mark.parametrize("size", [(20, 20), [20, 20], np.int64(20), np.array([20, 20]), 20])
def test_a_size_is_a_number_or_a_pair(photos, size):
    train = data.load(photos(4), image_size=size)
    assert train.image_shape == (20, 20, 3) and train.identity == data.load(photos(4), image_size=20).identity


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((20, 10), "made square: give one image size, not 20 and 10"),
        ((20, 20, 3), "a whole number, or a pair of equal ones"),
        ("20", "a whole number, or a pair"),
        (20.5, "a whole number, or a pair"),
        ((), "a whole number, or a pair"),
        ((2, 2), "between 4 and 2048"),
    ],
)
def test_other_sizes_are_refused(photos, size, message):
    with pytest.raises(InputError, match=message):
        data.load(photos(4), image_size=size)
