"""A small character GPT, ours beside PyTorch's at equal cost: held-out loss, tokens learnt from and written a second.

    python benchmarks/language.py                                       three seeds, against eager and compiled PyTorch
    python benchmarks/language.py --seeds 1 --minutes 0.5 --peers eager

Both have nanoGPT's recipe for a processor: 4 blocks, 4 heads, width 128, 64 places, batches of 12, AdamW, a rate that
rises for a twentieth of the time and falls to a tenth along a cosine, tied weights, no dropout.  Of a window PyTorch's
reads 64 characters and foresees the 64 after them; ours reads the mark of the beginning and 63 characters, and foresees
64, the first one included.  Held out are windows of 64 characters, of which all but the first count for both.

Both learn from `austen_mini` at the same time, each on one half of the processor's cores, so that whatever else the
machine does hits both alike; the halves change hands with every seed.  The clock counts training alone, after first
steps that compile, and is looked at every ten steps, which ours takes in one call.  PyTorch: `pip install torch`.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import machine

LENGTH, BATCH_SIZE = 64, 12
HELD_OUT = 2000  # windows
PEERS = ("eager", "compiled")
LARGEST_RATE = 1e-3
STEPS_BETWEEN_LOOKS_AT_THE_CLOCK = 10
WRITTEN, TIMES_WRITTEN = LENGTH, 20
NUMBERS = ("held_out_nats", "trained_tokens_per_second", "written_tokens_per_second")


class Ours:
    """What `learn` asks of an engine."""

    def __init__(self, seed, train):
        import keras

        from gdl_keras.models import GPT, build_gpt
        from gdl_keras.optimizers import FusedAdamW

        keras.utils.set_random_seed(seed)
        network = build_gpt(
            len(train.vocabulary),
            LENGTH,
            embedding_dim=128,
            num_blocks=4,
            num_heads=4,
            key_dim=32,
            feed_forward_dim=512,
            dropout=0.0,
            norm="pre",
            tie_weights=True,
            activation="gelu",
        )
        self.model = GPT(network, train.vocabulary, seed=seed)
        self.optimizer = FusedAdamW(LARGEST_RATE, weight_decay=0.1, beta_2=0.99, global_clipnorm=1.0)
        self.optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        self.model.compile(self.optimizer, steps_per_execution=STEPS_BETWEEN_LOOKS_AT_THE_CLOCK)
        self.model.make_train_function()
        self.batches = iter(train.batches())
        self.parameters = network.count_params()

    def train(self, steps, rate):
        self.optimizer.learning_rate = rate
        for _ in range(0, steps, self.model.steps_per_execution):
            logs = self.model.train_function(self.batches)
        float(logs["loss"])  # waits for the last step

    def loss(self, windows):
        return self.model.evaluate(windows, batch_size=50, verbose=0, return_dict=True)["loss"]

    def write(self, count):
        self.model.generate(1, seed=0, length=count)


def learn(way, seed, minutes):
    """One engine learns and writes: {number: value}, of `NUMBERS` and "parameters"."""
    from gdl_keras import data

    # A window has one character more than `length`, which says where the next one begins.
    windows = {"length": LENGTH - 1, "batch_size": BATCH_SIZE}
    train, test = (data.load("austen_mini", split, **windows) for split in ("train", "test"))
    if way == "ours":
        from gdl_keras.backend import start_tensorflow

        start_tensorflow()
        engine = Ours(seed, train)
    else:
        from engines.pytorch_gpt import PyTorchGPT

        sizes = {"vocabulary_size": len(train.vocabulary), "length": LENGTH, "dim": 128, "blocks": 4, "heads": 4}
        engine = PyTorchGPT(sizes, seed, train, BATCH_SIZE, way == "compiled")
    engine.train(STEPS_BETWEEN_LOOKS_AT_THE_CLOCK, 0.0)
    spent, steps = 0.0, 0
    while spent < 60 * minutes:
        started = time.perf_counter()
        engine.train(STEPS_BETWEEN_LOOKS_AT_THE_CLOCK, rate_after(spent / (60 * minutes)))
        spent += time.perf_counter() - started
        steps += STEPS_BETWEEN_LOOKS_AT_THE_CLOCK
    engine.write(WRITTEN)
    started = time.perf_counter()
    for _ in range(TIMES_WRITTEN):
        engine.write(WRITTEN)
    written = TIMES_WRITTEN * WRITTEN / (time.perf_counter() - started)
    numbers = (engine.loss(test.rows("tokens", range(HELD_OUT))), steps * BATCH_SIZE * LENGTH / spent, written)
    return {**dict(zip(NUMBERS, numbers)), "parameters": engine.parameters}


def rate_after(share):
    """The learning rate after that share of the time."""
    if share < 0.05:
        return LARGEST_RATE * (share + 0.002) / 0.052
    return LARGEST_RATE * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * (share - 0.05) / 0.95)))


def race(peer, seed, minutes):
    """Ours and a peer at the same time: {way: what `learn` returns}."""
    cores = sorted(os.sched_getaffinity(0))
    halves = cores[: len(cores) // 2] or cores, cores[len(cores) // 2 :]
    ways = ("ours", peer) if seed % 2 else (peer, "ours")
    children = {
        way: subprocess.Popen(
            [sys.executable, __file__, "--minutes", str(minutes), "--child", way, str(seed), ",".join(map(str, half))],
            stdout=subprocess.PIPE,
            text=True,
        )
        for way, half in zip(ways, halves)
    }
    found = {way: json.loads(child.communicate()[0].splitlines()[-1]) for way, child in sorted(children.items())}
    assert found["ours"]["parameters"] == found[peer]["parameters"], found
    return found


def table(peer, runs):
    """Medians over seeds, as lines of text: list of str."""
    lines = [f"{'':28}{'ours':>10}{peer:>10}{'ours / it':>11}{'difference':>12}   (median over {len(runs)} seeds)"]
    for name in NUMBERS:
        pairs = [(run["ours"][name], run[peer][name]) for run in runs]
        ours, other = (statistics.median(values) for values in zip(*pairs))
        quotient = statistics.median(a / b for a, b in pairs)
        difference = statistics.median(a - b for a, b in pairs)
        lines.append(f"{name:28}{ours:10,.3f}{other:10,.3f}{quotient:11.2f}{difference:+12.3f}")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="how many (default: 3)")
    parser.add_argument("--minutes", type=float, default=3, help="of training, for each (default: 3)")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS, help="PyTorch's ways (default: both)")
    parser.add_argument("--output", type=Path, help="also write the numbers as JSON")
    parser.add_argument("--child", nargs=3, metavar=("WAY", "SEED", "CORES"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        way, seed, cores = options.child
        os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
        return print(json.dumps(learn(way, int(seed), options.minutes)))
    description, results = machine.describe(), {}
    print(machine.sentence(description), flush=True)
    for peer in options.peers:
        results[peer] = [race(peer, seed, options.minutes) for seed in range(1, options.seeds + 1)]
        print("", *table(peer, results[peer]), sep="\n", flush=True)
    if options.output:
        content = {"machine": description, "minutes": options.minutes, "runs": results}
        options.output.write_text(json.dumps(content, indent=1) + "\n")
    return None


if __name__ == "__main__":
    main()
