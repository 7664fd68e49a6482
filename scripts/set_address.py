"""Writes the address of this repository wherever a reader needs it.

    python scripts/set_address.py https://github.com/OWNER/REPOSITORY

It stands in pyproject.toml, as `Repository` of `[project.urls]`.  From there it goes into the commands that clone the
repository (README.md, docs), into the cell of docs/guides/colab.md and that of each notebook, and into a badge "Open in
Colab" at the head of each notebook and in the table of README.md.  Nothing is executed; a second time changes nothing,
and another address takes the place of the first.
"""

import argparse
import json
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ADDRESS = re.compile(r"https://github\.com/[\w-]+/[\w.-]+")
# Of the branch `main`, as Colab finds it.
COLAB = "https://colab.research.google.com/github/{repository}/blob/main/{notebook}"
BADGE = "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({})"
BADGES = re.compile(r" \[!\[Open in Colab\]\([^)]*\)\]\([^)]*\)")
# The id of a notebook's cell that is nothing but the badge; the code that fetches the repository has the tag alone.
BADGE_ID, TAG = "colab-badge", "colab"


def main(address, root=ROOT):
    """Writes an address, such as https://github.com/OWNER/REPOSITORY, into the files below `root`.

    Raises:
        ValueError: it is no such address.
    """
    address = address.removesuffix("/").removesuffix(".git")
    if not ADDRESS.fullmatch(address):
        raise ValueError(f"{address!r} is no address of a repository, which is https://github.com/OWNER/REPOSITORY.")
    change(root / "pyproject.toml", lambda text: in_project(text, address))
    change(root / "README.md", lambda text: with_badges(text, address))
    for page in (root / "README.md", *root.glob("docs/**/*.md")):
        change(page, lambda text: in_cell(in_clones(text, address), address))
    for notebook in root.glob("chapters/*/*/*.ipynb"):
        path = notebook.relative_to(root).as_posix()
        change(notebook, lambda text, path=path: in_notebook(text, address, path))


def known_address(root=ROOT):
    """The address that was set, or "" where none was."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project.get("urls", {}).get("Repository", "")


def badge(address, notebook):
    """The badge that opens a notebook in Colab, as Markdown; its path is that in the repository."""
    return BADGE.format(COLAB.format(repository=address.removeprefix("https://github.com/"), notebook=notebook))


def in_cell(source, address):
    """The cell that fetches the code, or a page with it, with this address."""
    return re.sub(r'^ADDRESS = ".*"$', f'ADDRESS = "{address}"', source, flags=re.MULTILINE)


def in_project(text, address):
    """pyproject.toml with this address."""
    line, head = f'Repository = "{address}"\n', "[project.urls]\n"
    if head not in text:
        return text.replace("[project.optional-dependencies]\n", f"{head}{line}\n[project.optional-dependencies]\n", 1)
    before, after = text.split(head)
    return before + head + line + re.sub(r'^Repository = ".*"\n', "", after, count=1, flags=re.MULTILINE)


def in_clones(text, address):
    """A page whose `git clone ... gdl_keras` have this address."""
    return re.sub(r"\bgit clone (?:ADDRESS|https://github\.com/\S+)(?= gdl_keras\b)", f"git clone {address}", text)


def with_badges(text, address):
    """README.md with a badge behind each notebook of its table."""
    linked = r"\]\((chapters/[^)]+\.ipynb)\)(?= )"
    return re.sub(linked, lambda link: f"{link[0]} {badge(address, link[1])}", BADGES.sub("", text))


def in_notebook(text, address, path):
    """A notebook, as the text of its file, with the address in its cell and a badge before that."""
    notebook = json.loads(text)
    cells = [cell for cell in notebook["cells"] if cell.get("id") != BADGE_ID]
    place = next(place for place, cell in enumerate(cells) if TAG in cell["metadata"].get("tags", []))
    cells[place]["source"] = in_cell("".join(cells[place]["source"]), address).splitlines(keepends=True)
    head = {"cell_type": "markdown", "id": BADGE_ID, "metadata": {"tags": [TAG]}, "source": [badge(address, path)]}
    notebook["cells"] = [*cells[:place], head, *cells[place:]]
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"  # as nbformat writes it


def change(path, by):
    """Writes a file anew where `by`, text -> text, changes it."""
    before = path.read_text(encoding="utf-8")
    after = by(before)
    if after != before:
        path.write_text(after, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="https://github.com/OWNER/REPOSITORY")
    try:
        main(parser.parse_args().address)
    except ValueError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)
