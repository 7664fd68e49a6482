"""Pictures of more than 8 bits: one scale for a whole folder, and pixels that are no numbers."""

import numpy as np
import pytest
from PIL import Image

from gdl_keras import data
from gdl_keras.errors import InputError


@pytest.fixture
def deep(tmp_path):
    """A function that writes one-coloured pictures, a value each, and returns {value: its brightness in [0, 1]}."""

    def make(values, dtype, suffix=".tif", **options):
        folder = tmp_path / "deep"
        folder.mkdir()
        for index, value in enumerate(values):
            Image.fromarray(np.full((8, 8), value, dtype)).save(folder / f"{index}{suffix}")
        parts = [data.load(folder, split, image_size=8, channels=1, **options) for split in ("train", "test")]
        found = sorted(image[0, 0, 0] for part in parts for image in part.images(slice(None)))
        return [round(float(value), 3) for value in found]

    return make


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_are_brought_to_one_scale_by_their_depth(deep, suffix, capsys):
    assert deep([255, 256, 32768, 65535], np.uint16, suffix) == [0.004, 0.004, 0.502, 1.0]
    assert capsys.readouterr().err.count("16 bits a pixel, of which 65,535 is white: ") == 2  # once a split


@pytest.mark.parametrize(
    ("values", "dtype", "brightness"),
    [
        ([255, 256, 128], np.float32, [0.502, 0.996, 1.0]),
        ([0.25, 0.5, 0.75], np.float32, [0.251, 0.502, 0.749]),
        ([-1, 0, 1], np.float32, [0.0, 0.502, 1.0]),
        ([70_000, 140_000, 0], np.int32, [0.0, 0.502, 1.0]),
        ([-1000, 3000, 0], np.int32, [0.0, 0.251, 1.0]),
    ],
)
def test_other_numbers_are_brought_to_one_scale_by_the_largest_of_the_folder(deep, values, dtype, brightness, capsys):
    assert deep(values, dtype) == brightness
    black, white = min(0, *values), max(1, *values)
    assert f"of which {black:g} is black and {white:g} white in the whole data set" in capsys.readouterr().err


def test_sixteen_bits_of_a_graymap_too(tmp_path):
    for name, value in (("a", 13107), ("b", 13107), ("c", 65535)):
        (tmp_path / f"{name}.pgm").write_bytes(b"P5\n8 8\n65535\n" + np.full((8, 8), value, ">u2").tobytes())
    parts = [data.load(f"images:{tmp_path}", split, image_size=8, channels=1) for split in ("train", "test")]
    found = sorted(float(image[0, 0, 0]) for part in parts for image in part.images(slice(None)))
    np.testing.assert_allclose(found, [0.2, 0.2, 1], atol=1e-6)


def test_eight_bits_beside_sixteen_keep_their_own_depth(deep, tmp_path):
    (tmp_path / "mixed").mkdir()
    Image.fromarray(np.full((8, 8), 51, np.uint8)).save(tmp_path / "mixed" / "a.png")
    Image.fromarray(np.full((8, 8), 51 * 257, np.uint16)).save(tmp_path / "mixed" / "b.png")
    for split in ("train", "test"):
        image = data.load(tmp_path / "mixed", split, image_size=8, channels=1).images(0)
        np.testing.assert_allclose(image, 0.2, atol=1e-6)


def test_a_float_that_is_no_number_is_damage(deep, capsys):
    with pytest.raises(InputError, match=r"2 of \d+ images cannot be used: .*some of its pixels are no numbers"):
        deep([0.5] * 10 + [np.nan, np.inf], np.float32)


def test_what_is_no_number_does_not_make_the_scale(deep):
    assert deep([2, 4, np.nan, 1, 3, 0, 4, 4, 4, 4, np.inf], np.float32, skip_unreadable=True)[:4] == [
        0,
        0.251,
        0.502,
        0.749,
    ]
