"""How a program talks: errors as sentences with an exit code, not as tracebacks."""

import errno
import os
import shutil
import sys
import traceback

from gdl_keras.errors import GDLError, InputError
from gdl_keras.printing import print_anything

INTERRUPTED = 130
NOBODY_READS = 141  # what a shell says of a program that was ended so: 128 + SIGPIPE
# The run that this program is in the middle of: {"chapter", "folder", "is_worthless"}, or empty.
_run = {}


def in_notebook():
    """Whether this code runs in a Jupyter kernel."""
    return "ipykernel" in sys.modules


def explain_errors(debug=False):
    """From now on, an error that ends this program is one sentence and an exit code (2 bad input, 1 failed).

    Letters that the terminal lacks are printed as their codes.
    """
    print_anything()
    if not in_notebook():
        sys.excepthook = lambda kind, error, trace: sys.exit(report(error, debug))


def open_run(chapter, folder, is_new):
    """From now on, errors tell how to go on with this run; bad input takes away what a new one has written."""
    _run.update(chapter=chapter, folder=folder, is_worthless=is_new)


def keep_run():
    """The run has learnt something: nothing takes it away any more."""
    _run["is_worthless"] = False


def report(error, debug=False):
    """Prints what went wrong, to stderr, and returns the exit code for it."""
    if isinstance(error, BrokenPipeError):
        # `| head` has seen enough: that is no error, and Python is not to complain of it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.stdout.flush()
    if isinstance(error, InputError) and _run.get("is_worthless"):
        shutil.rmtree(_run["folder"], ignore_errors=True)
        _run.clear()
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    elif not isinstance(error, BrokenPipeError):
        print(_sentence(error), file=sys.stderr)
    if "folder" in _run and _has_learnt(_run["folder"]):
        print(f"Go on with: gdl run {_run['chapter']} --resume {_run['folder']}", file=sys.stderr)
    codes = {KeyboardInterrupt: INTERRUPTED, BrokenPipeError: NOBODY_READS}
    return codes.get(type(error), getattr(error, "exit_code", 1))


def _has_learnt(folder):
    # By itself, or in one of its stages.
    return any(next(folder.glob(f"{part}checkpoint/epoch_*"), None) for part in ("", "*/"))


def _sentence(error):
    if isinstance(error, KeyboardInterrupt):
        return "Stopped."
    if isinstance(error, MemoryError):
        return "Out of memory: try a smaller --batch-size or --image-size."
    if _is_full_disk(error):
        return "Error: The disk is full.  Free some space and try again."
    if isinstance(error, GDLError):
        return f"Error: {error}"
    return f"Unexpected {type(error).__name__}: {error}\nThe same command with --debug shows where it happened."


def _is_full_disk(error):
    return isinstance(error, OSError) and error.errno == errno.ENOSPC
