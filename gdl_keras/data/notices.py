"""What is said while data is fetched and prepared: on stderr, because stdout is for results."""

import sys


def say(text):
    """Prints one line about what is going on."""
    print(text, file=sys.stderr, flush=True)


def bar(iterable=None, **settings):
    """A progress bar on stderr, or nothing where stderr is not a terminal (a log would fill with it)."""
    from tqdm import tqdm

    return tqdm(iterable, file=sys.stderr, disable=not sys.stderr.isatty(), leave=False, dynamic_ncols=True, **settings)
