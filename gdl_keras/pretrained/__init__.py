"""Models that are trained already and come along, one for a program: `gdl sample 04_gan/05_hinge_gan`.

What ships is the folder of a run, without optimizers and pictures: pretrained/04_gan/05_hinge_gan/ has config.json,
environment.json, history.csv, metrics.json, model.keras.  `scripts/make_pretrained.py` makes them of runs, and their
table in docs/pretrained.md: data, licence, numbers, size.
"""

from pathlib import Path

from gdl_keras.chapters import find_chapter
from gdl_keras.errors import InputError

FOLDER = Path(__file__).resolve().parent


def names():
    """The programs for which a trained model comes along: list of str, in the book's order."""
    return [path.parent.relative_to(FOLDER).as_posix() for path in sorted(FOLDER.glob("*/*/model.keras"))]


def folder_of(run):
    """Where a run lies that is named by its folder or its file, or, where it comes along, by its program: `Path`.

    Raises:
        InputError: it is the name of a program for which no trained model comes along.
    """
    own = Path(run)
    if own.exists() and not _holds_a_program(own):
        return own
    try:
        chapter = find_chapter(str(run))
    except InputError:
        return own  # whoever opens it says what is wrong
    return shipped_folder(chapter.name)


def shipped_folder(chapter):
    """The folder of the trained model of a program, such as "04_gan/05_hinge_gan": `Path`.

    Raises:
        InputError: none comes along.
    """
    folder = FOLDER / chapter
    if not (folder / "model.keras").is_file():
        raise InputError(f"No trained model of {chapter} comes along: gdl run {chapter} trains one.")
    return folder


def comes_along(run):
    """Whether a run's folder is one of these, in which nothing is to be written."""
    return FOLDER in Path(run).resolve().parents


def _holds_a_program(folder):
    return (folder / f"{folder.resolve().name.partition('_')[2]}.py").is_file()
