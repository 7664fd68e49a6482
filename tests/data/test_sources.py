"""Debian's files, plain files of the web, TensorFlow Datasets, and the catalogue that names them all."""

import dataclasses
import gzip
import json
import struct

import numpy as np
import pytest

from gdl_keras import data
from gdl_keras.data import entries as entries_module
from gdl_keras.data.sources import debian, url
from gdl_keras.data.sources.tfds import TFDS
from gdl_keras.errors import InputError, RunError
from tests.data.servers import serving, site

HAS_DEBIAN = debian.Debian().is_here()


def write_idx(path, values, cut=0):
    header = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    content = header + values.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content[: len(content) - cut]))


@pytest.fixture
def small_debian(tmp_path, monkeypatch):
    """Debian's folder with 30 training and 10 test images that are known."""
    folder = tmp_path / "debian"
    folder.mkdir()
    monkeypatch.setattr(debian, "FOLDER", folder)
    for prefix, count in (("train", 30), ("t10k", 10)):
        images = np.random.default_rng(count).integers(1, 256, (count, 28, 28), np.uint8)
        write_idx(folder / f"{prefix}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", np.arange(count) % 10)
    return folder


def test_fashion_is_padded_not_resized(small_debian):
    native = data.load("fashion", "train")
    padded = data.load("fashion", "train", image_size=32)
    assert native.image_shape == (28, 28, 1) and padded.image_shape == (32, 32, 1)
    expected = np.random.default_rng(30).integers(1, 256, (30, 28, 28), np.uint8)
    np.testing.assert_array_equal(np.rint(native.images(slice(None))[..., 0] * 255), expected)
    everything = padded.images(slice(None))
    np.testing.assert_array_equal(everything[:, 2:-2, 2:-2], native.images(slice(None)))
    assert everything[:, :2].max() == everything[:, -2:].max() == everything[:, :, :2].max() == 0
    assert everything[:, :, -2:].max() == 0
    assert padded.labels.tolist() == (np.arange(30) % 10).tolist()
    assert padded.source == "Debian's package dataset-fashion-mnist"
    assert data.load("fashion", "test", image_size=48).image_shape == (48, 48, 1)
    assert data.load("fashion", "test", channels=3).image_shape == (28, 28, 3)


@pytest.mark.skipif(not HAS_DEBIAN, reason="dataset-fashion-mnist is not installed")
def test_the_whole_of_fashion():
    test = data.load("fashion", "test", image_size=32)
    assert test.num_images == 10_000 and np.bincount(test.labels).tolist() == [1000] * 10
    assert test.class_names[test.labels[0]] == "Ankle boot"


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-20]), "damaged"),
        (lambda path: path.write_bytes(b"no gzip"), "damaged"),
        (lambda path: write_idx(path, np.zeros((30, 28, 28)), cut=9), "23,511 bytes where its header says"),
        (lambda path: path.write_bytes(gzip.compress(b"\x00\x00\x0d\x03" + bytes(12))), "not an IDX file"),
        (lambda path: write_idx(path, np.zeros((29, 28, 28))), "29 train images and 30 labels"),
    ],
)
def test_damaged_files_of_debian(small_debian, leftovers, damage, message):
    damage(small_debian / "train-images-idx3-ubyte.gz")
    with pytest.raises(InputError, match=message):
        data.load("fashion", "train")
    assert leftovers() == []


MIDI = b"MThd" + bytes(50)


@pytest.fixture
def cello(monkeypatch):
    """A function that lets `cellosuites` be fetched from a server."""

    def use(address):
        suites = url.cello_suites()
        source = url.Files(suites.name, f"{address}/midi", suites.names, suites.check)
        entries = {entry.name: entry for entry in entries_module._ENTRIES}
        entry = dataclasses.replace(entries["cellosuites"], sources=(source,))
        monkeypatch.setattr(entries_module, "_ENTRIES", (entry,))
        return source

    return use


def test_all_36_files_of_the_cello_suites(cello, leftovers, capsys):
    names = url.cello_suites().names
    assert len(set(names)) == 36 and {"cs1-1pre.mid", "cs4-5bou.mid", "cs6-5gav.mid", "cs2-5men.mid"} < set(names)
    server = site({f"/midi/{name}": MIDI for name in names})
    with serving(server) as address:
        cello(address)
        folder = data.download("cellosuites")
        assert data.download("cellosuites") == folder and len(server.requests) == 36
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    assert (folder / "cs1-1pre.mid").read_bytes() == MIDI
    assert leftovers() == [f"raw/cellosuites/{name}" for name in sorted(names)]
    output = capsys.readouterr()
    assert output.out == "" and address in output.err


@pytest.mark.parametrize(
    "settings, files, message",
    [
        ({}, {"/midi/cs6-6gig.mid": None}, "error 404"),
        ({}, {"/midi/cs6-6gig.mid": b"<html>moved</html>"}, "not a MIDI file"),
        ({"status": 503}, {}, "error 503"),
        ({"missing_bytes": 10}, {}, "cut off"),
    ],
)
def test_all_files_or_none(cello, leftovers, settings, files, message):
    names = url.cello_suites().names
    with serving(site({f"/midi/{name}": MIDI for name in names} | files, **settings)) as address:
        cello(address)
        with pytest.raises(RunError, match=message):
            data.download("cellosuites")
    assert leftovers() == [] and not data.is_here("cellosuites")


def test_no_network_for_plain_files(cello, leftovers):
    with serving(site({})) as address:
        pass
    cello(address)
    with pytest.raises(RunError, match="no network"):
        data.download("cellosuites")
    assert leftovers() == []


def test_chorales_are_json_of_four_voices():
    chorales = {part: [[[60, 55, 52, 48]] * 4] for part in ("train", "valid", "test")}
    url.check_chorales(json.dumps(chorales).encode())
    for wrong in (b"<html>", b"[]", b"{}", json.dumps(chorales | {"test": [[[60, 55]]]}).encode(), b"\x80\x04pickle"):
        with pytest.raises(ValueError, match="not JSON of chorales"):
            url.check_chorales(wrong)
    source = url.chorales()
    assert f"{source.address}/{source.names[0]}".startswith("https://") and not source.names[0].endswith("npz")


@pytest.fixture
def tensorflow_datasets():
    return pytest.importorskip("tensorflow_datasets")


def test_tensorflow_datasets(tensorflow_datasets, capfd):
    with tensorflow_datasets.testing.mock_data(num_examples=7):
        digits = data.load("mnist", "train", image_size=32)
        assert digits.image_shape == (32, 32, 1) and digits.num_images == 7
        assert digits.class_names == [str(digit) for digit in range(10)] and digits.labels.shape == (7,)
        assert digits.images(slice(None))[:, :2].max() == 0
        flowers = data.load("tfds:oxford_flowers102", "test", image_size=24)
        assert flowers.image_shape == (24, 24, 3) and len(flowers.class_names) == 102
        small = data.load("tfds:cifar10", "test")
        assert small.image_shape == (32, 32, 3)  # its own size
        with pytest.raises(InputError, match="not made of images"):
            data.load("tfds:imdb_reviews")
    assert capfd.readouterr().out == ""


def test_pixels_and_labels_of_tensorflow_datasets_arrive_unchanged(tensorflow_datasets):
    import tensorflow as tf

    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28, 1), np.uint8)

    def fake(builder, *arguments, **settings):
        encoded = [tf.io.encode_png(image).numpy() for image in images]
        return tf.data.Dataset.from_tensor_slices({"image": encoded, "label": np.arange(5)})

    with tensorflow_datasets.testing.mock_data(as_dataset_fn=fake):
        digits = data.load("mnist", "train")
    np.testing.assert_array_equal(np.rint(digits.images(slice(None)) * 255), images)
    assert digits.labels.tolist() == [0, 1, 2, 3, 4]


def test_unknown_names_of_tensorflow_datasets(tensorflow_datasets):
    with pytest.raises(InputError, match=r"Did you mean .*mnist"):
        data.load("tfds:mnst")


def fail(error):
    def download_and_prepare(self, **settings):
        raise error

    return download_and_prepare


def test_failures_of_tensorflow_datasets(tensorflow_datasets, monkeypatch, leftovers):
    import requests
    from tensorflow_datasets.core.download import downloader
    from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

    cases = [
        (requests.exceptions.ConnectionError("no route"), RunError, "no network"),
        (NonMatchingChecksumError("http://x", "tmp"), RunError, "checksum differs"),
        (AssertionError("Manual directory does not exist"), InputError, "by hand"),
    ]
    before = downloader.MAX_RETRIES
    for error, kind, message in cases:
        monkeypatch.setattr(tensorflow_datasets.core.DatasetBuilder, "download_and_prepare", fail(error))
        with pytest.raises(kind, match=message):
            data.load("mnist")
        assert leftovers() == [] and before == downloader.MAX_RETRIES


def test_splits_of_tensorflow_datasets():
    from types import SimpleNamespace

    from gdl_keras.data.sources.tfds import _split_of

    def builder(*names):
        return SimpleNamespace(info=SimpleNamespace(splits=names))

    assert _split_of(builder("train", "test"), "test") == "test"
    assert _split_of(builder("train", "validation"), "test") == "validation"
    assert (_split_of(builder("train"), "train"), _split_of(builder("train"), "test")) == ("train[:90%]", "train[90%:]")
    assert _split_of(builder("train", "test"), "train") == "train"


def test_the_catalogue():
    entries = {entry.name: entry for entry in data.catalogue()}
    kaggle = {"faces", "bricks", "recipes", "flowers", "wines"}
    assert {name for name, entry in entries.items() if entry.needs_kaggle} == kaggle
    others = {"fashion", "fashion_mini", "emoji", "mnist", "mnist_mini", "cifar10", "cellosuites", "chorales"}
    others |= {"moons", "thin_moons", "rings", "map", "austen", "austen_mini"}
    assert set(entries) == kaggle | others
    assert all(entry.summary and entry.licence and entry.sources for entry in entries.values())
    assert {entry.kind for entry in entries.values()} == {"images", "text", "points", "music"}
    assert isinstance(entries["fashion"].sources[1], TFDS)


def test_names_that_are_not_known():
    with pytest.raises(InputError, match="Did you mean fashion"):
        data.load("fashon")
    with pytest.raises(InputError, match="is music, which cannot be loaded"):
        data.load("chorales")


def test_info_and_is_here(small_debian):
    assert data.is_here("fashion") and not data.is_here("faces")
    known = data.info("fashion")
    assert known["images"] == {"train": 30, "test": 10} and known["classes"][0] == "T-shirt/top"
    assert data.info("faces")["needs_kaggle"] and data.info("faces")["files"] is None
    assert data.download("fashion") == small_debian
    # What was prepared stays usable when its source is gone.
    data.load("fashion", "train")
    for file in small_debian.iterdir():
        file.unlink()
    assert data.is_here("fashion") and data.load("fashion", "train").num_images == 30
    for entry in data.catalogue():
        json.dumps(data.info(entry.name))
