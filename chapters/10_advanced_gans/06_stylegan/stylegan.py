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
# # StyleGAN: an image out of a constant
#
# A ProGAN's image grows out of its latent point.  Here every image grows out of the same constant of 4x4, and what is
# to become of it is said on the way:
#
# - A **mapping network** makes a *style* of the latent point.  Points must be normal, because that is how they are
#   drawn; styles may lie as the data wants it to.
# - After each convolution **adaptive instance normalisation** brings every feature of an image to mean 0 and variance
#   1, and then gives it the size and the brightness that the style asks for.  What a style says holds for one layer: in
#   the next one features are brought to scale again.
# - **Mixing**: in training the layers up to a size are often told one style and the others another one, so that none
#   relies on what another one was told.
# - **Noise**, a number for each place, is added in every layer, as loudly as the layer learns to want it.
#
# The rest is ProGAN's, growth included; a filter goes along with each change of size, and the game is that of the first
# GAN with a penalty on the discriminator's slope.
#
# Book: chapter 10, "StyleGAN".  Paper: Karras et al. 2019, arXiv:1812.04948.

# %%
from dataclasses import dataclass
from typing import ClassVar

from gdl_keras.training import ImageConfig, Run, above, at_least, between


@dataclass
class Settings(ImageConfig):
    """A StyleGAN that grows from 8x8 pixels."""

    dataset: str = "fashion,fashion_mini"
    batch_size: int = 32
    epochs: int = 12
    steps_per_epoch: int | None = 250
    # Thousands of images for which a size is learnt before the next one is faded in.
    stable_kimg: float = 8.0
    # Thousands of images that fading takes.
    transition_kimg: float = 8.0
    # Whether the networks are told the class of an image.
    conditional: bool = False
    # Numbers in a latent point, and in a style.
    latent_dim: int = 64
    # Layers of the mapping network.
    mapping_layers: int = 2
    # What the mapping network's rate is beside that of the other layers.
    mapping_rate: float = 0.1
    # At a size there are channel_base / size channels, or channel_max where that is less.
    channel_base: int = 256
    # Channels at most.
    channel_max: int = 64
    # How often layers are told two styles in training.
    mixing: float = 0.5
    # Weight of the penalty on the discriminator's slope.
    penalty_weight: float = 2.0
    # Adam's rate.
    learning_rate: float = 5e-3
    # Thousands of images after which the average of the generator has forgotten half.
    ema_half_life: float = 10.0

    book_is: ClassVar = "faces of 256x256, with the paper's schedule (the book tells of StyleGAN without code)"
    ranges: ClassVar = {
        "image_size": between(8, 1024),
        "stable_kimg": above(0),
        "transition_kimg": at_least(0),
        "latent_dim": at_least(1),
        "mapping_layers": at_least(1),
        "mapping_rate": above(0),
        # A channel is left at the largest size.
        "channel_base": lambda settings: at_least(settings.image_size),
        "channel_max": at_least(1),
        "mixing": between(0, 1),
        "penalty_weight": at_least(0),
        "learning_rate": above(0),
        "ema_half_life": above(0),
    }


run = Run.start(
    Settings,
    chapter="10_advanced_gans/06_stylegan",
    presets={
        "book": {
            "dataset": "faces",
            "image_size": 256,
            "batch_size": 16,
            "epochs": 250,
            "steps_per_epoch": 6250,
            "stable_kimg": 600.0,
            "transition_kimg": 600.0,
            "latent_dim": 512,
            "mapping_layers": 8,
            "mapping_rate": 0.01,
            "channel_base": 16384,
            "channel_max": 512,
            "mixing": 0.9,
            "penalty_weight": 10.0,
            "learning_rate": 1e-3,
        },
        "smoke": {
            "dataset": "fashion_mini",
            "image_size": 16,
            "batch_size": 8,
            "epochs": 2,
            "steps_per_epoch": 2,
            "stable_kimg": 0.016,
            "transition_kimg": 0.2,
            "latent_dim": 8,
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
from gdl_keras.layers import AdaptiveInstanceNormalization, NoiseInjection
from gdl_keras.layers.doubling import enlarged
from gdl_keras.models import StyleGAN
from gdl_keras.models.growing.networks import sizes_of
from gdl_keras.models.growing.stages import shrunk
from gdl_keras.models.stylegan.base import StyleModel, mixed
from gdl_keras.models.stylegan.mapping import build_mapping
from gdl_keras.models.stylegan.stylegan import build_discriminator, build_generator, build_synthesis

train, test = run.load("train"), run.load("test")
num_classes = None
if run.conditional:
    train, test = train.with_labels(), test.with_labels()
    num_classes = len(train.class_names)
images, sizes = train.sample(10), sizes_of(train.image_shape)[1:]
at_sizes = {f"{size}x{size}": np.asarray(enlarged(shrunk(images, size), run.image_size // size)) for size in sizes}
run.show("training_images", plotting.rows(at_sizes))

# %% [markdown]
# ## The networks
# Two layers at each size.  All of them are there from the start, but only those of the sizes so far are at work.

# %%
widths = {"channel_base": run.channel_base, "channel_max": run.channel_max}
generator = build_generator(
    train.image_shape,
    num_classes,
    latent_dim=run.latent_dim,
    style_dim=run.latent_dim,
    mapping_layers=run.mapping_layers,
    mapping_rate=run.mapping_rate,
    **widths,
)
discriminator = build_discriminator(train.image_shape, num_classes, **widths)
generator.get_layer("synthesis").summary()
plotting.show_source(build_mapping, build_synthesis)

# %%
plotting.show_source(AdaptiveInstanceNormalization, NoiseInjection)

# %% [markdown]
# ## The game
# The losses are the first GAN's.  What keeps the discriminator from running ahead is a penalty on its slope at real
# images, in every step.

# %%
model = StyleGAN(
    generator,
    discriminator,
    num_classes=num_classes,
    penalty_weight=run.penalty_weight,
    stable_kimg=run.stable_kimg,
    transition_kimg=run.transition_kimg,
    mixing=run.mixing,
    ema_half_life=run.ema_half_life,
    seed=run.seed,
)
model.compile(
    discriminator_optimizer=Adam(run.learning_rate, beta_1=0.0, beta_2=0.99),
    generator_optimizer=Adam(run.learning_rate, beta_1=0.0, beta_2=0.99),
    **run.execution(),
)
plotting.show_source(StyleGAN, StyleModel)

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

# %%
if history:
    run.show("losses", plotting.curves(history, ["discriminator_loss", "generator_loss"], y_label="loss, in nats"))
    run.show("accuracies", plotting.curves(history, ["real_accuracy", "fake_accuracy"], y_label="accuracy"))
    run.show("size", plotting.curves(history, ["resolution"], y_label="pixels a side"))


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
# learnt.

# %%
strip = {
    f"{truncation:g}": model.generate(10, seed=run.seed, truncation=truncation, **labels_of(10))
    for truncation in (0.0, 0.3, 0.5, 0.7, 1.0)
}
run.show("truncation", plotting.rows(strip))

# %% [markdown]
# ## Styles mixed
# A row for each pair of images, the first one on the left and the second one on the right.  In between the layers of
# the small sizes are told the first one's style, and those from the size below each image on the second one's: the
# further to the right, the more of the layers are.

# %%
pairs = 6
latents = model.sample_latents(2 * pairs, seed=run.seed + 1)
styles = np.asarray(model.styles_of(latents, labels_of(len(latents)).get("labels")))
cutoffs = range(model.num_layers, -1, -2)
told = [mixed(styles[:pairs], styles[pairs:], cutoff) for cutoff in cutoffs]
made = np.stack([np.asarray(model.images_of(one)) for one in told], axis=1)
captions = [
    "first",
    *(f"from {4 * 2 ** (cutoff // 2)}x{4 * 2 ** (cutoff // 2)} on" for cutoff in cutoffs[1:-1]),
    "second",
]
run.show("mixing", plotting.numbered(made.reshape(-1, *made.shape[2:]), captions * pairs, columns=len(cutoffs)))

# %% [markdown]
# ## Noise
# The same style with other noise.  What differs is what the network leaves to chance: the last column is where, and how
# much, the darker the more (the standard deviation over twenty images, times five).

# %%
one = np.repeat(styles[:5, None], 20, axis=1).reshape(-1, *styles.shape[1:])
noise = np.random.default_rng(run.seed).normal(size=(len(one), *model.noise_shape)).astype("float32")
made = np.asarray(model.images_of(one, noise)).reshape(5, 20, *train.image_shape)
spread = np.clip(5 * made.std(axis=1), 0, 1)
run.show("noise", plotting.grid(np.concatenate([np.append(m[:5], s[None], axis=0) for m, s in zip(made, spread)]), 6))

# %% [markdown]
# How loud it is in each layer, on average over its channels:

# %%
strengths = [weight for weight in model.synthesis.trainable_weights if weight.path.endswith("strength")]
for number, strength in enumerate(strengths):
    size = 4 * 2 ** (number // 2)
    print(f"{size}x{size}: {np.abs(strength).mean():.3f}")

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

# %%
metrics = model.evaluate(test, verbose=0, return_dict=True)
run.finish(**{f"test_{name}": value for name, value in metrics.items()})
