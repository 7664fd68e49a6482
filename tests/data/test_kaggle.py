"""Kaggle's own client against a server on this machine: keys, errors, archives, interruptions."""

import io
import time
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from gdl_keras import data
from gdl_keras.errors import InputError, RunError
from tests.data.servers import kaggle, serving

NAME = "kaggle:somebody/pictures"
FOLDER = "raw/kaggle-somebody-pictures"


def archive(count=20, extra=()):
    """A zip of images, not compressed, as bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for index in range(count):
            picture = io.BytesIO()
            pixels = np.random.default_rng(index).integers(0, 256, (20, 20, 3), np.uint8)
            Image.fromarray(pixels).save(picture, "png")
            packed.writestr(f"pictures/pictures/{index:03}.png", picture.getvalue())
        for name, text in extra:
            packed.writestr(name, text)
    return content.getvalue()


@pytest.fixture
def user_and_key(monkeypatch):
    monkeypatch.setenv("KAGGLE_USERNAME", "reader")
    monkeypatch.setenv("KAGGLE_KEY", "key-5678")


@pytest.fixture
def serve(monkeypatch):
    """A context manager that points Kaggle's client at a server."""
    from kagglesdk import kaggle_env

    @contextmanager
    def start(*arguments, **settings):
        handler = kaggle(*arguments, **settings)
        with serving(handler) as address:
            monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.PROD, address)
            yield handler

    # The pauses between the client's attempts.
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    return start


def test_a_key_downloads_unpacks_and_tidies_up(serve, user_and_key, leftovers, capfd):
    with serve(archive()) as server:
        folder = data.download(NAME)
        assert not data.is_here("kaggle:somebody/else") and data.is_here(NAME)
        asked = len(server.requests)
        assert data.download(NAME) == folder and len(server.requests) == asked  # here already
        assert data.download(NAME, force=True) == folder and len(server.requests) > asked
    assert leftovers() == [f"{FOLDER}/pictures/pictures/{index:03}.png" for index in range(20)]
    assert data.load(NAME, "train", image_size=20).num_images == 18
    output = capfd.readouterr()
    assert "Kaggle's data set somebody/pictures" in output.err and output.out == ""
    for secret in ("key-5678", "secret-9"):
        assert secret not in output.out + output.err


def test_force_brings_what_kaggle_has_now_whatever_a_killed_run_left(serve, user_and_key, data_home, leftovers):
    with serve(archive(4)):
        folder = data.download(NAME)
    stale = folder.with_name(f"{folder.name}.new")
    stale.mkdir()
    (stale / "stale.png").write_bytes(b"")
    with serve(archive(2)):
        data.download(NAME, force=True)
    assert leftovers() == [f"{FOLDER}/pictures/pictures/{index:03}.png" for index in range(2)]


def test_the_new_kind_of_key(serve, monkeypatch, capfd):
    monkeypatch.setenv("KAGGLE_API_TOKEN", "token-1234")
    with serve(archive()):
        assert data.load(NAME, "test", image_size=20).num_images == 2
    output = capfd.readouterr()
    assert "token-1234" not in output.out + output.err


def test_a_key_in_an_env_file_above_the_current_folder(serve, tmp_path, monkeypatch):
    monkeypatch.setenv("KAGGLE_USERNAME", "gone after the test")
    monkeypatch.setenv("KAGGLE_KEY", "gone after the test")
    monkeypatch.delenv("KAGGLE_USERNAME")
    monkeypatch.delenv("KAGGLE_KEY")
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / ".env").write_text(f"KAGGLE_USERNAME=reader\nKAGGLE_KEY=key-5678\nGDL_DATA_DIR={elsewhere}\n")
    with serve(archive()):
        assert data.download(NAME).is_dir()
    assert not elsewhere.exists(), "the folder of data must not change midway"


def test_an_env_file_that_is_no_text_is_one_sentence(tmp_path, monkeypatch, leftovers):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes("KAGGLE_API_TOKEN=token-1234\n".encode("utf-16"))
    with pytest.raises(InputError, match="gdl doctor") as error:
        data.load(NAME)
    assert "token-1234" not in str(error.value)
    assert leftovers() == []


def test_no_key(leftovers, capsys):
    with pytest.raises(InputError) as error:
        data.load(NAME)
    for way in ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME with KAGGLE_KEY", "kaggle.json", "--dataset ./folder"):
        assert way in str(error.value)
    assert leftovers() == [] and "Downloading" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "status, kind, message",
    [
        (401, InputError, "refused the key"),
        (403, InputError, "terms must first be accepted"),
        (404, InputError, "no data set somebody/pictures"),
        (500, RunError, "the error 500"),
    ],
)
def test_refusals(serve, user_and_key, leftovers, status, kind, message):
    with serve(b"", status=status), pytest.raises(kind, match=message):
        data.download(NAME)
    assert leftovers() == []


def test_wrong_keys(serve, monkeypatch, leftovers, capfd):
    monkeypatch.setenv("KAGGLE_USERNAME", "reader")
    monkeypatch.setenv("KAGGLE_KEY", "wrong-key")
    with serve(archive()), pytest.raises(InputError, match="refused the key") as error:
        data.download(NAME)
    monkeypatch.delenv("KAGGLE_USERNAME")
    monkeypatch.delenv("KAGGLE_KEY")
    monkeypatch.setenv("KAGGLE_API_TOKEN", "wrong-token")
    with serve(archive()), pytest.raises(InputError, match="does not know the token") as other:
        data.download(NAME)
    output = capfd.readouterr()
    for text in (str(error.value), str(other.value), output.out, output.err):
        assert "wrong-key" not in text and "wrong-token" not in text
    assert leftovers() == []


@pytest.mark.parametrize("variable", ["KAGGLE_KEY", "KAGGLE_API_TOKEN"])
def test_no_network(monkeypatch, leftovers, variable, serve):
    with serve(b""):
        pass  # the server is gone, its address refuses
    monkeypatch.setenv("KAGGLE_USERNAME", "reader")
    monkeypatch.setenv(variable, "key-5678")
    with pytest.raises(RunError, match="no network"):
        data.download(NAME)
    assert leftovers() == []


def test_an_interrupted_download_goes_on_where_it_stopped(serve, user_and_key, leftovers, capfd):
    # The client keeps whole mebibytes.
    content = archive(20, [("noise.bin", np.random.default_rng(0).bytes(6 << 20))])
    with serve(content, cuts=6) as server:
        with pytest.raises(RunError, match="the same command goes on from there"):
            data.download(NAME)
        assert not data.is_here(NAME)
        assert leftovers() == [
            "downloads/somebody-pictures/pictures.zip",
            "downloads/somebody-pictures/pictures.zip.kaggle-partial",
        ]
        server.requests.clear()
        data.download(NAME)
        ranges = [asked for path, asked in server.requests if path.startswith("/storage") and asked]
        assert len(ranges) == 1 and int(ranges[0].removeprefix("bytes=").rstrip("-")) > len(content) / 2
    assert len(leftovers()) == 21
    output = capfd.readouterr()
    assert "going on where it stopped" in output.err and "secret-9" not in output.out + output.err


def test_a_bad_checksum_removes_the_archive(serve, user_and_key, leftovers):
    content = bytearray(archive())
    content[200] ^= 255  # within the first image
    with serve(bytes(content)), pytest.raises(RunError, match=r"damaged .*removed: run the same command again"):
        data.download(NAME)
    assert leftovers() == [] and not data.is_here(NAME)
    with serve(archive()):
        assert data.download(NAME).is_dir()


def test_what_is_no_archive(serve, user_and_key, leftovers):
    with serve(b"<html>Sorry</html>"), pytest.raises(RunError, match="damaged"):
        data.download(NAME)
    assert leftovers() == []


def link(name):
    member = zipfile.ZipInfo(name)
    member.external_attr = 0o120777 << 16
    return member


@pytest.mark.parametrize(
    "name", ["../outside.txt", "/tmp/outside.txt", "a/../../outside.txt", "..\\outside.txt", "C:/x"]
)
def test_no_member_leaves_the_folder(serve, user_and_key, leftovers, tmp_path, name):
    before = sorted(path for path in tmp_path.rglob("outside*"))
    with serve(archive(2, [(name, "x")])), pytest.raises(InputError, match="would land outside"):
        data.download(NAME)
    assert leftovers() == [] and sorted(tmp_path.rglob("outside*")) == before


def test_no_member_is_a_link(serve, user_and_key, leftovers):
    with serve(archive(2, [(link("door"), "/etc")])), pytest.raises(InputError, match="is a link"):
        data.download(NAME)
    assert leftovers() == []


def test_what_does_not_fit_is_not_begun(serve, user_and_key, monkeypatch, leftovers):
    import shutil

    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1000))
    with serve(archive()), pytest.raises(RunError, match="GB are free"):
        data.download(NAME)
    assert leftovers() == ["downloads/somebody-pictures/pictures.zip"]  # whole: it need not be fetched again


def test_the_name_kaggle_means_the_one_of_the_environment(serve, user_and_key, monkeypatch):
    with pytest.raises(InputError, match="KAGGLE_DATASET_USER and KAGGLE_DATASET"):
        data.load("kaggle")
    monkeypatch.setenv("KAGGLE_DATASET_USER", "somebody")
    monkeypatch.setenv("KAGGLE_DATASET", "pictures")
    with serve(archive()):
        assert data.load("kaggle", image_size=20).num_images == 18


@pytest.mark.parametrize("name", ["kaggle:", "kaggle:one", "kaggle:a/b/c", "kaggle:../x"])
def test_names_that_cannot_be(name):
    with pytest.raises(InputError, match="OWNER/SLUG"):
        data.load(name)
