"""How good diffusion and flow matching are after so much processor time, beside the DCGAN.

    python benchmarks/diffusion_quality.py                                  all of it
    python benchmarks/diffusion_quality.py diffusion flow_matching --seconds 0 282
    python benchmarks/diffusion_quality.py diffusion flow_matching --seconds 282 --clusters 0
    python benchmarks/diffusion_quality.py dcgan --seconds 120 282

Each has the network and the settings of its chapter's preset `cpu`, but for a rate that rises over the first 50 steps
of diffusion and flow matching, and learns Fashion-MNIST at 32x32 on one thread.  The clock is processor time, user and
system, of training alone, after a first step that compiles.  Diffusion and flow matching are trained anew for each
time, because their rate of learning falls towards its end; the DCGAN, whose rate is constant, goes on.  FCD: 5,000
samples against 5,000 held-out images, by the solver of first order in 20 steps, and by that of second order, which asks
the network as often.  The fit of the mixture in front of the network is in the time; after 0 seconds the mixture is all
there is, but for that first step.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

SOLVERS = {
    "diffusion": {"ddim, 20 steps": {"solver": "ddim", "steps": 20}, "dpm, 20 steps": {"solver": "dpm", "steps": 20}},
    "flow_matching": {
        "euler, 20 steps": {"solver": "euler", "steps": 20},
        "heun, 10 steps": {"solver": "heun", "steps": 10},
    },
    "dcgan": {"one pass": {}},
}
BATCH_SIZES = {"diffusion": 32, "flow_matching": 32, "dcgan": 64}
RATE, WARM_UP, FINAL_RATE, EMA_DECAY = 3e-3, 50, 0.01, 0.995
SAMPLES = 5000
STEPS_BETWEEN_LOOKS_AT_THE_CLOCK = 10


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(SOLVERS)}; all by default")
    parser.add_argument("--seconds", type=float, nargs="+", default=[60, 120, 282, 900], help="when to look")
    parser.add_argument("--clusters", type=int, default=200, help="normal distributions in front (default: 200)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, help="also write the numbers as JSON")
    parser.add_argument("--child", metavar="MODEL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return show(options.child, options.seconds, options.seed, options.clusters)
    if unknown := set(options.models) - set(SOLVERS):
        parser.error(f"no such model: {', '.join(sorted(unknown))}")
    results = []
    for model in options.models or SOLVERS:
        times = [options.seconds] if model == "dcgan" else [[limit] for limit in options.seconds]
        for limits in times:
            results += in_a_process_of_its_own(model, limits, options.seed, options.clusters)
    if options.output:
        options.output.write_text(json.dumps(results, indent=1) + "\n")
    return None


def in_a_process_of_its_own(model, limits, seed, clusters):
    """The rows of a child on one thread, each printed when it comes."""
    threads = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), "1")
    command = [sys.executable, __file__, "--child", model, "--seed", str(seed), "--clusters", str(clusters)]
    command += ["--seconds", *map(str, limits)]
    rows = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | threads) as child:
        for line in child.stdout:
            rows.append(json.loads(line))
            distances = ", ".join(f"{name} {distance:.2f}" for name, distance in rows[-1]["fcd"].items())
            print(f"{model}, {rows[-1]['seconds']:.0f} s, {rows[-1]['steps']} steps: {distances}", flush=True)
    if child.returncode:
        sys.exit(f"{model} failed.")
    return rows


def show(name, limits, seed, clusters):
    """Trains one model, and prints a row of JSON at each time."""
    from gdl_keras.backend import start_tensorflow

    start_tensorflow()
    import keras

    from gdl_keras import data
    from gdl_keras.metrics import JudgeExtractor, frechet_distance, moments

    keras.utils.set_random_seed(seed)
    images = data.load("fashion", "train", image_size=32, batch_size=BATCH_SIZES[name], seed=seed)
    judge = JudgeExtractor("fashion")
    held_out = moments(data.load("fashion", "test", image_size=32).images(slice(SAMPLES)), judge)
    started = time.process_time()
    model = built(name, images, seed, clusters)
    prepared = time.process_time() - started
    model.make_train_function()
    batches = iter(images.batches())
    model.train_function(batches)
    # Fitting the mixture is training, too.
    spent, steps = prepared if getattr(model, "mixture", None) else 0.0, 1
    for limit in limits:
        while spent < limit:
            if name != "dcgan":
                model.optimizer.learning_rate = rate_at(spent / limit, steps)
            started = time.process_time()
            for _ in range(STEPS_BETWEEN_LOOKS_AT_THE_CLOCK):
                logs = model.train_function(batches)
            _ = {metric: float(value) for metric, value in logs.items()}  # waits for the last step
            steps += STEPS_BETWEEN_LOOKS_AT_THE_CLOCK
            spent += time.process_time() - started
        fcd = {
            solver: frechet_distance(held_out, moments(model.generate(SAMPLES, seed=seed, **how), judge))
            for solver, how in SOLVERS[name].items()
        }
        print(json.dumps({"model": name, "seconds": spent, "steps": steps, "fcd": fcd}), flush=True)


def built(name, images, seed, clusters):
    """A compiled model with the settings of its chapter's preset `cpu`."""
    from gdl_keras.models import Diffusion, FlowMatching, NormalMixture, build_quick_unet
    from gdl_keras.optimizers import FusedAdamW

    if name == "dcgan":
        from equal_cost import ours

        return ours(name, images.image_shape, seed)[0]
    kind = Diffusion if name == "diffusion" else FlowMatching
    mixture = NormalMixture(images.image_shape, clusters) if clusters else None
    network = build_quick_unet(images.image_shape, with_guess=mixture is not None)
    model = kind(network, ema_decay=EMA_DECAY, mixture=mixture, seed=seed)
    model.adapt(images.rows("images", slice(None)))
    model.compile(FusedAdamW(RATE, weight_decay=0.0, beta_2=0.99, global_clipnorm=1.0))
    return model


def rate_at(share, steps):
    """A rate that rises for some steps, and then falls as a cosine."""
    fallen = FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
    return RATE * min(1.0, steps / WARM_UP) * fallen


if __name__ == "__main__":
    main()
