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
# # PixelCNN: an image, one pixel after the other
#
# A text is written word by word.  An image can be, too: row by row from the top, and from left to right, each pixel
# drawn from what its neighbours above and to the left suggest.
#
# $$p(x) = \prod_i p(x_i \mid x_0 \ldots x_{i-1})$$
#
# The product is exact: a model that gives these factors gives a likelihood, with no bound and no judge.  What is needed
# is a network that sees all pixels at once and yet, at each of them, nothing but those before it.  The PixelCNN does
# that with **masked** convolutions.  It learns from all pixels of an image in one pass; only making an image takes a
# step for each pixel.
#
# Book: chapter 5, "PixelCNN".

# %%
from dataclasses import dataclass
from typing import ClassVar

from gdl_keras.training import ImageConfig, Run
from gdl_keras.training.ranges import above, at_least, between


@dataclass
class Settings(ImageConfig):
    """A PixelCNN."""

    dataset: str = "fashion,fashion_mini"
    image_size: int = 16
    batch_size: int = 64
    epochs: int = 5
    steps_per_epoch: int | None = 300
    # How many greys a pixel may have.
    levels: int = 4
    # Features of a pixel within the network.
    filters: int = 64
    # Residual blocks.
    blocks: int = 5
    # Two stacks without a blind spot instead of one with it.
    gated: bool = False
    # Adam's rate.
    learning_rate: float = 3e-3
    # What the rate has fallen to at the end, as a share of itself; 1 for a constant one.
    final_rate: float = 0.02

    ranges: ClassVar = {
        "levels": between(2, 256),
        "filters": at_least(2),
        "blocks": at_least(0),
        "learning_rate": above(0),
        "final_rate": between(0, 1),
    }


run = Run.start(
    Settings,
    chapter="05_autoregressive/02_pixelcnn",
    presets={
        "book": {
            "batch_size": 128,
            "epochs": 150,
            "steps_per_epoch": None,
            "filters": 128,
            "learning_rate": 5e-4,
            "final_rate": 1.0,
        },
        "smoke": {
            "dataset": "fashion_mini",
            "image_size": 8,
            "epochs": 1,
            "steps_per_epoch": 2,
            "batch_size": 16,
            "filters": 4,
            "blocks": 1,
        },
    },
)

# %% [markdown]
# ## The data
# Small images with few greys, so that there is little to choose from at each pixel: a byte becomes the level
# `int(byte * levels / 256)`.  For the model a level is a name, as a word is; that 2 lies between 1 and 3 it must learn.

# %%
import math
import time

import numpy as np
import tensorflow as tf
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay

from gdl_keras import plotting
from gdl_keras.layers import MaskedConv2D
from gdl_keras.models import PixelCNN, build_pixel_cnn
from gdl_keras.models.autoregressive.pixel_cnn import gated_features, masked_features
from gdl_keras.models.autoregressive.pixels import PixelModel

train = run.load("train")
test = run.load("test")
network = build_pixel_cnn(train.image_shape, run.levels, run.filters, run.blocks, run.gated)
model = PixelCNN(network, seed=run.seed)

bytes_of_them = train.sample(10)
as_levels = model.to_samples(model.to_tokens(bytes_of_them))
run.show("levels", plotting.rows({"bytes": bytes_of_them, f"{run.levels} levels": as_levels}))

# %% [markdown]
# ## The mask
# A convolution looks at a square around each pixel.  Half of that square is not known yet when an image is made, so
# the weights that lead there are multiplied by zero.  The first layer looks at the image and must not see the pixel
# that it is to foresee: mask A.  Those behind it look at features that were made without that pixel, and may see their
# own: mask B.  What is multiplied is a copy of the kernel.  (The book assigns the masked kernel to the variable at each
# call; then a saved model and a compiled step have something to trip over.)

# %%
plotting.show_source(MaskedConv2D)
visible = {}
for mask, size in (("A", 7), ("B", 3)):
    layer = MaskedConv2D(1, size, mask)
    layer.build((None, None, None, 1))
    seen = layer.visible[..., 0, 0]
    square = 0.1 + 0.8 * np.pad(seen, [(0, size // 2), (0, 0)])
    visible[f"mask {mask}, {size}x{size}"] = square[..., None]
run.show("masks", plotting.panels(visible))

# %% [markdown]
# ## The network
# One masked convolution with a wide view, then residual blocks: fewer features, a masked look around, as many features
# as before, and the sum with what came in.  At the end there is a logit for each level of each pixel.

# %%
network.summary()
plotting.show_source(build_pixel_cnn, gated_features if run.gated else masked_features)

# %% [markdown]
# ## Training
# The loss is that of a classifier with as many examples as an image has pixels.  In bits it says how many a perfect
# compressor would need for a pixel if it asked this model.  Bits of 4 levels do not compare with those of 256: there is
# less to say.

# %%
rate = CosineDecay(run.learning_rate, run.planned_steps(train), alpha=run.final_rate)
model.compile(Adam(rate), **run.execution())
plotting.show_source(PixelModel.train_step, PixelCNN.nats)

# %%
model.fit(train, validation_data=test, **run.schedule())

# %%
run.show("losses", plotting.curves(run.history, ["loss"], y_label="nats a pixel"))

# %% [markdown]
# ## New images
# Pixel after pixel: the network gives the probabilities of the levels, and one is drawn.  Look for shapes that close
# below as they began above: nothing but what was already drawn tells a pixel what it is part of.

# %%
generated = model.generate(40, seed=run.seed)
run.show("generated", plotting.grid(generated, columns=10))

# %% [markdown]
# ## One step, not one pass
# Asked as a whole for each pixel, the network computes everything for all pixels, as often as there are pixels, and
# throws nearly all of it away.  What a pixel needs of its neighbours has been computed before: so each masked
# convolution remembers what it has been shown, and a new pixel is one product with a matrix in each layer.  The whole
# loop is compiled.  The numbers are the same.

# %%
COUNT = 16
model.generate(COUNT, seed=run.seed)  # compiles
start = time.perf_counter()
model.generate(COUNT, seed=run.seed)
in_steps = time.perf_counter() - start

model.predict(generated[:COUNT], verbose=0)
start = time.perf_counter()
for _ in range(3):
    model.predict(generated[:COUNT], verbose=0)
as_a_whole = (time.perf_counter() - start) / 3 * model.length
print(f"{COUNT} images in steps: {in_steps:.2f} s; by one predict() a pixel: {as_a_whole:.1f} s")
print(f"{as_a_whole / in_steps:.0f} times as fast")

# %% [markdown]
# ## The other half
# The upper half of held-out images is given, and the model goes on from there, each time with other random numbers.
# Look where the answers agree, and where the upper half leaves them a choice.

# %%
originals = test.sample(10)
top = originals[:, : train.image_shape[0] // 2]
coarse = model.to_samples(model.to_tokens(originals))
given = np.concatenate([coarse[:, : top.shape[1]], np.zeros_like(coarse[:, top.shape[1] :])], axis=1)
rows = {"original": coarse, "given": given}
for number in range(1, 5):
    rows[f"completed {number}"] = model.generate(given=top, seed=run.seed + number)
run.show("completed", plotting.rows(rows))

# %% [markdown]
# ## Where it is surprised
# The likelihood is a product over pixels, so it can be looked at pixel by pixel: dark where a pixel took many bits.
# Compare a garment's left edge, which nothing announces, with its right one, and flat parts with textures.  The second
# picture is the mean over many images.


# %%
def bits_of_pixels(images):
    """How many bits each pixel takes: float array (n, height, width, 1)."""
    levels = model.levels_of(tf.constant(images))
    return np.asarray(model.nats(levels, model(images)))[..., None] / math.log(2)


bits = bits_of_pixels(originals)
of_many = bits_of_pixels(test.sample(500)).mean(axis=0)
run.show("surprise", plotting.rows({"held out": rows["original"], "bits": bits / bits.max()}))
run.show("surprise_of_many", plotting.panels({f"mean, up to {of_many.max():.2f} bits": of_many / of_many.max()}))

# %% [markdown]
# ## Temperature
# Below 1 the likely levels become likelier.  At 0 the likeliest one comes each time, and all images are the same one.

# %%
at_temperatures = {
    f"temperature {temperature}": model.generate(10, seed=run.seed, temperature=temperature)
    for temperature in (0.0, 0.7, 0.9, 1.0, 1.2)
}
run.show("temperatures", plotting.rows(at_temperatures))

# %% [markdown]
# ## The blind spot
# Which pixels can have an influence on one pixel?  A slope that is not zero answers.  In one stack of masked
# convolutions each step upwards goes at most one column to the right: what lies further right, however near, is not
# seen by any path.  The gated network (van den Oord et al. 2016b) has two stacks.  One looks at whole rows above, both
# ways; the other one looks left in its own row and is told what the first one made of the rows above.  Within the
# reach of its few layers nothing is blind any more.  `--gated` trains it.  The darker a pixel here, the stronger its
# influence, before any training; light grey is what is not seen, white what comes later.


# %%
def seen_from(network, row, column):
    """How strongly a pixel's logits follow each pixel, on a logarithmic scale: array (height, width, 1) in [0, 1]."""
    images = tf.constant(np.random.default_rng(run.seed).random((32, *network.input_shape[1:]), "float32"))
    with tf.GradientTape() as tape:
        tape.watch(images)
        outputs = tf.reduce_sum(network(images)[:, row, column] ** 2)
    slopes = np.abs(tape.gradient(outputs, images)).mean(axis=0)
    return np.where(slopes > 0, 1 + np.log10(np.maximum(slopes / slopes.max(), 1e-5)) / 6, 0)


height, width, _ = train.image_shape
row, column = height - 2, width // 2 - 2
views = {}
for name, gated in (("one stack", False), ("two stacks, gated", True)):
    untrained = build_pixel_cnn(train.image_shape, run.levels, run.filters, run.blocks, gated)
    view = seen_from(untrained, row, column)
    earlier = np.arange(height * width).reshape(height, width) < row * width + column
    before, after = (int((view[where] > 0).sum()) for where in (earlier, ~earlier))
    print(f"{name}: {before} of {int(earlier.sum())} earlier pixels are seen, and {after} of the others")
    # What is not seen is light grey where it comes earlier, and white where it comes later.
    views[name] = np.where(earlier[..., None], np.maximum(view, 0.12), 0)
run.show("blind_spot", plotting.panels(views))

# %%
values = model.evaluate(test, verbose=0, return_dict=True)
run.finish(**{f"test_{name}": value for name, value in values.items()})
