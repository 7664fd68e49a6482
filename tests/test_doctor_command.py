"""The command `gdl doctor`: exit codes, what it prints and what it never prints, and that it needs no package."""

import os
import re
import subprocess
import venv
from pathlib import Path

import pytest

from gdl_keras import cli
from gdl_keras.doctor import Facts, look
from gdl_keras.doctor.facts import Driver, Folder, TensorFlow

ROOT = Path(__file__).resolve().parent.parent
KEYS = ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_CONFIG_DIR")


@pytest.fixture
def doctor(capsys, monkeypatch):
    """doctor(facts, "--gpu") -> (exit code, what is printed, whether the GPU was made to compute)."""

    def call(facts, *flags):
        computed = []
        monkeypatch.setattr("gdl_keras.doctor.look", lambda compute: computed.append(compute) or facts)
        code = cli.main(["doctor", *flags])
        return code, capsys.readouterr().out, computed[0]

    return call


@pytest.fixture
def no_key(monkeypatch, tmp_path):
    """No key anywhere: an environment, a home and a current folder without one."""
    for name in KEYS:
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def test_a_healthy_container_without_gpu_and_key_is_healthy(doctor):
    code, out, computed = doctor(Facts(kaggle_key="none"))
    assert code == 0
    assert "[ok] no GPU" in out
    assert "[--] no Kaggle key" in out
    assert not computed


def test_a_gpu_that_is_asked_for_must_be_there(doctor):
    code, out, computed = doctor(Facts(), "--gpu")
    assert code == 1
    assert "[!!] no GPU" in out
    assert computed


def test_a_gpu_that_is_asked_for_and_computes_is_enough(doctor):
    assert doctor(Facts(tensorflow=TensorFlow(gpus=("Tesla T4",))), "--gpu")[0] == 0


@pytest.mark.parametrize(
    "facts",
    [
        Facts(tensorflow=TensorFlow(version="", error="no")),
        Facts(data=Folder("/data", free=0.1)),
        Facts(driver=Driver(cards=1), data=None, data_error="no"),
    ],
)
def test_whatever_is_wrong_makes_it_exit_with_1(doctor, facts):
    code, out, _ = doctor(facts)
    assert code == 1
    assert out.count("[!!]") == 1


def test_notes_alone_do_not(doctor):
    code, out, _ = doctor(Facts(driver=Driver(cards=1)))
    assert code == 0
    assert "[--] there is an NVIDIA card and no driver for it" in out


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({}, "none"),
        ({"KAGGLE_USERNAME": "reader"}, "half"),
        ({"KAGGLE_USERNAME": "reader", "KAGGLE_KEY": "precious-1"}, "whole"),
        ({"KAGGLE_API_TOKEN": "precious-2"}, "whole"),
    ],
)
def test_keys_are_found_and_never_printed(no_key, monkeypatch, capsys, given, key):
    monkeypatch.setattr("gdl_keras.doctor.looking.ask_tensorflow", lambda compute: TensorFlow())
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    facts = look()
    assert facts.kaggle_key == key
    cli.main(["doctor"])
    shown = capsys.readouterr()
    assert "precious" not in shown.out + shown.err + repr(facts)


@pytest.mark.parametrize(
    "written",
    [
        "KAGGLE_API_TOKEN=precious\n".encode("utf-16"),
        b"# The key:\n" + "KAGGLE_API_TOKEN=precious\r\n".encode("utf-16-le"),
        "# Schlüssel\nKAGGLE_API_TOKEN=precious\n".encode("latin-1"),
    ],
)
def test_a_file_of_another_encoding_is_found_and_its_command_mends_it(no_key, monkeypatch, tmp_path, capsys, written):
    """What PowerShell's > writes, what its >> leaves of a file in UTF-8, and an editor's umlaut."""
    monkeypatch.setattr("gdl_keras.doctor.looking.ask_tensorflow", lambda compute: TensorFlow())
    for name in KEYS:
        monkeypatch.delenv(name)
    (tmp_path / ".env").write_bytes(written)
    cli.main(["doctor"])
    shown = capsys.readouterr().out
    assert "[!!] .env is not text in UTF-8" in shown and "precious" not in shown
    command = re.search(r"Run: (LC_ALL=C tr .*)", shown)[1]
    subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True)
    assert look().kaggle_key == "whole"


def test_a_file_that_may_not_be_read_is_found(no_key, monkeypatch, tmp_path):
    monkeypatch.setattr("gdl_keras.doctor.looking.ask_tensorflow", lambda compute: TensorFlow())
    (tmp_path / ".env").touch()

    def refusing(path, *arguments, **names):
        if str(path).endswith(".env"):
            raise PermissionError(13, "Permission denied", path)
        return open(path, *arguments, **names)

    monkeypatch.setattr("dotenv.main.open", refusing, raising=False)  # root may read every file
    facts = look()
    assert (facts.kaggle_key, facts.key_file) == ("locked", ".env")


def test_a_data_folder_in_the_file_counts_no_more_than_for_a_run(no_key, monkeypatch, tmp_path):
    monkeypatch.setattr("gdl_keras.doctor.looking.ask_tensorflow", lambda compute: TensorFlow())
    monkeypatch.delenv("GDL_DATA_DIR")
    (tmp_path / ".env").write_text(f"GDL_DATA_DIR={tmp_path}/elsewhere\n")
    assert look().data.path == "~/.cache/gdl_keras"


def test_a_file_in_the_place_of_the_data_folder_is_found(no_key, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("gdl_keras.doctor.looking.ask_tensorflow", lambda compute: TensorFlow())
    (tmp_path / "file").touch()
    monkeypatch.setenv("GDL_DATA_DIR", str(tmp_path / "file"))
    assert cli.main(["doctor"]) == 1
    shown = capsys.readouterr().out
    assert "[!!] the data folder, ~/file, cannot be used" in shown and "GDL_DATA_DIR=~/gdl_data" in shown


def test_in_a_folder_that_was_deleted_it_says_how_to_leave(no_key, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("GDL_DATA_DIR", "data")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert cli.main(["doctor"]) == 1
    shown = capsys.readouterr()
    assert shown.out.startswith("[!!] the folder in which this shell stands no longer exists")
    assert (shown.out.splitlines()[-1].strip(), shown.err) == ("Run: cd ~", "")


def test_it_runs_where_nothing_is_installed(tmp_path):
    venv.create(tmp_path / "env", symlinks=True)
    ran = subprocess.run(
        [tmp_path / "env" / "bin" / "python", "-m", "gdl_keras", "doctor"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "[!!] TensorFlow is not installed" in ran.stdout
    assert "Run: pip install -r requirements.txt" in ran.stdout
