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
# # PixelCNN with mixtures: all greys of a byte, and a race against PNG
#
# A softmax over four greys is fine; over 256 it has a weight for each, and learns nothing about 101 from having seen
# 100 and 102.  Here the network says for each pixel where a few bell curves lie, how wide they are and how much each
# counts, and a level gets the piece of them between its borders.  A dozen numbers say what 256 logits would.
#
# And now that the levels are those of the bytes in a picture file, the likelihood can be held against programs that
# store pictures: a model that gives each pixel's byte a probability can be made a compressor, and $-\log_2 p$ is the
# length of its file.
#
# Book: chapter 5, "Mixture Distributions".

# %%
from dataclasses import dataclass
from typing import ClassVar

from gdl_keras.training import ImageConfig, Run
from gdl_keras.training.ranges import above, at_least, between


@dataclass
class Settings(ImageConfig):
    """A PixelCNN with mixtures of logistics."""

    dataset: str = "fashion,fashion_mini"
    image_size: int = 16
    batch_size: int = 64
    epochs: int = 5
    steps_per_epoch: int | None = 150
    # Logistics in each pixel's mixture.
    components: int = 5
    # Features of a pixel within the network.
    filters: int = 32
    # Residual blocks.
    blocks: int = 3
    # Two stacks without a blind spot, or one with it.
    gated: bool = True
    # Adam's rate.
    learning_rate: float = 3e-3
    # What the rate has fallen to at the end, as a share of itself; 1 for a constant one.
    final_rate: float = 0.02
    # Held-out images on which the model is held against PNG and WebP; as many of them as make a square.
    compared: int = 484

    ranges: ClassVar = {
        "components": at_least(1),
        "filters": at_least(2),
        "blocks": at_least(0),
        "learning_rate": above(0),
        "final_rate": between(0, 1),
        "compared": at_least(1),
    }


run = Run.start(
    Settings,
    chapter="05_autoregressive/03_pixelcnn_md",
    presets={
        "book": {
            "image_size": 32,
            "batch_size": 128,
            "epochs": 10,
            "steps_per_epoch": None,
            "filters": 64,
            "blocks": 5,
            "learning_rate": 1e-3,
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
            "components": 2,
            "compared": 20,
        },
    },
)

# %% [markdown]
# ## The data
# Bytes as they are, grey here; with `--dataset emoji`, three to a pixel.

# %%
import io
import math

import numpy as np
import tensorflow as tf
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay
from PIL import Image

from gdl_keras import logistic_mixture, plotting
from gdl_keras.models import PixelCNNMixture, build_pixel_cnn_mixture
from gdl_keras.models.autoregressive.pixel_cnn import gated_features, masked_features

train = run.load("train")
test = run.load("test")
run.show("training_images", plotting.grid(train.sample(20), columns=10))

# %% [markdown]
# ## The mixture
# The lowest level gets all of a bell that lies below it as well, the highest one all above: so the 256 probabilities
# add up to 1 however far off a bell is.  The channels of a pixel share the choice of a bell, and green's and blue's
# means move with the channels before them.

# %%
print(logistic_mixture.__doc__)
plotting.show_source(logistic_mixture.level_log_probabilities, logistic_mixture.log_probability)

# %% [markdown]
# ## The network
# The same layers as before, but with two stacks, and the mixture's numbers at the end.

# %%
network = build_pixel_cnn_mixture(train.image_shape, run.components, run.filters, run.blocks, run.gated)
print(f"{network.count_params():,} weights, {network.output_shape[-1]} numbers for each pixel")
plotting.show_source(build_pixel_cnn_mixture, gated_features if run.gated else masked_features)

# %%
model = PixelCNNMixture(network, seed=run.seed)
rate = CosineDecay(run.learning_rate, run.planned_steps(train), alpha=run.final_rate)
model.compile(Adam(rate), **run.execution())
plotting.show_source(PixelCNNMixture.nats)

# %%
model.fit(train, validation_data=test, **run.schedule())

# %%
run.show("losses", plotting.curves(run.history, ["bits_per_dim"], y_label="bits a number of an image"))

# %% [markdown]
# ## What it expects
# The probabilities of all 256 levels at three places of a held-out image, given all above and to the left: where the
# true level surprises it least, most, and as much as it does at half of the places.

# %%
image = test.sample(1)
levels = model.levels_of(tf.constant(image))
nats = np.asarray(model.nats(levels, model(image)))[0]
log_p = np.asarray(model.logits(tf.constant(model.to_tokens(image)))).reshape(*image.shape[1:], 256)
expected = {}
for name, rank in (("least surprising", 0), ("median", nats.size // 2), ("most surprising", nats.size - 1)):
    row, column = np.unravel_index(np.argsort(nats.reshape(-1))[rank], nats.shape)
    level = int(levels[0, row, column, 0])
    expected[f"{name}: row {row}, column {column}, in truth {level}"] = np.exp(log_p[row, column, 0])
figure = plotting.curves(expected, list(expected), x_label="level", y_label="probability", first=0)
figure.axes[0].set(yscale="log", ylim=(1e-6, 1))
run.show("expected", figure)

# %% [markdown]
# ## New images

# %%
generated = model.generate(40, seed=run.seed)
run.show("generated", plotting.grid(generated, columns=10))

# %% [markdown]
# ## The other half

# %%
originals = test.sample(10)
top = originals[:, : train.image_shape[0] // 2]
rows = {"original": originals, "given": np.concatenate([top, np.zeros_like(originals[:, top.shape[1] :])], axis=1)}
for number in range(1, 4):
    rows[f"completed {number}"] = model.generate(given=top, seed=run.seed + number)
run.show("completed", plotting.rows(rows))

# %% [markdown]
# ## Against PNG and WebP
# Bits for each number of the same held-out images: what the model's likelihood says, and what lossless PNG and WebP
# files of them take.  One file an image pays for a header each time; on one sheet of all images, side by side, that is
# gone, and a program may find in one image what it knows from another one.  The model has learnt from other images, and
# its own size is not counted; theirs is not, either.


# %%
def bits_of_files(images, **options):
    """Bits for each number of images (n, height, width, channels) that are stored in one file each: float."""
    pixels = np.rint(images * 255).astype(np.uint8)
    sizes = []
    for picture in pixels:
        with io.BytesIO() as file:
            Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).save(file, **options)
            sizes.append(file.tell())
    return 8 * sum(sizes) / pixels.size


side = math.isqrt(min(run.compared, test.num_images))
compared = test.sample(side**2, seed=run.seed)
height, width, channels = train.image_shape
sheet = compared.reshape(side, side, height, width, channels).swapaxes(1, 2)
sheet = sheet.reshape(1, side * height, side * width, channels)
formats = {
    "PNG": {"format": "PNG", "optimize": True},
    "WebP": {"format": "WebP", "lossless": True, "quality": 100, "method": 6},
}
of_model = model.negative_log_likelihood(compared).mean() / math.log(2) / model.length
bits = {"this model": of_model}
for name, options in formats.items():
    bits[f"{name}, one file each"] = bits_of_files(compared, **options)
    bits[f"{name}, one sheet"] = bits_of_files(sheet, **options)
counts = np.bincount(np.rint(compared * 255).astype(int).reshape(-1)) / compared.size
bits["each level by itself"] = float(-(counts[counts > 0] * np.log2(counts[counts > 0])).sum())
print({name: round(float(value), 3) for name, value in bits.items()})
run.show("compressors", plotting.bars(list(bits.values()), list(bits), y_label="bits a number"))

# %%
values = model.evaluate(test, verbose=0, return_dict=True)
run.finish(
    **{f"test_{name}": value for name, value in values.items()},
    compared_bits_per_dim=of_model,
    png_bits_per_dim=bits["PNG, one sheet"],
    webp_bits_per_dim=bits["WebP, one sheet"],
)
