"""Quality at equal cost: the FCD after some minutes of training, ours against the book's way.

    python benchmarks/equal_cost.py                         all of it: three seeds, three models, 5 minutes each
    python benchmarks/equal_cost.py dcgan --seeds 1

Both train the same layers on Fashion-MNIST at 32x32, at the same time, each on one half of the processor's cores, so
that whatever else the machine does hits both alike; the halves change hands with every seed.  *ours* is the chapter's
preset `cpu`: its optimizers, batches, label noise, dropout, average of the generator, steps of the critic; only the
WGAN-GP enlarges images as the book does, by transposed convolutions.  *book* has the book's settings (but soft labels
within [0, 1]), in the plain `train_step` of `engines/plain_steps`.  The clock counts training alone, after a first step
that compiles.  FCD: 5,000 samples against 5,000 held-out images.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

# Real images in one step of the judge, or of the autoencoder.
BATCH_SIZES = {
    "vae": {"ours": 100, "book": 100},
    "dcgan": {"ours": 64, "book": 128},
    "wgan_gp": {"ours": 64, "book": 64},
}
MODELS = tuple(BATCH_SIZES)
SAMPLES = 5000
STEPS_BETWEEN_LOOKS_AT_THE_CLOCK = 10


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(MODELS)}; all by default")
    parser.add_argument("--seeds", type=int, default=3, help="how many (default: 3)")
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 2, 5], help="when to look (default: 1 2 5)")
    parser.add_argument("--output", type=Path, help="also write the numbers as JSON")
    parser.add_argument("--child", nargs=4, metavar=("MODEL", "WAY", "SEED", "CORES"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        model, way, seed, cores = options.child
        os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
        return print(json.dumps(train(model, way, int(seed), options.minutes)))
    if unknown := set(options.models) - set(MODELS):
        parser.error(f"no such model: {', '.join(sorted(unknown))}")
    results = {}
    for model in options.models or MODELS:
        for seed in range(1, options.seeds + 1):
            for way, distances in race(model, seed, options.minutes).items():
                results.setdefault(model, {}).setdefault(way, []).append(distances)
                print(f"{model}, seed {seed}, {way}: {' '.join(f'{d:.1f}' for d in distances)}", flush=True)
    print_table(results, options.minutes)
    if options.output:
        options.output.write_text(json.dumps({"minutes": options.minutes, "fcd": results}, indent=1) + "\n")
    return None


def race(model, seed, minutes):
    """Both ways at the same time: {way: [FCD at each time]}."""
    cores = sorted(os.sched_getaffinity(0))
    halves = cores[: len(cores) // 2] or cores, cores[len(cores) // 2 :]
    ways = ("ours", "book") if seed % 2 else ("book", "ours")
    times = ["--minutes", *map(str, minutes)]
    children = {
        way: subprocess.Popen(
            [sys.executable, __file__, *times, "--child", model, way, str(seed), ",".join(map(str, half))],
            stdout=subprocess.PIPE,
            text=True,
        )
        for way, half in zip(ways, halves)
    }
    return {way: json.loads(child.communicate()[0].splitlines()[-1]) for way, child in sorted(children.items())}


def train(model_name, way, seed, minutes):
    """Trains one model; returns its FCD after each time."""
    from gdl_keras.backend import start_tensorflow

    start_tensorflow()
    import keras

    from gdl_keras import data
    from gdl_keras.metrics import JudgeExtractor, frechet_distance, moments

    keras.utils.set_random_seed(seed)
    batch_size = BATCH_SIZES[model_name][way]
    images = data.load("fashion", "train", image_size=32, batch_size=batch_size, seed=seed)
    judge = JudgeExtractor("fashion")
    held_out = moments(data.load("fashion", "test", image_size=32).images(slice(SAMPLES)), judge)
    model, generate = (ours if way == "ours" else book)(model_name, images.image_shape, seed)
    model.make_train_function()
    batches = iter(images.batches())
    model.train_function(batches)
    spent, distances = 0.0, []
    for limit in minutes:
        while spent < 60 * limit:
            started = time.perf_counter()
            for _ in range(STEPS_BETWEEN_LOOKS_AT_THE_CLOCK):
                logs = model.train_function(batches)
            _ = {name: float(value) for name, value in logs.items()}  # waits for the last step
            spent += time.perf_counter() - started
        distances.append(frechet_distance(held_out, moments(generate(SAMPLES), judge)))
    return distances


def ours(name, image_shape, seed):
    """The preset `cpu` of the model's chapter: (model, function of n that generates)."""
    from keras.optimizers import Adam

    from gdl_keras.models import dcgan, vae, wgan_gp

    encoder, decoder, generator, judge = networks(name, image_shape, dropout=0.0 if name == "wgan_gp" else 0.3)
    if name == "vae":
        model = vae.VAE(encoder, decoder, seed=seed)
        model.compile(Adam(2e-3))
    elif name == "dcgan":
        model = dcgan.DCGAN(generator, judge, ema_decay=0.995, seed=seed)
        model.compile(Adam(1e-3, 0.0), Adam(1e-3, 0.0))
    else:
        model = wgan_gp.WGANGP(generator, judge, critic_steps=1, ema_decay=0.995, seed=seed)
        model.compile(Adam(1e-3, 0.0, 0.9), Adam(5e-4, 0.0, 0.9))
    return model, lambda n: model.generate(n, seed=seed)


def book(name, image_shape, seed):
    """The book's settings in plain Keras, on the same networks: (model, function of n that generates)."""
    import keras
    import numpy as np
    from engines import plain_steps
    from keras.optimizers import Adam

    encoder, decoder, generator, judge = networks(name, image_shape)
    if name == "vae":
        decoder = keras.Model(decoder.input, keras.layers.Activation("sigmoid")(decoder.output))
        model = plain_steps.VAE(encoder, decoder)
        model.compile(optimizer=Adam(5e-4))
    elif name == "dcgan":
        judge = keras.Model(judge.input, keras.layers.Activation("sigmoid")(judge.output))
        model = plain_steps.GAN(generator, judge, generator.input_shape[-1])
        model.compile(Adam(2e-4, 0.5), Adam(2e-4, 0.5))
    else:
        # The book measures slopes on images in [-1, 1]; these networks see them in [0, 1], half as long.
        model = plain_steps.WGANGP(generator, judge, generator.input_shape[-1], 3, unit=0.5)
        model.compile(Adam(2e-4, 0.5, 0.9), Adam(2e-4, 0.5, 0.9))
    network = decoder or generator
    points = np.random.default_rng(seed).standard_normal((SAMPLES, network.input_shape[-1])).astype("float32")
    return model, lambda n: network.predict(points[:n], batch_size=250, verbose=0)


def networks(name, image_shape, dropout=0.3):
    """(encoder, decoder, generator, judge); None for what a model does not have."""
    from gdl_keras.models import build_decoder, build_variational_encoder, dcgan, wgan_gp

    if name == "vae":
        return build_variational_encoder(image_shape, 2), build_decoder(image_shape, 2), None, None
    filters = (128, 64, 32)
    if name == "dcgan":
        judge = dcgan.build_discriminator(image_shape, filters[::-1], dropout)
        return None, None, dcgan.build_generator(image_shape, 100, filters), judge
    critic = wgan_gp.build_critic(image_shape, filters[::-1], dropout)
    return None, None, wgan_gp.build_generator(image_shape, 128, filters), critic


def print_table(results, minutes):
    """The medians over seeds, and how they compare."""
    print(f"\n{'model':10} {'minutes':>8} {'ours':>8} {'book':>8} {'ours / book':>12}   (median over seeds)")
    for model, ways in results.items():
        for index, limit in enumerate(minutes):
            first, second = (statistics.median(run[index] for run in ways[way]) for way in ("ours", "book"))
            print(f"{model:10} {limit:8g} {first:8.1f} {second:8.1f} {first / second:12.2f}")


if __name__ == "__main__":
    main()
