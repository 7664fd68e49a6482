"""Command lines whose errors name the flag that was meant."""

import argparse
import re
from difflib import get_close_matches

# What argparse and simple_parsing say of a value in terms of Python, and how else.
IN_WORDS = {
    "invalid int value:": "takes a whole number, not",
    "invalid float value:": "takes a number, not",
    "Boolean value expected for argument, received": "takes yes or no, not",
}


class Suggesting:
    """Put before `ArgumentParser` among the bases: an unknown flag is answered with those that look like it."""

    def error(self, message):
        for told, in_words in IN_WORDS.items():
            message = message.replace(f": {told}", f" {in_words}")
        unknown = re.match(r"unrecognized arguments: --([\w-]+)", message)
        if unknown:
            known = [flag.removeprefix("--") for flag in self._option_string_actions]
            close = " or ".join(f"--{name}" for name in get_close_matches(unknown[1], known, n=2))
            message += f".  Did you mean {close}?" if close else ".  --help shows all flags."
        super().error(message)


class Parser(Suggesting, argparse.ArgumentParser):
    """The parser of the `gdl` command and of its subcommands."""
