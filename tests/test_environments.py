"""What scripts/environment.sh asks of pip, with a Python that notes it in the place of the real one."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FIRST_THAT_IS_TRIED = "python3.13"
# Makes environments that hold nothing but itself; of pip and pytest it notes what they were asked.
PYTHON = """\
#!/bin/sh
case "$*" in
    "-c import pip") ;;
    "-m venv --clear "*) mkdir -p "$4/bin" && cp {here} "$4/bin/python" ;;
    "-m pip freeze"*) printf 'Made_Up==1.0\\nother==2.0\\n' ;;
    "-m "*) echo "$(basename "${{0%/bin/python}}"): $*" >> {asked} ;;
    *) exec {python} "$@" ;;
esac
"""
INSTALL = "-m pip install --quiet --disable-pip-version-check"
PINNED = f"{INSTALL} --constraint constraints.txt"


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone without any environment."""
    here = tmp_path / "bin" / FIRST_THAT_IS_TRIED
    here.parent.mkdir()
    words = {"here": here, "asked": tmp_path / "asked", "python": sys.executable}
    here.write_text(PYTHON.format(**{name: shlex.quote(str(word)) for name, word in words.items()}))
    here.chmod(0o755)
    monkeypatch.setenv("PATH", f"{here.parent}{os.pathsep}{os.environ['PATH']}")
    folder = tmp_path / "clone"
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    (folder / "constraints.txt").write_text("# A list.\nmade-up==1.0\nother==1.9\n")
    for name in ("requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    return folder


def run(clone, *arguments):
    """(what it printed, what pip and pytest were asked) of `scripts/test.sh`."""
    asked = clone.parent / "asked"
    asked.write_text("")
    done = subprocess.run(["bash", clone / "scripts" / "test.sh", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, asked.read_text().splitlines()


def test_the_tests_run_with_the_pinned_packages_and_a_pinned_builder(clone):
    _, asked = run(clone, "tests/models", "-k", "vae")
    assert asked == [
        f".venv: {PINNED} setuptools",
        f".venv: {PINNED} --no-build-isolation -e .[dev]",
        ".venv: -m pytest --numprocesses 2 --dist worksteal tests/models -k vae",
    ]


@pytest.mark.parametrize("name", ["constraints.txt", "requirements.txt", "pyproject.toml"])
def test_another_list_is_installed_and_the_same_one_is_not(clone, name):
    run(clone)
    assert len(run(clone)[1]) == 1
    with (clone / name).open("a") as file:
        file.write("# A change.\n")
    assert len(run(clone)[1]) == 3
    assert len(run(clone)[1]) == 1


def test_an_installation_that_was_stopped_is_begun_anew(clone):
    run(clone)
    text = (clone / "constraints.txt").read_text()
    (clone / "constraints.txt").write_text(f"{text}more==1\n")
    python = clone / ".venv" / "bin" / "python"
    works = python.read_text()
    python.write_text(works.replace('"-m pip freeze"*)', '*--no-build-isolation*) exit 1 ;;\n    "-m pip freeze"*)'))
    assert subprocess.run(["bash", clone / "scripts" / "test.sh"], capture_output=True).returncode == 1
    python.write_text(works)
    (clone / "constraints.txt").write_text(text)
    assert len(run(clone)[1]) == 3


def test_newest_leaves_the_pins_and_their_environment_alone(clone):
    printed, asked = run(clone, "--newest", "--full")
    assert asked == [
        f".venv-newest: {INSTALL} --upgrade --upgrade-strategy eager -e .[dev]",
        ".venv-newest: -m pytest --numprocesses 2 --dist worksteal --full",
    ]
    assert printed.endswith("Other than in constraints.txt:\nother==2.0\n")
    assert not (clone / ".venv").exists()
    assert len(run(clone, "--newest")[1]) == 2  # what was the newest the last time need not be so today
    (clone / "constraints.txt").write_text("made-up==1.0\nother==2.0\n")
    assert run(clone, "--newest")[0].endswith("Other than in constraints.txt:\nnothing\n")


def test_what_every_change_must_pass_does_not_ask_for_the_newest():
    assert "--newest" not in (ROOT / ".ci" / "run").read_text()
    assert ".venv-newest/" in (ROOT / ".gitignore").read_text().splitlines()


def test_git_ignores_an_environment_that_is_a_link_to_another(tmp_path):
    """Were it kept, whoever fetches it would lose the environment of their own to it."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    shutil.copy(ROOT / ".gitignore", tmp_path)
    (tmp_path / ".venv").symlink_to(tmp_path / "elsewhere")
    listed = subprocess.check_output(["git", "-C", tmp_path, "status", "--porcelain"], text=True)
    assert listed.split() == ["??", ".gitignore"]
