"""How long a chapter takes to its first training step, and how much memory.

    python benchmarks/start.py [CHAPTER...] [--rounds 3] [--output results.json]

Runs `gdl run CHAPTER --preset smoke` to its end, and the preset `cpu` through an epoch of three training steps, with
the page of samples and the checkpoint that end it, each in a new process.  Prints seconds from the start of that
process to the end of the first training step and to its own end, and the largest resident memory: medians over rounds.
What a first run prepares (data sets) should be there already.  For comparison: a process that imports Keras and
TensorFlow and does nothing else.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import machine

from gdl_keras.chapters import all_chapters, find_chapter

# Flags of each preset.  What follows the first epoch of `cpu` is left out: it may be many minutes of training.
PRESETS = {"smoke": [], "cpu": ["--steps-per-epoch", "3"]}
IMPORTS_ALONE = "import os; os.environ['KERAS_BACKEND'] = 'tensorflow'; import keras, tensorflow"


def run_chapter(chapter, preset, clock):
    """Runs in the measured process: `gdl run`, which notes when its first training step has ended."""
    from gdl_keras.cli import main
    from gdl_keras.training.stage import Stage

    def with_clock(stage, *arguments, **options):
        import keras

        class Clock(keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                if not clock.stat().st_size:
                    clock.write_text(str(time.time()))

            def on_epoch_end(self, epoch, logs=None):
                if preset == "cpu":
                    os._exit(0)

        return [*callbacks(stage, *arguments, **options), Clock()]

    callbacks, Stage.callbacks = Stage.callbacks, with_clock
    return main(["run", chapter, "--preset", preset, *PRESETS[preset], "--out", "run"])


def measure(command):
    """(seconds to the end, peak memory in bytes, what the clock's file says) of one process, which gets its path."""
    with tempfile.TemporaryDirectory() as folder:
        clock = Path(folder) / "clock"
        clock.touch()
        start = time.time()
        with open(Path(folder) / "output", "w+") as output:
            process = subprocess.Popen(
                [sys.executable, *command, str(clock)], stdout=output, stderr=subprocess.STDOUT, cwd=folder
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                output.seek(0)
                raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{output.read()[-2000:]}")
        first = clock.read_text()
        scale = 1 if sys.platform == "darwin" else 1024
        return time.time() - start, usage.ru_maxrss * scale, float(first) - start if first else None


def medians(command, rounds):
    """{"end": seconds, "memory": bytes, "first_step": seconds} over rounds."""
    ends, memories, firsts = zip(*(measure(command) for _ in range(rounds)))
    result = {"end": statistics.median(ends), "memory": statistics.median(memories)}
    if None not in firsts:
        result["first_step"] = statistics.median(firsts)
    return result


def main():
    if sys.argv[1:2] == ["--measured"]:
        chapter, preset, clock = sys.argv[2:]
        return run_chapter(chapter, preset, Path(clock))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER", help="as in gdl list (default: all that train)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (default 3)")
    parser.add_argument("--output", type=Path, help="a JSON file for the results")
    arguments = parser.parse_args()
    if arguments.chapters:
        chapters = [find_chapter(name) for name in arguments.chapters]
    else:
        chapters = [chapter for chapter in all_chapters() if ".fit(" in chapter.program.read_text()]
    description = machine.describe()
    print(machine.sentence(description), flush=True)
    print(f"{'':42}{'first step':>12}{'end':>10}{'memory':>12}")
    jobs = {"import keras, tensorflow": ["-c", IMPORTS_ALONE]}
    for chapter in chapters:
        for preset in PRESETS:
            jobs[f"{chapter.name}, {preset}"] = [str(Path(__file__).resolve()), "--measured", chapter.name, preset]
    results = {}
    for name, command in jobs.items():
        result = results[name] = medians(command, arguments.rounds)
        first = f"{result['first_step']:.1f} s" if "first_step" in result else ""
        print(f"{name:42}{first:>12}{result['end']:8.1f} s{result['memory'] / 2**20:8,.0f} MiB", flush=True)
        if arguments.output:
            content = {"machine": description, "rounds": arguments.rounds, "runs": results}
            arguments.output.write_text(json.dumps(content, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
