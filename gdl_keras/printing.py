"""What goes to the terminal, whatever that can show."""

import sys


def print_anything():
    """From now on a letter that the terminal's encoding lacks is printed as \\xf6, in place of an error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # those of a notebook have none, and lack no letter
            stream.reconfigure(errors="backslashreplace")
