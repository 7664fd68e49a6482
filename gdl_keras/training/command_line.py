"""The settings that a command line asks for: flags of a preset, or of a run that is gone on with.

Nothing here imports TensorFlow, so that `--help` is quick.
"""

import argparse
import dataclasses
import re
import shlex
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

from gdl_keras.errors import InputError, check_one_of
from gdl_keras.training.config import KEPT_BESIDE, flag, read_config
from gdl_keras.training.former import shown_folder

EXAMPLES = ("", " --dataset {own} --epochs 20 --out runs/mine", " --resume runs/mine", " --from pretrained")
# What may differ between a run and its continuation: the rest decides the numbers.
CHANGEABLE_ON_RESUME = {"epochs", "every", "devices", "resume", "out", "tensorboard", "debug"}
# What may differ where a finished run is only shown: its model's pictures may be drawn with other data.
CHANGEABLE_ON_SHOW = {"from_", "devices", "out", "dataset", "debug"}


def parse(settings_class, presets, chapter, arguments):
    """The settings that a command line asks for.

    Args:
        settings_class: subclass of `Config`.
        presets: {preset: {field: value}}; "cpu", "book" and "smoke" are always there, and where nothing else is said
            they are what the fields' defaults say.
        chapter: such as "03_vae/02_vae_fashion".
        arguments: list of str.

    Returns:
        An instance of `settings_class`, checked.

    Raises:
        InputError: a value is out of range, or does not agree with the run to go on with.
        SystemExit: after `--help` (0), or a flag that does not parse (2).
    """
    presets = {"book": {}, "smoke": {}, **presets}  # what they do not change is as in "cpu"
    # These two decide what the other flags' defaults are, which --help shows.
    first = argparse.ArgumentParser(prog=f"gdl run {chapter}", add_help=False, allow_abbrev=False)
    first.add_argument("--preset", choices=("cpu", *presets), default="cpu")
    first.add_argument("--resume", type=Path)
    first.add_argument("--from", type=Path, dest="shown")
    known, _ = first.parse_known_args(arguments)
    if known.resume:
        return _continued(settings_class, presets, known.resume, chapter, arguments)
    if known.shown:
        folder = shown_folder(known.shown, chapter)
        return _continued(settings_class, presets, folder, chapter, arguments, "--from", CHANGEABLE_ON_SHOW)
    defaults = settings_class(**{**presets.get(known.preset, {}), "preset": known.preset})
    settings = _parser(defaults, chapter, presets).parse_args(arguments).settings
    settings.check()
    return settings


def _is_like(value, usual):
    if isinstance(usual, tuple | Path):
        usual = [] if isinstance(usual, tuple) else ""  # as JSON holds it
    return value is None or usual is None or type(value) is type(usual)


def _from_json(value, hint):
    # JSON knows lists and strings alone.
    if isinstance(value, list):
        return tuple(value)
    return Path(value) if isinstance(value, str) and Path in (hint, *get_args(hint)) else value


def _may_have_moved(stored, beside):
    return bool(beside.get("data")) and re.match(r"(\w+:)?/", stored.get("dataset") or "") is not None


def _check_choices(settings):
    # Those of the command line are the parser's to check; it fails on a default that it does not know.
    for name, hint in get_type_hints(type(settings)).items():
        if get_origin(hint) is Literal:
            check_one_of(flag(name), getattr(settings, name), get_args(hint))


def _parser(defaults, chapter, presets=()):
    _check_choices(defaults)
    from gdl_keras.training.parser import SettingsParser

    examples = [flags.format(own=defaults.own_data) for flags in EXAMPLES]
    return SettingsParser(
        defaults,
        prog=f"gdl run {chapter}",
        usage=f"gdl run {chapter} [--preset {'|'.join(('cpu', *presets))}] [flags]",
        epilog="\n  ".join(["examples:", *(f"gdl run {chapter}{flags}" for flags in examples)]),
    )


def _continued(settings_class, presets, folder, chapter, arguments, by="--resume", changeable=CHANGEABLE_ON_RESUME):
    stored = read_config(folder)
    beside = {name: stored.pop(name) for name in KEPT_BESIDE if name in stored}
    if (its_own := beside.get("chapter")) != chapter:
        if not isinstance(its_own, str):
            raise InputError(f"{folder}/config.json is damaged: start a new run.")
        command = f"gdl run {its_own} {by} {shlex.quote(str(folder))}"
        raise InputError(f"{folder} holds a run of another model, {its_own}: go on with it by {command}")
    if "stage" in beside:
        raise InputError(f"{folder} is one stage of a run: go on with the whole by {by} {Path(folder).parent}.")
    names = {field.name for field in dataclasses.fields(settings_class)}
    if set(stored) - names:
        raise InputError(f"{folder} was made by another version of this chapter: start a new run.")
    usual, hints = settings_class(), get_type_hints(settings_class)
    is_sound = all(isinstance(value, KEPT_BESIDE[name]) for name, value in beside.items())
    if not is_sound or any(not _is_like(value, getattr(usual, name)) for name, value in stored.items()):
        raise InputError(f"{folder}/config.json is damaged: start a new run.")
    if shown := stored.get("from_"):
        raise InputError(
            f"{folder} was made with --from {shown} and has nothing to go on with: make it anew with that."
        )
    if "dataset" in changeable and stored.get("dataset") in getattr(usual, "dataset", "").split(","):
        del stored["dataset"]  # where it is not at hand, the next one that the program names will do
    defaults = settings_class(**{name: _from_json(value, hints[name]) for name, value in stored.items()})
    settings = _parser(defaults, chapter, presets).parse_args(arguments).settings
    # A former run may lie elsewhere by now, and so may the reader's data: that they are the same is seen by digests.
    moved = {*beside.get("built_on", {}), *(["dataset"] if _may_have_moved(stored, beside) else [])}
    for name in sorted(names - changeable - moved):
        if getattr(settings, name) != getattr(defaults, name):
            raise InputError(
                f"{flag(name)} {getattr(settings, name)} differs from the run's {getattr(defaults, name)}: "
                "leave it away to go on, or start a new run."
            )
    settings.check()
    return settings
