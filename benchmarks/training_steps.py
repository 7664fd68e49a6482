"""Training speed, side by side: this project, a plain Keras port, PyTorch at its best.

    python benchmarks/training_steps.py dcgan wgan_gp --rounds 5 --output results.json
    python benchmarks/training_steps.py --check          # do the engines do the same work?

Every engine trains the same architecture on the same batches (of noise, in memory), in a process of its own; they take
turns, one at a time.  Printed are real images a second: the median over the rounds, and the slowest and quickest.
Where a model takes several steps of a critic, each with real images of its own, all of these count.

    ours      the model of `gdl_keras` by its own `train_step`, through the function that `fit` calls for each step;
              without callbacks.  "single": one thread for each operation.  "xla": jit_compile.  "ten": ten steps
              per execution.
    plain     the book's step in plain Keras, as `engines/plain_steps.py` has it.  "single": as of ours.
    pytorch   eager PyTorch with the settings in `engines/pytorch.py`.  "compiled": its networks by torch.compile.
              "stock": with nn.Dropout, nn.LeakyReLU and nn.Conv2d in place of quicker ones.  "blocks": with the
              convolutions of `gdl_keras.layers` written for it.

"of peak" is the share of this machine's speed for products of 4096x4096 float32 matrices, the faster of TensorFlow's
and PyTorch's, measured in every round; the work that counts is described in `work.py`.  The ratios are medians over
rounds of one round's speeds.
"""

import argparse
import json
from pathlib import Path

import machine
from cases import CASES, add_models
from engines import Entry
from race import race
from results import ratios, rows, speeds


def entries(case, policies, xla=False, ten=False, stock=False, blocks=False):
    """The engines of a race.  Where operations are small TensorFlow tries one thread, too, as PyTorch does anyway."""
    found = [Entry("plain")] + [Entry("plain", options=("single",))] * case.small
    for policy in policies:
        variants = [("ours", ()), ("pytorch", ()), ("pytorch", ("compiled",))] + [("ours", ("single",))] * case.small
        variants += [("ours", ("xla",))] * xla + [("ours", ("ten",))] * ten
        variants += [("pytorch", ("stock",))] * stock + [("pytorch", ("blocks",))] * blocks
        found += [Entry(engine, policy, options) for engine, options in variants]
    return found


def measure(case, racing, rounds, steps=None):
    """Results of one model: {"engines": {name: ...}, "ratios": {...}, "peak": operations a second}."""
    steps = steps or case.steps
    racers, peak = race(racing, case, "train", steps, rounds)
    # PyTorch's steps need what ours need; where ours do not run, the work stays unknown.
    needed = max((r.description.get("work", 0) for r in racers if r.entry.engine == "ours"), default=0)
    engines = speeds(racers, steps * case.images_per_step)
    for racer in racers:
        engine = engines[str(racer.entry)]
        if not racer.error:
            engine["operations_per_image"] = work = racer.description["work"] or needed
            engine["share_of_peak"] = engine["images_per_second"] * work / peak
    return {"steps": steps, "engines": engines, "ratios": ratios(racers), "peak": peak}


def table(case, result):
    """The results of one model as lines of text."""
    yield f"{case.name}, {'x'.join(map(str, case.image_shape))}, batches of {case.batch_size}"
    yield from rows(
        result,
        f"{'MFLOP/image':>13}{'of peak':>9}",
        lambda engine: f"{engine['operations_per_image'] / 1e6:13,.1f}{engine['share_of_peak']:9.0%}",
    )
    yield f"  peak {result['peak'] / 1e9:,.0f} GFLOP/s"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_models(parser)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each engine (default 5)")
    parser.add_argument("--steps", type=int, help="training steps in a turn (default: some seconds' worth)")
    parser.add_argument("--policy", nargs="+", default=["float32", "mixed_bfloat16"], help="dtype policies")
    parser.add_argument("--xla", action="store_true", help="ours with jit_compile, too")
    parser.add_argument("--ten", action="store_true", help="ours with ten steps per execution, too")
    parser.add_argument("--stock", action="store_true", help="PyTorch with its own layers only, too")
    parser.add_argument("--blocks", action="store_true", help="PyTorch with our convolutions, too")
    parser.add_argument("--check", action="store_true", help="compare the engines' work and numbers, not their speed")
    parser.add_argument("--output", type=Path, help="a JSON file for the results")
    arguments = parser.parse_args()
    cases = arguments.models or list(CASES.values())
    if arguments.check:
        from equality import check

        check(cases)
        return
    description = machine.describe()
    print(machine.sentence(description), flush=True)
    results = {}
    for case in cases:
        racing = entries(case, arguments.policy, arguments.xla, arguments.ten, arguments.stock, arguments.blocks)
        results[case.name] = measure(case, racing, arguments.rounds, arguments.steps)
        print("", *table(case, results[case.name]), sep="\n", flush=True)
        if arguments.output:
            content = {"machine": description, "rounds": arguments.rounds, "models": results}
            arguments.output.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
