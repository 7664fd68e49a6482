"""Finding and running the programs of the book's chapters."""

import os
import re
import runpy
import sys
from dataclasses import dataclass
from pathlib import Path

from gdl_keras.errors import InputError, nearest


@dataclass(frozen=True)
class Chapter:
    """A program that a reader runs: `chapters/03_vae/02_vae_fashion/vae_fashion.py`."""

    name: str
    program: Path

    @property
    def title(self):
        """The first heading of the program."""
        heading = re.search(r"^# # (.*)$", self.program.read_text(encoding="utf-8"), re.MULTILINE)
        return heading.group(1) if heading else ""


def chapters_folder():
    """`chapters/` beside the package (an editable install), what GDL_CHAPTERS names, or the programs in the wheel.

    Raises:
        InputError: none of them is there.
    """
    package = Path(__file__).resolve().parent
    beside = package.parent / "chapters"
    for folder in (beside, Path(os.environ.get("GDL_CHAPTERS", beside)), package / "programs"):
        if next(folder.glob("[0-9]*/[0-9]*/*.py"), None):
            return folder
    raise InputError(
        "The chapters are not here: set GDL_CHAPTERS to the chapters folder of the repository, or install again."
    )


def all_chapters():
    """Every `Chapter`, in the book's order."""
    root = chapters_folder()
    found = []
    for folder in sorted(root.glob("[0-9]*/[0-9]*")):
        program = folder / (folder.name.split("_", 1)[1] + ".py")
        if program.is_file():
            found.append(Chapter(folder.relative_to(root).as_posix(), program))
    return found


def find_chapter(name):
    """The chapter of that name; "vae_fashion" and the path of its folder will do, too.

    Raises:
        InputError: there is none, or more than one.
    """
    chapters = {chapter.name: chapter for chapter in all_chapters()}
    if name is None:
        raise InputError(f"Which chapter?  gdl run CHAPTER, with one of: {', '.join(chapters)}.")
    name = name.removesuffix(".py").rstrip("/").removeprefix("./").removeprefix("chapters/")
    if name in chapters:
        return chapters[name]
    matches = [chapter for chapter in chapters.values() if name in _short_names(chapter)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise InputError(f"{name} is the name of several chapters: {', '.join(match.name for match in matches)}.")
    within = [chapter.name for chapter in chapters.values() if _is_folder(name, chapter.name.split("/")[0])]
    if within:
        raise InputError(f"{name} has several programs: which of {', '.join(within)}?")
    known = [*chapters, *{chapter.split("/")[0] for chapter in chapters}]
    raise InputError(f"There is no chapter {name}.  {nearest(name, known)}  (gdl list shows them.)")


def sets_in_programs(names):
    """Those of the data sets' names that stand in a program, in one preset or another: a set of str."""
    programs = "\n".join(chapter.program.read_text(encoding="utf-8") for chapter in all_chapters())
    quoted = {name for words in re.findall(r'"([\w,]+)"', programs) for name in words.split(",")}
    return quoted.intersection(names)


def run_program(chapter, arguments):
    """Runs a chapter's program in this process, as `python PROGRAM ARGUMENTS` would."""
    before = sys.argv
    sys.argv = [str(chapter.program), *arguments]
    try:
        runpy.run_path(str(chapter.program), run_name="__main__")
    finally:
        sys.argv = before


def _is_folder(name, folder):
    """Whether a chapter's folder, 03_vae, is called by that: its name, its number, the rest of it."""
    number, rest = folder.split("_", 1)
    return name.lower() in (folder, number, number.lstrip("0"), rest)


def _short_names(chapter):
    folder, short = chapter.name.split("/")[1], chapter.program.stem
    return {folder, short, f"{chapter.name}/{short}"}
