"""The answers to a chapter's exercises, which stand in its `answers.py`: functions that compute what they claim.

The docstring of each begins "Exercise 3: " with the question in a line, and has the answer in words.  The function
asserts it, and returns the numbers that it went by, {what they are: number}.
"""

import re
from numbers import Integral

from gdl_keras.backend import start_tensorflow, use_tensorflow
from gdl_keras.printing import aligned, print_anything

use_tensorflow()


def answers_in(names):
    """The answers among the names of a module, as they stand there: list of pairs (number of the exercise, function).

    Args:
        names: dict, the module's globals.
    """
    told = ((re.match(r"Exercise (\d+): ", getattr(value, "__doc__", None) or ""), value) for value in names.values())
    return [(int(match[1]), answer) for match, answer in told if match and callable(answer)]


def run_all(names):
    """Runs the answers of a module one after the other, and prints each question with the numbers that were found.

    Args:
        names: dict, the module's globals.

    Raises:
        AssertionError: an answer is wrong.
    """
    print_anything()
    start_tensorflow()
    for _, answer in answers_in(names):
        print(answer.__doc__.partition("\n")[0])
        rows = [[name, as_word(number)] for name, number in answer().items()]
        print("\n".join(f"    {line}" for line in aligned(rows)), end="\n\n")


def as_word(number):
    """A number as it is printed: whole, or to four digits."""
    return f"{number:,}" if isinstance(number, Integral) else f"{number:,.4g}"
