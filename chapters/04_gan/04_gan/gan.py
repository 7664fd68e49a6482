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
# # A GAN of dense layers, and how it collapses
#
# The smallest GAN that works: three dense layers against three, no convolution anywhere, and SELU for activation, which
# keeps the numbers in a network near mean 0 and variance 1 without normalising them.
#
# It is here for its weakness.  The generator is paid for being taken for real, not for making everything that is real.
# If it finds that trousers pass, it may make trousers.  Below we count which garments it makes.
#
# Beside the book's chapter 4; the networks follow Géron, *Hands-On Machine Learning*, chapter 17.

# %%
from dataclasses import dataclass
from typing import ClassVar

from gdl_keras.training import ImageConfig, Run, above, at_least


@dataclass
class Settings(ImageConfig):
    """A GAN of dense SELU layers."""

    dataset: str = "fashion,fashion_mini"
    batch_size: int = 32
    epochs: int = 100
    steps_per_epoch: int | None = 187
    # Numbers in a latent point.
    latent_dim: int = 30
    # Epochs after which samples are shown.
    show_epochs: tuple[int, ...] = (1, 5, 20, 100)
    # Adam's rate.
    learning_rate: float = 1e-3

    book_is: ClassVar = "all of Fashion-MNIST (the book has no such program)"
    ranges: ClassVar = {"latent_dim": at_least(1), "show_epochs": at_least(1), "learning_rate": above(0)}


run = Run.start(
    Settings,
    chapter="04_gan/04_gan",
    presets={
        "book": {"dataset": "fashion", "steps_per_epoch": None},
        "smoke": {"dataset": "fashion_mini", "epochs": 1, "steps_per_epoch": 2},
    },
)

# %% [markdown]
# ## The data

# %%
import numpy as np
from keras.optimizers import RMSprop

from gdl_keras import plotting
from gdl_keras.metrics import Judge
from gdl_keras.models.gan import GAN, build_discriminator, build_generator

train = run.load("train")
test = run.load("test")
run.show("training_images", plotting.grid(train.sample(20), columns=10))

# %% [markdown]
# ## The networks and the game

# %%
generator = build_generator(train.image_shape, run.latent_dim)
discriminator = build_discriminator(train.image_shape)
generator.summary()
discriminator.summary()
plotting.show_source(build_generator, build_discriminator, GAN.train_step)

# %%
model = GAN(generator, discriminator, seed=run.seed)
model.compile(
    discriminator_optimizer=RMSprop(run.learning_rate),
    generator_optimizer=RMSprop(run.learning_rate),
    **run.execution(),
)
model.fit(train, **run.schedule())

# %%
losses = ["discriminator_loss", "generator_loss"]
run.show("losses", plotting.curves(run.history, losses, y_label="cross-entropy, nats"))
run.show("accuracies", plotting.curves(run.history, ["real_accuracy", "fake_accuracy"], y_label="accuracy"))

# %% [markdown]
# ## The same points, epoch after epoch

# %%
pages = {f"epoch {epoch}": page for epoch in run.show_epochs if (page := run.sample_picture(epoch))}
if pages:
    run.show("epochs", plotting.pictures(pages))

# %% [markdown]
# ## What it makes, counted
# A classifier that was trained on real garments sorts a thousand generated ones.  Real images would give a tenth for
# each class.

# %%
metrics = {f"test_{name}": value for name, value in model.evaluate(test, verbose=0, return_dict=True).items()}
if run.dataset in ("fashion", "fashion_mini"):
    judge = Judge("fashion")
    shares = np.bincount(judge.classes(model.generate(1000, seed=run.seed)), minlength=10) / 1000
    run.show("classes", plotting.bars(shares, judge.class_names, level=0.1, y_label="share of generated images"))
    metrics["classes_below_one_percent"] = (shares < 0.01).sum()
run.finish(**metrics)
