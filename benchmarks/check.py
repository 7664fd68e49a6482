"""Has training or sampling become slower?  Ratios to peers, now against stored ones.

    python benchmarks/check.py --write      # measures and stores benchmarks/ratios.json
    python benchmarks/check.py --quick      # compares a few models; exit code 1 where a ratio fell by more than 20 %

What is stored is how many times as fast this project was as PyTorch and as a plain Keras port, measured side by side,
never a time: a slower or busier machine slows all of them.
"""

import argparse
import json
import sys
from pathlib import Path

import machine
import sampling
import training_steps
from cases import CASES, add_models

STORED = Path(__file__).with_name("ratios.json")
ALLOWED_FALL = 0.2
QUICK = ("autoencoder", "gan", "cgan")


def measure(cases, rounds):
    """{"training autoencoder, float32 over pytorch": ratio, ...}"""
    found = {}
    for task, module in {"training": training_steps, "sampling": sampling}.items():
        for case in cases:
            racing = training_steps.entries(case, ["float32", "mixed_bfloat16"])
            result = module.measure(case, racing, rounds)
            found |= {f"{task} {case.name}, {name}": ratio for name, (ratio, _) in result["ratios"].items()}
            print("", task, *module.table(case, result), sep="\n", flush=True)
    return found


def fallen(now, before):
    """What fell by more than is allowed: {name: (now, before)}; only what was measured both times."""
    common = now.keys() & before.keys()
    return {name: (now[name], before[name]) for name in common if now[name] < (1 - ALLOWED_FALL) * before[name]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_models(parser)
    parser.add_argument("--write", action="store_true", help="store what is measured now")
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}, and fewer rounds")
    parser.add_argument("--rounds", type=int, help="turns of each engine (default 5, with --quick 3)")
    arguments = parser.parse_args()
    cases = arguments.models or [CASES[name] for name in (QUICK if arguments.quick else CASES)]
    rounds = arguments.rounds or (3 if arguments.quick else 5)
    if not arguments.write and not STORED.exists():
        print(f"There are no stored ratios to compare with: run python {sys.argv[0]} --write first.")
        return 2
    stored = json.loads(STORED.read_text()) if STORED.exists() else {"ratios": {}}
    now = measure(cases, rounds)
    if arguments.write:
        content = {"machine": machine.describe(), "ratios": {**stored["ratios"], **now}}
        STORED.write_text(json.dumps(content, indent=1) + "\n")
        return 0
    slower = fallen(now, stored["ratios"])
    for name, (ratio, before) in sorted(slower.items()):
        print(f"slower: {name} was {before:.2f} and is {ratio:.2f}")
    if not now.keys() & stored["ratios"].keys():
        print("None of this was stored: run with --write first.")
        return 2
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
