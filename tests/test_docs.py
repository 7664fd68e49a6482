"""What READMEs and docs point to is there, and the names that they use exist."""

import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from gdl_keras import data
from gdl_keras.chapters import all_chapters

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("chapters/*/README.md")), *sorted(ROOT.glob("docs/**/*.md"))]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@every_page
def test_links_lead_to_files(page):
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    missing = [t for t in targets if not t.startswith("http") and not (page.parent / t).exists()]
    assert not missing


@every_page
def test_links_within_and_between_pages_lead_to_headings(page):
    for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text()):
        headings = re.findall(r"^#+ (.+)$", (page.parent / target if target else page).read_text(), re.MULTILINE)
        assert anchor in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@every_page
def test_commands_name_chapters_that_exist(page):
    named = set(re.findall(r"gdl run (\d\d_\w+/\w+)", page.read_text()))
    assert named <= {chapter.name for chapter in all_chapters()}


def test_readme_maps_every_chapter_and_names_every_data_set():
    text = (ROOT / "README.md").read_text()
    assert all(f"[`{chapter.name}`]" in text for chapter in all_chapters())
    assert all(f"`{entry.name}`" in text for entry in data.catalogue())


def test_readme_says_which_chapters_of_the_book_are_here():
    rows = re.findall(r"^\| (\d+) [\w -]+ \| (.*?) ?\| (.*?) ?\|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert [int(number) for number, _, _ in rows] == list(range(1, 14))
    here = {int(chapter.name[:2]) for chapter in all_chapters()}
    assert {int(number) for number, programs, _ in rows if programs} == here
    assert all(programs or planned for _, programs, planned in rows)


@pytest.mark.parametrize("chapter", all_chapters(), ids=lambda chapter: chapter.name)
def test_readme_names_cells_that_exist(chapter):
    row = next(line for line in (ROOT / "README.md").read_text().splitlines() if f"[`{chapter.name}`]" in line)
    headings = re.findall(r"\*([^*]+)\*", row)
    written = chapter.program.read_text().splitlines()
    assert headings
    assert [heading for heading in headings if f"# ## {heading}" not in written] == []


@every_page
def test_no_number_is_left_to_be_filled_in(page):
    assert not re.findall(r"\b[A-Z]{2,}_[A-Z_]*(?:TIME|LOSS|ACCURACY)\b|RESULTS", page.read_text())


# Recipes of docs/troubleshooting.md.


def recipes(beginning):
    """The commands of the page that begin so; one may be broken into lines, each ending with a backslash."""
    lines = re.sub(r"\\\n\s*", "", (ROOT / "docs" / "troubleshooting.md").read_text()).splitlines()
    found = [line for line in lines if line.startswith(beginning)]
    assert found
    return found


def bash(commands, **where):
    done = subprocess.run(["bash", "-c", "\n".join(commands)], capture_output=True, text=True, check=True, **where)
    return done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="needs the sed of Linux")
@pytest.mark.parametrize("kind", ["6.1.0-28-cloud-amd64", "6.12.48+deb13-amd64"])
@pytest.mark.parametrize("more", ["", " non-free-firmware", " contrib non-free non-free-firmware"])
@pytest.mark.parametrize("line", ["Components: main{}\n", "deb http://mirror.example/debian bookworm main{}\n"])
def test_debians_recipe_opens_its_sources_and_brings_kernel_headers(tmp_path, line, more, kind):
    others = "# deb cdrom:[Debian]/ bookworm main\ndeb https://download.docker.com/linux/debian bookworm stable\n"
    sources = tmp_path / ("sources.list" if line.startswith("deb") else "sources.list.d/debian.sources")
    sources.parent.mkdir(exist_ok=True)
    sources.write_text(others + line.format(more))
    # Nothing but sed is done, and that on the files of the test.
    sudo = 'sudo() { if [ "$1" = sed ]; then "$@"; else echo "$@" >> log; fi; }'
    (recipe,) = recipes("sudo sed")
    bash([sudo, f"uname() {{ echo {kind}; }}", recipe.replace("/etc/apt", str(tmp_path))], cwd=tmp_path)
    assert sources.read_text() == others + line.format(" contrib non-free non-free-firmware")
    kind = kind.partition("-28-")[2] or "amd64"
    packages = f"linux-image-{kind} linux-headers-{kind} nvidia-driver"
    assert (tmp_path / "log").read_text() == f"apt-get update\napt-get install -y {packages}\nreboot\n"


@pytest.mark.parametrize(("order", "before"), [([0], ""), ([0], "/opt/a"), ([0, 1], ""), ([1, 0], "")])
def test_the_recipes_for_the_library_path_name_pips_folders_and_keep_others(tmp_path, order, before):
    venv.create(tmp_path / "env", symlinks=True)
    (packages,) = (tmp_path / "env").glob("lib/python*/site-packages")
    folders = {str(packages / "nvidia" / name / "lib") for name in ("cudnn", "cublas")}
    for folder in folders:
        Path(folder).mkdir(parents=True)
    exports = recipes("export LD_LIBRARY_PATH")
    given = {"PATH": f"{tmp_path}/env/bin:/usr/bin:/bin", **({"LD_LIBRARY_PATH": before} if before else {})}
    shown = bash([*(exports[i] for i in order), "echo $LD_LIBRARY_PATH"], env=given)
    kept = ({before} - {""}) | ({"/usr/lib/wsl/lib"} if 1 in order else set())
    assert set(shown.strip().split(":")) == folders | kept


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1"])
def test_the_recipe_for_a_file_of_another_encoding_leaves_its_letters(tmp_path, encoding):
    """What PowerShell's > writes, what its >> leaves of a file in UTF-8, and an editor's umlaut."""
    (tmp_path / ".env").write_bytes("# \xe9\nKAGGLE_API_TOKEN=token-1\n".encode(encoding))
    bash(recipes("LC_ALL=C tr"), cwd=tmp_path)
    assert (tmp_path / ".env").read_text() == "# \nKAGGLE_API_TOKEN=token-1\n"


def test_the_recipe_for_an_image_without_gpu_is_the_dockerfiles():
    (recipe,) = recipes("docker build --tag IMAGE --build-arg")
    assert recipe.partition("--build-arg")[2] in (ROOT / "Dockerfile").read_text()
