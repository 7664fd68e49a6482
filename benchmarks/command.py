"""The command line of a race, and the race of one model after the other."""

import argparse
import json
from pathlib import Path

import machine
from cases import CASES, add_models
from line_up import POLICIES
from race import Rules

# On a GPU: seconds of all turns of an engine together, engines at a time, and seconds that one may take to begin.
SECONDS, TOGETHER, LIMIT = 0.6, 16, 180


def parser_of(description, unit):
    """A parser with what all races take; `unit` is what a turn is counted in."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_models(parser)
    parser.add_argument("--device", choices=POLICIES, default="cpu", help="where to race (default cpu)")
    parser.add_argument("--policy", nargs="+", choices=POLICIES["cpu"] + POLICIES["gpu"][1:], help="dtype policies")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="only engines with one of these words in their name")
    parser.add_argument("--rounds", type=int, help="turns of each engine (default 5, on a GPU 3)")
    parser.add_argument(f"--{unit}", type=int, dest="amount", help=f"{unit} in a turn (default: some seconds' worth)")
    parser.add_argument("--seconds", type=float, help=f"of all turns of an engine (default: on a GPU {SECONDS})")
    parser.add_argument("--together", type=int, help=f"engines alive at the same time (default: on a GPU {TOGETHER})")
    parser.add_argument("--limit", type=float, help=f"seconds to wait for an engine (default: on a GPU {LIMIT})")
    parser.add_argument("--log", type=Path, help="a folder for what the engines print")
    parser.add_argument("--output", "--json", type=Path, help="a JSON file for the results")
    return parser


def parsed(parser):
    """The arguments, with what depends on the device filled in."""
    arguments = parser.parse_args()
    on_gpu = arguments.device == "gpu"
    arguments.policy = arguments.policy or POLICIES[arguments.device]
    if "mixed_float16" in arguments.policy and not on_gpu:
        parser.error("mixed_float16 is raced on a GPU only: add --device gpu, or take mixed_bfloat16")
    defaults = {"rounds": 3, "seconds": SECONDS, "together": TOGETHER, "limit": LIMIT} if on_gpu else {"rounds": 5}
    for name, value in defaults.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)
    arguments.models = [case.on(arguments.device) for case in arguments.models or CASES.values()]
    return arguments


def rules(arguments, amount):
    """`Rules` for turns of that amount, if none is asked for."""
    chosen = {name: getattr(arguments, name) for name in ("rounds", "seconds", "limit", "log")}
    together = {} if arguments.together is None else {"together": arguments.together, "alive": arguments.together}
    return Rules(amount=arguments.amount or amount, **chosen, **together)


def race_all(arguments, line_up, race, table, parser):
    """Races each model, prints its table and writes what has been found so far.

    Args:
        arguments: as `parsed` returns them.
        line_up: function of a case that returns its entries.
        race: function of (case, entries) that returns results.
        table: function of (case, results) that returns lines of text.
        parser: for the refusal of `--only` that leaves none.
    """
    description = machine.describe()
    print(machine.sentence(description), flush=True)
    results = {}
    for case in arguments.models:
        racing = [entry for entry in line_up(case) if _is_named(entry, arguments.only)]
        if not racing:
            parser.error(f"no engine on a {arguments.device} has {' or '.join(arguments.only)} in its name")
        results[case.name] = race(case, racing)
        print("", *table(case, results[case.name]), sep="\n", flush=True)
        if arguments.output:
            content = {"machine": description, "rounds": arguments.rounds, "models": results}
            arguments.output.write_text(json.dumps(content, indent=1) + "\n")


def _is_named(entry, words):
    return words is None or bool(set(words) & set(str(entry).split()))
