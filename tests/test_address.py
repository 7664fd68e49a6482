"""The address of the repository: set once, it is wherever a reader needs it."""

import importlib.util
import json
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ADDRESS = "https://github.com/some-one/gdl.keras"


@pytest.fixture
def tree(tmp_path):
    """A copy of what an address is written into, and of the script."""
    for name in ("docs", "scripts"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "pictures"))
    for path in [ROOT / "pyproject.toml", ROOT / "README.md", *ROOT.glob("chapters/*/*/*.ipynb")]:
        (tmp_path / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, tmp_path / path.relative_to(ROOT))
    return tmp_path


def set_address(tree, address):
    command = [sys.executable, str(tree / "scripts" / "set_address.py"), address]
    return subprocess.run(command, capture_output=True, text=True)


def contents(tree):
    return {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def test_one_command_writes_the_address_wherever_a_reader_needs_it(tree):
    before = contents(tree)
    assert set_address(tree, f"{ADDRESS}.git").returncode == 0
    project = tomllib.loads((tree / "pyproject.toml").read_text())["project"]
    assert project.pop("urls")["Repository"] == ADDRESS
    former = tomllib.loads(before[tree / "pyproject.toml"].decode())["project"]
    former.pop("urls", None)
    assert project == former

    pages = [tree / "README.md", *tree.glob("docs/**/*.md")]
    clones = [clone for page in pages for clone in re.findall(r"git clone (\S+) gdl_keras", page.read_text())]
    assert len(clones) >= 5 and set(clones) == {ADDRESS}
    assert f'\nADDRESS = "{ADDRESS}"\n' in (tree / "docs" / "guides" / "colab.md").read_text()

    notebooks = sorted(tree.glob("chapters/*/*/*.ipynb"))
    table = (tree / "README.md").read_text()
    assert len(notebooks) > 20
    for notebook in notebooks:
        path = notebook.relative_to(tree).as_posix()
        opened = f"(https://colab.research.google.com/github/some-one/gdl.keras/blob/main/{path})"
        cells = json.loads(notebook.read_text())["cells"]
        badges = [cell for cell in cells if opened in "".join(cell["source"])]
        assert [cell["cell_type"] for cell in badges] == ["markdown"]
        (code,) = [
            cell for cell in cells if cell["cell_type"] == "code" and "colab" in cell["metadata"].get("tags", [])
        ]
        assert f'\nADDRESS = "{ADDRESS}"\n' in "".join(code["source"])
        others = [cell for cell in cells if cell not in (*badges, code)]
        was = json.loads(before[notebook])["cells"]
        assert others == [cell for cell in was if "colab" not in cell["metadata"].get("tags", [])]
        (row,) = [line for line in table.splitlines() if f"({path})" in line]
        assert row.count(opened) == row.count("Open in Colab") == 1


def test_twice_is_once_and_another_address_takes_the_place_of_the_first(tree):
    other = "https://github.com/other/place"
    assert set_address(tree, other).returncode == 0
    of_other = contents(tree)
    again = set_address(tree, f"{other}/")
    assert (again.returncode, again.stdout, contents(tree) == of_other) == (0, "", True)
    assert set_address(tree, ADDRESS).returncode == 0
    assert not [path for path, content in contents(tree).items() if b"other/place" in content]
    assert set_address(tree, other).returncode == 0
    assert contents(tree) == of_other


@pytest.mark.parametrize(
    "address",
    ["", "some-one/gdl", "http://github.com/a/b", "https://github.com/a", "https://gitlab.com/a/b", f"{ADDRESS}/x"],
)
def test_what_is_no_address_is_refused_in_a_sentence_and_nothing_is_written(tree, address):
    before = contents(tree)
    done = set_address(tree, address)
    said = "is no address of a repository, which is https://github.com/OWNER/REPOSITORY.\n"
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ") and done.stderr.endswith(said) and done.stderr.count("\n") == 1
    assert contents(tree) == before


def test_notebooks_that_are_built_later_have_the_same_cells(tree, monkeypatch):
    """Those that the builder makes, of the programs here, with the address and the guide of the copy."""
    jupytext = pytest.importorskip("jupytext")
    from gdl_keras.chapters import all_chapters

    assert set_address(tree, ADDRESS).returncode == 0
    spec = importlib.util.spec_from_file_location("set_address", tree / "scripts" / "set_address.py")
    monkeypatch.setitem(sys.modules, "set_address", importlib.util.module_from_spec(spec))
    spec.loader.exec_module(sys.modules["set_address"])
    colab_cells = runpy.run_path(str(tree / "scripts" / "build_notebooks.py"))["colab_cells"]
    for chapter in all_chapters():
        notebook = jupytext.read(tree / "chapters" / chapter.name / f"{chapter.program.stem}.ipynb")
        there = [(cell.cell_type, cell.source) for cell in notebook.cells if "colab" in cell.metadata.get("tags", [])]
        assert there == [(cell.cell_type, cell.source) for cell in colab_cells(chapter)]
        assert len(there) == 2


def test_the_address_is_the_same_everywhere_here(monkeypatch):
    """Whether it was set or not."""
    known = runpy.run_path(str(ROOT / "scripts" / "set_address.py"))["known_address"]()
    pages = [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]
    clones = {clone for page in pages for clone in re.findall(r"git clone (\S+) gdl_keras", page.read_text())}
    assert clones - {"$ADDRESS"} == {known or "ADDRESS"}
    assert re.findall(r'^ADDRESS = "(.*)"$', (ROOT / "docs" / "guides" / "colab.md").read_text(), re.MULTILINE) == [
        known
    ]
    assert ("Open in Colab](" in (ROOT / "README.md").read_text()) == bool(known)
