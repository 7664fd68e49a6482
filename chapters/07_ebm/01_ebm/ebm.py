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
# # Energy-based models: a number for how odd something is
#
# Take any network that ends in one number, and call that number an **energy** $E(x)$: low for what is likely, high for
# what is not.  That makes a density,
#
# $$p(x) = \frac{e^{-E(x)}}{Z}, \qquad Z = \int e^{-E(x)} dx,$$
#
# and nothing was asked of the network.  The price is $Z$: an integral over all images, that nobody can compute, and so
# neither likelihood nor its gradient.  Two ways around it are what this chapter is about.
#
# - **Contrastive divergence** draws samples from the model, and pushes their energy up while that of the examples is
#   pulled down.
# - **Score matching** learns the slope of $\log p$, in which $Z$ does not occur: it is a constant.
#
# In the plane $Z$ can be computed after all, and the truth is known.  There both are tried first; then images.
#
# Book: chapter 7, "Energy-based models".

# %%
from dataclasses import dataclass
from typing import ClassVar

from gdl_keras.training import ImageConfig, Run
from gdl_keras.training.ranges import above, at_least, between


@dataclass
class Settings(ImageConfig):
    """An energy-based model, by contrastive divergence with a replay buffer."""

    dataset: str = "fashion,fashion_mini"
    batch_size: int = 64
    epochs: int = 4
    steps_per_epoch: int | None = 300
    # Steps of Langevin dynamics in each step of training.
    langevin_steps: int = 20
    # How far such a step goes down a slope.
    step_size: float = 10.0
    # Standard deviation of the noise that it adds.
    noise: float = 0.005
    # What each number of a slope is kept within.
    slope_clip: float = 0.03
    # Chains in the replay buffer.
    buffer_size: int = 2048
    # The share of chains that begin anew.
    fresh: float = 0.05
    # How far the noise reaches at which they begin; 1 is as far as images do.
    reach: float = 0.25
    # Weight of the squared energies.
    penalty: float = 0.01
    # Standard deviation of the noise on examples.
    data_noise: float = 0.02
    # Adam's rate.
    learning_rate: float = 7e-4
    # What the rate has fallen to at the end, as a share of itself; 1 for a constant one.
    final_rate: float = 0.1
    # Steps of Langevin dynamics from noise to a picture.
    sampling_steps: int = 1000
    # Steps of score matching in the plane; contrastive divergence takes a quarter of them.
    plane_steps: int = 6000

    ranges: ClassVar = {
        "langevin_steps": at_least(1),
        "step_size": above(0),
        "noise": at_least(0),
        "slope_clip": above(0),
        "buffer_size": at_least(1),
        "fresh": between(0, 1),
        "reach": above(0),
        "penalty": at_least(0),
        "data_noise": at_least(0),
        "learning_rate": above(0),
        "final_rate": between(0, 1),
        "sampling_steps": at_least(1),
        "plane_steps": at_least(4),
    }


run = Run.start(
    Settings,
    chapter="07_ebm/01_ebm",
    presets={
        "book": {
            "dataset": "mnist",
            "batch_size": 128,
            "epochs": 60,
            "steps_per_epoch": None,
            "langevin_steps": 60,
            "buffer_size": 8192,
            "reach": 1.0,
            "penalty": 0.1,
            "data_noise": 0.005,
            "learning_rate": 1e-4,
            "final_rate": 1.0,
        },
        "smoke": {
            "dataset": "fashion_mini",
            "image_size": 16,
            "epochs": 1,
            "steps_per_epoch": 2,
            "batch_size": 16,
            "langevin_steps": 2,
            "buffer_size": 64,
            "sampling_steps": 4,
            "plane_steps": 8,
        },
    },
)

# %% [markdown]
# ## The plane: a density whose slope is known
# Two moons.  Their density has a formula, and so has its **score**, the slope of $\log p$: at each point the way to
# where there is more.  An energy has it too, $-\nabla E$, whatever $Z$ is.

# %%
import time

import numpy as np
import tensorflow as tf
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay

from gdl_keras import data, plotting
from gdl_keras.metrics import auroc
from gdl_keras.metrics.energy import energy_distance
from gdl_keras.models import EBM, PointEBM, ScoreMatching, build_energy_network, build_point_energy_network
from gdl_keras.models.energy.base import EnergyModel
from gdl_keras.models.energy.ebm import ContrastiveDivergence
from gdl_keras.samplers.langevin import langevin

count = 200 if run.preset == "smoke" else 10_000
examples = data.load("moons", "train", count=count, batch_size=min(count, 500), seed=run.seed)
held_out = data.load("moons", "test", count=count)
known, new = examples.rows("points", slice(None)), held_out.rows("points", slice(None))
limits = plotting.square_around(known)


def score_of_truth(points, width=1e-4):
    """The slope of the true log-density, by differences: float64 array (n, 2)."""
    points = np.asarray(points, "float64")
    steps = width * np.eye(2)
    ends = [held_out.log_density(points + step) - held_out.log_density(points - step) for step in steps]
    return np.stack(ends, axis=1) / (2 * width)


run.show("score_of_truth", plotting.fields({"the truth: slope of log p": score_of_truth}, limits, 1, known[:1000]))

# %% [markdown]
# ## Denoising score matching
# Spoil an example by noise: $y = x + \sigma\epsilon$.  From $y$, which way leads back to $x$?  A network that answers
# that as well as can be gives, up to a factor, the slope of the log-density of *spoilt* points (Vincent 2011).  No
# sample of the model is needed, and no $Z$.  What is learnt is the data, blurred by $\sigma$.

# %%
plotting.show_source(build_point_energy_network, ScoreMatching.train_step, ScoreMatching.denoising_loss)
plane_steps = {"denoising": run.plane_steps, "divergence": run.plane_steps // 4}
stage = run.stage("denoising", epochs=1, steps_per_epoch=plane_steps["denoising"])
matched = ScoreMatching(build_point_energy_network(), sigma=0.1, sampling_steps=run.sampling_steps, seed=run.seed)
rate = CosineDecay(5e-3, stage.planned_steps(examples))
matched.compile(Adam(rate), **run.execution())
began = time.process_time()
matched.fit(examples, verbose=0, **stage.schedule())
seconds = {"score matching": time.process_time() - began}

# %% [markdown]
# ## Langevin dynamics
# A ball that rolls down the energy ends in a valley, always in one of the same few.  Shake it on its way, by just the
# right amount, and where it is after many small steps is a sample of $e^{-E}/Z$.  Only slopes are asked for.

# %%
plotting.show_source(langevin, EnergyModel.slope_at)
stops = [0, 10, 50, 200, run.sampling_steps] if run.sampling_steps > 200 else [0, 1, run.sampling_steps]
on_their_way = matched.chains(1000, stops, seed=run.seed)
run.show("chains_in_the_plane", plotting.points(*on_their_way, titles=[f"{stop} steps" for stop in stops]))

# %% [markdown]
# ## Contrastive divergence
# The gradient of the likelihood has two halves:
#
# $$-\nabla_\theta \log p(x) = \nabla_\theta E(x) - \mathbb{E}_{x' \sim p}\left[\nabla_\theta E(x')\right].$$
#
# Examples pull their energy down, the model's own samples push theirs up.  The samples are where chains of Langevin
# dynamics are.  To begin all of them anew each time would take too long, so they are kept in a **replay buffer**, and
# go on from there.

# %%
plotting.show_source(ContrastiveDivergence.train_step)
stage = run.stage("divergence", epochs=1, steps_per_epoch=plane_steps["divergence"])
contrasted = PointEBM(
    build_point_energy_network(),
    slope_clip=15.0,
    fresh=0.0,
    data_noise=0.0,
    buffer_size=2000,
    sampling_steps=run.sampling_steps,
    seed=run.seed,
)
rate = CosineDecay(5e-3, stage.planned_steps(examples))
contrasted.compile(Adam(rate), **run.execution())
began = time.process_time()
contrasted.fit(examples, verbose=0, **stage.schedule())
seconds["contrastive divergence"] = time.process_time() - began

# %% [markdown]
# ## Both against the truth
# In the plane $Z$ is a sum over a fine grid, so that both can be seen as densities, and held-out points have nats.  The
# *error of the score* is the mean squared distance of the slopes from the true ones at held-out points, as a share of
# the mean square of these: 0 is right, 1 is no better than no slope at all.
#
# The seconds are of the processor.  Nothing in score matching waits for a chain.

# %%
both = {"score matching": matched, "contrastive divergence": contrasted}
nats_of = {"the truth": lambda points: -held_out.log_density(points)}
nats_of |= {name: model.negative_log_likelihood for name, model in both.items()}
run.show("densities", plotting.densities(nats_of, limits))
scores_of = {"the truth": score_of_truth} | {name: model.scores for name, model in both.items()}
run.show("scores", plotting.fields(scores_of, limits, examples=known[:1000]))

metrics = {}
surprise_of_truth = nats_of["the truth"](new)
slopes = score_of_truth(new)
print(f"{'':22}  seconds  held-out nats  above the truth  error of the score  energy distance of samples")
for name, model in both.items():
    nats = model.negative_log_likelihood(new)
    error = np.square(model.scores(new) - slopes).sum() / np.square(slopes).sum()
    samples = model.generate(min(2000, len(new)), seed=run.seed, batch_size=2000)
    distance = energy_distance(new[: len(samples)], samples)
    divergence = (nats - surprise_of_truth).mean()
    print(
        f"{name:22}  {seconds[name]:7.1f}  {nats.mean():13.3f}  {divergence:15.3f}  {error:18.3f}  "
        f"{distance.value:.4f} ± {distance.standard_error:.4f}"
    )
    short = name.replace(" ", "_")
    metrics |= {f"{short}_divergence": float(divergence), f"{short}_score_error": float(error)}

# %% [markdown]
# ## Images
# The book's network: convolutions that halve the image, and one number at the end.  What it learnt about an image is in
# that number's slope, which has a place for each pixel, so that the slope is an image, too: what to change to make it
# less odd.

# %%
train = run.load("train")
test = run.load("test")
network = build_energy_network(train.image_shape)
network.summary()
plotting.show_source(build_energy_network, EBM)

# %% [markdown]
# ## Training
# The two energies move together; what matters is the difference between them, `loss`.  While it is far below 0 the
# network tells its own chains from the examples with ease; when the chains have become like them it hovers about 0, and
# that says nothing yet about how good they are.  Should it run away, take a smaller step or more noise on the examples
# (`--step-size`, `--data-noise`); both can be changed during training, too (`model.step_size = 5.0`).

# %%
model = EBM(
    network,
    steps=run.langevin_steps,
    step_size=run.step_size,
    noise=run.noise,
    slope_clip=run.slope_clip,
    buffer_size=run.buffer_size,
    fresh=run.fresh,
    penalty=run.penalty,
    data_noise=run.data_noise,
    reach=run.reach,
    sampling_steps=run.sampling_steps,
    seed=run.seed,
)
rate = CosineDecay(run.learning_rate, run.planned_steps(train), alpha=run.final_rate)
model.compile(Adam(rate), **run.execution())
model.fit(train, validation_data=test, **run.schedule())

# %%
run.show("energies", plotting.curves(run.history, ["real_energy", "fake_energy"], y_label="energy"))
run.show("loss", plotting.curves(run.history, ["loss"], y_label="difference of the energies"))

# %% [markdown]
# ## Out of noise
# Chains that begin as noise, and where they are after so many steps.  Each row is one chain.

# %%
stops = [stop for stop in (0, 1, 3, 5, 10, 30, 50, 100, 300) if stop < run.sampling_steps] + [run.sampling_steps]
from_noise = model.chains(5, stops, seed=run.seed)
of_each = {f"chain {number + 1}": from_noise[:, number] for number in range(5)}
run.show("out_of_noise", plotting.rows(of_each))

# %% [markdown]
# ## New images
# What training itself has made: chains of the buffer, a few steps further.  They have gone down an energy that was
# changing all the while, which shakes them out of the valleys in which those above, on an energy that stands still, all
# end.

# %%
generated = model.generate(40, seed=run.seed)
run.show("generated", plotting.grid(generated, columns=10))

# %% [markdown]
# ## What is odd
# An energy is of use without any sample: it ranks.  Held-out images against noise; against emoji, in grey, as they are
# and on a dark ground like that of the garments; and against the held-out images themselves, spoilt in ways that leave
# every pixel's grey as it is: mirrored, upside down, moved aside by an eighth.
#
# The number is the area under the ROC curve: how often, of a pair, the odd one has the higher energy.  0.5 is a guess.

# %%
reals = test.sample(2000, seed=run.seed)
size, channels = reals.shape[1], reals.shape[-1]
emoji = data.load("emoji", "train", image_size=size, channels=channels).sample(1000, seed=run.seed)
odd = {
    "noise": np.random.default_rng(run.seed).random(reals[:1000].shape, dtype="float32"),
    "emoji": emoji,
    "emoji, negatives": 1 - emoji,
    "mirrored": reals[:, :, ::-1],
    "upside down": reals[:, ::-1],
    "moved aside": np.roll(reals, size // 8, axis=2),
    "moved down": np.roll(reals, size // 8, axis=1),
    "new images": model.generate(min(1000, len(reals)), seed=run.seed),
}
of_reals = model.energies(reals)
of_odd = {name: model.energies(images) for name, images in odd.items()}
for name, energies in of_odd.items():
    is_odd = np.arange(len(of_reals) + len(energies)) >= len(of_reals)
    area = auroc(np.concatenate([of_reals, energies]), is_odd)
    metrics["auroc_" + name.replace(",", "").replace(" ", "_")] = area
    print(f"{name:17} {area:.3f}")
shown = {name: of_odd[name] for name in ("emoji, negatives", "mirrored", "moved aside", "new images")}
run.show("odd_energies", plotting.distributions({"held out": of_reals} | shown, "energy"))
run.show("odd_images", plotting.rows({"held out": reals[:10]} | {name: some[:10] for name, some in odd.items()}))

# %% [markdown]
# ## The most and the least usual
# Held-out images, ordered by their energy: the lowest ten and the highest ten.

# %%
order = np.argsort(of_reals)
run.show("extremes", plotting.rows({"lowest": reals[order[:10]], "highest": reals[order[-10:]]}))

# %% [markdown]
# ## What an image lacks
# The slope of the energy, pixel by pixel: red where brighter would be less odd, blue where darker would be.  A held-out
# image, and the same one with a hole.

# %%
whole = reals[order[len(order) // 2]][None]
broken = whole.copy()
broken[:, size * 3 // 8 : size * 5 // 8, size * 3 // 8 : size * 5 // 8] = 0
ways = -model.slope_at(model.to_coordinates(tf.constant(np.concatenate([whole, broken])))).numpy()
run.show("images_with_slopes", plotting.panels({"as it is": whole[0], "with a hole": broken[0]}))
run.show("slopes", plotting.panels({"what it lacks": ways[0], "what that lacks": ways[1]}, symmetric=True))

# %%
run.finish(**metrics)
