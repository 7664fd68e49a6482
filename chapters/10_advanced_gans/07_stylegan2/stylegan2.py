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
# # StyleGAN2: every layer is told
#
# A DCGAN's latent point comes in at the bottom, once, and what its numbers mean is for all layers together to work out.
# Here it is worked out first.
#
# - A **mapping network** makes a *style* of the point.  Points must be normal, because that is how they are drawn;
#   styles may lie as the data wants it to.
# - Each layer of the **synthesis network** is told the style by itself.  It says which channels are loud: coarse layers
#   take the kind of thing and its outline from it, fine ones the pattern.  In training, layers are often told two
#   different styles, so that none relies on what another one was told.
# - The network begins with a constant; **noise** at every size is for what is left to chance.
# - The image is a **sum of images**, one for each size, so that nothing has to grow while it is trained.
# - Resizing goes through a **filter**, so that no pattern sticks to the grid.
#
# Book: chapter 10, "StyleGAN" and "StyleGAN2".  Papers: Karras et al. 2019, arXiv:1812.04948; 2020, arXiv:1912.04958.

# %%
from dataclasses import dataclass
from typing import ClassVar

from gdl_keras.training import ImageConfig, Run, above, at_least, between


@dataclass
class Settings(ImageConfig):
    """A StyleGAN2."""

    dataset: str = "fashion,fashion_mini"
    batch_size: int = 64
    epochs: int = 6
    steps_per_epoch: int | None = 400
    # Whether the networks are told the class of an image.
    conditional: bool = False
    # Numbers in a latent point, and in a style.
    latent_dim: int = 64
    # Layers of the mapping network.
    mapping_layers: int = 2
    # At a size there are channel_base / size channels, or channel_max where that is less.
    channel_base: int = 256
    # Channels at most.
    channel_max: int = 64
    # How often layers are told two styles in training.
    mixing: float = 0.9
    # Weight of the penalty on the discriminator's slope; the flag without a number: 0.0002 size^2 / batch_size.
    penalty_weight: float | None = 0.3
    # Weight of the penalty on how unevenly images move as styles do; 0 for none, which is quicker.
    path_weight: float = 0.0
    # Thousands of images after which the average of the generator has forgotten half.
    ema_half_life: float = 10.0
    # Adam's rate.
    learning_rate: float = 5e-3
    # Steps of the search for an image's style.
    projection_steps: int = 300

    book_is: ClassVar = "the papers' (the book has no such program)"
    ranges: ClassVar = {
        "image_size": between(8, 1024),
        "latent_dim": at_least(1),
        "mapping_layers": at_least(1),
        # A channel is left at the largest size.
        "channel_base": lambda settings: at_least(settings.image_size),
        "channel_max": at_least(1),
        "mixing": between(0, 1),
        "penalty_weight": at_least(0),
        "path_weight": at_least(0),
        "ema_half_life": above(0),
        "learning_rate": above(0),
        "projection_steps": at_least(1),
    }


run = Run.start(
    Settings,
    chapter="10_advanced_gans/07_stylegan2",
    presets={
        "book": {
            "dataset": "faces",
            "image_size": 64,
            "batch_size": 32,
            "epochs": 100,
            "steps_per_epoch": None,
            "latent_dim": 512,
            "mapping_layers": 8,
            "channel_base": 16384,
            "channel_max": 512,
            "penalty_weight": None,
            "path_weight": 2.0,
            "learning_rate": 2e-3,
            "projection_steps": 1000,
        },
        "smoke": {
            "dataset": "fashion_mini",
            "epochs": 1,
            "steps_per_epoch": 2,
            "batch_size": 8,
            "latent_dim": 8,
            "channel_max": 4,
            "projection_steps": 2,
        },
    },
)

# %% [markdown]
# ## The data

# %%
import numpy as np
from keras.optimizers import Adam

from gdl_keras import plotting
from gdl_keras.layers import ModulatedConv2D
from gdl_keras.metrics.reconstruction import psnr
from gdl_keras.models.stylegan import StyleGAN2
from gdl_keras.models.stylegan.base import Styled, StyleModel, mixed
from gdl_keras.models.stylegan.game import LogisticGame
from gdl_keras.models.stylegan.networks import build_discriminator, build_generator, build_synthesis
from gdl_keras.models.stylegan.projection import project
from gdl_keras.models.stylegan.stylegan2 import penalty_weight_for

train, test = run.load("train"), run.load("test")
num_classes = None
if run.conditional:
    train, test = train.with_labels(), test.with_labels()
    num_classes = len(train.class_names)
run.show("training_images", plotting.grid(train.sample(20), columns=10))

# %% [markdown]
# ## The networks
# A style scales the input channels of each convolution; the outputs are then brought back to the size that they have on
# average, so that no layer can make itself heard by being loud.

# %%
channels = {"channel_base": run.channel_base, "channel_max": run.channel_max, "mapping_layers": run.mapping_layers}
generator = build_generator(train.image_shape, run.latent_dim, num_classes, run.latent_dim, **channels)
discriminator = build_discriminator(train.image_shape, num_classes, **channels)
generator.get_layer("synthesis").summary()
plotting.show_source(ModulatedConv2D, build_synthesis, build_discriminator)

# %% [markdown]
# ## The game
# The losses are the first GAN's.  What keeps the discriminator from running ahead is a penalty on its slope at real
# images, taken in one step of sixteen.

# %%
size, batch_size = train.image_shape[0], run.batch_size
penalty_weight = penalty_weight_for(size, batch_size) if run.penalty_weight is None else run.penalty_weight
model = StyleGAN2(
    generator,
    discriminator,
    num_classes,
    penalty_weight=penalty_weight,
    path_weight=run.path_weight,
    mixing=run.mixing,
    ema_half_life=run.ema_half_life,
    seed=run.seed,
)
model.compile(
    discriminator_optimizer=Adam(run.learning_rate, beta_1=0.0, beta_2=0.99),
    generator_optimizer=Adam(run.learning_rate, beta_1=0.0, beta_2=0.99),
    **run.execution(),
)
plotting.show_source(LogisticGame, StyleGAN2, Styled, StyleModel)

# %%
model.fit(train, **run.schedule())

# %%
run.show("losses", plotting.curves(run.history, ["discriminator_loss", "generator_loss"], y_label="loss, in nats"))
run.show("accuracies", plotting.curves(run.history, ["real_accuracy", "fake_accuracy"], y_label="accuracy"))


# %% [markdown]
# ## New images
# The averaged generator's; of a model that knows classes, a row for each of the first ones.


# %%
def labels_of(count, number=0):
    """What `generate` needs beside `count` points: of a model that knows classes, the same one for all."""
    return model.conditions.same(number, count) if run.conditional else {}


shown = range(min(num_classes, 10)) if run.conditional else range(6)
pages = [model.generate(10, seed=run.seed, first=10 * row, **labels_of(10, row)) for row in shown]
run.show("generated", plotting.grid(np.concatenate(pages), columns=10))

# %% [markdown]
# ## The truncation trick
# Styles are pulled towards their average.  With 0 all images are that of the average; with 1 they are as they were
# learnt.  In between each one becomes likelier, and all become more alike.

# %%
strip = {
    f"{truncation:g}": model.generate(10, seed=run.seed, truncation=truncation, **labels_of(10))
    for truncation in (0.0, 0.3, 0.5, 0.7, 1.0)
}
run.show("truncation", plotting.rows(strip))

# %% [markdown]
# ## Styles mixed
# In each row the first image's style is told to the layers of the small sizes, and that of the image above to the
# others.  What comes from the left is what the coarse layers decide.

# %%
cutoff, fine = model.num_layers // 2, 6
latents = model.sample_latents(4 + fine, seed=run.seed + 1)
styles = np.asarray(model.styles_of(latents, labels_of(len(latents)).get("labels")))
images = np.asarray(model.images_of(styles))
rows = {"fine": np.concatenate([np.zeros_like(images[:1]), images[4:]])}
for number in range(4):
    coarse = np.repeat(styles[number : number + 1], fine, axis=0)
    made = np.asarray(model.images_of(mixed(coarse, styles[4:], cutoff)))
    rows[f"coarse {number + 1}"] = np.concatenate([images[number : number + 1], made])
run.show("mixing", plotting.rows(rows))

# %% [markdown]
# ## Noise
# The same style with other noise.  What differs is what the network leaves to chance: the last column is where, and how
# much, the darker the more (the standard deviation over twenty images, times five).

# %%
one = np.repeat(styles[:5, None], 20, axis=1).reshape(-1, *styles.shape[1:])
noise = np.random.default_rng(run.seed).normal(size=(len(one), *model.noise_shape)).astype("float32")
made = np.asarray(model.images_of(one, noise)).reshape(5, 20, *images.shape[1:])
spread = np.clip(5 * made.std(axis=1), 0, 1)
run.show("noise", plotting.grid(np.concatenate([np.append(m[:5], s[None], axis=0) for m, s in zip(made, spread)]), 6))

# %% [markdown]
# ## A walk
# From point to point, and back to the first: `gdl animate RUN --walk` makes a film of such a walk.

# %%
stops = model.sample_latents(4, seed=run.seed + 2)
legs = [
    model.between(stops[number], stops[(number + 1) % 4], share)
    for number in range(4)
    for share in np.linspace(0, 0.9, 10)
]
walk = model.generate(latents=np.stack(legs), **labels_of(len(legs)))
run.show("walk", plotting.grid(walk, columns=10))

# %% [markdown]
# ## Projection
# Which style has the image that is nearest to a held-out one?  The search goes down the slope of the squared error.
# One style for all layers is what the generator can make by itself; a style of its own for each layer reaches further,
# also to images that no point has.

# %%
held_out = test.images(slice(0, 8))
labels = test.labels[:8] if run.conditional else None
_, by_one_style = project(model, held_out, labels, steps=run.projection_steps)
_, by_layer = project(model, held_out, labels, steps=run.projection_steps, every_layer=True)
run.show("projection", plotting.rows({"held out": held_out, "one style": by_one_style, "a style a layer": by_layer}))

# %%
metrics = {f"test_{name}": value for name, value in model.evaluate(test, verbose=0, return_dict=True).items()}
metrics["projection_psnr"] = float(psnr(held_out, by_one_style).mean())
metrics["projection_psnr_by_layer"] = float(psnr(held_out, by_layer).mean())
run.finish(**metrics)
