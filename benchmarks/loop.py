"""What `fit` costs beside the steps: a run's loop, callbacks and progress bar against the bare training function.

    python benchmarks/loop.py dcgan vae --steps 400
    python benchmarks/loop.py dcgan --device gpu

Both train the same model on the same data, in turns.  "bare" calls the function that takes the steps, and nothing else;
"fit" is `model.fit` with the callbacks of a run: a look at every number for divergence, history, checkpoint.  Printed
are real images a second, the median of some turns, and fit's share of the bare speed: of its steps alone, as the
history has them, and of all that it does, with the checkpoint at the end of an epoch.
"""

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from cases import add_models
from engines.ours import Ours

from gdl_keras import data
from gdl_keras.models.parts import blocks
from gdl_keras.training.callbacks import LossScales, Recorder, StopOnDivergence

EXAMPLES = 20_000


def table_of(case):
    """Random bytes, as a data set of images is stored."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (EXAMPLES, *case.image_shape), dtype="uint8")
    labels = generator.integers(0, case.num_classes or 2, EXAMPLES)
    return data.from_arrays(images=images, labels=labels, batch_size=case.batch_size)


def bare(model, table, steps):
    """Seconds of so many steps by the function that `fit` calls, on the stream that it gets."""
    if blocks.lies_on_device(model, table):
        stream, calls = model.in_blocks(table, steps, model.batches_per_step, 0), -(-steps // blocks.STEPS)
    else:
        options = {"steps_per_epoch": steps}
        stream, calls = model._endless(table, options), steps
    model.make_train_function()
    batches = iter(stream)
    start = time.perf_counter()
    for _ in range(calls):
        model.train_function(batches)
    np.asarray(model.trainable_variables[-1])
    taken = time.perf_counter() - start
    model.leave_blocks()
    return taken


def fitted(model, table, steps, folder):
    """Seconds of the same steps by `fit` with a run's callbacks: (of the steps, of all)."""
    history = []
    callbacks = [StopOnDivergence(), LossScales(), Recorder(folder, history)]
    start = time.perf_counter()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        model.fit(table, steps_per_epoch=steps, callbacks=callbacks, verbose=1)
    return history[-1]["seconds"], time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_models(parser)
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu", help="where (default cpu)")
    parser.add_argument("--policy", default="float32", help="dtype policy (default float32)")
    parser.add_argument("--steps", type=int, default=400, help="steps in a turn (default 400)")
    parser.add_argument("--turns", type=int, default=3, help="turns that count (default 3)")
    arguments = parser.parse_args()
    for case in arguments.models:
        case = case.on(arguments.device)
        keras.config.set_dtype_policy(arguments.policy)
        model, table = Ours(case, arguments.policy).model, table_of(case)
        turns = []
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(arguments.turns + 1):  # the first one compiles
                turns.append(
                    (bare(model, table, arguments.steps), *fitted(model, table, arguments.steps, Path(folder)))
                )
        seconds = [statistics.median(column) for column in zip(*turns[1:])]
        images = arguments.steps * case.images_per_step
        speeds = ", ".join(
            f"{name} {images / s:,.0f}" for name, s in zip(("bare", "fit's steps", "all of fit"), seconds)
        )
        shares = " and ".join(f"{seconds[0] / s:.2f}" for s in seconds[1:])
        print(f"{case.name} {arguments.policy}: {speeds} images/s; fit is at {shares} of the bare speed", flush=True)


if __name__ == "__main__":
    main()
