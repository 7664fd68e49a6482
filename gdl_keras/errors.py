"""The two kinds of error that a user meets: each is one clear sentence and a way out.

The command line prints the sentence alone and exits with `exit_code`; `--debug` shows the traceback.
"""

from numbers import Integral


class GDLError(Exception):
    """Base of both; catch this one to catch whatever the project raises on purpose."""

    exit_code = 1


class InputError(GDLError, ValueError):
    """Something the user gave cannot be used: a flag, a name, a folder, a key.  Exit 2."""

    exit_code = 2


class RunError(GDLError, RuntimeError):
    """The input was right and the work failed: the disk is full, the network is gone, training diverged.  Exit 1."""


def nearest(name, names):
    """The end of an error sentence: the known names that look most like `name`, or all of them."""
    from difflib import get_close_matches

    names = sorted(names)
    close = get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return f"Did you mean {' or '.join(close)}?"
    return f"Known are: {', '.join(names)}."


def counted(count, noun):
    """How many there are, in words: "1 image", "2,000 images", "no image".

    Args:
        count: int or numpy's, at least 0.
        noun: str, one of them; its plural ends in s.
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}" if count else f"no {noun}"


def check_whole(name, value, least, unit=""):
    """Raises InputError unless a value is a whole number, and not too small: "n is a whole number of at least 1 ..."

    Args:
        name: how the sentence calls it.
        value: what was given; numpy's integers are whole numbers, too, and True is none.
        least: int, the smallest that may be.
        unit: str, of what.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        bound = f"of at least {least} {unit}".rstrip() if least else "that must not be negative"
        raise InputError(f"{name} is a whole number {bound}, not {value!r}.")


def check_one_of(name, value, allowed):
    """Raises InputError unless `value` is one of `allowed`: "upsampling is 'transposed' or 'resize', not 'cubic'."

    Args:
        name: how the sentence calls the value: an argument, a flag.
        value: what was given.
        allowed: iterable of what may be, two or more, in the order in which the sentence names them.
    """
    if value not in (allowed := tuple(allowed)):
        *others, last = map(repr, allowed)
        raise InputError(f"{name} is {', '.join(others)} or {last}, not {value!r}.")
