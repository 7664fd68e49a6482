"""Ranges of settings: what they let pass, what they say, and that every chapter declares its own."""

import math
import re
import runpy
import typing
from dataclasses import dataclass, fields
from typing import ClassVar

import pytest

from gdl_keras.chapters import all_chapters, run_program
from gdl_keras.errors import InputError, check_one_of
from gdl_keras.training import Run, above, at_least, between, halved_for_each, multiple_of
from gdl_keras.training.config import ImageConfig, PointConfig, TextConfig
from gdl_keras.training.ranges import declared

WRONG = [
    (at_least(1), 0, "--x is at least 1, not 0."),
    (at_least(-5), -5.1, "--x is at least -5, not -5.1."),
    (at_least(0, below=1), 1.0, "--x is at least 0 and below 1, not 1.0."),
    (above(0), 0.0, "--x is larger than 0, not 0.0."),
    (between(0, 2), 3, "--x lies between 0 and 2, not 3."),
    (between(0, 2), -1, "--x lies between 0 and 2, not -1."),
    (at_least(0), math.nan, "--x is at least 0, not nan."),
    (at_least(0), math.inf, "--x is at least 0, not inf."),
    (multiple_of(8), 30, "--x is a multiple of 8 between 8 and 2048, not 30."),
    (multiple_of(8), 4096, "--x is a multiple of 8 between 8 and 2048, not 4096."),
    (multiple_of(2), 2, "--x is a multiple of 2 between 4 and 2048, not 2."),
    (above(0), (1, 2, -3), "--x is larger than 0, not -3."),
    (above(0), ((1, 2), (3, 0)), "--x is larger than 0, not 0."),
]
RIGHT = [(at_least(1), 1), (at_least(-5), -5.0), (at_least(0, below=1), 0.999), (above(0), 1e-9), (between(0, 2), 2)]


@pytest.mark.parametrize(("allowed", "value", "sentence"), WRONG)
def test_what_lies_outside_is_refused_in_one_sentence(allowed, value, sentence):
    with pytest.raises(InputError) as refused:
        allowed.check("--x", value)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(("allowed", "value"), RIGHT)
def test_what_lies_inside_passes(allowed, value):
    for wrapped in (value, (value, value), ((value,), ()), None):
        allowed.check("--x", wrapped)


def test_ranges_of_a_class_are_added_to_those_that_it_extends_and_the_nearest_counts():
    @dataclass
    class Wide(ImageConfig):
        width: int = 1
        ranges: ClassVar = {"width": at_least(1), "seed": at_least(5)}

    ranges = declared(Wide)
    assert {"width", "image_size", "epochs", "seed"} <= set(ranges)
    ranges["seed"].check("--seed", 2**40)
    declared(ImageConfig)["seed"].check("--seed", 0)


def test_a_range_may_follow_another_setting():
    @dataclass
    class Halving(ImageConfig):
        filters: tuple[int, ...] = (1, 2)
        ranges: ClassVar = {"image_size": halved_for_each("filters"), "filters": at_least(1)}

    Halving(image_size=20).check()
    with pytest.raises(InputError, match="--image-size is a multiple of 8 between 8 and 2048, not 20"):
        Halving(image_size=20, filters=(1, 2, 3)).check()


def test_one_of_names_all_that_may_be():
    check_one_of("upsampling", "resize", ("transposed", "resize"))
    for allowed, words in [("ab", "'a' or 'b'"), ("abc", "'a', 'b' or 'c'")]:
        with pytest.raises(InputError) as refused:
            check_one_of("shape", "x", allowed)
        assert str(refused.value) == f"shape is {words}, not 'x'."


class Started(Exception):
    """A program has come to `Run.start`."""


@pytest.fixture(params=all_chapters(), ids=lambda chapter: chapter.name)
def chapter(request, monkeypatch):
    """(settings class, presets) of a chapter, whose program goes no further."""

    def start(settings_class, chapter, presets=None, arguments=None):
        raise Started(settings_class, presets or {})

    monkeypatch.setattr(Run, "start", start)
    with pytest.raises(Started) as started:
        runpy.run_path(str(request.param.program))
    return started.value.args


def test_every_numeric_setting_of_every_chapter_has_a_declared_range(chapter):
    settings_class, _ = chapter
    assert numeric_settings(settings_class) == set(declared(settings_class))


@pytest.mark.parametrize("kind", [ImageConfig, TextConfig, PointConfig])
def test_every_numeric_setting_of_every_kind_of_data_has_a_declared_range(kind):
    assert numeric_settings(kind) == set(declared(kind))


def test_every_preset_lies_in_the_ranges(chapter):
    settings_class, presets = chapter
    for name, changes in {"cpu": {}, **presets}.items():
        settings_class(preset=name, **changes).check()


@pytest.mark.parametrize("program", all_chapters(), ids=lambda chapter: chapter.name)
def test_every_flag_of_every_chapter_has_a_text(program, capsys):
    with pytest.raises(SystemExit):
        run_program(program, ["--help"])
    flags = re.split(r"^  (--[a-z][\w-]*)", capsys.readouterr().out, flags=re.MULTILINE)[1:]
    texts = dict(zip(flags[::2], flags[1::2]))
    assert {"--preset", "--dataset", "--seed"} < set(texts)
    # What it takes, then words that end in a point, then the default, where there is one.
    assert [flag for flag, text in texts.items() if not re.search(r"[\w)]\.\s*(\(default:|\n\n|$)", text)] == []
    assert not re.search(r"\(default:\s+None\)", "".join(texts.values()))


def numeric_settings(settings_class):
    """Names of the fields that hold numbers, alone or in tuples."""
    hints = typing.get_type_hints(settings_class)
    return {field.name for field in fields(settings_class) if is_numeric(hints[field.name])}


def is_numeric(hint):
    return hint in (int, float) or any(map(is_numeric, typing.get_args(hint)))
