"""The prepared store: made once, whole or not at all, noticed when damaged, shared by runs."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gdl_keras import data
from gdl_keras.data import filling, store
from gdl_keras.errors import InputError, RunError

ROOT = Path(__file__).parents[2]


def only_store(data_home):
    (folder,) = (data_home / "prepared").iterdir()
    return folder


def test_images_are_prepared_once_and_read_from_the_disk(photos, data_home, monkeypatch):
    folder = photos(20)
    first = data.load(folder, "train", image_size=20)
    name = only_store(data_home).name
    assert name.startswith("photos-train-20x20x3-") and len(name) == len("photos-train-20x20x3-") + 12
    monkeypatch.setattr(filling, "decode", lambda *arguments: pytest.fail("decoded again"))
    second = data.load(folder, "train", image_size=20, batch_size=3, seed=9)
    np.testing.assert_array_equal(first.images(slice(None)), second.images(slice(None)))
    pixels = second.columns["images"].values
    # File-backed: a data set may be larger than memory.
    assert isinstance(pixels, np.memmap) and pixels.dtype == np.uint8


def test_every_setting_has_a_store_of_its_own(data_home):
    for settings in ({"image_size": 32}, {"image_size": 28}, {"channels": 3}, {"split": "test"}):
        data.load("fashion_mini", **settings)
    assert len(list((data_home / "prepared").iterdir())) == 4  # native size is 28: asked for or not


def truncate(folder):
    with open(folder / "images.npy", "r+b") as file:
        file.truncate(1000)


@pytest.mark.parametrize(
    "damage",
    [
        truncate,
        lambda folder: (folder / "images.npy").unlink(),
        lambda folder: (folder / "labels.npy").unlink(),
        lambda folder: (folder / "meta.json").write_text("{"),
        lambda folder: (folder / "meta.json").write_text('{"version": 0}'),
        lambda folder: np.save(folder / "labels.npy", np.zeros(3, np.int64)),
        lambda folder: np.save(folder / "images.npy", np.zeros((1000, 28, 28, 1))),
    ],
)
def test_a_damaged_store_is_noticed_and_made_again(data_home, capsys, damage):
    before = data.load("fashion_mini", "test")
    pixels, labels = before.images(slice(None)), before.labels
    del before
    damage(only_store(data_home))
    again = data.load("fashion_mini", "test")
    assert "are damaged or out of date: they are prepared again" in capsys.readouterr().err
    np.testing.assert_array_equal(again.images(slice(None)), pixels)
    np.testing.assert_array_equal(again.labels, labels)


def test_a_failure_half_way_leaves_nothing(photos, leftovers, monkeypatch):
    folder, decoded = photos(200), []

    def decode(*arguments):
        decoded.append(arguments)
        if len(decoded) == 150:
            raise KeyboardInterrupt
        return original(*arguments)

    original = filling.decode
    monkeypatch.setattr(filling, "decode", decode)
    with pytest.raises(KeyboardInterrupt):
        data.load(folder, "train")
    assert leftovers() == []
    monkeypatch.undo()


def test_a_full_disk_is_an_error_and_not_a_crash(photos, leftovers, monkeypatch):
    def full(descriptor, start, length):
        assert length > 180 * 20 * 20 * 3
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(RunError, match="disk is full"):
        data.load(photos(200), "train", image_size=20)
    assert leftovers() == []


def test_space_is_claimed_before_anything_is_written(tmp_path):
    images = store.allocate(tmp_path / "images.npy", (100, 64, 64, 3))
    assert (tmp_path / "images.npy").stat().st_blocks * 512 >= images.nbytes


def test_a_folder_that_cannot_be_written(photos, tmp_path, monkeypatch):
    folder = photos(5)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GDL_DATA_DIR", str(tmp_path / "file"))
    with pytest.raises(InputError, match="Set GDL_DATA_DIR"):
        data.load(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_folder(photos, data_home):
    data_home.mkdir()
    data_home.chmod(0o500)
    with pytest.raises(InputError, match="Set GDL_DATA_DIR"):
        data.load(photos(5))


def test_runs_at_the_same_time_share_the_work(photos, data_home):
    folder = photos(300)
    code = f"from gdl_keras import data; print(data.load({str(folder)!r}, 'train').images(slice(None)).sum())"
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    outputs = [run.communicate() for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], outputs
    assert len({output for output, _ in outputs}) == 1
    assert [path.name for path in only_store(data_home).parent.iterdir()] == [only_store(data_home).name]


def test_many_images_keep_their_order(monkeypatch):
    from gdl_keras.data.raw import from_arrays

    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    values = np.random.default_rng(0).integers(0, 256, (1000, 8, 8), np.uint8)
    images = np.zeros((1000, 8, 8, 1), np.uint8)
    filled = filling.fill(images, from_arrays(values, np.arange(1000), ["x"], "x"), filling.Preparation(8, 1, "pad"))
    np.testing.assert_array_equal(images[..., 0], values)
    assert filled.labels.tolist() == list(range(1000)) and filled.count == 1000
