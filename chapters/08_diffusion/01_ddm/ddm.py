# ---
# jupyter:
#   jupytext:
#     formats: py:percent,ipynb
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Diffusion: out of noise, a little at a time
#
# Mix noise into an image, and ask a network what the image was.  From a little noise that is easy, from much of it
# nobody can know, and the network answers with the mean of all that may be.  Begin with noise alone, take a step
# towards the answer, ask again: at the end there is an image.
#
# There is one network, one loss, and no opponent.  What it costs is time: an image takes as many passes as steps.
#
# Book: chapter 8, "Diffusion Models".

# %%
from dataclasses import dataclass
from typing import ClassVar, Literal

from gdl_keras.training import ImageConfig, Run
from gdl_keras.training.ranges import above, at_least, between


@dataclass
class Settings(ImageConfig):
    """A diffusion model."""

    dataset: str = "fashion,fashion_mini"
    batch_size: int = 32
    epochs: int = 6
    steps_per_epoch: int | None = 500
    # One made for a processor, or the book's U-Net.
    network: Literal["quick", "book"] = "quick"
    # Normal distributions in front of the quick network, each of ten images or more; 0 for none.
    clusters: int = 200
    # How noise grows with time; the book's is offset_cosine.
    noise_schedule: Literal["lognormal", "offset_cosine", "cosine", "linear"] = "lognormal"
    # What the network is asked for; the book: noise.
    target: Literal["velocity", "noise", "image"] = "velocity"
    # The book's is absolute.
    error: Literal["squared", "absolute"] = "squared"
    # Whether errors of images with more noise count less.
    weighting: Literal["none", "min_snr"] = "none"
    # Whether each time of a batch is drawn for itself, or all levels are in every batch.
    times: Literal["stratified", "uniform"] = "stratified"
    # Tell the network which class an image is of.
    conditional: bool = False
    # Of a conditional model: above 1 images are more of their class.
    guidance: float = 1.0
    # Steps from noise to an image.
    steps: int = 20
    # What the average of the weights keeps of itself in a step.
    ema_decay: float = 0.995
    # Adam's rate.
    learning_rate: float = 3e-3
    # Steps in which the rate rises from 0, while Adam learns how large gradients are.
    warm_up: int = 50
    # How slowly Adam forgets the sizes of gradients.
    beta_2: float = 0.99
    # The longest gradient, over all weights; longer ones are made as long.
    clip: float | None = 1.0
    # How fast weights that nothing holds shrink.
    weight_decay: float = 0.0
    # What the rate has fallen to at the end, as a share of itself; 1 for a constant one.
    final_rate: float = 0.01

    ranges: ClassVar = {
        "guidance": at_least(0),
        "steps": at_least(1),
        "clusters": at_least(0),
        "ema_decay": between(0, 0.99999),
        "learning_rate": above(0),
        "warm_up": at_least(0),
        "beta_2": between(0, 0.99999),
        "clip": above(0),
        "weight_decay": at_least(0),
        "final_rate": between(0, 1),
    }


run = Run.start(
    Settings,
    chapter="08_diffusion/01_ddm",
    presets={
        "book": {
            "dataset": "flowers",
            "image_size": 64,
            "batch_size": 64,
            "epochs": 50,
            "steps_per_epoch": 639,
            "network": "book",
            "noise_schedule": "offset_cosine",
            "target": "noise",
            "error": "absolute",
            "times": "uniform",
            "ema_decay": 0.999,
            "learning_rate": 1e-3,
            "warm_up": 0,
            "beta_2": 0.999,
            "clip": None,
            "weight_decay": 1e-4,
            "final_rate": 1.0,
        },
        "smoke": {
            "dataset": "fashion_mini",
            "image_size": 8,
            "epochs": 1,
            "steps_per_epoch": 2,
            "batch_size": 16,
            "clusters": 3,
            "steps": 3,
            "warm_up": 1,
        },
    },
)

# %% [markdown]
# ## The data
# Inside the model images are standardised: each pixel's mean is taken away, and one number scales them all, so that
# images and noise are of a size.

# %%
import numpy as np
import tensorflow as tf
from keras.optimizers.schedules import CosineDecay

from gdl_keras import plotting
from gdl_keras.models import Diffusion, NormalMixture, build_quick_unet, build_unet
from gdl_keras.optimizers import FusedAdamW
from gdl_keras.samplers.denoising import SCHEDULES, ddim_step, sample

train, test = run.load("train"), run.load("test")
if run.conditional:
    train, test = train.with_labels(), test.with_labels()
num_classes = len(train.class_names) if run.conditional else None

# %% [markdown]
# ## How noise grows
# A noisy image is a mixture, `signal * image + noise * epsilon`, whose shares change with time so that the sum of their
# squares stays 1.  DDPM's linear schedule spends much of its time where hardly anything is left of the image; the
# cosine gets there more evenly; the book's begins and ends a little inside.  The log-normal one is made for training
# alone: it dwells at the levels between, where there is most to be learnt.

# %%
times = np.linspace(0.01, 0.99, 99, dtype="float32")
shares = {}
for name, schedule in SCHEDULES.items():
    signal, noise = schedule(tf.constant(times))
    shares[name] = {"time": times, "signal": np.asarray(signal), "noise": np.asarray(noise)}
run.show("schedules", plotting.paths(shares, "time", {"signal": "share of the image", "noise": "share of the noise"}))

image, epsilon = test.sample(1)[0] * 2 - 1, np.random.default_rng(run.seed).normal(size=train.image_shape)
strips = {}
for name in SCHEDULES:
    chosen = [(shares[name]["signal"][at], shares[name]["noise"][at]) for at in range(4, 99, 10)]
    strips[name] = np.clip((np.stack([s * image + n * epsilon for s, n in chosen]) + 1) / 2, 0, 1)
run.show("noising", plotting.rows(strips))

# %% [markdown]
# ## The network
# A U-Net: it halves the image a few times, looks at it at each size, and doubles it again; on the way up it sees once
# more what was there on the way down.  How much noise there is, it is told by sines and cosines of many frequencies.
# In the book's network these are further channels of the image; in the quick one they scale and shift the features of
# every block.  The picture shows them: each row is a level of noise.
#
# What normal distributions can say of images need not be learnt step by step.  The images are put into clusters, each
# with its mean and the directions in which it varies; what such a mixture makes of a noisy image is a formula.  The
# quick network is shown the answer, and learns what is missing in it.

# %%
mixture = None
if run.network == "book":
    network = build_unet(train.image_shape, num_classes=num_classes)
else:
    if clusters := min(run.clusters, len(train) // 10):
        mixture = NormalMixture(train.image_shape, clusters)
    network = build_quick_unet(train.image_shape, num_classes=num_classes, with_guess=mixture is not None)
model = Diffusion(
    network,
    schedule=run.noise_schedule,
    target=run.target,
    error=run.error,
    weighting=run.weighting,
    times=run.times,
    num_classes=num_classes,
    ema_decay=run.ema_decay,
    steps=run.steps,
    mixture=mixture,
    seed=run.seed,
)
model.adapt(train.rows("images", slice(None)))
network.summary()
plotting.show_source(build_quick_unet if run.network == "quick" else build_unet)

embedding = next(layer for layer in network.layers if "embedding" in layer.name)
seen = np.asarray(embedding(tf.constant(np.linspace(0.01, 0.99, 64, dtype="float32")))).repeat(2, axis=1)
run.show("embedding", plotting.panels({"a row is a level of noise": (seen[..., None] + 1) / 2}))

# %% [markdown]
# ## Before any training
# The network says nothing yet.  With a mixture in front of it, these are images of normal distributions: they have the
# shapes of garments, and noise for surfaces.

# %%
asked = model.conditions.in_turn(20, each=2)
run.show("untrained", plotting.grid(model.generate(20, seed=run.seed, **asked), columns=10))

# %% [markdown]
# ## Training
# Each image of a batch gets a level of noise of its own.  An average of the weights over the last steps makes the
# samples: it is quieter than the weights themselves.

# %%
falling = max(1, run.planned_steps(train) - run.warm_up)
first, then = (0.0, run.learning_rate) if run.warm_up else (run.learning_rate, None)
rate = CosineDecay(first, falling, alpha=run.final_rate, warmup_target=then, warmup_steps=run.warm_up)
optimizer = FusedAdamW(rate, beta_2=run.beta_2, weight_decay=run.weight_decay, global_clipnorm=run.clip)
model.compile(optimizer, **run.execution())
plotting.show_source(Diffusion.losses_of, Diffusion.train_step)

# %%
model.fit(train, validation_data=test, **run.schedule())

# %%
what = f"{run.error} error of the {run.target}" + ", weighted" * (run.weighting != "none")
run.show("losses", plotting.curves(run.history, ["loss"], y_label=what))

# %% [markdown]
# ## Where it is hard
# The loss is a mean over levels of noise, and hides that they are different tasks.  With next to no noise the velocity
# is the noise itself, which cannot be seen; with hardly any image left, it is the image.  Between them there is most to
# be known.

# %%
held_out = test.sample(200)
labels = test.sample(200, column="labels") if run.conditional else None
levels = np.linspace(0.03, 0.97, 15)
ratios = [float(n / s) for s, n in (SCHEDULES[run.noise_schedule](tf.constant(t, "float32")) for t in levels)]
losses = [model.losses_at(held_out, level, labels).mean() for level in levels]
run.show("levels", plotting.lines(ratios, {"held out": losses}, x_label="noise / signal", y_label=what))

# %% [markdown]
# ## New images
# A step of DDIM: see the image, and the noise, and mix them anew with less noise.

# %%
plotting.show_source(sample, ddim_step)
asked = model.conditions.in_turn(40, each=4)
run.show("generated", plotting.grid(model.generate(40, seed=run.seed, guidance=run.guidance, **asked), columns=10))

# %% [markdown]
# ## The same noise in few steps and in many
# A column is one point of noise.  In one step comes the mean of everything; what a garment is, is decided early, and
# more steps add edges and texture.  DDIM draws no noise on the way, so the image stays the same one.  The solver of
# second order assumes that the answers go on moving as they did, and gets further in as many steps.  DDPM's draws
# noise at every step, and its images differ.

# %%
ten = model.conditions.in_turn(10)
points = model.sample_latents(10, seed=run.seed)
steps = [count for count in (1, 2, 3, 5, 20, 100) if count <= 5 * run.steps]
by_steps = {f"ddim, {count}": model.generate(latents=points, steps=count, **ten) for count in steps}
by_steps[f"dpm, {run.steps}"] = model.generate(latents=points, solver="dpm", **ten)
by_steps[f"ddpm, {steps[-1]}"] = model.generate(latents=points, solver="ddpm", steps=steps[-1], seed=run.seed, **ten)
run.show("steps", plotting.rows(by_steps))

# %% [markdown]
# ## Between two points
# Noise of many numbers has nearly always the same length, and the straight line between two points of it leads through
# points that are too short.  The great circle keeps the length.

# %%
between_them = {}
for row in range(4):
    start, end = model.sample_latents(2, seed=run.seed, first=2 * row)
    same = model.conditions.same(row, 11) if run.conditional else {}
    between_them[f"{row + 1}"] = model.interpolate(start, end, 11, **same)
start, end = model.sample_latents(2, seed=run.seed)
same = model.conditions.same(0, 11) if run.conditional else {}
between_them["1, straight"] = model.morph(start, end, 11, **same)
run.show("interpolation", plotting.rows(between_them))

# %% [markdown]
# ## The other half
# Of held-out images a part is given; at each step it takes its place in the image that the network sees.  The model was
# never trained for that.  Look whether what is filled in fits what is given, and how much the answers differ.

# %%
originals = test.sample(10)
holes = originals.copy()
holes[:, train.image_shape[0] // 2 :] = np.nan
filled = {"original": originals, "given": np.nan_to_num(holes)}
for number in range(1, 4):
    filled[f"completed {number}"] = model.generate(given=holes, solver="ddpm", seed=run.seed + number, **ten)
run.show("completed", plotting.rows(filled))

# %% [markdown]
# ## How many bits
# Diffusion is a code of many small messages, and their sum bounds how surprising an image is.  What was trained for
# good samples is not the best code: the bound weighs the lowest levels of noise most, and there the eye sees nothing.

# %%
few = test.sample(100)
nats = model.negative_log_likelihood(few, seed=run.seed)
bits = float(nats.mean() / np.log(2) / few[0].size)
print(f"at most {bits:.2f} bits a pixel")

# %%
values = model.evaluate(test, verbose=0, return_dict=True)
run.finish(bits_per_dim_of_100=bits, **{f"test_{name}": value for name, value in values.items()})
