"""Bits of lossless files: against files that are written, and what is known of the contents."""

import numpy as np
import pytest
from PIL import Image

from gdl_keras.metrics.compressors import bits_of_files


@pytest.mark.parametrize("channels", [1, 3])
def test_bits_are_those_of_files_on_disk(channels, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (10, 6, 8, channels), dtype=np.uint8)
    bits = bits_of_files(pixels / np.float32(255))
    paths = [tmp_path / f"{number}.png" for number in range(10)]
    for path, picture in zip(paths, pixels):
        Image.fromarray(picture.squeeze()).save(path, optimize=True)
    assert bits["PNG, one file each"] == 8 * sum(path.stat().st_size for path in paths) / pixels.size
    rows = [np.concatenate(pixels[start : start + 3], axis=1) for start in (0, 3, 6)]
    Image.fromarray(np.concatenate(rows).squeeze()).save(tmp_path / "sheet.png", optimize=True)
    assert bits["PNG, one sheet"] == 8 * (tmp_path / "sheet.png").stat().st_size / (9 * 6 * 8 * channels)


def test_noise_takes_eight_bits_and_the_same_image_again_and_again_takes_few():
    rng = np.random.default_rng(1)
    noise = bits_of_files(rng.integers(0, 256, (16, 16, 16, 1)) / 255)
    assert all(value > 8 for value in noise.values())
    again = bits_of_files(np.repeat(rng.integers(0, 256, (1, 16, 16, 1)) / 255, 16, axis=0))
    assert again["PNG, one sheet"] < 1 and again["WebP, one sheet"] < 1
