"""The command `gdl doctor`: exit codes, what it prints and what it never prints, and that it needs no package."""

import os
import subprocess
import venv
from pathlib import Path

import pytest

from gdl_keras import cli
from gdl_keras.doctor import Facts, look
from gdl_keras.doctor.facts import Folder
from gdl_keras.doctor.gpu import Driver, TensorFlow

ROOT = Path(__file__).resolve().parent.parent
KEYS = ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_CONFIG_DIR")


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """An environment, a home and a current folder without key and data; TensorFlow is not asked."""
    monkeypatch.setattr("gdl_keras.doctor.facts.ask_tensorflow", lambda compute: TensorFlow())
    for name in KEYS:
        monkeypatch.setenv(name, "")
    monkeypatch.delenv("GDL_DATA_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("facts", "flags", "code", "said"),
    [
        (Facts(kaggle_key="none"), [], 0, ["[ok] no GPU", "[--] no Kaggle key"]),
        (Facts(driver=Driver(has_card=True)), [], 0, ["[--] there is an NVIDIA card and no driver for it"]),
        (Facts(tensorflow=TensorFlow(version="", error="no")), [], 1, ["[!!] TensorFlow does not start"]),
        (Facts(driver=Driver(has_card=True), data=Folder("/data", free=0.1)), [], 1, ["[!!] too little disk"]),
        (Facts(), ["--gpu"], 1, ["[!!] no GPU"]),
        (Facts(tensorflow=TensorFlow(gpus=("Tesla T4",))), ["--gpu"], 0, ["[ok] TensorFlow sees Tesla T4"]),
    ],
)
def test_whatever_is_wrong_makes_it_exit_with_1(capsys, monkeypatch, facts, flags, code, said):
    computed = []
    monkeypatch.setattr("gdl_keras.doctor.look", lambda compute: computed.append(compute) or facts)
    assert cli.main(["doctor", *flags]) == code
    out = capsys.readouterr().out
    assert [one for one in said if one not in out] == []
    assert (out.count("[!!]"), computed) == (code, [bool(flags)])


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({}, "none"),
        ({"KAGGLE_USERNAME": "reader"}, "none"),
        ({"KAGGLE_USERNAME": "reader", "KAGGLE_KEY": "precious-1"}, "found"),
        ({"KAGGLE_API_TOKEN": "precious-2"}, "found"),
    ],
)
def test_keys_are_found_and_never_printed(bare, monkeypatch, capsys, given, key):
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    facts = look()
    assert facts.kaggle_key == key
    cli.main(["doctor"])
    shown = capsys.readouterr()
    assert "precious" not in shown.out + shown.err + repr(facts)


def test_a_key_in_a_file_is_found_and_nothing_else_in_it_counts(bare, monkeypatch, tmp_path):
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    (tmp_path / ".env").write_text(f"KAGGLE_API_TOKEN=precious\nGDL_DATA_DIR={tmp_path}/elsewhere\n")
    facts = look()
    assert (facts.kaggle_key, facts.data.path) == ("found", "~/.cache/gdl_keras")


@pytest.mark.parametrize("is_locked", [True, False])
def test_a_file_that_cannot_be_read_is_found(bare, monkeypatch, tmp_path, capsys, is_locked):
    def refusing(path, **names):
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / ".env").write_bytes("KAGGLE_API_TOKEN=precious\n".encode("utf-8" if is_locked else "utf-16"))
    if is_locked:  # root may read every file
        monkeypatch.setattr("dotenv.main.open", refusing, raising=False)
    assert cli.main(["doctor"]) == 1
    shown = capsys.readouterr().out
    assert "[!!] the file .env" in shown and "precious" not in shown


def test_in_a_folder_that_was_deleted_it_says_how_to_leave(bare, monkeypatch, tmp_path, capsys):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert cli.main(["doctor"]) == 1
    shown = capsys.readouterr()
    assert shown.out.startswith("[!!] the folder in which this shell stands no longer exists")
    assert (shown.out.splitlines()[-1].strip(), shown.err) == ("Run: cd ~", "")


def test_it_runs_where_nothing_is_installed(tmp_path):
    venv.create(tmp_path / "env", symlinks=True)
    command = [tmp_path / "env" / "bin" / "python", "-m", "gdl_keras", "doctor"]
    ran = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "[!!] TensorFlow is not installed\n     Run: pip install -r requirements.txt" in ran.stdout
