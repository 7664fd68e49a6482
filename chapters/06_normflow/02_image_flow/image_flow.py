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
# # GLOW: a flow of images
#
# Two numbers bent by six couplings are a drawing; an image is a thousand numbers.  What it takes beyond RealNVP on
# points: maps that see neighbours (convolutions say how one half of the channels moves the other), maps that mix the
# channels and still have a determinant that can be told (LU), a scaling that begins right (the first batch says it),
# and several sizes, at each of which half of the numbers is finished and leaves.
#
# In return the likelihood of an image is a number that can be computed, each image has one latent point, and that point
# gives the image back to the last digit.  No other family in this book has all three.
#
# Book: chapter 6, "GLOW".  Paper: Kingma & Dhariwal 2018, [Glow](https://arxiv.org/abs/1807.03039).

# %%
from dataclasses import dataclass
from typing import ClassVar, Literal

from gdl_keras.training import ImageConfig, Run
from gdl_keras.training.ranges import above, at_least, between


@dataclass
class Settings(ImageConfig):
    """A multi-scale flow of images."""

    dataset: str = "fashion,fashion_mini"
    image_size: int = 32
    batch_size: int = 32
    epochs: int = 4
    steps_per_epoch: int | None = 500
    # Sizes: each halves height and width.
    levels: int = 3
    # Times that channels are normalised, mixed and coupled at each size.
    flow_steps: int = 6
    # Filters of the couplings' networks.
    filters: int = 48
    # Offsets of the bytes: "uniform", or "variational", from a flow of their own.
    dequantization: Literal["uniform", "variational"] = "variational"
    # Adam's rate.
    learning_rate: float = 3e-3
    # Steps in which the rate rises to that: a flow multiplies, and its first steps are easily too large.
    warmup_steps: int = 100
    # What the rate has fallen to at the end, as a share of itself; 1 for a constant one.
    final_rate: float = 0.02
    # Attributes or classes that are added to images; by default the first three that there are.
    attributes: tuple[str, ...] = ()
    # Held-out images on which the model is held against PNG and WebP; as many of them as make a square.
    compared: int = 484

    ranges: ClassVar = {
        "levels": at_least(1),
        "flow_steps": at_least(1),
        "filters": at_least(1),
        "learning_rate": above(0),
        "warmup_steps": at_least(0),
        "final_rate": between(0, 1),
        "compared": at_least(1),
    }


run = Run.start(
    Settings,
    chapter="06_normflow/02_image_flow",
    presets={
        "book": {
            "batch_size": 64,
            "epochs": 50,
            "steps_per_epoch": None,
            "flow_steps": 32,
            "filters": 512,
            "learning_rate": 1e-3,
        },
        "smoke": {
            "dataset": "fashion_mini",
            "image_size": 8,
            "epochs": 1,
            "steps_per_epoch": 2,
            "batch_size": 16,
            "levels": 2,
            "flow_steps": 1,
            "filters": 4,
            "compared": 20,
        },
    },
)

# %% [markdown]
# ## The data
# The garments of 28x28 pixels with an empty border: 32 can be halved three times.

# %%
import math

import numpy as np
from keras.optimizers.schedules import CosineDecay

from gdl_keras import plotting
from gdl_keras.layers import ActivationNormalization, AffineCoupling, InvertibleConvolution
from gdl_keras.layers.affine_coupling import build_coupling_convolutions
from gdl_keras.metrics.compressors import bits_of_files
from gdl_keras.models import ImageFlow
from gdl_keras.models.flows.dequantization import UniformDequantization, VariationalDequantization
from gdl_keras.models.flows.image_flow import FlowLevel
from gdl_keras.models.vae_faces import attribute_vector
from gdl_keras.optimizers import FusedAdam

train = run.load("train")
test = run.load("test")
groups = train.groups(run.attributes or None)  # a class that is not there is refused before training
run.show("training_images", plotting.grid(train.sample(20), columns=10))

# %% [markdown]
# ## Three maps
# Each says what comes out, and the logarithm of its determinant; each has an `inverse`.

# %%
plotting.show_source(ActivationNormalization, InvertibleConvolution, build_coupling_convolutions, AffineCoupling)

# %% [markdown]
# ## One size
# Squeezed: four neighbouring pixels become one with four times the channels.  Then the three maps over and over, and at
# the end half of the channels leaves, after one more coupling has taken out of it what the other half knows.

# %%
plotting.show_source(FlowLevel)

# %% [markdown]
# ## Bytes are no real numbers
# A density of bytes could be as high as it likes, a spike on each level.  So an offset between 0 and 1 is added to
# each, and what is learnt is a bound of the probability of the bytes.  Uniform offsets make a box of each level, which
# smooth maps are bad at, even where a pixel is surely 0; so a small flow of its own learns where they go.

# %%
plotting.show_source(UniformDequantization if run.dequantization == "uniform" else VariationalDequantization)

# %%
model = ImageFlow(train.image_shape, run.levels, run.flow_steps, run.filters, run.dequantization, seed=run.seed)
print(f"{model.count_params():,} weights, {model.latent_dim:,} latent numbers")
warmup = {"warmup_target": run.learning_rate, "warmup_steps": run.warmup_steps}
falling = max(1, run.planned_steps(train) - run.warmup_steps)
rate = CosineDecay(0.01 * run.learning_rate, falling, alpha=run.final_rate, **warmup)
model.compile(FusedAdam(rate, clipnorm=1.0), **run.execution())
plotting.show_source(ImageFlow.forward, ImageFlow.inverse, ImageFlow.bound)

# %%
model.fit(train, validation_data=test, **run.schedule())

# %%
run.show("losses", plotting.curves(run.history, ["bits_per_dim"], y_label="bits a number of an image"))

# %% [markdown]
# ## There and back
# An image's latent point, and the image of that point.

# %%
originals = test.sample(10, seed=3)
points = model.encode(originals)
returned = model.generate(latents=points)
print(f"largest difference of a pixel: {np.abs(returned - originals).max():.1e}")
noise = 0.5 + points.reshape(originals.shape) / 6
run.show("there_and_back", plotting.rows({"original": originals, "its point": noise.clip(0, 1), "back": returned}))

# %% [markdown]
# ## New images
# At temperatures below 1 the points lie nearer to the middle, where the density of points is higher, and samples are
# less varied; at 0 all are one.  What lies in the middle need not be a good image: more than half of all pixels are
# empty, and so is what a small flow has there.

# %%
colder = {f"{t:g}": model.generate(10, seed=run.seed, temperature=t) for t in (0.0, 0.7, 0.8, 0.9, 1.0, 1.1)}
run.show("temperatures", plotting.rows(colder))

# %% [markdown]
# ## What each size holds
# The points of garments, in which the numbers that left at one size are drawn anew, or set to 0, the middle.  Half of
# all numbers leave at the first size, a quarter at the second, and without them the garment is still there: its texture
# and its edges change.  What it is lies in the last quarter.

# %%
drawn = model.sample_latents(10, seed=run.seed)
held = {"original": originals}
for level, part in enumerate(model.scales):
    other, none = points.copy(), points.copy()
    other[:, part], none[:, part] = 0.7 * drawn[:, part], 0
    held[f"size {level + 1} drawn"] = model.generate(latents=other)
    held[f"size {level + 1} at 0"] = model.generate(latents=none)
run.show("sizes", plotting.rows(held))

# %% [markdown]
# ## From one garment to another
# Lines between the points of held-out images.  Halfway a straight line is nearer to the middle than both of its ends,
# which is as if the temperature fell and rose again, and images pale.  Below, each point of the line is moved out to
# where its ends are.

# %%
ends, share = model.encode(test.sample(6, seed=5)), np.linspace(0, 1, 10)[:, None]
morphs = {}
for number, (start, end) in enumerate(zip(ends[::2], ends[1::2]), 1):
    line = (1 - share) * start + share * end
    radius = (1 - share) * np.linalg.norm(start) + share * np.linalg.norm(end)
    morphs[f"{number}, straight"] = model.morph(start, end)
    morphs[f"{number}, moved out"] = model.generate(latents=line * radius / np.linalg.norm(line, axis=1, keepdims=True))
run.show("morphs", plotting.rows(morphs))

# %% [markdown]
# ## Adding an attribute
# The mean point of those that have it, minus the mean of the others, added to held-out images little by little.  Glow's
# paper does it with smiles and blond hair (`--dataset faces --attributes Smiling`); here an attribute is to be of a
# class.

# %%
some = np.arange(min(train.num_images, 3000))
encoded = model.encode(train.images(some))
for name in run.attributes or list(groups)[:3]:
    direction = attribute_vector(encoded, groups[name][some])
    walks = {f"{share:+d}": model.generate(latents=points + share * direction) for share in (-2, -1, 0, 1, 2)}
    title = f"{name}, added so many times to {len(points)} images"
    run.show(f"attribute_{name}".replace(" ", "_").replace("/", "_"), plotting.rows(walks, title))

# %% [markdown]
# ## Against PNG and WebP
# Bits for each number of the same held-out images: what the model's bound says, and what lossless PNG and WebP files of
# them take, one file each or all on one sheet.  The empty border counts for all alike.

# %%
compared = test.sample(math.isqrt(min(run.compared, test.num_images)) ** 2, seed=run.seed)
of_model = model.negative_log_likelihood(compared).mean() / math.log(2) / model.latent_dim
bits = {"this model": of_model, **bits_of_files(compared)}
print({name: round(float(value), 3) for name, value in bits.items()})
run.show("compressors", plotting.bars(list(bits.values()), list(bits), y_label="bits a number"))

# %%
values = model.evaluate(test, verbose=0, return_dict=True)
run.finish(
    **{f"test_{name}": value for name, value in values.items()},
    compared_bits_per_dim=of_model,
    png_bits_per_dim=bits["PNG, one sheet"],
    webp_bits_per_dim=bits["WebP, one sheet"],
)
