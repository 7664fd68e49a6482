"""What goes to the terminal, whatever that can show."""

import sys


def print_anything():
    """From now on a letter that the terminal's encoding lacks is printed as \\xf6, in place of an error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # those of a notebook have none, and lack no letter
            stream.reconfigure(errors="backslashreplace")


def aligned(rows, left=(0,)):
    """Rows of words as lines, columns one below the other: list of str.

    Args:
        rows: list of lists of str, all as long.
        left: numbers of the columns that stand to the left; the others stand to the right.
    """
    widths = [max(map(len, column)) for column in zip(*rows)]
    sides = ["<" if number in left else ">" for number in range(len(widths))]
    return [
        "  ".join(f"{word:{side}{width}}" for word, side, width in zip(row, sides, widths)).rstrip() for row in rows
    ]


def measured(metric):
    """A metric as a word: its value and its standard error, "-" for none."""
    if metric is None:
        return "-"
    error = f" ± {metric['standard_error']:.1g}" if "standard_error" in metric else ""
    return f"{metric['value']:.4g}{error}"
