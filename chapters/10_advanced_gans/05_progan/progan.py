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
# # ProGAN: a GAN that grows
#
# What is hard about large images is that everything has to be learnt at once, from the outline of a boot down to its
# laces.  ProGAN learns the outline first, on images of 4x4 pixels, where a step costs next to nothing.  Then both
# networks get layers for twice the size, and so on.  New layers are **faded in**: at first the image is the old one
# with its pixels doubled, then a mixture, then the new one alone.  The real images are faded along.
#
# Three more ideas keep two such networks in balance, and the StyleGANs kept them:
#
# - **Equalised learning rate**: all weights begin as N(0, 1), and what a layer needs is multiplied on as it runs, so
#   that Adam moves every layer at one pace.
# - **Pixel normalisation** in the generator: the features of each pixel have length 1.
# - **How much a batch differs** is told to the discriminator: a generator that makes the same image again and again is
#   found out.
#
# Book: chapter 10, "ProGAN".

# %%
from dataclasses import dataclass
from typing import ClassVar

from gdl_keras.training import ImageConfig, Run, above, at_least, between


@dataclass
class Settings(ImageConfig):
    """A Wasserstein GAN that grows from 4x4 pixels."""

    dataset: str = "fashion,fashion_mini"
    batch_size: int = 32
    epochs: int = 9
    steps_per_epoch: int | None = 250
    # Thousands of images for which a size is learnt before the next one is faded in.
    stable_kimg: float = 8.0
    # Thousands of images that fading takes.
    transition_kimg: float = 8.0
    # Numbers in a latent point.
    latent_dim: int = 64
    # At a size there are channel_base / size channels, or channel_max where that is less.
    channel_base: int = 512
    # Channels at most.
    channel_max: int = 64
    # Whether the networks are told the class of an image.
    conditional: bool = False
    # Weight of the gradient penalty.
    penalty_weight: float = 10.0
    # Weight of the squared scores of real images.
    drift_weight: float = 0.001
    # Adam's rate.
    learning_rate: float = 0.002
    # Thousands of images after which half of the average of the generator's weights is new.
    ema_half_life: float = 4.0

    book_is: ClassVar = "faces of 256x256, with the paper's schedule (the book tells of ProGAN without code)"
    ranges: ClassVar = {
        "image_size": between(8, 1024),
        "stable_kimg": above(0),
        "transition_kimg": at_least(0),
        "latent_dim": at_least(1),
        "channel_base": at_least(4),
        "channel_max": at_least(1),
        "penalty_weight": at_least(0),
        "drift_weight": at_least(0),
        "learning_rate": above(0),
        "ema_half_life": above(0),
    }


run = Run.start(
    Settings,
    chapter="10_advanced_gans/05_progan",
    presets={
        "book": {
            "dataset": "faces",
            "image_size": 256,
            "batch_size": 16,
            "epochs": 120,
            "steps_per_epoch": 6250,
            "stable_kimg": 600.0,
            "transition_kimg": 600.0,
            "latent_dim": 512,
            "channel_base": 16384,
            "channel_max": 512,
            "learning_rate": 0.001,
            "ema_half_life": 10.0,
        },
        "smoke": {
            "dataset": "fashion_mini",
            "image_size": 8,
            "batch_size": 8,
            "epochs": 2,
            "steps_per_epoch": 2,
            "stable_kimg": 0.016,
            "transition_kimg": 0.2,
            "channel_base": 32,
            "channel_max": 4,
        },
    },
)

# %% [markdown]
# ## The data
# The same images at every size that is learnt.

# %%
import numpy as np
from keras.optimizers import Adam

from gdl_keras import plotting
from gdl_keras.layers import EqualizedConv2D, MinibatchDeviation, PixelNormalization
from gdl_keras.layers.doubling import enlarged
from gdl_keras.models import ProGAN
from gdl_keras.models.growing.base import GrowingModel
from gdl_keras.models.growing.networks import build_discriminator, build_generator, sizes_of
from gdl_keras.models.growing.stages import StagedDiscriminator, StagedGenerator, shrunk

train, test = run.load("train"), run.load("test")
num_classes = None
if run.conditional:
    train, test = train.with_labels(), test.with_labels()
    num_classes = len(train.class_names)
images, sizes = train.sample(10), sizes_of(train.image_shape)
at_sizes = {f"{size}x{size}": np.asarray(enlarged(shrunk(images, size), run.image_size // size)) for size in sizes}
run.show("training_images", plotting.rows(at_sizes))

# %% [markdown]
# ## The networks
# All layers are there from the start, but only those of the sizes so far are at work: `to_8x8` of the generator makes
# an image of its features at that size, `from_8x8` of the discriminator takes one.

# %%
widths = run.channel_base, run.channel_max
generator = build_generator(train.image_shape, num_classes, run.latent_dim, *widths)
discriminator = build_discriminator(train.image_shape, num_classes, *widths)
generator.summary()
plotting.show_source(build_generator, build_discriminator, StagedGenerator, StagedDiscriminator)

# %%
plotting.show_source(EqualizedConv2D, PixelNormalization, MinibatchDeviation)

# %% [markdown]
# ## The game
# That of the WGAN-GP, with one step of the discriminator for each of the generator, and with a small weight on the
# squares of the scores, which would drift otherwise.

# %%
model = ProGAN(
    generator,
    discriminator,
    num_classes=num_classes,
    penalty_weight=run.penalty_weight,
    drift_weight=run.drift_weight,
    stable_kimg=run.stable_kimg,
    transition_kimg=run.transition_kimg,
    ema_half_life=run.ema_half_life,
    seed=run.seed,
)
model.compile(
    discriminator_optimizer=Adam(run.learning_rate, beta_1=0.0, beta_2=0.99),
    generator_optimizer=Adam(run.learning_rate, beta_1=0.0, beta_2=0.99),
    **run.execution(),
)
plotting.show_source(ProGAN.train_step, GrowingModel)

# %%
model.fit(train, **run.schedule())

# %% [markdown]
# ## Growing up
# The same latent points after the epochs in which a size had been learnt.

# %%
history = run.history
last_of = {int(size): epoch for epoch, size in enumerate(history.get("resolution", []), 1)}
pages = {f"{size}x{size}": page for size, epoch in last_of.items() if (page := run.sample_picture(epoch))}
if pages:
    run.show("growth", plotting.pictures(pages))

# %% [markdown]
# ## How the game went
# Numbers of different sizes cannot be compared: a distance is a sum over pixels, and 32x32 has sixteen times as many as
# 8x8.  So look at one size at a time; the steps are where another one begins.

# %%
if history:
    unit = "Wasserstein distance, images in [-1, 1]"
    run.show("distance", plotting.curves(history, ["wasserstein_distance"], y_label=unit))
    run.show("gradient_norm", plotting.curves(history, ["gradient_norm"], y_label="slope, per unit of [-1, 1]"))
    run.show("size", plotting.curves(history, ["resolution"], y_label="pixels a side"))

# %% [markdown]
# ## New images

# %%
told = model.conditions.in_turn(60)
run.show("generated", plotting.grid(model.generate(60, seed=run.seed, **told), columns=10))

# %% [markdown]
# ## From image to image
# Latent points are brought to a sphere, and the way from one to another goes along it.

# %%
points = model.sample_latents(6, seed=run.seed)
shares = np.linspace(0, 1, 10)
walks = {}
for row in range(5):
    way = np.stack([model.between(points[row], points[row + 1], share) for share in shares])
    label = {name: np.repeat(values[:1], 10, axis=0) for name, values in model.conditions.in_turn(10).items()}
    walks[f"{row + 1}"] = model.generate(latents=way, **label)
run.show("walk", plotting.rows(walks))

# %%
metrics = model.evaluate(test, verbose=0, return_dict=True)
run.finish(**{f"test_{name}": value for name, value in metrics.items()})
