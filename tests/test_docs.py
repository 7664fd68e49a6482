"""What READMEs and docs point to is there, and the names that they use exist."""

import re
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
def test_commands_name_chapters_that_exist(page):
    named = set(re.findall(r"gdl run (\d\d_\w+/\w+)", page.read_text()))
    assert named <= {chapter.name for chapter in all_chapters()}


def test_readme_maps_every_chapter_and_names_every_data_set():
    text = (ROOT / "README.md").read_text()
    assert all(f"[`{chapter.name}`]" in text for chapter in all_chapters())
    assert all(f"`{entry.name}`" in text for entry in data.catalogue())


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
