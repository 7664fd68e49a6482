"""Flags, presets, and what may change between a run and its continuation."""

import json
import re
from dataclasses import dataclass, fields
from typing import ClassVar, Literal

import pytest

from gdl_keras import data
from gdl_keras.errors import InputError
from gdl_keras.training import ImageConfig, LanguageConfig, PointConfig, TextConfig, at_least, command_line, config

PRESETS = {"book": {"epochs": 300, "width": 64}, "smoke": {"epochs": 1}, "thin": {"width": 2}}


@dataclass
class Settings(ImageConfig):
    """A chapter's settings."""

    # How wide the network is.
    width: int = 8
    # Where it begins, which may lie below zero.
    offsets: tuple[float, ...] = (-1.0, 1.0)
    shape: Literal["round", "square"] = "round"

    ranges: ClassVar = {"width": at_least(1), "offsets": at_least(-2)}


def parse(*arguments):
    return command_line.parse(Settings, PRESETS, "00_test/01_model", list(arguments))


@pytest.fixture
def stopped_run(tmp_path):
    def write(**changes):
        stored = {"chapter": "00_test/01_model", **Settings().to_dict(), "width": 16, **changes}
        (tmp_path / "config.json").write_text(json.dumps(stored))
        return tmp_path

    return write


def test_defaults_are_the_cpu_preset():
    assert parse() == Settings()
    assert parse().preset == "cpu"


def test_a_preset_changes_the_defaults_and_a_flag_beats_the_preset():
    assert (parse("--preset", "book").epochs, parse("--preset", "book").width) == (300, 64)
    assert parse("--epochs", "7", "--preset", "book").epochs == 7
    assert parse("--preset", "smoke", "--width", "3").width == 3
    assert (parse("--preset", "thin").epochs, parse("--preset", "thin").width) == (Settings().epochs, 2)


@pytest.mark.parametrize(
    "wrong",
    [
        *[("--epochs", "-1"), ("--batch-size", "0"), ("--image-size", "0"), ("--steps-per-epoch", "0")],
        *[("--seed", "-1"), ("--seed", str(2**31)), ("--every", "-1"), ("--width", "0"), ("--offsets", "-3.0")],
        *[("--offsets", "nan"), ("--offsets", "inf")],
    ],
)
def test_values_out_of_range(wrong):
    with pytest.raises(InputError, match=f"^{wrong[0]} (is at least|lies between) .*, not {wrong[1]}"):
        parse(*wrong)


def test_numbers_below_zero_are_taken_where_they_are_declared():
    assert parse("--offsets", "-1.5", "0").offsets == (-1.5, 0.0)
    assert parse("--every", "0", "--seed", "0").every == 0


def test_a_preset_is_held_to_the_ranges_and_choices_of_the_flags():
    for wrong, words in [({"offsets": (0.0, -9.0)}, "--offsets is at least -2, not -9.0"), ({"shape": "oval"}, "oval")]:
        with pytest.raises(InputError, match=words):
            command_line.parse(Settings, {"smoke": wrong}, "00_test/01_model", ["--preset", "smoke"])


@pytest.mark.parametrize("kind", [ImageConfig, TextConfig, PointConfig])
def test_every_kind_of_data_has_a_data_set_and_its_own_ways_to_bring_it(kind):
    own = {field.name for field in fields(kind)} - {field.name for field in fields(config.Config)}
    assert set(kind().data_options()) == own - {"dataset", "mirror"}  # that is done to what was loaded
    assert kind.examples in kind.__doc__ or kind is TextConfig
    assert data.info(kind().dataset)["kind"] == kind.kind
    kind().check()


def test_text_that_is_cut_into_windows_is_told_as_windows():
    assert (TextConfig().examples, LanguageConfig().examples) == ("windows", "windows")
    assert LanguageConfig(example="text").examples == "texts"


@pytest.mark.parametrize("wrong", [("--epochs", "many"), ("--colour", "red"), ("--preset", "gpu"), ("--epoch", "3")])
def test_flags_that_do_not_parse_exit_with_2(wrong, capsys):
    with pytest.raises(SystemExit) as exit_:
        parse(*wrong)
    assert exit_.value.code == 2
    assert "error" in capsys.readouterr().err


def test_help_shows_comments_defaults_of_the_preset_and_examples(capsys):
    with pytest.raises(SystemExit) as exit_:
        parse("--preset", "book", "--help")
    assert exit_.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "How wide the network is. (default: 64)" in text
    assert "--preset cpu|book|smoke|thin" in text
    assert "gdl run 00_test/01_model --dataset ./my_photos" in text


@pytest.mark.parametrize(
    ("kind", "own"), [(ImageConfig, "./my_photos"), (TextConfig, "./my_texts"), (PointConfig, "./my_points.csv")]
)
def test_help_proposes_data_of_the_kind_of_the_chapter(kind, own, capsys):
    with pytest.raises(SystemExit):
        command_line.parse(kind, {}, "00_test/01_model", ["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert f"gdl run 00_test/01_model --dataset {own} --epochs 20" in text
    assert ("my_photos" in text) == (kind is ImageConfig)


def test_steps_without_a_number_are_a_pass():
    steps = [
        parse(*flags).steps_per_epoch
        for flags in ([], ["--steps-per-epoch", "7"], ["--steps-per-epoch", "--seed", "3"])
    ]
    assert steps == [None, 7, None]
    thin = command_line.parse(
        Settings, {"thin": {"steps_per_epoch": 5}}, "00_test/01_model", ["--preset", "thin", "--steps-per-epoch"]
    )
    assert thin.steps_per_epoch is None


def test_a_flag_that_is_not_known_is_answered_with_the_one_that_was_meant(capsys):
    for wrong, words in [("--epoch", "Did you mean --epochs"), ("--colour", "--help shows all flags.")]:
        with pytest.raises(SystemExit):
            parse(wrong, "3")
        assert words in capsys.readouterr().err


def test_help_shows_the_flags_in_groups(capsys):
    with pytest.raises(SystemExit):
        parse("--help")
    text = capsys.readouterr().out
    groups = dict(zip(*[iter(re.split(r"^(data|training|network|output):\n", text, flags=re.MULTILINE)[1:])] * 2))
    for group, flags in {
        "data": ["--dataset", "--image-size", "--batch-size"],
        "training": ["--preset", "--epochs", "--seed", "--width"],
        "output": ["--out", "--resume", "--every"],
    }.items():
        assert all(re.search(rf"^  {flag} ", groups[group], re.MULTILINE) for flag in flags), group
    assert "Settings [" not in text


def test_help_says_in_words_what_a_flag_takes_and_is(capsys):
    with pytest.raises(SystemExit):
        parse("--help")
    text = capsys.readouterr().out
    assert not re.findall(r"\b(int|float|str|bool|Path|None|True|False)\b", text)
    for shown in ("--image-size N ", "--steps-per-epoch [N]", "--dataset TEXT ", "--out PATH ", "--offsets NUMBER ..."):
        assert f"  {shown}" in text
    assert re.search(r"^  --mirror, --nomirror +Learn", text, re.MULTILINE)
    assert "(default: -1.0 1.0)" in " ".join(text.split()) and "matter. (default: no)" in " ".join(text.split())


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (("--epochs", "many"), "--epochs takes a whole number, not 'many'"),
        (("--offsets", "1", "x"), "--offsets takes a number, not 'x'"),
        (("--mirror", "maybe"), "--mirror/--nomirror takes yes or no, not 'maybe'"),
    ],
)
def test_values_that_do_not_parse_are_told_in_words(wrong, words, capsys):
    with pytest.raises(SystemExit):
        parse(*wrong)
    assert words in capsys.readouterr().err


def test_a_run_goes_on_with_its_own_settings(stopped_run):
    settings = parse("--resume", str(stopped_run()), "--epochs", "9")
    assert (settings.width, settings.epochs) == (16, 9)


def test_a_run_does_not_go_on_with_other_settings(stopped_run):
    with pytest.raises(InputError, match="--width 5 differs from the run's 16"):
        parse("--resume", str(stopped_run()), "--width", "5")


def test_a_run_of_another_model_or_version_or_none_is_refused(stopped_run, tmp_path):
    by_its_own = "run of another model, 00_test/02_other: go on with it by gdl run 00_test/02_other --resume "
    with pytest.raises(InputError, match=by_its_own + re.escape(str(tmp_path))):
        parse("--resume", str(stopped_run(chapter="00_test/02_other")))
    with pytest.raises(InputError, match="damaged"):
        parse("--resume", str(stopped_run(chapter=3)))
    with pytest.raises(InputError, match="another version"):
        parse("--resume", str(stopped_run(height=3)))
    with pytest.raises(InputError, match="not the folder of a run"):
        parse("--resume", str(tmp_path / "nothing"))
    for content, words in [("{half", "cannot be read"), ("[]", "damaged")]:
        (tmp_path / "config.json").write_text(content)
        with pytest.raises(InputError, match=words):
            parse("--resume", str(tmp_path))
    with pytest.raises(InputError, match="damaged"):
        parse("--resume", str(stopped_run(epochs="x")))
    with pytest.raises(InputError, match="--shape is 'round' or 'square', not 'oval'"):
        parse("--resume", str(stopped_run(shape="oval")))


def test_a_batch_is_dealt_into_equal_parts():
    assert parse("--batch-size", "24", "--accumulate", "2").accumulate == 2
    with pytest.raises(InputError, match="--batch-size 25 cannot be dealt into 2 equal parts"):
        parse("--batch-size", "25", "--accumulate", "2")


def test_resume_and_out_exclude_each_other(stopped_run):
    with pytest.raises(InputError, match="leave --out away"):
        parse("--resume", str(stopped_run()), "--out", "elsewhere")
