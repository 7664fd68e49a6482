"""A chapter that is killed with `kill -9` at random moments, and resumed, ends as if it had never been stopped.

`test_stages.py` does the same to a smaller run, in less time.
"""

import csv
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import gdl_keras
from tests.harness import assert_same, weights

KILLS = 5
CHAPTER = "03_vae/02_vae_fashion"
FLAGS = [
    *("--dataset", "fashion_mini", "--epochs", "6", "--steps-per-epoch", "8", "--batch-size", "16"),
    *("--compare-steps", "1", "--preset", "smoke"),
]


def start(*flags, log):
    """The run as a process of its own; the test keeps its own two logical devices to itself."""
    command = [sys.executable, "-m", "gdl_keras", "run", CHAPTER, *flags]
    return subprocess.Popen(
        command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    )


def flags_for(folder):
    return ["--resume", str(folder)] if (folder / "config.json").exists() else [*FLAGS, "--out", str(folder)]


def history(folder):
    """The lines of history.csv without the seconds, which differ between any two runs."""
    with open(folder / "history.csv", newline="") as file:
        return [{name: value for name, value in line.items() if "seconds" not in name} for line in csv.DictReader(file)]


@pytest.mark.full
def test_killed_and_resumed_is_bit_identical_to_never_stopped(tmp_path):
    never_stopped, killed = tmp_path / "never_stopped", tmp_path / "killed"
    with open(tmp_path / "log.txt", "wb") as log:
        began = time.monotonic()
        assert start(*FLAGS, "--out", str(never_stopped), log=log).wait() == 0
        duration = time.monotonic() - began
        moments, hits = [], 0
        while hits < KILLS:
            moments.append(random.uniform(0.2, 0.95) * duration)
            process = start(*flags_for(killed), log=log)
            try:
                assert process.wait(moments[-1]) == 0  # a run that was resumed late may be done before
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                status = process.wait()
                assert status in (0, -signal.SIGKILL)  # 0: it ended between the timeout and the signal
                hits += status == -signal.SIGKILL
        assert start(*flags_for(killed), log=log).wait() == 0, (tmp_path / "log.txt").read_text()

    message = f"killed after {moments} seconds of {duration}"
    assert history(killed) == history(never_stopped), message
    assert len(history(killed)) == 6
    models = [gdl_keras.load(folder) for folder in (killed, never_stopped)]
    assert_same(weights(models[0]), weights(models[1]))
    np.testing.assert_array_equal(*[model.generate(4, seed=1) for model in models])
    for picture in sorted((never_stopped / "samples").iterdir()):
        assert (killed / "samples" / picture.name).read_bytes() == picture.read_bytes(), message
    leftovers = [path for path in killed.rglob("*") if ".partial" in path.name]
    assert not leftovers
