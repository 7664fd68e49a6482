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
# # An image as a text: the image transformer
#
# Row by row, an image is a text whose letters are its grey levels.  The same network that wrote novels in chapter 9
# writes it, once it is told in which row and which column it is.  Of 144 pixels that is quick to learn; of a thousand
# it is slow, and the text is better written in the words of a codec (`--codec RUN`, a run of `01_vqvae`).
#
# `--variant notebook` is the network of the notebook `MNIST_AutoregressiveImageTransformer` in DaiDaiLoh's
# *ExemplaryNotebooks*, whose 2,282,498 weights learn here by the cross-entropy.

# %%
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from gdl_keras.training import ImageConfig, Run, above, at_least, between, multiple_of


@dataclass
class Settings(ImageConfig):
    """A transformer that writes images, pixel by pixel or word by word."""

    dataset: str = "fashion,fashion_mini"
    image_size: int = 12
    batch_size: int = 32
    epochs: int = 5
    steps_per_epoch: int | None = 240
    # improved: normalisation in front, learned positions, a class to begin with; notebook: the notebook's network.
    variant: Literal["improved", "notebook"] = "improved"
    # A run of 01_vqvae, 02_vqgan or 04_vit_vqgan, whose words to write in place of grey levels.
    codec: Path | None = None
    # Grey levels of a pixel.
    levels: int = 16
    # Numbers that stand for a token.
    embedding_dim: int = 96
    # Blocks of attention, one above the other.
    num_blocks: int = 4
    # Heads of each block.
    num_heads: int = 4
    # The share of numbers that is left out in training.
    dropout: float = 0.0
    # How much of itself the average of the weights keeps in each step.
    ema_decay: float = 0.99
    # Adam's rate.
    learning_rate: float = 3e-3

    book_is: ClassVar = "the notebook's digits, with the cross-entropy (the book has no such program)"
    ranges: ClassVar = {
        "levels": between(2, 256),
        "embedding_dim": lambda settings: multiple_of(settings.num_heads),
        "num_blocks": at_least(1),
        "num_heads": at_least(1),
        "dropout": between(0, 0.9),
        "ema_decay": at_least(0, below=1),
        "learning_rate": above(0),
    }


run = Run.start(
    Settings,
    chapter="10_advanced_gans/03_image_transformer",
    presets={
        "book": {
            "dataset": "mnist",
            "variant": "notebook",
            "batch_size": 64,
            "levels": 256,
            "epochs": 9,
            "steps_per_epoch": None,
            "learning_rate": 1e-4,
        },
        "smoke": {
            "dataset": "fashion_mini",
            "image_size": 8,
            "batch_size": 8,
            "epochs": 1,
            "steps_per_epoch": 3,
            "embedding_dim": 16,
            "num_blocks": 1,
        },
    },
)

# %% [markdown]
# ## The data

# %%
import time

import numpy as np
from keras.optimizers.schedules import CosineDecay

from gdl_keras import data, plotting
from gdl_keras.layers import GridPositions
from gdl_keras.models import ImageTransformer, build_image_transformer
from gdl_keras.models.quantised.former import codec_of
from gdl_keras.optimizers import FusedAdam

ours = run.variant == "improved"
train = run.load("train")
test = run.load("test")
codec = run.former("codec")
if codec is not None:
    codec = codec_of(codec, "--codec", train.image_shape)
num_classes = len(train.class_names) if ours and train.labels is not None else None
run.show("training_images", plotting.grid(train.sample(20), columns=10))

# %% [markdown]
# ## The network
# A table gives each level its vector; to it comes what stands for the row and the column.  Blocks of attention let each
# place look at those before it, and at the end there is a logit for each level.  What is read first is the class.

# %%
grid = train.image_shape if codec is None else codec.code_shape
vocabulary = run.levels if codec is None else codec.num_codes
if ours:
    network = build_image_transformer(
        grid,
        vocabulary,
        num_starts=num_classes or 1,
        embedding_dim=run.embedding_dim,
        num_blocks=run.num_blocks,
        num_heads=run.num_heads,
        dropout=run.dropout,
    )
else:
    network = build_image_transformer(
        grid,
        vocabulary,
        num_starts=2,  # the notebook's marks of the beginning and of the end
        embedding_dim=64,
        num_blocks=8,
        num_heads=8,
        feed_forward_dim=2048,
        dropout=0.1,
        norm="post",
        activation="relu",
        positions="fixed",
        logits_of_starts=True,
    )
network.summary()
plotting.show_source(build_image_transformer, GridPositions)

# %% [markdown]
# ## Training
# All places are learnt from at once: none sees what comes after it.

# %%
model = ImageTransformer(
    network,
    run.levels,
    codec,
    num_classes,
    ema_decay=run.ema_decay if ours else None,
    seed=run.seed,
)
learnt, held_out = train, test
if codec is not None:
    learnt, held_out = (data.encoded(table, codec, into="codes") for table in (train, test))
rate = CosineDecay(run.learning_rate, run.planned_steps(train)) if ours else run.learning_rate
model.compile(FusedAdam(rate, beta_2=0.99, global_clipnorm=1.0), **run.execution())
plotting.show_source(ImageTransformer.train_step, ImageTransformer.before)

# %%
model.fit(learnt, validation_data=held_out, **run.schedule())
run.show("loss", plotting.curves(run.history, ["loss"], y_label="nats a token"))

# %% [markdown]
# ## New images

# %%
if num_classes:
    by_class = {
        name: model.generate(12, labels=np.full(12, label), seed=label) for label, name in enumerate(train.class_names)
    }
    run.show("generated", plotting.rows(by_class))
else:
    run.show("generated", plotting.grid(model.generate(40, seed=run.seed), columns=10))

# %% [markdown]
# ## One pass, not one a token
# In writing, the keys and values of what was read are kept, so each token passes through the network once.  Beside it,
# the plain way: the whole image through the network for each token.  The numbers are the same.

# %%
COUNT = 16
asked = model.conditions.in_turn(COUNT)
model.generate(COUNT, seed=run.seed, **asked)  # compiles
start = time.perf_counter()
images = model.generate(COUNT, seed=run.seed, **asked)
cached = time.perf_counter() - start

given = [images if codec is None else codec.encode(images), *asked.values()]
given = given if asked else given[0]
model.predict(given, verbose=0)
start = time.perf_counter()
for _ in range(3):
    model.predict(given, verbose=0)
as_a_whole = (time.perf_counter() - start) / 3 * model.length
print(f"{COUNT} images with what was read kept: {cached:.2f} s; by one pass a token: {as_a_whole:.1f} s")
print(f"{as_a_whole / cached:.0f} times as fast")

# %% [markdown]
# ## The lower half
# The upper half of held-out images is given.  What no text of an image can do is begin at the bottom.

# %%
originals = test.sample(10, seed=3)
top = originals[:, : train.image_shape[0] // 2]
labels = {"labels": test.sample(10, seed=3, column="labels")} if num_classes else {}
rows = {"original": originals}
for number in range(1, 4):
    rows[f"completed {number}"] = model.generate(given=top, seed=run.seed + number, **labels)
run.show("completed", plotting.rows(rows))

# %% [markdown]
# ## Which tokens may come
# Temperature below 1 makes the likely ones likelier; `top_p` keeps the fewest whose probabilities together reach p.

# %%
ten = model.conditions.in_turn(10)
settings = [{"temperature": 0.8}, {"top_p": 0.9}, {"top_k": 4}, {"temperature": 1.2}]
by_setting = {"as learnt": model.generate(10, seed=run.seed, **ten)}
for setting in settings:
    [(name, value)] = setting.items()
    by_setting[f"{name} {value}"] = model.generate(10, seed=run.seed, **setting, **ten)
run.show("settings", plotting.rows(by_setting))

# %%
run.finish(speed_up=as_a_whole / cached)
