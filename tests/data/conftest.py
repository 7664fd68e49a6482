"""Every test of data has a data folder, a home and a current folder of its own, and nobody's keys."""

import numpy as np
import pytest
from PIL import Image

from gdl_keras import data


@pytest.fixture(autouse=True)
def data_home(tmp_path, monkeypatch):
    home = tmp_path / "home"
    (tmp_path / "current").mkdir()
    home.mkdir()
    monkeypatch.chdir(tmp_path / "current")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GDL_DATA_DIR", str(tmp_path / "data"))
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_API_TOKEN", "KAGGLE_DATASET_USER", "KAGGLE_DATASET"):
        monkeypatch.delenv(name, raising=False)
    return data.home()


@pytest.fixture
def leftovers(data_home):
    """A function that lists the files of the data folder, locks aside."""

    def listing():
        return sorted(
            path.relative_to(data_home).as_posix()
            for path in data_home.rglob("*")
            if path.is_file() and ".locks" not in path.parts
        )

    return listing


@pytest.fixture
def photos(tmp_path):
    """A function that makes a folder of `count` PNGs of random pixels and returns its path."""

    def make(count, name="photos", size=(20, 20), within=""):
        folder = tmp_path / name / within
        folder.mkdir(parents=True, exist_ok=True)
        # Names of letters would give every test the same pictures.
        generator = np.random.default_rng(list(f"{name}/{within}".encode()))
        for index in range(count):
            pixels = generator.integers(0, 256, (size[1], size[0], 3), np.uint8)
            Image.fromarray(pixels).save(folder / f"{index:03}.png")
        return tmp_path / name

    return make


@pytest.fixture
def folder(tmp_path):
    """Where a test of tables puts its images; there is nothing yet."""
    return tmp_path / "photos"
