"""Engines taken in turn, each in its own process, so that a busy moment of the machine hits all alike."""

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

PAUSE = 0.3  # seconds, in which threads of the engine before stop waiting for more work
# For PyTorch: glibc keeps memory that was freed, instead of returning it and asking for it again in every step.
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**40)}


class Racer:
    """The process of one engine.

    Attributes:
        entry: `Entry`.
        error: None, or why the engine does not run.
        seconds: time of each turn that counted.
    """

    def __init__(self, entry, case):
        self.entry, self.error, self.seconds = entry, None, []
        worker = str(Path(__file__).with_name("worker.py"))
        self.process = subprocess.Popen(
            [sys.executable, worker, json.dumps(asdict(entry)), case.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **_settings(entry)},
        )

    def ask(self, **task):
        """What the process answers; {} if it fails, now or before."""
        if self.error:
            return {}
        try:
            print(json.dumps(task), file=self.process.stdin, flush=True)
            answer = json.loads(self.process.stdout.readline() or '{"error": "the process ended"}')
        except BrokenPipeError:
            answer = {"error": "the process ended"}
        self.error = answer.get("error")
        return answer if self.error is None else {}

    def close(self):
        """Ends the process."""
        self.process.stdin.close()
        self.process.wait()


def race(entries, case, do, amount, rounds):
    """Lets engines do the same work in turn.

    Args:
        entries: list of `Entry`.
        case: `Case`.
        do: "train" or "sample".
        amount: how many steps, or images, in a turn.
        rounds: turns of each engine that count; one more, before, warms it up.

    Returns:
        list of `Racer`, closed, and the larger of the measured peaks of matrix products, operations a second.
    """
    racers = [Racer(entry, case) for entry in entries]
    try:
        for racer in racers:
            racer.description = racer.ask(do="describe")
            racer.ask(do=do, amount=min(amount, 2) if do == "train" else amount)
        peaks = []
        for turn in range(rounds):
            # Each round begins with another engine: none is always first after a pause.
            for racer in racers[turn % len(racers) :] + racers[: turn % len(racers)]:
                time.sleep(PAUSE)
                answer = racer.ask(do=do, amount=amount)
                if answer:
                    racer.seconds.append(answer["seconds"])
            peaks += [racer.ask(do="peak").get("peak", 0.0) for racer in _one_of_each_framework(racers)]
    finally:
        for racer in racers:
            racer.close()
    _check_equal_networks(racers)
    return racers, max(peaks)


def ratio(ours, peers):
    """How many times as fast as the best of the peers: the median over rounds, and which peer; None where none ran."""
    running = [peer for peer in peers if not peer.error]
    if ours is None or ours.error or not running:
        return None
    best = min(running, key=lambda peer: statistics.median(peer.seconds))
    return statistics.median(b / a for a, b in zip(ours.seconds, best.seconds)), str(best.entry)


def fastest(racers):
    """The one with the smallest median, or None where none ran."""
    running = [racer for racer in racers if not racer.error]
    return min(running, key=lambda racer: statistics.median(racer.seconds), default=None)


def _settings(entry):
    # What only the environment sets, before the framework starts.
    if entry.engine == "pytorch":
        return KEEP_MEMORY
    return {"TF_NUM_INTRAOP_THREADS": "1"} if "single" in entry.options else {}


def _one_of_each_framework(racers):
    found = {racer.entry.engine == "pytorch": racer for racer in reversed(racers) if not racer.error}
    return found.values()


def _check_equal_networks(racers):
    counts = {str(racer.entry): racer.description["parameters"] for racer in racers if racer.description}
    if len({json.dumps(count) for count in counts.values()}) > 1:
        raise AssertionError(f"The engines' networks differ in their number of weights: {counts}")
