"""Asks TensorFlow what it sees, in a process of its own."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import shorten

from gdl_keras.doctor.facts import TensorFlow

PROGRAM = Path(__file__).with_name("ask_tensorflow.py")
# It starts in seconds; on a cold disk or a network's it may take a minute.
SECONDS = 180
MOST_LETTERS = 400


def ask_tensorflow(compute=False):
    """A `TensorFlow`; with `compute`, its first GPU is made to compute something."""
    environment = {
        **os.environ,
        "PYTHONSAFEPATH": "1",  # the program's own folder holds modules of ours
        "TF_CPP_MIN_LOG_LEVEL": "0",
        "TF_CPP_VMODULE": "dso_loader=1",  # the only place where it names the libraries that it misses
    }
    command = [sys.executable, str(PROGRAM), *["compute"] * compute]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, errors="replace", timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return TensorFlow(version="", error=f"it was not ready after {SECONDS} seconds", is_late=True)
    seen = _last_answer(done.stdout)
    if seen is None:
        return TensorFlow(version="", error=_last_words(done))
    missing = tuple(dict.fromkeys(re.findall(r"Could not load dynamic library '([^']+)'", done.stderr)))
    crash = _last_words(done) if done.returncode else None
    return TensorFlow(
        version=seen["version"],
        has_cuda=seen["has_cuda"],
        gpus=tuple(seen["gpus"]),
        missing=missing,
        unlinked=tuple(name for name in missing if _lies_in_pips_folders(name)),
        log=_warnings(done.stderr),
        compute_error=seen.get("compute_error", crash),
    )


def _last_answer(stdout):
    for line in reversed(stdout.splitlines()):
        try:
            answer = json.loads(line)
        except ValueError:
            continue
        if isinstance(answer, dict):
            return answer
    return None


def _last_words(done):
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    if done.returncode >= 0:
        return lines[-1] if lines else f"it ended with the code {done.returncode}"
    name = signal.Signals(-done.returncode).name
    return f"it crashed with {name}" + (f": {lines[-1]}" if lines else "")


def _warnings(stderr):
    """The messages of warnings and errors, each once: a line is "W0000 00:00:1.2  34 file.cc:56] message"."""
    found = re.findall(r"^[WEF]\d{4} [^\]]*\] (.+)$|^.*\] (Ignoring visible gpu device .+)$", stderr, re.MULTILINE)
    return shorten("; ".join(dict.fromkeys(first or second for first, second in found)), MOST_LETTERS)


def _lies_in_pips_folders(name):
    return any(next(Path(folder).glob(f"nvidia/*/lib/{name}"), None) for folder in sys.path if folder)
