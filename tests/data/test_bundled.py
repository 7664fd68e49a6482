"""The data inside the package: what it claims, it has."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gdl_keras import data
from gdl_keras.data.sources import debian
from gdl_keras.data.sources.bundled import ASSETS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("split, per_class", [("train", 600), ("test", 100)])
def test_fashion_mini_is_balanced(split, per_class):
    mini = data.load("fashion_mini", split)
    assert mini.image_shape == (28, 28, 1)
    assert np.bincount(mini.labels).tolist() == [per_class] * 10
    assert mini.class_names[9] == "Ankle boot" and len(mini.class_names) == 10


def test_emoji_has_both_splits_of_every_group():
    train, test = data.load("emoji", "train"), data.load("emoji", "test")
    assert train.image_shape == (64, 64, 3)
    assert train.class_names == test.class_names and len(train.class_names) == 9
    counts = np.bincount(train.labels) + np.bincount(test.labels)
    np.testing.assert_allclose(np.bincount(test.labels) / counts, 0.1, atol=0.01)
    pixels = np.concatenate([train.images(slice(None)), test.images(slice(None))])
    assert len(pixels) == 1757
    assert (pixels.std(axis=(1, 2, 3)) > 0.02).all()  # none is blank
    assert np.median(np.ptp(pixels, axis=-1).max(axis=(1, 2))) > 0.5  # most are in colour
    assert (pixels[:, 0, 0] == 1).mean() > 0.99  # on white
    # Centred: as much ink to the left of the middle as to the right, over all.
    ink = (1 - pixels).mean(axis=(0, 3))
    assert abs(np.average(np.arange(64), weights=ink.sum(axis=0)) - 31.5) < 1


def test_no_picture_is_in_both_splits():
    for name in ("emoji", "fashion_mini"):
        train, test = data.load(name, "train"), data.load(name, "test")
        seen = {image.tobytes() for image in train.images(slice(None))}
        assert not any(image.tobytes() in seen for image in test.images(slice(None)))


@pytest.mark.parametrize(
    "name, largest, owner",
    [("fashion_mini", 4e6, "Zalando SE"), ("emoji", 6e6, "OPEN FONT LICENSE"), ("land", 2e3, "Natural Earth")],
)
def test_assets_are_small_credited_and_free_of_pickles(name, largest, owner):
    asset = Path(str(ASSETS)) / f"{name}.npz"
    assert asset.stat().st_size <= largest
    assert owner in (asset.parent / f"{name}.LICENSE.md").read_text()
    with np.load(asset, allow_pickle=False) as content:
        assert all(content[key] is not None for key in content.files)


FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
FONT_2_042 = "e5899ed38b8ed83e"  # the beginning of its SHA-256; another version draws other pictures


def fashion_is_installed():
    return debian.FOLDER.exists()


def emoji_are_installed():
    unicode = Path("/usr/share/unicode/emoji/emoji-test.txt")
    same = unicode.exists() and "Version: 15.0" in unicode.read_text(encoding="utf-8")[:1000]
    return same and FONT.exists() and hashlib.sha256(FONT.read_bytes()).hexdigest().startswith(FONT_2_042)


@pytest.mark.parametrize("name, installed", [("fashion_mini", fashion_is_installed), ("emoji", emoji_are_installed)])
def test_the_script_makes_the_same_pictures(name, installed, tmp_path):
    if not installed():
        pytest.skip("the packages that it is made from are not installed")
    made = tmp_path / f"{name}.npz"
    path = f"import sys, pathlib; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'scripts')!r}]"
    code = f"{path}; import make_{name} as script; script.ASSET = pathlib.Path({str(made)!r}); script.main()"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    with np.load(made) as again, np.load(str(ASSETS / f"{name}.npz")) as asset:
        assert again.files == asset.files
        for key in asset.files:
            np.testing.assert_array_equal(again[key], asset[key])


def test_a_bundled_set_needs_no_writable_folder(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GDL_DATA_DIR", str(tmp_path / "file" / "below"))
    mini = data.load("fashion_mini", "test", image_size=32)
    assert mini.image_shape == (32, 32, 1) and mini.num_images == 1000
    assert len(next(iter(mini.batches()))) == 32
