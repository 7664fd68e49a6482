"""Training speed, side by side: this project, a plain Keras port, PyTorch at its best.

    python benchmarks/training_steps.py dcgan wgan_gp --rounds 5 --output results.json
    python benchmarks/training_steps.py dcgan --device gpu --json results.json --log logs
    python benchmarks/training_steps.py --check          # do the engines do the same work?

Every engine trains the same architecture on the same batches (of noise, in memory), in a process of its own; they take
turns, one at a time.  Printed are real images a second: the median over the rounds, and the slowest and quickest.
Where a model takes several steps of a critic, each with real images of its own, all of these count.

    ours      the model of `gdl_keras` by its own `train_step`, through the function that `fit` calls for each step;
              without callbacks.  "single": one thread for each operation.  "xla", "no_xla": jit_compile, or not.
              "ten": ten steps per execution.  "graphs": on a GPU XLA runs a block of steps as one CUDA graph.
              "fed": a GPU gets each batch from the processor's memory; otherwise it has the data, and takes many steps
              a call, as `fit` does.
    plain     the book's step in plain Keras, as `engines/plain_steps.py` has it.  "single": as of ours.
    pytorch   eager PyTorch with the settings in `engines/pytorch.py`.  "compiled": its networks by torch.compile.
              "captured": on a GPU, a whole step as one CUDA graph.  "stock": with nn.Dropout, nn.LeakyReLU and
              nn.Conv2d in place of quicker ones.  "blocks": with the convolutions of `gdl_keras.layers` written for it.

On a GPU all data lie in its memory, a turn ends when the GPU has done its work, and all engines of a model start and
compile at the same time, before the first turn; one that fails says why, and the others go on.

"of peak" is the share of this machine's speed for products of 4096x4096 float32 matrices, the faster of TensorFlow's
and PyTorch's, measured in every round; the work that counts is described in `work.py`.  The ratios are medians over
rounds of one round's speeds.
"""

import command
from line_up import entries
from race import race
from results import ratios, rows, speeds

FURTHER = {
    "xla": "ours with jit_compile, too",
    "no_xla": "ours without jit_compile, too",
    "ten": "ours with ten steps per execution, too",
    "fed": "ours with batches from the processor's memory, too",
    "graphs": "ours with XLA's loops as CUDA graphs, too",
    "stock": "PyTorch with its own layers only, too",
    "blocks": "PyTorch with our convolutions, too",
}
# In a turn on a GPU, as often as there is time: enough to compile, capture and try out all.
STEPS_ON_GPU = 20


def measure(case, racing, rules):
    """Results of one model: {"steps": n, "engines": {name: ...}, "ratios": {...}, "peak": operations a second}."""
    racers, peak = race(racing, case, "train", rules)
    # PyTorch's steps need what ours need; where ours do not run, the work stays unknown.
    needed = max((r.description.get("work") or 0 for r in racers if r.entry.engine == "ours"), default=0)
    engines = speeds(racers, case.images_per_step)
    for racer in racers:
        engine = engines[str(racer.entry)]
        if not racer.error:
            engine["operations_per_image"] = work = racer.description["work"] or needed
            engine["share_of_peak"] = engine["images_per_second"] * work / peak
    return {"steps": rules.amount, "engines": engines, "ratios": ratios(racers), "peak": peak}


def table(case, result):
    """The results of one model as lines of text."""
    yield f"{case.name}, {'x'.join(map(str, case.image_shape))}, batches of {case.batch_size}"
    yield from rows(
        result,
        f"{'MFLOP/image':>13}{'of peak':>9}",
        lambda engine: (
            f"{engine['operations_per_image'] / 1e6:13,.1f}{engine['share_of_peak']:9.0%}"
            if engine["operations_per_image"]
            else f"{'not counted':>22}"
        ),
    )
    yield f"  peak {result['peak'] / 1e9:,.0f} GFLOP/s"


def main():
    parser = command.parser_of(__doc__, "steps")
    for name, text in FURTHER.items():
        parser.add_argument(f"--{name}", action="store_true", help=text)
    parser.add_argument("--check", action="store_true", help="compare the engines' work and numbers, not their speed")
    arguments = command.parsed(parser)
    if arguments.check:
        from equality import check

        check(arguments.models)
        return
    further = [name for name in FURTHER if getattr(arguments, name)]

    def compared(case, racing):
        steps = STEPS_ON_GPU if case.device == "gpu" else case.steps
        return measure(case, racing, command.rules(arguments, steps))

    command.race_all(arguments, lambda case: entries(case, arguments.policy, further), compared, table, parser)


if __name__ == "__main__":
    main()
