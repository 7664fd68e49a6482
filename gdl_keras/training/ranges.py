"""Which numbers a setting may be: declared beside the settings, `ranges = {"epochs": at_least(1), ...}`.

Nothing here imports TensorFlow, so that `--help` is quick.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from gdl_keras.errors import InputError


@dataclass(frozen=True)
class Range:
    """Numbers that a setting may be, and how a sentence calls them: "--epochs is at least 1, not -1"."""

    words: str
    holds: Callable

    def check(self, name, value):
        """Raises InputError unless `value`, or every number of it where it is a tuple, lies in the range.

        None, a setting that was left away, passes.

        Args:
            name: how the sentence calls the setting, such as "--epochs".
            value: int, float, None, or a tuple of them, nested or not.
        """
        if isinstance(value, tuple | list):
            for part in value:
                self.check(name, part)
        elif value is not None and not (math.isfinite(value) and self.holds(value)):
            raise InputError(f"{name} {self.words}, not {value}.")


def at_least(low, below=math.inf):
    """Numbers from `low` on, itself among them, and up to `below`, which is not among them."""
    words = f"is at least {low}" + (f" and below {below}" if below < math.inf else "")
    return Range(words, lambda value: low <= value < below)


def above(low):
    """Numbers that are larger than `low`."""
    return Range(f"is larger than {low}", lambda value: value > low)


def between(low, high):
    """Numbers from `low` to `high`, both among them."""
    return Range(f"lies between {low} and {high}", lambda value: low <= value <= high)


def multiple_of(step, low=4, high=2048):
    """Multiples of `step`, none below `low` or above `high`: sizes of images that a network halves again and again."""
    return Range(
        f"is a multiple of {step} between {max(low, step)} and {high}",
        lambda value: value % step == 0 and low <= value <= high,
    )


def halved_for_each(setting):
    """Sizes of images that are halved once for each entry of another setting, such as "filters".

    Returns:
        function of the settings that returns the `Range`.
    """
    return lambda settings: multiple_of(2 ** len(getattr(settings, setting)))


def declared(settings_class):
    """The ranges of a dataclass: its own `ranges` and those of all that it extends, the nearest first.

    Returns:
        {setting: Range, or a function of the settings that returns one}.
    """
    ranges = {}
    for ancestor in reversed(settings_class.__mro__):
        ranges |= vars(ancestor).get("ranges", {})
    return ranges
