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
# # Conditional GAN: say what to make
#
# A GAN makes what it likes.  Tell both networks the label, the generator what to make and the critic what it should
# see, and the label becomes a handle: the latent point keeps everything that the label does not say.  So the same
# point under every label is the same picture with one thing changed.
#
# Trained as a Wasserstein GAN with gradient penalty.  The book's handle is blond hair; here any set of classes, or any
# attribute of a data set that has them.
#
# Book: chapter 4, "Conditional GAN (CGAN)".

# %%
from dataclasses import dataclass
from typing import ClassVar, Literal

from gdl_keras.training import ImageConfig, Run, above, at_least, halved_for_each


@dataclass
class Settings(ImageConfig):
    """A conditional Wasserstein GAN with gradient penalty."""

    dataset: str = "emoji"
    batch_size: int = 64
    epochs: int = 10
    steps_per_epoch: int | None = 250
    # The attribute to condition on, such as Blond_Hair, for data sets that have attributes instead of classes; or all
    # of them, any number at once.
    attribute: str | None = None
    # Numbers in a latent point.
    latent_dim: int = 32
    # Channels of the generator from its smallest image on.
    generator_filters: tuple[int, ...] = (128, 64, 32)
    # Channels of the critic from its largest image on.
    critic_filters: tuple[int, ...] = (32, 64, 128)
    # How images are enlarged: transposed convolutions, or repeated pixels and a convolution (no checkerboard).
    upsampling: Literal["transposed", "resize"] = "resize"
    # Share of the critic's numbers that are set to zero in each step.
    dropout: float = 0.0
    # Steps of the critic for each of the generator.
    critic_steps: int = 1
    # Weight of the gradient penalty; 10 in paper and book.
    penalty_weight: float = 20.0
    # paper, or book: normal mixing weights, one real batch for all critic steps, dropout in the penalty.
    variant: Literal["paper", "book"] = "paper"
    # Adam's rate; with one critic step, the critic learns faster instead (Heusel et al. 2017, section 2).
    critic_learning_rate: float = 1e-3
    # Adam's rate.
    generator_learning_rate: float = 5e-4
    # Adam's memory of past gradients.
    beta_1: float = 0.0
    # Adam's memory of their squares.
    beta_2: float = 0.9
    # How much of itself the average of the generator's weights keeps in each step; 0 for no average.
    ema_decay: float = 0.995

    ranges: ClassVar = {
        "image_size": halved_for_each("generator_filters"),
        "latent_dim": at_least(1),
        "generator_filters": at_least(1),
        "critic_filters": at_least(1),
        "dropout": at_least(0, below=1),
        "critic_steps": at_least(1),
        "penalty_weight": at_least(0),
        "critic_learning_rate": above(0),
        "generator_learning_rate": above(0),
        "beta_1": at_least(0, below=1),
        "beta_2": at_least(0, below=1),
        "ema_decay": at_least(0, below=1),
    }


run = Run.start(
    Settings,
    chapter="04_gan/03_cgan",
    presets={
        "book": {
            "dataset": "faces",
            "attribute": "Blond_Hair",
            "image_size": 64,
            "batch_size": 128,
            "epochs": 20,
            "steps_per_epoch": None,
            "generator_filters": (128, 128, 128, 64),
            "critic_filters": (64, 128, 128, 128),
            "dropout": 0.3,
            "upsampling": "transposed",
            "critic_steps": 3,
            "penalty_weight": 10.0,
            "critic_learning_rate": 5e-5,
            "generator_learning_rate": 5e-5,
            "beta_1": 0.5,
            "ema_decay": 0.0,
        },
        "smoke": {
            "epochs": 1,
            "steps_per_epoch": 2,
            "batch_size": 8,
            "generator_filters": (8, 8, 8),
            "critic_filters": (8, 8, 8),
        },
    },
)

# %% [markdown]
# ## The data
# Images and their labels, one data set, one pass.

# %%
import numpy as np
from keras.optimizers import Adam

from gdl_keras import plotting
from gdl_keras.metrics import Judge
from gdl_keras.models.cgan import CGAN, build_critic, build_generator

train, test = (run.load(split).conditioned_on(run.attribute) for split in ("train", "test"))
names, attributes = train.condition_names, run.attribute == "all"
num_classes = len(names)
has = train.attributes.T > 0 if attributes else [train.labels == number for number in range(num_classes)]
by_class = {name: train.images(np.flatnonzero(chosen)[:10]) for name, chosen in zip(names, has) if chosen.any()}
run.show("training_images", plotting.rows(by_class))

# %% [markdown]
# ## The networks
# The generator gets the label beside the latent point; the critic gets it as further channels of the image, one for
# each class or attribute, all ones or all zeros.

# %%
shape = train.image_shape
generator = build_generator(shape, num_classes, run.latent_dim, run.generator_filters, run.upsampling, attributes)
critic = build_critic(shape, num_classes, run.critic_filters, run.dropout, attributes)
generator.summary()
plotting.show_source(build_generator, build_critic)

# %% [markdown]
# ## The game
# The step is the WGAN-GP's, with labels filled in.

# %%
model = CGAN(
    generator,
    critic,
    num_classes,
    critic_steps=run.critic_steps,
    penalty_weight=run.penalty_weight,
    variant=run.variant,
    ema_decay=run.ema_decay or None,
    seed=run.seed,
)
model.compile(
    critic_optimizer=Adam(run.critic_learning_rate, run.beta_1, run.beta_2),
    generator_optimizer=Adam(run.generator_learning_rate, run.beta_1, run.beta_2),
    **run.execution(),
)
plotting.show_source(CGAN.train_step)

# %%
model.fit(train, **run.schedule(test))

# %%
unit = "Wasserstein distance, images in [-1, 1]"
run.show("distance", plotting.curves(run.history, ["wasserstein_distance"], y_label=unit))
run.show("gradient_norm", plotting.curves(run.history, ["gradient_norm"], y_label="slope, per unit of [-1, 1]"))

# %% [markdown]
# ## The same points under every label
# A column is one latent point, a row one label.

# %%
points = model.sample_latents(10, seed=run.seed)
same_points = {
    name: model.generate(latents=points, **model.conditions.same(number, 10)) for number, name in enumerate(names)
}
run.show("same_points", plotting.rows(same_points))

# %% [markdown]
# ## Does it make what it is told to?
# A classifier that was trained on real images looks at generated ones: how often does it see the class that was asked
# for, and how different are the images of each class from each other, compared with real ones?
#
# Read the first number beside what the same classifier says of real images.  Of emoji it names only 63 % right: no
# share near that, or above it, makes one model better than another, and the rows above say more.  Of garments
# (`--dataset fashion`) it names 92 %.

# %%
metrics = {f"test_{name}": value for name, value in model.evaluate(test, verbose=0, return_dict=True).items()}
if run.dataset in ("emoji", "fashion", "fashion_mini"):
    judge = Judge(run.dataset.removesuffix("_mini"))
    asked = np.repeat(np.arange(num_classes), 100)
    report = judge.report(
        model.generate(len(asked), labels=asked, seed=run.seed), asked, test.images(slice(None)), test.labels
    )
    diversity = report.pop("diversity")
    run.show("diversity", plotting.bars(list(diversity.values()), list(diversity), 1.0, "diversity, real = 1"))
    metrics |= report | {"smallest_diversity": min(diversity.values())}
run.finish(**metrics)
