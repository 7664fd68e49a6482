"""How near flows come to a known density: the chapters' programs, seed after seed, on thin two moons.

    python benchmarks/flows.py                              both flows, three seeds each
    python benchmarks/flows.py realnvp --seeds 1
    python benchmarks/flows.py realnvp -- --preset book     further flags are the program's own

Each run is a chapter's program as it is, with its preset `cpu`, pictures and comparisons included; the clock is
processor time, user and system, of the whole program.  What is measured is the divergence, the mean over the same
20,000 held-out points of -log p of the model minus that of the true density: how many nats it is above what nobody can
be below.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = {
    "realnvp": "chapters/06_normflow/01_realnvp/realnvp.py",
    "continuous_flow": "chapters/06_normflow/03_continuous_flow/continuous_flow.py",
}
DATASET, POINTS = "thin_moons", 20_000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(PROGRAMS)}; all by default")
    parser.add_argument("--seeds", type=int, default=3, help="how many (default: 3)")
    parser.add_argument("--output", type=Path, help="also write the numbers as JSON")
    own, flags = split_at_dashes(sys.argv[1:])
    options = parser.parse_args(own)
    if unknown := set(options.models) - set(PROGRAMS):
        parser.error(f"no such model: {', '.join(sorted(unknown))}")
    results = {}
    for model in options.models or PROGRAMS:
        for seed in range(1, options.seeds + 1):
            result = measured(PROGRAMS[model], seed, flags)
            results.setdefault(model, []).append(result)
            print(
                f"{model}, seed {seed}: {result['nats']:.4f} nats, divergence {result['divergence']:.4f} ± "
                f"{result['standard_error']:.4f}, {result['cpu_seconds']:.0f} s of processor time",
                flush=True,
            )
        mean = statistics.mean(result["divergence"] for result in results[model])
        print(f"{model}: mean divergence {mean:.4f} (the truth has {result['nats'] - result['divergence']:.4f} nats)")
    if options.output:
        options.output.write_text(json.dumps(results, indent=1) + "\n")


def measured(program, seed, flags=()):
    """One run of a chapter's program, and how good its model is: {name: number}."""
    with tempfile.TemporaryDirectory() as folder:
        before = cpu_seconds()
        command = [sys.executable, program, "--dataset", DATASET, "--seed", str(seed), "--out", f"{folder}/run", *flags]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr or done.stdout)
        return {"cpu_seconds": cpu_seconds() - before, **divergence_of(Path(folder) / "run")}


def cpu_seconds():
    """What finished child processes have taken, user and system."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def divergence_of(run):
    """The mean of -log p on held-out points, and how far that is above the true density's."""
    from gdl_keras import data, load
    from gdl_keras.models import ContinuousFlow

    test = data.load(DATASET, "test", count=POINTS)
    points = test.rows("points", slice(None))
    model = load(run)
    if isinstance(model, ContinuousFlow):
        model.method = "adaptive"  # the flow itself, not what the few steps of its training make of it
    nats = model.negative_log_likelihood(points)
    above = nats + test.log_density(points)
    return {
        "nats": float(nats.mean()),
        "divergence": float(above.mean()),
        "standard_error": float(above.std() / len(above) ** 0.5),
    }


def split_at_dashes(words):
    """(the words before --, those behind it)."""
    place = words.index("--") if "--" in words else len(words)
    return words[:place], words[place + 1 :]


if __name__ == "__main__":
    main()
