"""How a program talks: errors as sentences with an exit code, not as tracebacks."""

import errno
import shutil
import sys
import traceback

from gdl_keras.errors import GDLError, InputError

INTERRUPTED = 130
# Folders of runs that have not learnt anything yet: bad input takes them away again.
_unfinished = set()


def in_notebook():
    """Whether this code runs in a Jupyter kernel."""
    return "ipykernel" in sys.modules


def explain_errors(debug=False):
    """From now on, an error that ends this program is one sentence and an exit code (2 bad input, 1 failed)."""
    if not in_notebook():
        sys.excepthook = lambda kind, error, trace: sys.exit(report(error, debug))


def remove_after_bad_input(folder, finished=False):
    """Marks a new folder as worth nothing if bad input ends the program now, or, `finished`, as worth keeping."""
    (_unfinished.discard if finished else _unfinished.add)(folder)


def report(error, debug=False):
    """Prints what went wrong, to stderr, and returns the exit code for it."""
    sys.stdout.flush()
    while isinstance(error, InputError) and _unfinished:
        shutil.rmtree(_unfinished.pop(), ignore_errors=True)
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    else:
        print(_sentence(error), file=sys.stderr)
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else getattr(error, "exit_code", 1)


def _sentence(error):
    if isinstance(error, KeyboardInterrupt):
        return "Stopped.  Whatever epochs were finished are kept: go on with --resume and the run's folder."
    if isinstance(error, MemoryError):
        return "Out of memory: try a smaller --batch-size or --image-size."
    if _is_full_disk(error):
        return "The disk is full.  Free some space, then go on with --resume and the run's folder."
    if isinstance(error, GDLError):
        return f"Error: {error}"
    return f"Unexpected {type(error).__name__}: {error}\nThe same command with --debug shows where it happened."


def _is_full_disk(error):
    return isinstance(error, OSError) and error.errno == errno.ENOSPC
