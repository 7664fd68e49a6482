"""Sampling speed, side by side: `generate` of this project, `predict` of a plain Keras port, PyTorch at its best.

    python benchmarks/sampling.py dcgan vae --rounds 5 --output results.json

Engines and turns as in `training_steps.py`.  A sample counts from the drawing of its latent point to a float32 array in
[0, 1]; ours and the plain port decode 256 points at a time.  The networks are those that training begins with: speed
does not depend on what they have learnt.
"""

import argparse
import json
from pathlib import Path

import machine
from cases import CASES, add_models
from race import race
from results import ratios, rows, speeds
from training_steps import entries


def measure(case, racing, rounds, samples=None):
    """Results of one model: {"samples": n, "engines": {name: ...}, "ratios": {...}}."""
    samples = samples or case.samples
    racers, _ = race(racing, case, "sample", samples, rounds)
    return {"samples": samples, "engines": speeds(racers, samples), "ratios": ratios(racers)}


def table(case, result):
    """The results of one model as lines of text."""
    yield f"{case.name}, {'x'.join(map(str, case.image_shape))}, {result['samples']} samples"
    yield from rows(result)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_models(parser)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each engine (default 5)")
    parser.add_argument("--samples", type=int, help="images in a turn (default: some seconds' worth)")
    parser.add_argument("--policy", nargs="+", default=["float32", "mixed_bfloat16"], help="dtype policies")
    parser.add_argument("--output", type=Path, help="a JSON file for the results")
    arguments = parser.parse_args()
    description = machine.describe()
    print(machine.sentence(description), flush=True)
    results = {}
    for case in arguments.models or CASES.values():
        results[case.name] = measure(case, entries(case, arguments.policy), arguments.rounds, arguments.samples)
        print("", *table(case, results[case.name]), sep="\n", flush=True)
        if arguments.output:
            content = {"machine": description, "rounds": arguments.rounds, "models": results}
            arguments.output.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
