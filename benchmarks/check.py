"""Has training or sampling become slower?  Ratios to peers, now against stored ones.

    python benchmarks/check.py --write      # measures all engines and stores benchmarks/ratios.json
    python benchmarks/check.py              # compares those that were the quickest then
    python benchmarks/check.py --quick      # compares a few models; exit code 1 where a ratio fell by more than 20 %,
                                            # or an engine that ran does not run any more

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
from line_up import POLICIES, entries
from race import Rules

STORED = Path(__file__).with_name("ratios.json")
ALLOWED_FALL = 0.2
# Turns of the autoencoders differ too much among themselves.
QUICK = ("dcgan", "cgan", "gan", "realnvp", "diffusion")
# A step of it takes seconds on a processor; `training_steps.py` races it on a GPU.
LEFT_OUT = ("book_diffusion",)
SHORTER = 4  # turns than those of the races themselves; samples remain whole batches


def measure(case, rounds, racing=None):
    """Ratios of one model, and prints the speeds.

    Args:
        case: `Case`.
        rounds: int.
        racing: {"training": names of engines, "sampling": ...}, or None for all of them.

    Returns:
        ({"training, float32 over pytorch": ratio, ...}, {"training": names of the engines in these ratios, ...}).
    """
    found, quickest = {}, {}
    for task, module, amount in (("training", training_steps, case.steps), ("sampling", sampling, case.samples)):
        chosen = [entry for entry in entries(case, POLICIES["cpu"]) if not racing or str(entry) in racing[task]]
        rules = Rules(rounds, max(1, amount // SHORTER), together=2)
        result = module.measure(case, chosen, rules)
        found |= {f"{task}, {name}": ratio for name, (ratio, *_) in result["ratios"].items()}
        quickest[task] = sorted({name for _, *names in result["ratios"].values() for name in names})
        print("", task, *module.table(case, result), sep="\n", flush=True)
    return found, quickest


def fallen(now, before):
    """Ratios of one model that fell by more than is allowed, or could not be measured any more.

    Args:
        now, before: {name: ratio}.

    Returns:
        list of str, a sentence for each.
    """
    lost = [f"{name} was {ratio:.2f}, and an engine does not run" for name, ratio in before.items() if name not in now]
    common = before.keys() & now.keys()
    lower = sorted(name for name in common if now[name] < (1 - ALLOWED_FALL) * before[name])
    return lost + [f"{name} was {before[name]:.2f} and is {now[name]:.2f}" for name in lower]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_models(parser)
    parser.add_argument("--write", action="store_true", help="store what is measured now")
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each engine (default 3)")
    arguments = parser.parse_args()
    cases = arguments.models or [CASES[name] for name in (QUICK if arguments.quick else CASES) if name not in LEFT_OUT]
    stored = json.loads(STORED.read_text()) if STORED.exists() else {}
    unknown = [case.name for case in cases if case.name not in stored]
    if unknown and not arguments.write:
        print(f"Nothing is stored of {', '.join(unknown)}: run python {sys.argv[0]} {' '.join(unknown)} --write first.")
        return 2
    slower = []
    for case in cases:
        now, quickest = measure(case, arguments.rounds, None if arguments.write else stored[case.name].get("racing"))
        if arguments.write:
            about = {"machine": machine.describe(), "rounds": arguments.rounds}
            stored[case.name] = {**about, "ratios": now, "racing": quickest}
            STORED.write_text(json.dumps(stored, indent=1) + "\n")
        else:
            slower += [f"{case.name}: {sentence}" for sentence in fallen(now, stored[case.name]["ratios"])]
    print(*slower, sep="\n")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
