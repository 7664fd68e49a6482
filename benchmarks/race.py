"""Engines taken in turn, each in its own process, so that a busy moment of the machine hits all alike."""

import contextlib
import json
import os
import select
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

NAME_WIDTH = 36  # of an engine, where it is printed
PAUSE = 0.3  # seconds, in which threads of the engine before stop waiting for more work
# For PyTorch: glibc keeps memory that was freed, instead of returning it and asking for it again in every step.
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**40)}
# XLA then runs a block of steps as one CUDA graph, loop and all; otherwise a graph is a part of a step.
LOOPS_AS_GRAPHS = "--xla_gpu_enable_command_buffer=+WHILE,+CONDITIONAL"
# Several engines share a GPU's memory, and the processor while they compile.
SHARE_GPU = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "TORCHINDUCTOR_COMPILE_THREADS": "4"}


@dataclass(frozen=True)
class Rules:
    """How engines race.

    Attributes:
        rounds: turns of each engine that count; one more, before, warms it up.
        amount: how many steps, or images, in a turn.
        seconds: of all turns of an engine together, which then do that amount as often as there is time; or None.
        together: how many engines warm up at the same time.
        alive: how many are alive at the same time, and take turns among themselves; None for all.
        limit: seconds after which an engine that does not answer is given up, or None.
        log: a folder for what the engines print, or None.
    """

    rounds: int
    amount: int
    seconds: float | None = None
    together: int = 1
    alive: int | None = None
    limit: float | None = None
    log: Path | None = None


class Racer:
    """The process of one engine.

    Attributes:
        entry, case: `Entry` and `Case`.
        error: None, or why the engine does not run.
        description: what it says of itself.
        amount: steps, or images, in a turn.
        seconds: time of one step, or image, in each turn that counted.
    """

    def __init__(self, entry, case, rules):
        self.entry, self.case, self.rules, self.amount = entry, case, rules, rules.amount
        self.error, self.description, self.seconds = None, {}, []
        worker = str(Path(__file__).with_name("worker.py"))
        with _log(rules.log, f"{case.name} {entry}") as log:
            self.process = subprocess.Popen(
                [sys.executable, worker, json.dumps(asdict(entry)), case.name, case.device],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, **_settings(entry, case.device)},
            )

    def ask(self, **task):
        """What the process answers; {} if it fails, now or before."""
        if self.error:
            return {}
        try:
            print(json.dumps(task), file=self.process.stdin, flush=True)
            if select.select([self.process.stdout], [], [], self.rules.limit)[0]:
                answer = json.loads(self.process.stdout.readline() or '{"error": "the process ended"}')
            else:
                self.process.kill()
                answer = {"error": f"no answer within {self.rules.limit:g} s"}
        except BrokenPipeError:
            answer = {"error": "the process ended"}
        self.error = answer.get("error")
        return answer if self.error is None else {}

    def warm_up(self, do):
        """The first work, in which everything is compiled."""
        self.description = self.ask(do="describe")
        self.ask(do=do, amount=min(self.amount, 2) if self.rules.seconds is None and do == "train" else self.amount)

    def fill_turn(self, do):
        """Finds how often a turn has time for the amount, and says how fast that was."""
        taken = self.ask(do=do, amount=self.amount).get("seconds")
        if taken:
            print(f"  {self.entry!s:{NAME_WIDTH}} {self.amount / taken:12,.1f} a second at first", flush=True)
            self.amount *= max(1, round(self.rules.seconds / self.rules.rounds / taken))
        else:
            print(f"  {self.entry!s:{NAME_WIDTH}} does not run: {self.error}", flush=True)

    def take_turn(self, do):
        """One turn that counts."""
        taken = self.ask(do=do, amount=self.amount).get("seconds")
        if taken:
            self.seconds.append(taken / self.amount)

    def close(self):
        """Ends the process."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(self.rules.limit)
        except subprocess.TimeoutExpired:
            self.process.kill()


def race(entries, case, do, rules):
    """Lets engines do the same work in turn.

    Args:
        entries: list of `Entry`.
        case: `Case`.
        do: "train" or "sample".
        rules: `Rules`.

    Returns:
        list of `Racer`, closed, and the larger of the measured peaks of matrix products, operations a second.
    """
    size = rules.alive or len(entries)
    racers, peaks = [], []
    for start in range(0, len(entries), size):
        racing = [Racer(entry, case, rules) for entry in entries[start : start + size]]
        try:
            with ThreadPoolExecutor(rules.together) as pool:
                list(pool.map(lambda racer: racer.warm_up(do), racing))
            if rules.seconds is not None:
                for racer in racing:
                    racer.fill_turn(do)
            peaks += _rounds(racing, do, rules)
        finally:
            for racer in racing:
                racer.close()
        racers += racing
    _check_equal_networks(racers)
    return racers, max(peaks, default=0.0)


def _rounds(racers, do, rules):
    """All turns that count; returns the peaks that were measured between them."""
    peaks = []
    for turn in range(rules.rounds):
        # Each round begins with another engine: none is always first after a pause.
        for racer in racers[turn % len(racers) :] + racers[: turn % len(racers)]:
            time.sleep(PAUSE if racer.case.device == "cpu" else 0)
            racer.take_turn(do)
        peaks += [racer.ask(do="peak").get("peak", 0.0) for racer in _one_of_each_framework(racers)]
    return peaks


def ratio(ours, peers):
    """How many times as fast as the best of the peers: (median over rounds, ours, which peer); None where none ran."""
    running = [peer for peer in peers if not peer.error]
    if ours is None or ours.error or not running:
        return None
    best = min(running, key=lambda peer: statistics.median(peer.seconds))
    return statistics.median(b / a for a, b in zip(ours.seconds, best.seconds)), str(ours.entry), str(best.entry)


def fastest(racers):
    """The one with the smallest median, or None where none ran."""
    running = [racer for racer in racers if not racer.error]
    return min(running, key=lambda racer: statistics.median(racer.seconds), default=None)


def _settings(entry, device):
    # What only the environment sets, before the framework starts.
    if device == "gpu":
        if "graphs" not in entry.options:
            return SHARE_GPU
        return SHARE_GPU | {"XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {LOOPS_AS_GRAPHS}"}
    settings = {"CUDA_VISIBLE_DEVICES": ""}
    if entry.engine == "pytorch":
        return settings | KEEP_MEMORY
    return settings | ({"TF_NUM_INTRAOP_THREADS": "1"} if "single" in entry.options else {})


def _log(folder, name):
    if folder is None:
        return contextlib.nullcontext(subprocess.DEVNULL)
    folder.mkdir(parents=True, exist_ok=True)
    return open(folder / f"{name.replace(' ', '_')}.txt", "a")


def _one_of_each_framework(racers):
    found = {racer.entry.engine == "pytorch": racer for racer in reversed(racers) if not racer.error}
    return found.values()


def _check_equal_networks(racers):
    counts = {str(racer.entry): racer.description["parameters"] for racer in racers if racer.description}
    if len({json.dumps(count) for count in counts.values()}) > 1:
        raise AssertionError(f"The engines' networks differ in their number of weights: {counts}")
