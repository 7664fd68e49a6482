"""The exercises at the end of each chapter: every answer holds, and the READMEs ask what is answered."""

import re
import runpy
import subprocess
import sys
from numbers import Real
from pathlib import Path

import numpy as np
import pytest

from gdl_keras import flags, keywords, models, training
from gdl_keras.chapters import all_chapters, find_chapter
from gdl_keras.exercises import answers_in, run_all
from gdl_keras.models.generative import GenerativeModel

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted(page.parent for page in ROOT.glob("chapters/*/README.md"))
ANSWERS = {chapter.name: answers_in(runpy.run_path(str(chapter / "answers.py"))) for chapter in CHAPTERS}
EVERY_ANSWER = [
    pytest.param(answer, id=f"{chapter}-{answer.__name__}") for chapter in ANSWERS for _, answer in ANSWERS[chapter]
]
every_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)


def sections(chapter):
    """{heading: text} of a chapter's README, in order."""
    parts = re.split(r"^## (.+)\n", (chapter / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


@pytest.mark.parametrize("answer", EVERY_ANSWER)
def test_answer(answer):
    numbers = answer()
    assert numbers and all(isinstance(number, Real) and np.isfinite(number) for number in numbers.values())


@every_chapter
def test_readme_asks_what_is_answered(chapter):
    asked = sections(chapter)["Exercises"]
    numbers = [number for number, _ in ANSWERS[chapter.name]]
    assert numbers == [int(number) for number in re.findall(r"^(\d)\. ", asked, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1)) and 3 <= len(numbers) <= 5
    assert asked.rstrip().endswith(
        "The answers are in [`answers.py`](answers.py), and `bash scripts/test.sh tests/test_exercises.py` runs them."
    )


@every_chapter
def test_readme_ends_with_what_to_keep_what_to_try_and_exercises(chapter):
    *_, box, trials, _ = (named := sections(chapter)).values()
    assert list(named)[-3:] == ["In short", "What to try", "Exercises"]
    lines = box.strip().splitlines()
    assert 3 <= len(lines) <= 6 and all(line.startswith("> ") for line in lines)
    assert 3 <= len(re.findall(r"^- ", trials, re.MULTILINE)) <= 5


@every_chapter
def test_answers_are_a_program_and_no_chapter_of_their_own(chapter):
    answers = chapter / "answers.py"
    assert answers.read_text(encoding="utf-8").endswith('\n\nif __name__ == "__main__":\n    run_all(globals())\n')
    assert answers not in [each.program for each in all_chapters()]


@every_chapter
def test_what_to_try_has_flags_that_exist(chapter):
    commands = re.findall(r"`gdl ([^`]+)`", sections(chapter)["What to try"].replace("\n", " "))
    assert len(commands) >= 3
    for command in commands:
        verb, name, *_ = command.split()
        used = re.findall(r"(?<!\S)--([a-z-]+)", command)
        known = flags_of_program(find_chapter(name)) if verb == "run" else flags_of_command(verb)
        assert {flag.replace("-", "_") for flag in used} <= known, command


def flags_of_program(chapter):
    base, own = re.search(
        r"^class Settings\((\w+)\):\n(.*?)^\S", chapter.program.read_text(), re.MULTILINE | re.DOTALL
    ).groups()
    return set(getattr(training, base).__dataclass_fields__) | set(re.findall(r"^    (\w+): (?!ClassVar)", own, re.M))


def flags_of_command(verb):
    (commands,) = (action for action in flags.parser()._actions if action.dest == "command")
    known = {action.dest for action in commands.choices[verb]._actions}
    if verb == "sample":  # whose other flags are the models' own keywords
        makers = [
            each for each in vars(models).values() if isinstance(each, type) and issubclass(each, GenerativeModel)
        ]
        known |= {name for maker in makers for name in keywords.of(maker.draw, maker.generate)}
    return known


def test_a_wrong_answer_is_found_and_a_right_one_printed(capsys):
    def right():
        """Exercise 1: How much is one and one?

        2.
        """
        return {"whole": 1 + 1, "in thousandths": np.float32(2000)}

    def wrong():
        """Exercise 2: And two and two?"""
        assert 2 + 2 == 5

    run_all({"helper": len, "right": right, "number": 3})
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "Exercise 1: How much is one and one?",
        "    whole               2",
        "    in thousandths  2,000",
        "",
    ]
    with pytest.raises(AssertionError):
        run_all({"right": right, "wrong": wrong})


@pytest.mark.full
def test_a_chapters_answers_run_as_a_program():
    program = ROOT / "chapters" / "08_diffusion" / "answers.py"
    code = program.read_text(encoding="utf-8").replace("run_all(globals())", "run_all({'only': many_steps_in_one})")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Exercise 1: After 300")
