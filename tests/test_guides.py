"""The commands of docs/guides: what can run here is run, and what cannot says so and names what there is.

In a guide a `bash` or `python` block is one that runs anywhere; a `console` block needs a cloud, a GPU, Docker or
another system, and its section says that nobody has run it here.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from PIL import Image, ImageDraw

from tests.debian import write_package

ROOT = Path(__file__).resolve().parent.parent
GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))
RENTED = ROOT / "docs" / "guides" / "gpu_vm.md"


def guides_with(text):
    """A mark: the test is for each guide in which `text` stands."""
    chosen = [guide for guide in GUIDES if text in guide.read_text(encoding="utf-8")]
    return pytest.mark.parametrize("guide", chosen, ids=lambda guide: guide.stem)


every_guide = guides_with("")

FLAG = r"(?<![\w-])--?[a-z][a-z-]*"

# `gdl` as the reader has it, but that a new run ends within seconds; what begins with a model that comes along has the
# networks of that.
QUICK_GDL = """#!/usr/bin/env bash
if [ "$1" = run ] && [[ "$*" != *--resume* ]] && [[ "$*" != *--help* ]]; then
    [[ "$*" == *--start-from* ]] || set -- "$@" --preset smoke
    set -- "$@" --epochs 1 --steps-per-epoch 1
fi
exec {python} -m gdl_keras "$@"
"""


def blocks(guide, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", guide.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def sections(guide):
    return re.split(r"^## ", guide.read_text(encoding="utf-8"), flags=re.MULTILINE)


def commands(guide):
    """Every line of the guide's blocks for a shell, those that end in a backslash joined to the next."""
    text = "\n".join(blocks(guide, "(?:bash|console|ipython)")).replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip()]


@pytest.fixture
def workshop(tmp_path, monkeypatch):
    """A folder with the pictures that the guides speak of, and the quick `gdl` before all others on the PATH."""
    commands_folder = tmp_path / "bin"
    commands_folder.mkdir()
    add_command(commands_folder / "gdl", QUICK_GDL.format(python=sys.executable))
    add_command(commands_folder / "python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    add_command(commands_folder / "apt-get", f'#!/bin/sh\n[ "$1" = download ] && cp {tmp_path}/"$2"_1_all.deb .\n')
    monkeypatch.setenv("PATH", f"{commands_folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("GDL_DATA_DIR", str(tmp_path / "data"))
    folder = tmp_path / "home"
    for number in range(240):
        place, shape = (("hill", "ellipse"), ("sea", "rectangle"))[number % 2]
        draw_picture(folder / "my_photos" / place / f"{number}.jpg", shape, number)
    for number in range(40):
        draw_picture(folder / "my_faces" / f"{number}.png", ("ellipse", "rectangle")[number % 2], number)
        draw_picture(folder / "my_scans" / f"{number}.jpg", "ellipse", number)
    table = [f"{number}.png,{1 if number % 2 else -1},{1 if number < 20 else -1}" for number in range(40)]
    (folder / "my_faces" / "list_attr.csv").write_text("\n".join(["image_id,Smiling,Young", *table]))
    damaged = next((folder / "my_scans").iterdir())
    damaged.write_bytes(damaged.read_bytes()[:300])
    write_stamps(tmp_path / "tuxpaint-stamps-default_1_all.deb")
    (folder / "scripts").symlink_to(ROOT / "scripts")
    monkeypatch.chdir(folder)
    return folder


def add_command(path, script):
    path.write_text(script)
    path.chmod(0o755)


def draw_picture(path, shape, number):
    """A dark shape on a bright ground, of a size and with colours that `number` decides."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(number)
    width, height = rng.integers(40, 90, 2).tolist()
    picture = Image.new("RGB", (width, height), tuple(rng.integers(150, 255, 3).tolist()))
    box = (width // 4, height // 4, 3 * width // 4, 3 * height // 4)
    getattr(ImageDraw.Draw(picture), shape)(box, fill=tuple(rng.integers(0, 100, 3).tolist()))
    picture.save(path)


def write_stamps(package):
    """A package with the folders of tuxpaint-stamps-default that scripts/make_example_photos.py looks for."""
    drawing, files = package.with_suffix(".png"), {}
    for number in range(120):
        draw_picture(drawing, ("ellipse", "rectangle")[number % 2], number)
        kind = ("animals", "food", "plants")[number % 3]
        files[f"usr/share/tuxpaint/stamps/{kind}/{number}.png"] = drawing.read_bytes()
    write_package(package, files)


@pytest.mark.full
@guides_with("```bash")
def test_what_can_run_here_runs(guide, workshop):
    """A guide's blocks, one after the other in one folder; what the commands were to write is there afterwards."""
    for block in blocks(guide, "bash"):
        done = run(["bash", "-euo", "pipefail", "-c", f"{block}\nfor job in $(jobs -p); do wait $job; done"])
        assert done.returncode == 0, f"{block}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        for written in re.findall(r"(?:--out|-o|>) (\S+)", block):
            assert (workshop / written).exists(), written
        for folder in re.findall(r"gdl run .*--out (\S+)", block):
            assert (workshop / folder / "metrics.json").is_file(), folder


@pytest.mark.full
@guides_with("```python")
def test_python_runs(guide, workshop):
    """A guide's blocks, one after the other as one program."""
    done = run([sys.executable, "-c", "\n".join(blocks(guide, "python"))])
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.full
def test_the_readmes_python_runs_without_a_line_of_noise(workshop, monkeypatch):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")  # which the tests set, and a reader does not
    (block,) = blocks(ROOT / "README.md", "python")
    done = run([sys.executable, "-c", block.replace("epochs=20", "epochs=1, verbose=0")])
    assert (done.returncode, done.stderr) == (0, "")


def run(command):
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def test_colab_cell_fetches_the_code_and_can_use_it(tmp_path, monkeypatch):
    """With a clone of this repository for the one on the web, and a `pip` that only says what it was asked.

    The cell is run twice, and once more in a new session, which begins where the first one did.
    """
    pytest.importorskip("IPython")
    if not (ROOT / ".git").exists():
        pytest.skip("this is not a clone")
    cell, *_ = blocks(ROOT / "docs" / "guides" / "colab.md", "ipython")
    add_command(tmp_path / "pip", f'#!/bin/sh\necho "$PWD pip $*" >> {tmp_path}/asked\n')
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(tmp_path)
    cell = re.sub(r'^ADDRESS = ".*"$', f'ADDRESS = "{ROOT.as_uri()}"', cell, flags=re.MULTILINE)
    # What Colab has, and nobody else.
    in_colab = 'import sys, types; sys.modules["google.colab"] = types.ModuleType("google.colab")'
    used = "import gdl_keras; print(gdl_keras.__file__ == os.path.abspath('gdl_keras/__init__.py'), os.getcwd())"
    asked = f"{tmp_path}/gdl_keras pip install --quiet -e .\n"
    elsewhere = run([sys.executable, "-m", "IPython", "--colors=NoColor", "-c", f"{cell}\nprint('ran')"])
    assert elsewhere.stdout.splitlines()[-1] == "ran" and not (tmp_path / "gdl_keras").exists()
    for session, cells in enumerate([[in_colab, cell, cell, used], [in_colab, cell, used]], start=1):
        done = run([sys.executable, "-m", "IPython", "--colors=NoColor", "-c", "\n".join(cells)])
        assert done.stdout.splitlines()[-1] == f"True {tmp_path}/gdl_keras", done.stdout + done.stderr
        assert "fatal" not in done.stdout + done.stderr
        assert (tmp_path / "asked").read_text() == asked * session


@pytest.mark.full
def test_colabs_gdl_commands_run(workshop):
    """Google Drive is a folder; a session's first command is its doctor, its last one goes on in the run of another."""
    drive = "/content/drive/MyDrive"
    lines = [line[1:] for line in commands(ROOT / "docs" / "guides" / "colab.md") if line.startswith("!gdl")]
    done = run(["bash", "-euxo", "pipefail", "-c", "\n".join(lines).replace(drive, "drive")])
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    precision = json.loads((workshop / "runs" / "dcgan" / "config.json").read_text())["precision"]
    assert precision == "mixed_float16" and (workshop / "drive" / "dcgan" / "metrics.json").is_file()


def test_a_rented_machine_is_not_shut_down_for_a_name_that_no_container_has(tmp_path, monkeypatch):
    """With commands that note how they were called in the place of Docker and sudo."""
    (command,) = (line for line in commands(RENTED) if "shutdown" in line)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    add_command(tmp_path / "sudo", f'#!/bin/sh\necho "$*" > {tmp_path}/asked\n')
    for waited, is_shut_down in ((1, False), (0, True)):
        add_command(tmp_path / "docker", f'#!/bin/sh\necho "$*" > {tmp_path}/waited\nexit {waited}\n')
        run(["bash", "-c", f"{command} wait"])
        assert (tmp_path / "waited").read_text() == "wait NAME\n"
        assert (tmp_path / "asked").exists() == is_shut_down


def test_trainings_on_a_rented_machine_outlive_the_connection():
    trainings = [line for line in commands(RENTED) if "gdl run" in line]
    assert len(trainings) == 4  # with Docker and without, begun and gone on with
    assert [line for line in trainings if "--detach" not in line and not re.match(r"nohup .* &$", line)] == []


@pytest.mark.full
def test_quickstart_leads_from_a_clone_to_pictures(tmp_path, monkeypatch):
    """In an environment of its own; pip is kept from the network, and finds the packages of this one in their place.

    So these, and not those of constraints.txt, are the pinned ones here.
    """
    command = "bash scripts/quickstart.sh --preset smoke"
    assert command in commands(RENTED)
    clone = tmp_path / "clone"
    for name in ("gdl_keras", "chapters", "scripts"):
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__", "runs"))
    for name in ("pyproject.toml", "requirements.txt", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone)
    here = (f"{one.name}=={one.version}\n" for one in distributions() if one.name != "gdl-keras")
    (clone / "constraints.txt").write_text("".join(here))
    (tmp_path / "bin").mkdir()
    add_command(tmp_path / "bin" / "python3.13", f'#!/bin/sh\nexec {sys.executable} "$@"\n')  # the first that is tried
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", sysconfig.get_path("purelib"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.chdir(clone)
    done = run(command.split())
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    pictures = re.findall(r"^  (runs/\S+\.png)$", done.stdout, re.MULTILINE)
    assert pictures and all((clone / picture).is_file() for picture in pictures)
    assert (clone / ".venv" / "bin" / "gdl").is_file()
    assert "Installing" not in run(["bash", "scripts/quickstart.sh", "--help"]).stdout


@every_guide
def test_what_nobody_has_run_says_so(guide):
    for section in sections(guide):
        if "```console" in section or "```ipython" in section:
            assert "obody has run" in section, section.partition("\n")[0]


@guides_with("gdl ")
def test_gdl_commands_have_the_flags_that_they_use(guide):
    for line in commands(guide):
        for subcommand, rest in re.findall(r"\bgdl (list|data|run|sample|evaluate|doctor)\b([^|;&\"]*)", line):
            action = [word for word in rest.split()[:1] if subcommand == "data"]
            chapter = [word for word in rest.split()[:1] if subcommand == "run" and word[0].isdigit()]
            flags = set(re.findall(FLAG, rest))
            assert flags <= flags_of(subcommand, *action, *chapter), line


@cache
def flags_of(*command):
    shown = run([sys.executable, "-m", "gdl_keras", *command, "--help"])
    assert shown.returncode == 0, shown.stderr
    return set(re.findall(FLAG, shown.stdout))


@every_guide
def test_scripts_and_links_lead_to_files(guide):
    text = guide.read_text(encoding="utf-8")
    links = [guide.parent / link for link in re.findall(r"\]\(([^)#]+)\)", text) if not link.startswith("http")]
    scripts = [ROOT / script for script in re.findall(r"\bscripts/\w+\.(?:sh|py)", text)]
    assert [path for path in links + scripts if not path.exists()] == []


@guides_with("pip install")
def test_packages_are_asked_for_as_the_project_does(guide):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    wanted = {asked.name: asked for asked in map(Requirement, (line for line in lines if line and line[0] != "#"))}
    for quoted in re.findall(r"pip install \"([^\"]+)\"", guide.read_text(encoding="utf-8")):
        assert Requirement(quoted).specifier == wanted[Requirement(quoted).name].specifier
    for extras in re.findall(r"pip install .*-e \"?\.\[([\w,]+)\]", guide.read_text(encoding="utf-8")):
        assert set(extras.split(",")) <= set(project["optional-dependencies"])


@guides_with("docker compose")
def test_compose_commands_name_services_that_exist(guide):
    yaml = pytest.importorskip("yaml")
    text = " ".join(commands(guide))
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    profiles = {profile for service in services.values() for profile in service["profiles"]}
    assert set(re.findall(r"--profile (\S+)", text)) <= profiles
    flags_with_values = r"(?:--(?:name|env|volume) \S+ |-[ev] \S+ |--\S+ )*"
    assert set(re.findall(rf"docker compose run {flags_with_values}([a-z]\S*)", text)) <= set(services)
