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
# # StyleGAN3: images that move and turn
#
# Move what a StyleGAN2 draws, and hairs and creases stay where they were: its detail sticks to the grid of pixels.
# Here every layer is a picture that is defined between its pixels, too, and goes along.
#
# - The network begins with **waves**.  They are there everywhere, so they can be moved by a third of a pixel or turned,
#   and the style says by how much.
# - A **layer** holds frequencies up to a limit, well below what its pixels could hold; from layer to layer the limit
#   grows.
# - A rectifier makes frequencies without end.  It works on a **finer grid**, and a filter takes away what is too fine
#   before the layer's own grid comes back.
# - Beyond each edge there is a **margin**, so that no layer learns where the edge is.
# - There is no noise, and no image of smaller sizes is added: both would stay behind.
#
# In the variant R convolutions are of 1x1 and filters the same in all directions, and images turn as well.
#
# Paper: Karras et al. 2021, arXiv:2106.12423.  Book: chapter 10, which ends before it.

# %%
from dataclasses import dataclass
from typing import ClassVar

from gdl_keras.training import ImageConfig, Run, above, at_least


@dataclass
class Settings(ImageConfig):
    """A StyleGAN3."""

    dataset: str = "fashion,fashion_mini"
    batch_size: int = 16
    epochs: int = 6
    steps_per_epoch: int | None = 500
    # Whether the networks are told the class of an image.
    conditional: bool = False
    # Whether images turn as the waves do (the paper's R), or only move as they do (T).
    rotation: bool = True
    # Numbers in a latent point, and in a style.
    latent_dim: int = 64
    # Layers of the mapping network.
    mapping_layers: int = 2
    # Layers of the synthesis network, without the last.
    num_layers: int = 5
    # A layer of the generator has channel_base / (2 its highest frequency) channels, or channel_max where that is less.
    channel_base: int = 512
    # Channels of the generator at most.
    channel_max: int = 32
    # Pixels beyond each edge.
    margin: int = 4
    # At a size the discriminator has judge_base / size channels, or judge_max where that is less.
    judge_base: int = 256
    # Channels of the discriminator at most.
    judge_max: int = 64
    # Weight of the penalty on the discriminator's slope; the flag without a number: 32 (image_size / 1024)^2.
    penalty_weight: float | None = 1.0
    # With --rotation, thousands of images over which the blur goes that the discriminator sees all images through.
    blur_kimg: float = 10.0
    # Thousands of images after which the average of the generator has forgotten half.
    ema_half_life: float = 10.0
    # Adam's rate for the generator.
    generator_learning_rate: float = 5e-3
    # Adam's rate for the discriminator.
    discriminator_learning_rate: float = 5e-3
    # How many shifts and turns equivariance is measured with.
    motions: int = 16

    book_is: ClassVar = "the paper's (the book has no such program)"
    ranges: ClassVar = {
        "latent_dim": at_least(1),
        "mapping_layers": at_least(1),
        "num_layers": at_least(3),
        # A channel is left at the highest frequency.
        "channel_base": lambda settings: at_least(settings.image_size),
        "channel_max": at_least(1),
        "margin": at_least(0),
        "judge_base": lambda settings: at_least(settings.image_size),
        "judge_max": at_least(1),
        "penalty_weight": at_least(0),
        "blur_kimg": above(0),
        "ema_half_life": above(0),
        "generator_learning_rate": above(0),
        "discriminator_learning_rate": above(0),
        "motions": at_least(1),
    }


run = Run.start(
    Settings,
    chapter="10_advanced_gans/09_stylegan3",
    presets={
        "book": {
            "dataset": "faces",
            "image_size": 256,
            "batch_size": 32,
            "epochs": 100,
            "steps_per_epoch": None,
            "latent_dim": 512,
            "num_layers": 14,
            "channel_base": 65536,
            "channel_max": 1024,
            "margin": 10,
            "judge_base": 32768,
            "judge_max": 512,
            "penalty_weight": None,
            "blur_kimg": 200.0,
            "generator_learning_rate": 2.5e-3,
            "discriminator_learning_rate": 2e-3,
        },
        "smoke": {
            "dataset": "fashion_mini",
            "epochs": 1,
            "steps_per_epoch": 2,
            "batch_size": 8,
            "latent_dim": 8,
            "num_layers": 3,
            "channel_max": 4,
            "judge_max": 4,
            "margin": 2,
            "motions": 2,
        },
    },
)

# %% [markdown]
# ## The data

# %%
import numpy as np
import tensorflow as tf
from keras import Model
from keras.optimizers import Adam

from gdl_keras import plotting
from gdl_keras.metrics.equivariance import moved, rotation_equivariance, translation_equivariance
from gdl_keras.models.stylegan.game import LogisticGame
from gdl_keras.models.stylegan.networks import build_discriminator
from gdl_keras.models.stylegan3 import StyleGAN3
from gdl_keras.models.stylegan3.filtered_leaky_relu import FilteredLeakyReLU
from gdl_keras.models.stylegan3.fourier_input import FourierInput
from gdl_keras.models.stylegan3.networks import build_generator, build_synthesis, nonlinearity
from gdl_keras.models.stylegan3.stylegan3 import BLUR_OF_ROTATION, penalty_weight_for
from gdl_keras.models.stylegan3.table import LayerShape, layer_table
from gdl_keras.models.stylegan3.transforms import moved_and_turned

train, test = run.load("train"), run.load("test")
num_classes = None
if run.conditional:
    train, test = train.with_labels(), test.with_labels()
    num_classes = len(train.class_names)
size = train.image_shape[0]
run.show("training_images", plotting.grid(train.sample(20), columns=10))

# %% [markdown]
# ## What a rectifier does to frequencies
# A wave of 13 periods on 64 pixels, which hold up to 32.  Bent, it has harmonics: 26 periods, 52, 78 and so on.  Those
# above 32 cannot be told from lower ones on these pixels, so they come back as 12, 14, 24: waves that were not there,
# and whose place depends on the grid.  On a finer grid, twice as fine, 52 and 78 have their place, and are filtered;
# what is left of 2, 24 and the like are harmonics that the finer grid cannot hold either.

# %%
wave = np.sin(2 * np.pi * 13 / 64 * np.arange(-64, 128))[None, None, :, None].repeat(192, axis=1).astype("float32")
layer = LayerShape(size=192, channels=1, rate=64, cutoff=20.0, half_width=12.0, is_critical=False)
bent = {
    "on the pixels": np.sqrt(2) * np.where(wave > 0, wave, 0.2 * wave),
    "on a finer grid": np.asarray(FilteredLeakyReLU(**nonlinearity(layer, layer, 1))(wave)),
}
spectra = {name: abs(np.fft.rfft(images[0, 96, 64:128, 0])) / 32 for name, images in bent.items()}
decibels = {name: 20 * np.log10(np.maximum(spectrum, 1e-4)) for name, spectrum in spectra.items()}
y_label = "amplitude, decibels"
run.show("spectrum", plotting.curves(decibels, list(decibels), "periods on 64 pixels", y_label, first=0))
plotting.show_source(FilteredLeakyReLU)

# %% [markdown]
# ## The layers
# Up to `cutoff` a layer keeps all, and beyond `stopband` it has nothing.  `half the rate` is what its pixels could
# hold.  The last layers, which make the image, use all of that.

# %%
sizes = {
    "num_layers": run.num_layers,
    "channel_base": run.channel_base,
    "channel_max": run.channel_max,
    "margin": run.margin,
}
table = layer_table(size, train.image_shape[-1], **sizes)
for number, shape in enumerate(table):
    side, width = f"{shape.size}x{shape.size}", f"{shape.channels} channels"
    print(f"layer {number}: {side} pixels, {shape.rate} of them an image, {width}, up to {shape.cutoff:.1f} periods")
limits = {
    "cutoff": [shape.cutoff for shape in table],
    "stopband": [shape.cutoff + shape.half_width for shape in table],
    "half the rate": [shape.rate / 2 for shape in table],
}
run.show("layers", plotting.curves(limits, list(limits), "layer", "periods per image", first=0))
plotting.show_source(layer_table, build_synthesis)

# %% [markdown]
# ## The networks
# The discriminator is StyleGAN2's.

# %%
generator = build_generator(
    train.image_shape,
    run.latent_dim,
    num_classes,
    run.latent_dim,
    run.mapping_layers,
    rotation=run.rotation,
    magnitude_decay=0.5 ** (run.batch_size / 20_000),
    seed=run.seed,
    **sizes,
)
judges = {"channel_base": run.judge_base, "channel_max": run.judge_max, "mapping_layers": run.mapping_layers}
discriminator = build_discriminator(train.image_shape, num_classes, **judges)
synthesis = generator.get_layer("synthesis")
synthesis.summary()

# %% [markdown]
# ## Waves
# Some of the channels that the first layer gets: at rest, moved by an eighth of the image, turned by 30 degrees.

# %%
first = next(layer for layer in synthesis.layers if isinstance(layer, FourierInput))
waves = Model(synthesis.inputs, first.output)
still = tf.zeros((1, *synthesis.inputs[0].shape[1:]))
motions = {"at rest": (0, 0, 0), "to the right": (size / 8, 0, 0), "turned by 30°": (0, 0, 30)}
shown = {}
for name, motion in motions.items():
    channels = np.asarray(waves([still, moved_and_turned(*motion, size)[None]]))[0].transpose(2, 0, 1)
    shown[name] = np.clip(0.5 + channels[:10, ..., None] / 4, 0, 1)
run.show("waves", plotting.rows(shown))
plotting.show_source(FourierInput)

# %% [markdown]
# ## The game
# StyleGAN2's, without noise, mixed styles and the path's penalty.  With 1x1 convolutions the generator would sooner
# draw fine patterns than things, so at first the discriminator sees all images through a blur, which goes.

# %%
model = StyleGAN3(
    generator,
    discriminator,
    num_classes,
    penalty_weight=penalty_weight_for(size) if run.penalty_weight is None else run.penalty_weight,
    blur=BLUR_OF_ROTATION if run.rotation else 0.0,
    blur_kimg=run.blur_kimg,
    ema_half_life=run.ema_half_life,
    seed=run.seed,
)
model.compile(
    discriminator_optimizer=Adam(run.discriminator_learning_rate, beta_1=0.0, beta_2=0.99),
    generator_optimizer=Adam(run.generator_learning_rate, beta_1=0.0, beta_2=0.99),
    **run.execution(),
)
plotting.show_source(LogisticGame.train_step, StyleGAN3)

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
# ## Moved and turned
# The first three images, moved to the right by half a pixel more in each column, and turned by 20 degrees more.  `gdl
# sample RUN --right 2.5 --down -1 --turn 30` makes such images.

# %%
by_pixels = [model.generate(3, seed=run.seed, right=0.5 * step, **labels_of(3)) for step in range(10)]
by_degrees = [model.generate(3, seed=run.seed, turn=20 * step, **labels_of(3)) for step in range(10)]
titles = {"moved": "moved by 0, 0.5, 1 ... 4.5 pixels", "turned": "turned by 0, 20, 40 ... 180 degrees"}
for name, columns in {"moved": by_pixels, "turned": by_degrees}.items():
    garments = {f"{number + 1}": np.stack([images[number] for images in columns]) for number in range(3)}
    run.show(name, plotting.rows(garments, titles[name]))

# %% [markdown]
# ## One line of pixels
# The middle line of an image that is moved from left to right by an eighth of a pixel at a time, line under line.  What
# moves as a whole makes slanted bands; what sticks to the grid would make upright ones.  Beside it the same by
# interpolation of the image at rest, and how far apart the two are, five times: least where the image is moved by whole
# pixels, because there interpolation is exact.


# %%
@tf.function
def images_of(styles, transforms):
    """Images before what lies outside of [0, 1] is cut off."""
    return model.unclipped_images_of(styles, transforms)


styles = model.styles_of(model.sample_latents(8, seed=run.seed), labels_of(8).get("labels"))


def make(transform):
    """The same images, moved and turned as a matrix (3, 3) says: what equivariance is measured of."""
    return np.asarray(images_of(styles, tf.constant(np.repeat(transform[None], len(styles), axis=0), tf.float32)))


at_rest, middle, lines = (
    make(np.eye(3)),
    size // 2,
    {"by the network": [], "by interpolation": [], "apart, five times": []},
)
for step in np.arange(-32, 33) / 8:
    line = make(np.asarray(moved_and_turned(step, 0, 0, size)))[0, middle]
    wanted, is_known = moved(at_rest[:1], step, 0)
    apart = np.where(is_known[middle, :, None], 5 * abs(line - wanted[0, middle]), 0)
    for rows, new in zip(lines.values(), (line, wanted[0, middle], apart)):
        rows.append(new)
run.show("lines", plotting.panels({name: np.stack(rows) for name, rows in lines.items()}))

# %% [markdown]
# ## How well it moves, in decibels
# `EQ-T` compares images of moved waves with moved images, `EQ-R` images of turned waves with turned images: the ratio
# of the range of images to the root of the mean squared difference.  The bars are for shifts by parts of pixels, the
# first of them of networks at their start, as it is built here and with one precaution left out.  A StyleGAN2 cannot be
# among them: it begins with 4x4 learnt numbers, and between these there is nothing that could be moved by a part of a
# pixel.  After training images have more contrast, which by itself costs decibels: differences grow along.


# %%
def untrained(**options):
    """What makes images of a network whose layers have unit power, as `make`."""
    made = {**sizes, "rotation": run.rotation, "magnitude_decay": 0.0, "seed": run.seed, **options}
    network = build_synthesis(train.image_shape, run.latent_dim, **made)
    told = np.random.default_rng(run.seed).normal(size=(4, 1, run.latent_dim)).astype("float32")
    told = tf.repeat(tf.constant(told), network.inputs[0].shape[1], axis=1)

    def make(transform, training=False):
        transforms = tf.constant(np.repeat(transform[None], 4, axis=0), tf.float32)
        return np.asarray(network([told, transforms], training=training))

    make(np.eye(3), training=True)
    return make


left_out = {"at the start": {}, "without margin": {"margin": 0}, "rectified on the pixels": {"oversampling": 1}}
makers = {name: untrained(**options) for name, options in left_out.items()} | {"after training": make}
by_shift = [translation_equivariance(maker, run.motions, size, whole=False) for maker in makers.values()]
run.show("equivariance", plotting.bars(by_shift, list(makers), y_label="EQ-T, decibels"))
equivariance = {
    "eq_t": translation_equivariance(make, run.motions, size),
    "eq_t_frac": by_shift[-1],
    "eq_r": rotation_equivariance(make, run.motions, size),
}
print(", ".join(f"{name}: {value:.1f} dB" for name, value in zip(makers, by_shift)))
print(", ".join(f"{name}: {value:.1f} dB" for name, value in equivariance.items()))

# %% [markdown]
# ## The truncation trick
# Styles are pulled towards their average.  With 0 all images are that of the average; with 1 they are as they were
# learnt.  The style says where the waves lie, too.

# %%
strip = {
    f"{truncation:g}": model.generate(10, seed=run.seed, truncation=truncation, **labels_of(10))
    for truncation in (0.0, 0.3, 0.5, 0.7, 1.0)
}
run.show("truncation", plotting.rows(strip))

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
metrics = {f"test_{name}": value for name, value in model.evaluate(test, verbose=0, return_dict=True).items()}
run.finish(**metrics, **equivariance)
