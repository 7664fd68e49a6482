"""scripts/download.sh finds the command and the root of the repository by itself."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "download.sh"


@pytest.fixture
def repository(tmp_path):
    """A copy of the script in a repository of its own, and a `gdl` on the path that tells how it was called."""
    root = tmp_path / "repository"
    for folder in (root / "scripts", tmp_path / "bin"):
        folder.mkdir(parents=True)
    (root / "scripts" / "download.sh").write_text(SCRIPT.read_text())
    command(tmp_path / "bin" / "gdl", "from the path")
    return root


def command(path, says):
    path.write_text(f'#!/bin/sh\necho "{says}: $* in $(pwd)"\n')
    path.chmod(0o755)


def run(repository, *names, path=None):
    environment = os.environ | {"PATH": path or f"{repository.parent / 'bin'}:/usr/bin:/bin"}
    script = ["bash", str(repository / "scripts" / "download.sh"), *names]
    return subprocess.run(script, cwd="/", env=environment, capture_output=True, text=True)


def test_names_go_to_the_command(repository):
    assert run(repository, "faces", "bricks").stdout == f"from the path: data download faces bricks in {repository}\n"
    (repository / ".venv" / "bin").mkdir(parents=True)
    command(repository / ".venv" / "bin" / "gdl", "from .venv")
    assert run(repository, "faces").stdout == f"from .venv: data download faces in {repository}\n"


def test_without_names_or_command_it_says_what_to_do(repository):
    usage = run(repository)
    assert usage.returncode == 2 and "usage:" in usage.stderr and "cellosuites" in usage.stderr
    assert run(repository, "--help").returncode == 0
    missing = run(repository, "faces", path="/usr/bin:/bin")
    assert missing.returncode == 2 and "pip install" in missing.stderr
