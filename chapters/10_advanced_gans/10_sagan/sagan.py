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
# # SAGAN: a GAN that looks at the whole image
#
# A convolution sees its neighbourhood.  In the SAGAN's two networks there is one layer in which each place of the image
# reads from all others: **self-attention**.  Two more things let that train:
#
# - **spectral normalisation** of every kernel, of the generator, too, which keeps the discriminator from being steep;
# - **two rates**: the discriminator learns faster than the generator, and one step for each of its steps is enough.
#
# Spectral normalisation takes long to learn and costs variety.  In a run of minutes the penalty of chapter 4's hinge
# GAN does better in its place, and is taken in one step of four.  `--spectral yes` is the paper's way.
#
# Book: chapter 10, "Self-Attention GAN (SAGAN)", which tells of it and has no code.  `--attention no` and
# `--two-rates no` leave the others away.

# %%
from dataclasses import dataclass
from typing import ClassVar, Literal

from gdl_keras.training import ImageConfig, Run, above, at_least


@dataclass
class Settings(ImageConfig):
    """A class-conditional GAN with self-attention."""

    dataset: str = "fashion,fashion_mini"
    batch_size: int = 32
    epochs: int = 8
    steps_per_epoch: int | None = 300
    # Numbers in a latent point.
    latent_dim: int = 64
    # The narrowest width of both networks; the smaller the image, the wider they are.
    channels: int = 16
    # Whether both networks have a layer of self-attention.
    attention: Literal["yes", "no"] = "yes"
    # The height of the image at which it stands: half of the image's, a quarter, down to about 4.
    attention_size: int = 16
    # Whether every kernel is divided by its largest singular value; no: the discriminator pays for its slope instead.
    spectral: Literal["yes", "no"] = "no"
    # Weight of that penalty.
    penalty_weight: float = 5.0
    # In one of how many steps it is taken.
    penalty_interval: int = 4
    # Whether the discriminator has a rate of its own; no: it learns at the generator's.
    two_rates: Literal["yes", "no"] = "yes"
    # Adam's rate for the discriminator.
    discriminator_learning_rate: float = 2e-3
    # Adam's rate for the generator.
    generator_learning_rate: float = 1e-3
    # How much of itself the average of the generator's weights keeps in each step.
    ema_decay: float = 0.995

    book_is: ClassVar = "the paper's rates and widths (the book has no such program)"
    ranges: ClassVar = {
        "latent_dim": at_least(1),
        "channels": at_least(1),
        "attention_size": at_least(4),
        "penalty_weight": at_least(0),
        "penalty_interval": at_least(1),
        "discriminator_learning_rate": above(0),
        "generator_learning_rate": above(0),
        "ema_decay": at_least(0, below=1),
    }


run = Run.start(
    Settings,
    chapter="10_advanced_gans/10_sagan",
    presets={
        "book": {
            "dataset": "cifar10",
            "batch_size": 64,
            "epochs": 500,
            "steps_per_epoch": None,
            "latent_dim": 128,
            "channels": 64,
            "spectral": "yes",
            "discriminator_learning_rate": 4e-4,
            "generator_learning_rate": 1e-4,
            "ema_decay": 0.999,
        },
        "smoke": {"dataset": "fashion_mini", "epochs": 1, "steps_per_epoch": 2, "batch_size": 8, "channels": 4},
    },
)

# %% [markdown]
# ## The data

# %%
import numpy as np

from gdl_keras import plotting
from gdl_keras.layers import ConditionalBatchNormalization, SelfAttention2D
from gdl_keras.metrics import Judge
from gdl_keras.metrics.frechet import frechet_distance
from gdl_keras.models.hinge_gan import HingeGAN
from gdl_keras.models.sagan import SAGAN, build_discriminator, build_generator, enlarge
from gdl_keras.optimizers import FusedAdam

train = run.load("train").with_labels()
test = run.load("test").with_labels()
num_classes = len(train.class_names)
run.show("training_images", plotting.grid(train.sample(20), columns=10))

# %% [markdown]
# ## The networks
# The class decides the gains and biases of the generator's batch normalisation.  The discriminator adds to its score
# how well the features of the image go with the direction of the class.

# %%
sizes = {
    "channels": run.channels,
    "attention_size": run.attention_size if run.attention == "yes" else None,
    "spectral": run.spectral == "yes",
}
generator = build_generator(train.image_shape, num_classes, run.latent_dim, **sizes)
discriminator = build_discriminator(train.image_shape, num_classes, **sizes)
generator.summary()
plotting.show_source(enlarge, build_discriminator, ConditionalBatchNormalization.call)

# %% [markdown]
# ## Attention
# Each place asks (theta) and each answers (phi); the more alike question and answer, the larger the share that is read
# from there (g).  What has been read comes in through a gate, which is shut at first.

# %%
plotting.show_source(SelfAttention2D.call, SelfAttention2D.shares)

# %% [markdown]
# ## The game
# The hinge GAN's of chapter 4.

# %%
model = SAGAN(
    generator,
    discriminator,
    num_classes,
    penalty_weight=0.0 if run.spectral == "yes" else run.penalty_weight,
    penalty_interval=run.penalty_interval,
    ema_decay=run.ema_decay,
    seed=run.seed,
)
rates = {
    "discriminator": run.discriminator_learning_rate if run.two_rates == "yes" else run.generator_learning_rate,
    "generator": run.generator_learning_rate,
}
model.compile(
    discriminator_optimizer=FusedAdam(rates["discriminator"], beta_1=0.0, beta_2=0.9),
    generator_optimizer=FusedAdam(rates["generator"], beta_1=0.0, beta_2=0.9),
    **run.execution(),
)
plotting.show_source(HingeGAN.train_step, HingeGAN.penalty)

# %%
model.fit(train, **run.schedule())

# %%
run.show("losses", plotting.curves(run.history, ["discriminator_loss", "generator_loss"], y_label="loss, in scores"))

# %% [markdown]
# ## One row for each class

# %%
by_class = {
    name: model.generate(12, labels=np.full(12, label), seed=label) for label, name in enumerate(train.class_names)
}
run.show("generated", plotting.rows(by_class))

# %% [markdown]
# ## Where it looks
# A row for each image: from a place, marked by a cross, the shares of all the places that it reads from.  Red is much.

# %%
if run.attention == "yes":
    height, width = train.image_shape[:2]
    places = [(height // 4, width // 4), (height // 2, width // 2), (3 * height // 4, 3 * width // 4), (1, 1)]
    classes = np.arange(min(5, num_classes))
    latents = model.sample_latents(len(classes), seed=run.seed)
    shares = model.attention_maps(latents, classes, places)
    images = model.generate(latents=latents, labels=classes)
    run.show("attention", plotting.attended_places(images, shares, places))
    gates = {
        network.name: float(layer.gate.numpy())
        for network in (model.averaged_generator, model.discriminator)
        for layer in network.layers
        if isinstance(layer, SelfAttention2D)
    }
    print("the gates:", {name: round(gate, 3) for name, gate in gates.items()})

# %% [markdown]
# ## Does it make what it is told to, and all of it?
# The Fréchet distance is that of 1,000 images to as many held-out ones.

# %%
metrics = {f"test_{name}": value for name, value in model.evaluate(test, verbose=0, return_dict=True).items()}
if run.dataset in ("fashion", "fashion_mini"):
    judge = Judge("fashion")
    asked = np.repeat(np.arange(num_classes), 100)
    made, real = model.generate(len(asked), labels=asked, seed=run.seed), test.images(slice(None))
    report = judge.report(made, asked, real, test.labels)
    diversity = report.pop("diversity")
    run.show("diversity", plotting.bars(list(diversity.values()), list(diversity), 1.0, "diversity, real = 1"))
    distance = frechet_distance(judge.features(made), judge.features(real))
    metrics |= report | {"smallest_diversity": min(diversity.values()), "fcd": distance}
run.finish(**metrics)
