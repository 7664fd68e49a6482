"""The flags of a chapter: its dataclass's fields, with their comments as help, in four groups.

Nothing here imports TensorFlow, so that `--help` is quick.
"""

import argparse
import re
from copy import copy

import simple_parsing
from simple_parsing.wrappers.field_metavar import get_metavar

from gdl_keras.parsers import Suggesting

# Where --help shows the settings; those that are not named here are about training.
GROUPS = {
    "data": (
        *("dataset", "image_size", "skip_unreadable", "mirror", "batch_size"),
        *("tokens", "length", "vocabulary_size", "count"),
    ),
    "training": (
        "preset",
        "epochs",
        "steps_per_epoch",
        "seed",
        "start_from",
        "from_",
        "accumulate",
        "precision",
        "jit",
        "deterministic",
        "full_float32",
        "devices",
    ),
    "network": (
        *("network", "latent_dim", "latents", "units", "filters", "generator_filters", "critic_filters", "upsampling"),
        *("dropout", "components", "bins", "order", "capacity"),
    ),
    "output": ("out", "resume", "every", "tensorboard", "debug"),
}
# What a flag takes, as its dataclass has it and as --help says it.
WORDS = {"int": "N", "float": "NUMBER", "str": "TEXT", "Path": "PATH"}


class SettingsParser(Suggesting, simple_parsing.ArgumentParser):
    """Parses the flags of a settings dataclass.

    Args:
        defaults: an instance of the dataclass: what flags are where they are not given.
        options: as for `simple_parsing.ArgumentParser`.
    """

    def __init__(self, defaults, **options):
        super().__init__(add_option_string_dash_variants=simple_parsing.DashVariant.DASH, allow_abbrev=False, **options)
        self.add_arguments(type(defaults), dest="settings", default=defaults)

    def print_help(self, file=None, args=None):
        self._preprocessing(args=list(args or ()))
        self._regroup()
        return argparse.ArgumentParser.print_help(self, file)

    def _regroup(self):
        # All flags of a dataclass come in one group, named after it.
        all_flags = self._action_groups.pop()
        flags = {action.dest.removeprefix("settings."): action for action in all_flags._group_actions}
        self.description = all_flags.description
        named = {name for names in GROUPS.values() for name in names}
        others = [name for name in flags if name not in named]
        for title, names in GROUPS.items():
            chosen = [name for name in names if name in flags] + others * (title == "training")
            if chosen:
                group = self.add_argument_group(title)
                group._group_actions = [_in_words(flags[name]) for name in chosen]


def _in_words(flag):
    """The flag as --help shows it: what it takes, and what it is by default, as one writes them in a shell."""
    flag, usual = copy(flag), flag.default
    flag.option_strings = [option for option in flag.option_strings if not option.endswith("-")]  # --from-, for from_
    if isinstance(flag, simple_parsing.helpers.custom_actions.BooleanOptionalAction):
        flag.nargs = 0  # most write no value behind it
    elif not flag.choices:
        (word,) = {word for name, word in WORDS.items() if re.search(rf"\b{name}\b", get_metavar(flag.type) or "str")}
        several = flag.nargs in ("*", "+")
        flag.metavar = f"{word} ..." if several else f"[{word}]" if flag.nargs == "?" and word == "N" else word
    if usual is None:
        flag.default = argparse.SUPPRESS
    elif isinstance(usual, bool):
        flag.default = "yes" if usual else "no"
    elif isinstance(usual, (tuple, list)):
        flag.default = " ".join(map(str, usual)) or "none"
    return flag
