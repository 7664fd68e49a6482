"""What `pip install` of the built wheel brings, far from the repository."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from gdl_keras.chapters import all_chapters

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("gdl_keras", "chapters", "pyproject.toml", "setup.py", "requirements.txt", "README.md", "LICENSE")

pytestmark = pytest.mark.full


def run(command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=600, **options)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built of a copy: building leaves folders behind."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "runs"))
        else:
            shutil.copy(ROOT / name, source)
    options = ("--no-deps", "--no-build-isolation", "--no-index")
    run([sys.executable, "-m", "pip", "wheel", *options, "-w", folder, source])
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """installed("list"): what `gdl list` prints in a fresh environment, with this one's packages beside the wheel."""
    folder = tmp_path_factory.mktemp("installed")
    run([sys.executable, "-m", "venv", folder / "venv"])
    run([folder / "venv" / "bin" / "pip", "install", "--no-deps", "--no-index", wheel])
    # Not this environment's gdl_keras: where it is installed to be edited, a .pth file leads to it, and these are read
    # in the environment's own folder alone.
    environment = {**os.environ, "PYTHONPATH": sysconfig.get_path("purelib"), "GDL_DATA_DIR": str(folder / "data")}

    def gdl(*arguments):
        return run([folder / "venv" / "bin" / "gdl", *arguments], cwd=folder, env=environment)

    gdl.folder = folder
    return gdl


def test_the_wheel_holds_every_program(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for chapter in all_chapters():
        assert f"gdl_keras/programs/{chapter.name}/{chapter.program.name}" in names
    assert not [name for name in names if name.endswith(".ipynb") or name.startswith(("tests", "chapters"))]


def test_what_is_installed_lists_trains_samples_and_evaluates(installed):
    listed = installed("list")
    assert all(chapter.name in listed for chapter in all_chapters())
    installed("run", "03_vae/02_vae_fashion", "--preset", "smoke", "--out", "run")
    installed("sample", "run", "-n", "4", "-o", "four.png")
    installed("sample", "04_gan/04_gan", "-n", "4", "-o", "along.png")
    assert (installed.folder / "four.png").is_file() and (installed.folder / "along.png").is_file()
    assert "kernel_classifier_distance" in installed("evaluate", "run", "-n", "20")
    program = "import gdl_keras; print(gdl_keras.__file__)"
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    where = run([installed.folder / "venv" / "bin" / "python", "-c", program], cwd=installed.folder, env=alone)
    assert str(installed.folder) in where


def test_a_script_beside_a_clone_of_the_packages_own_name_finds_the_package(tmp_path):
    """Python would take the clone for a package without __init__.py, were the path left to a finder of setuptools."""
    clone, python = tmp_path / "gdl_keras", tmp_path / "venv" / "bin" / "python"
    clone.mkdir()
    for name in SOURCES:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, clone / name)
    run([sys.executable, "-m", "venv", tmp_path / "venv"])
    with_setuptools = {**os.environ, "PYTHONPATH": sysconfig.get_path("purelib")}
    options = ("--no-deps", "--no-build-isolation", "--no-index")
    run([python, "-m", "pip", "install", *options, "-e", clone], env=with_setuptools)
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    program = "import gdl_keras.errors; print(gdl_keras.__file__)"
    for folder in (tmp_path, clone, Path.home()):
        assert run([python, "-c", program], cwd=folder, env=alone).strip() == str(clone / "gdl_keras" / "__init__.py")
