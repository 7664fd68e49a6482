"""Files and folders appear whole or not at all."""

import errno
import os

import pytest

from gdl_keras import files
from gdl_keras.errors import InputError, RunError


def test_a_file_appears_when_the_block_ends(tmp_path):
    target = tmp_path / "a" / "text.txt"
    with files.whole_file(target) as partial:
        partial.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert os.listdir(target.parent) == ["text.txt"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "text.txt"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), files.whole_file(target) as partial:
        partial.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["text.txt"]


def test_a_folder_appears_when_the_block_ends_and_not_after_a_failure(tmp_path):
    with pytest.raises(ZeroDivisionError), files.whole_folder(tmp_path / "set") as partial:
        (partial / "one").write_text("1")
        raise ZeroDivisionError
    assert os.listdir(tmp_path) == []
    with files.whole_folder(tmp_path / "set") as partial:
        (partial / "one").write_text("1")
        assert not (tmp_path / "set").exists()
    assert (tmp_path / "set" / "one").read_text() == "1"
    assert os.listdir(tmp_path) == ["set"]


def test_leftovers_of_killed_processes_go_and_the_work_of_living_ones_stays(tmp_path):
    machine = files._machine()
    dead, alive = (tmp_path / f".set.{machine}-{pid}.partial" for pid in (999999999, os.getppid()))
    elsewhere = tmp_path / ".set.elsewhere-999999999.partial"
    for folder in (dead, alive, elsewhere):
        folder.mkdir()
    with files.whole_folder(tmp_path / "set"):
        pass
    assert not dead.exists()
    assert alive.exists()
    assert elsewhere.exists()


def test_of_two_processes_that_make_a_folder_the_quicker_one_wins(tmp_path):
    with files.whole_folder(tmp_path / "set") as partial:
        (partial / "slow").write_text("")
        (tmp_path / "set").mkdir()
        (tmp_path / "set" / "quick").write_text("")
    assert os.listdir(tmp_path / "set") == ["quick"]
    assert os.listdir(tmp_path) == ["set"]


@pytest.mark.parametrize(
    ("number", "error", "words"),
    [
        (errno.ENOSPC, RunError, "disk is full"),
        (errno.EROFS, InputError, "permission"),
        (errno.EACCES, InputError, "permission"),
    ],
)
def test_what_the_system_refuses_is_explained(tmp_path, number, error, words):
    with pytest.raises(error, match=words), files.whole_file(tmp_path / "text.txt"):
        raise OSError(number, "no")
    assert os.listdir(tmp_path) == []


def test_a_file_in_the_way_of_a_folder_is_explained(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="part of that path is a file"):
        files.write_text(tmp_path / "file" / "text.txt", "")


def test_json_has_no_word_for_infinity(tmp_path):
    target = tmp_path / "metrics.json"
    files.write_json(target, {"psnr": {"value": 1.5}})
    assert target.read_text() == '{\n "psnr": {\n  "value": 1.5\n }\n}\n'
    with pytest.raises(RunError, match=r"psnr\.value is inf, losses\.1 is nan"):
        files.write_json(target, {"psnr": {"value": float("inf")}, "losses": [1.0, float("nan")]})
    assert "1.5" in target.read_text()
