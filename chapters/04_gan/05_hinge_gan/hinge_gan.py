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
# # Hinge GAN: one that behaves
#
# What ten years of trouble with GANs have taught, in one small model.
#
# - The **hinge**: the discriminator learns nothing more from an image that it places beyond 1 on the right side.  It
#   never runs so far ahead that the generator cannot follow.
# - A **penalty** on the discriminator's slope at real images (R1): where they lie it becomes flat, and has nothing to
#   push the generator on with, from one kind of garment to the next.  With `--variant spectral` each kernel is divided
#   by its largest singular value instead, so that no input can make the answer jump: garments as clean, but in each
#   class nearly the same one again and again.
# - **Residual blocks**, and resizing by plain interpolation: no checkerboard.
# - **Labels** for both networks.
# - An **average** of the generator over its last few hundred steps makes the pictures: the wobble of the game is gone.
#
# The networks are those of the notebook `stableGAN` in DaiDaiLoh's *ExemplaryNotebooks*, which promises decent digits
# after three epochs; `--variant notebook` is its own recipe.

# %%
from dataclasses import dataclass
from typing import ClassVar, Literal

from gdl_keras.training import ImageConfig, Run, above, at_least, multiple_of


@dataclass
class Settings(ImageConfig):
    """A conditional hinge GAN of residual blocks."""

    dataset: str = "fashion,fashion_mini"
    batch_size: int = 64
    epochs: int = 4
    steps_per_epoch: int | None = 938
    # improved: a flat discriminator, projection, an average of the generator; spectral: spectral normalisation in the
    # place of the penalty; notebook: as published.
    variant: Literal["improved", "spectral", "notebook"] = "improved"
    # Numbers in a latent point.
    latent_dim: int = 64
    # Channels of the residual blocks.
    filters: int = 32
    # How much of itself the average of the generator's weights keeps in each step (not notebook).
    ema_decay: float = 0.995
    # Weight of the penalty on the discriminator's slope (improved).
    penalty_weight: float = 5.0
    # Adam's rate (not notebook).
    discriminator_learning_rate: float = 1e-3
    # Adam's rate (not notebook).
    generator_learning_rate: float = 5e-4

    book_is: ClassVar = "digits, with wider networks (the book has no such program)"
    ranges: ClassVar = {
        "image_size": multiple_of(4),
        "latent_dim": at_least(1),
        "filters": at_least(1),
        "ema_decay": at_least(0, below=1),
        "penalty_weight": at_least(0),
        "discriminator_learning_rate": above(0),
        "generator_learning_rate": above(0),
    }


run = Run.start(
    Settings,
    chapter="04_gan/05_hinge_gan",
    presets={
        "book": {"dataset": "mnist", "epochs": 4, "steps_per_epoch": None, "filters": 64, "ema_decay": 0.999},
        "smoke": {"dataset": "fashion_mini", "epochs": 1, "steps_per_epoch": 2, "batch_size": 8, "filters": 8},
    },
)
ours = run.variant != "notebook"

# %% [markdown]
# ## The data

# %%
import numpy as np
from keras.optimizers import Adam

from gdl_keras import losses, plotting
from gdl_keras.metrics import Judge
from gdl_keras.models.hinge_gan import HingeGAN, build_discriminator, build_generator

train = run.load("train").with_labels()
test = run.load("test").with_labels()
num_classes = len(train.class_names)
run.show("training_images", plotting.grid(train.sample(20), columns=10))

# %% [markdown]
# ## The networks

# %%
generator = build_generator(train.image_shape, num_classes, run.latent_dim, run.filters)
discriminator = build_discriminator(
    train.image_shape,
    num_classes,
    run.filters,
    spectral=run.variant == "spectral",
    conditioning="projection" if ours else "planes",
)
generator.summary()
plotting.show_source(build_generator, build_discriminator)

# %% [markdown]
# ## The game

# %%
model = HingeGAN(
    generator,
    discriminator,
    num_classes,
    generator_loss="linear" if ours else "hinge",
    penalty_weight=run.penalty_weight if run.variant == "improved" else 0.0,
    latents="normal" if ours else "uniform",
    ema_decay=run.ema_decay if ours else None,
    seed=run.seed,
)
if ours:
    model.compile(
        discriminator_optimizer=Adam(run.discriminator_learning_rate, beta_1=0.0, beta_2=0.9),
        generator_optimizer=Adam(run.generator_learning_rate, beta_1=0.0, beta_2=0.9),
        **run.execution(),
    )
else:
    model.compile(discriminator_optimizer=Adam(1e-3), generator_optimizer=Adam(1e-3), **run.execution())
plotting.show_source(losses.hinge_loss, HingeGAN.train_step, HingeGAN.squared_slopes)

# %%
model.fit(train, **run.schedule())

# %%
run.show("losses", plotting.curves(run.history, ["discriminator_loss", "generator_loss"], y_label="loss, in scores"))
run.show("accuracies", plotting.curves(run.history, ["real_accuracy", "fake_accuracy"], y_label="accuracy"))

# %% [markdown]
# ## After three epochs
# One row for each class, the same latent points in each.

# %%
pages = {f"epoch {epoch}": page for epoch in (1, 3) if (page := run.sample_picture(epoch))}
if pages:
    run.show("epochs", plotting.pictures(pages))

# %% [markdown]
# ## One row for each class

# %%
by_class = {
    name: model.generate(12, labels=np.full(12, label), seed=label) for label, name in enumerate(train.class_names)
}
run.show("generated", plotting.rows(by_class))

# %% [markdown]
# ## Does it make what it is told to, and all of it?

# %%
metrics = {f"test_{name}": value for name, value in model.evaluate(test, verbose=0, return_dict=True).items()}
if run.dataset in ("fashion", "fashion_mini"):
    judge = Judge("fashion")
    asked = np.repeat(np.arange(num_classes), 100)
    report = judge.report(
        model.generate(len(asked), labels=asked, seed=run.seed), asked, test.images(slice(None)), test.labels
    )
    diversity = report.pop("diversity")
    run.show("diversity", plotting.bars(list(diversity.values()), list(diversity), 1.0, "diversity, real = 1"))
    metrics |= report | {"smallest_diversity": min(diversity.values())}
run.finish(**metrics)
