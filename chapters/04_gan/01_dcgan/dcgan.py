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
# # DCGAN: a forger and a detective
#
# Two networks again, but this time they play against each other.  The **generator** turns random points into images.
# The **discriminator** sees real images and generated ones, and says which is which.  The generator learns from the
# discriminator's answers how to be taken for real; the discriminator learns to see through it.  Nobody ever compares
# two images pixel by pixel, so nothing asks for an average, and the images are sharp.
#
# The game has no loss that goes down, and it can go wrong: look at the accuracies below, not at the losses.
#
# Book: chapter 4, "Deep Convolutional GAN (DCGAN)".

# %%
from dataclasses import dataclass
from typing import ClassVar, Literal

from gdl_keras.training import ImageConfig, Run, above, at_least, halved_for_each


@dataclass
class Settings(ImageConfig):
    """A DCGAN."""

    dataset: str = "fashion,fashion_mini"
    batch_size: int = 64
    epochs: int = 10
    steps_per_epoch: int | None = 500
    # Numbers in a latent point.
    latent_dim: int = 100
    # Channels of the generator from its smallest image on; the discriminator has them the other way round.
    filters: tuple[int, ...] = (128, 64, 32)
    # How images are enlarged: transposed convolutions, or repeated pixels and a convolution (no checkerboard).
    upsampling: Literal["transposed", "resize"] = "transposed"
    # What the discriminator is told in place of 1 (real) and 0 (generated); book: outside [0, 1], as in its code.
    label_noise: Literal["none", "smooth", "one_sided", "flip", "book"] = "smooth"
    # How much of that.
    noise: float = 0.1
    # Share of the discriminator's numbers that are set to zero in each step.
    dropout: float = 0.3
    # Adam's rate.
    learning_rate: float = 1e-3
    # Adam's memory of past gradients: none, because the other network moves.
    beta_1: float = 0.0
    # How much of itself the average of the generator's weights keeps in each step; 0 for no average.
    ema_decay: float = 0.995
    # Steps of training for each of the two ways of enlarging, compared at the end.
    compare_steps: int = 100

    ranges: ClassVar = {
        "image_size": halved_for_each("filters"),
        "latent_dim": at_least(1),
        "filters": at_least(1),
        "noise": at_least(0),
        "dropout": at_least(0, below=1),
        "learning_rate": above(0),
        "beta_1": at_least(0, below=1),
        "ema_decay": at_least(0, below=1),
        "compare_steps": at_least(1),
    }


run = Run.start(
    Settings,
    chapter="04_gan/01_dcgan",
    presets={
        "book": {
            "dataset": "bricks",
            "image_size": 64,
            "batch_size": 128,
            "epochs": 300,
            "steps_per_epoch": None,
            "filters": (512, 256, 128, 64),
            "learning_rate": 2e-4,
            "beta_1": 0.5,
            "ema_decay": 0.0,
        },
        "smoke": {
            "dataset": "fashion_mini",
            "epochs": 1,
            "steps_per_epoch": 2,
            "batch_size": 16,
            "filters": (8, 8, 8),
            "compare_steps": 2,
        },
    },
)

# %% [markdown]
# ## The data

# %%
import keras
import numpy as np
from keras.optimizers import Adam

from gdl_keras import plotting
from gdl_keras.models.dcgan import DCGAN, build_discriminator, build_generator

train = run.load("train")
test = run.load("test")
run.show("training_images", plotting.grid(train.sample(20), columns=10))

# %% [markdown]
# ## The networks
# The generator takes a latent point for an image of one pixel with many channels, and enlarges it; the discriminator
# is the same road backwards.

# %%
generator = build_generator(train.image_shape, run.latent_dim, run.filters, run.upsampling)
discriminator = build_discriminator(train.image_shape, run.filters[::-1], run.dropout)
generator.summary()
discriminator.summary()
plotting.show_source(build_generator, build_discriminator)

# %% [markdown]
# ## The game
# One step: the discriminator improves on a batch of real and a batch of generated images, then the generator improves
# against it.

# %%
model = DCGAN(
    generator,
    discriminator,
    label_noise=run.label_noise,
    noise=run.noise,
    ema_decay=run.ema_decay or None,
    seed=run.seed,
)
model.compile(
    discriminator_optimizer=Adam(run.learning_rate, run.beta_1),
    generator_optimizer=Adam(run.learning_rate, run.beta_1),
    **run.execution(),
)
plotting.show_source(DCGAN.train_step)

# %%
model.fit(train, **run.schedule())

# %% [markdown]
# ## How the game went
# A discriminator that is always right has nothing to teach any more; one that is right half the time has nothing left
# to say.  In between is where the generator learns.

# %%
losses = ["discriminator_loss", "generator_loss"]
run.show("losses", plotting.curves(run.history, losses, y_label="cross-entropy, nats"))
run.show("accuracies", plotting.curves(run.history, ["real_accuracy", "fake_accuracy"], y_label="accuracy"))

# %% [markdown]
# ## New images

# %%
generated = model.generate(40, seed=run.seed)
run.show("generated", plotting.grid(generated, columns=10))

# %% [markdown]
# ## Or copies?
# Below each generated image, the training image nearest to it.  A generator that had learnt its lessons by heart would
# show the same picture twice.  All distances come out of one product of matrices:
# $|a - b|^2 = |a|^2 - 2 a b + |b|^2$.


# %%
def nearest_images(images, candidates):
    """For each image, the candidate at the smallest Euclidean distance."""
    a, b = images.reshape(len(images), -1), candidates.reshape(len(candidates), -1)
    distances = (a**2).sum(axis=1)[:, None] - 2 * a @ b.T + (b**2).sum(axis=1)
    return candidates[distances.argmin(axis=1)]


copies = nearest_images(generated[:10], train.images(slice(0, 40_000)))
run.show("nearest", plotting.rows({"generated": generated[:10], "nearest real": copies}))

# %% [markdown]
# ## A walk through the latent space
# From point to point in straight lines: where each stop is an image of its own, nothing was learnt by heart.

# %%
points = model.sample_latents(4, seed=run.seed)
walks = {f"{row + 1}": model.morph(points[row], points[row + 1]) for row in range(3)}
run.show("interpolation", plotting.rows(walks))

# %% [markdown]
# ## Against the checkerboard
# A transposed convolution lays its kernel down at every other pixel, and where kernels overlap they add up:
# neighbouring pixels come about in different ways, which shows as a checkerboard while training is young (Odena et al.
# 2016).  The other way is to repeat each pixel and let an ordinary convolution smooth the steps.  Both are trained
# briefly here, from the same start.  The number compares the pattern + - / - + in blocks of 2x2 pixels with the
# stripes + + / - - and + - / + -, which edges of garments make as well: real images say how much is natural.  Later on
# the network learns to paint over it: with `--compare-steps 400` there is no more of it than in real images.


# %%
def checkerboard(images):
    """The size of the finest checkerboard, by that of the finest stripes."""
    a, b, c, d = images[:, ::2, ::2], images[:, ::2, 1::2], images[:, 1::2, ::2], images[:, 1::2, 1::2]
    stripes = np.abs(a + b - c - d).mean() + np.abs(a - b + c - d).mean()
    return np.abs(a - b - c + d).mean() / stripes


rows = {"real": train.sample(10)}
print(f"real: {checkerboard(train.sample(1000)):.2f}")
for upsampling in ("transposed", "resize"):
    keras.utils.set_random_seed(run.seed)
    study = DCGAN(
        build_generator(train.image_shape, run.latent_dim, run.filters, upsampling),
        build_discriminator(train.image_shape, run.filters[::-1], run.dropout),
        ema_decay=run.ema_decay or None,
        seed=run.seed,
    )
    study.compile(Adam(run.learning_rate, run.beta_1), Adam(run.learning_rate, run.beta_1), **run.execution())
    study.fit(train, epochs=1, steps_per_epoch=run.compare_steps, verbose=0)
    rows[upsampling] = study.generate(10, seed=run.seed)
    print(f"{upsampling}: {checkerboard(study.generate(1000, seed=run.seed)):.2f}")
run.show("checkerboard", plotting.rows(rows))

# %%
losses = model.evaluate(test, verbose=0, return_dict=True)
run.finish(**{f"test_{name}": value for name, value in losses.items()})
