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
# # VQ-VAE: images in words
#
# An autoencoder squeezes an image into a few numbers.  Here each of them is a *word*: the encoder makes a vector of
# each patch of four pixels a side, and in its place comes the nearest of 512 vectors that are learnt, the **codebook**.
# Of a garment of a thousand pixels 64 words are left, 576 bits.
#
# What writes such words, makes images: a transformer does that here, one word after the other, as a GPT writes a text.
# So there are two stages.  The **codec** learns what words mean, and the **prior** which of them go together.
# Book: chapter 10, "VQ-GAN", which tells of it and has no code.
#
# `--variant notebook` takes the networks and the loss of the notebook `vqvae` in DaiDaiLoh's *ExemplaryNotebooks*.

# %%
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from gdl_keras.training import ImageConfig, Run, above, at_least, between, multiple_of


@dataclass
class Settings(ImageConfig):
    """A codec that makes words of images, and a transformer that writes them."""

    dataset: str = "fashion,fashion_mini"
    batch_size: int = 32
    # Epochs of the prior.
    epochs: int = 6
    # Steps that count as one epoch of the prior.
    steps_per_epoch: int | None = 500
    # improved: a codebook that follows the vectors, dead codes revived; notebook: the notebook's networks, a codebook
    # that an optimizer moves, nothing revived.
    variant: Literal["improved", "notebook"] = "improved"
    # A run of this program whose codec to take instead of training one.
    codec: Path | None = None
    # Epochs of the codec.
    codec_epochs: int = 8
    # Steps that count as one of them.
    codec_steps: int | None = 1000
    # Words in the codebook.
    num_codes: int = 512
    # Numbers in the vector of a word.
    code_dim: int = 64
    # Channels after each halving of the image (improved).
    filters: tuple[int, ...] = (32, 96)
    # Residual blocks on each side (improved).
    residual_blocks: int = 2
    # Weight of what a vector pays for being far from its word.
    commitment_weight: float = 0.25
    # How much of itself the average that a word is keeps in each step (improved).
    decay: float = 0.98
    # How a gradient passes the choice of a word: as it is, or turned as the vector is turned to its word.
    gradient: Literal["straight_through", "rotation"] = "straight_through"
    # Adam's rate for the codec.
    codec_rate: float = 2e-3
    # Numbers that stand for a word in the prior.
    embedding_dim: int = 128
    # Blocks of attention, one above the other.
    num_blocks: int = 4
    # Heads of each block.
    num_heads: int = 4
    # The share of numbers that is left out in training the prior.
    dropout: float = 0.0
    # How much of itself the average of the prior's weights keeps in each step.
    ema_decay: float = 0.995
    # Adam's rate for the prior.
    learning_rate: float = 3e-3

    book_is: ClassVar = "a deeper prior and more steps (the book has no such program)"
    ranges: ClassVar = {
        "image_size": multiple_of(4),
        "codec_epochs": at_least(1),
        "codec_steps": at_least(1),
        "num_codes": at_least(2),
        "code_dim": at_least(1),
        "filters": at_least(1),
        "residual_blocks": at_least(0),
        "commitment_weight": at_least(0),
        "decay": at_least(0, below=1),
        "codec_rate": above(0),
        "embedding_dim": lambda settings: multiple_of(settings.num_heads),
        "num_blocks": at_least(1),
        "num_heads": at_least(1),
        "dropout": between(0, 0.9),
        "ema_decay": at_least(0, below=1),
        "learning_rate": above(0),
    }


run = Run.start(
    Settings,
    chapter="10_advanced_gans/01_vqvae",
    presets={
        "book": {
            "dataset": "cifar10",
            "batch_size": 128,
            "codec_epochs": 50,
            "codec_steps": None,
            "epochs": 100,
            "steps_per_epoch": None,
            "filters": (128, 256),
            "embedding_dim": 384,
            "num_blocks": 8,
            "num_heads": 6,
        },
        "smoke": {
            "dataset": "fashion_mini",
            "batch_size": 8,
            "codec_epochs": 1,
            "codec_steps": 3,
            "epochs": 1,
            "steps_per_epoch": 3,
            "num_codes": 16,
            "filters": (8, 8),
            "embedding_dim": 16,
            "num_blocks": 1,
        },
    },
)

# %% [markdown]
# ## The data

# %%
import numpy as np
import tensorflow as tf
from keras.optimizers.schedules import CosineDecay

from gdl_keras import data, plotting
from gdl_keras.layers import VectorQuantizer
from gdl_keras.layers.quantizer import Quantizer, rotated_to, straight_through
from gdl_keras.layers.vector_quantizer import nearest
from gdl_keras.metrics import Judge
from gdl_keras.metrics.codecs import counts_of, perplexity_of, pooled_psnr
from gdl_keras.models import (
    VQVAE,
    ImageTransformer,
    build_codec_decoder,
    build_codec_encoder,
    build_image_transformer,
)
from gdl_keras.models.quantised.former import codec_of
from gdl_keras.models.quantised.networks import build_notebook_decoder, build_notebook_encoder, residual_block
from gdl_keras.optimizers import FusedAdam

train = run.load("train")
test = run.load("test")
run.show("training_images", plotting.grid(train.sample(20), columns=10))

# %% [markdown]
# ## The codec
# Convolutions halve the image twice; what is left is a grid of vectors, one for each patch.  Each becomes the nearest
# word.  No slope leads through that: a small step of a vector changes nothing, until another word is the nearest.  So
# the decoder's gradient is handed on to the vector as if it had not been replaced.

# %%
ours = run.variant == "improved"
codec = run.former("codec")
if codec is None:
    stage = run.stage("codec", epochs=run.codec_epochs, steps_per_epoch=run.codec_steps)
    if ours:
        sizes = (train.image_shape, run.code_dim, run.filters, run.residual_blocks)
        encoder, decoder = build_codec_encoder(*sizes), build_codec_decoder(*sizes)
    else:
        sizes = (train.image_shape, run.code_dim)
        encoder, decoder = build_notebook_encoder(*sizes), build_notebook_decoder(*sizes)
    quantizer = VectorQuantizer(
        run.num_codes,
        run.code_dim,
        run.decay,
        run.gradient,
        learning="ema" if ours else "loss",
        commitment_weight=run.commitment_weight,
        start="kmeans" if ours else "uniform",
        revive_below=0.1 if ours else 0.0,
        seed=run.seed,
    )
    codec = VQVAE(encoder, decoder, quantizer, "sigmoid" if ours else "linear", seed=run.seed)
    rate = CosineDecay(run.codec_rate, stage.planned_steps(train))
    codec.compile(FusedAdam(rate), **run.execution())
    codec.fit(train, validation_data=test, **stage.schedule())
    if stage.history:
        stage.show("psnr", plotting.curves(stage.history, ["psnr"], y_label="PSNR, dB"))
        stage.show("perplexity", plotting.curves(stage.history, ["perplexity"], y_label="codes, as if used alike"))
codec = codec_of(codec, "--codec", train.image_shape)
codec.encoder.summary()
networks = (build_codec_encoder, build_codec_decoder, residual_block)
plotting.show_source(*(networks if ours else (build_notebook_encoder, build_notebook_decoder)))

# %%
plotting.show_source(nearest, straight_through, rotated_to, Quantizer.call)

# %% [markdown]
# The codebook is not moved by a gradient.  Each word is the average of the vectors that chose it, over the last few
# batches; a word that nothing chooses becomes a vector of the batch, and has another chance.

# %%
plotting.show_source(VectorQuantizer.begin, VectorQuantizer.learn, VectorQuantizer.losses_of, VQVAE.train_step)

# %% [markdown]
# ## Said again
# Held-out images, and what their words say.

# %%
originals = test.sample(10, seed=3)
again = codec.predict(originals, verbose=0)
run.show("reconstructions", plotting.rows({"original": originals, "in words": again}))
BORDER = 2 if test.image_shape[:2] == (32, 32) and test.image_shape[2] == 1 else 0
held_out = test.images(slice(0, 10_000))
psnr = pooled_psnr(held_out, codec.predict(held_out, batch_size=500, verbose=0), BORDER)
print(f"PSNR of reconstructions of held-out images, {BORDER} pixels at the border left out: {psnr:.2f} dB")

# %% [markdown]
# ## The words
# How many are used for held-out images, and what the commonest look like: an image all of one word.

# %%
codes = codec.encode(held_out)
counts = counts_of(codes, codec.num_codes)
perplexity = perplexity_of(codes, codec.num_codes)
print(f"{(counts > 0).mean():.1%} of {codec.num_codes} words are used, as many as {perplexity:.0f} used alike")
commonest = np.argsort(-counts)[:20]
alike = np.repeat(commonest, codec.code_shape[0] * codec.code_shape[1]).reshape(-1, *codec.code_shape)
run.show("words", plotting.grid(np.asarray(codec.decode_codes(tf.constant(alike))), columns=10))

# %% [markdown]
# ## What is missing
# Words drawn each by itself, as often as they come.  All that makes an image of them is which go together.

# %%
run.show("words_alone", plotting.grid(codec.generate(20, seed=run.seed), columns=10))

# %% [markdown]
# ## The prior
# The words of all training images, worked out once and kept.  A transformer learns to foresee each from those before
# it, row by row.  What it reads first is the class.

# %%
has_classes = train.labels is not None
num_classes = len(train.class_names) if has_classes else None
coded, coded_test = (data.encoded(table, codec, into="codes") for table in (train, test))
network = build_image_transformer(
    codec.code_shape,
    codec.num_codes,
    num_starts=num_classes or 1,
    embedding_dim=run.embedding_dim,
    num_blocks=run.num_blocks,
    num_heads=run.num_heads,
    dropout=run.dropout,
)
model = ImageTransformer(network, codec=codec, num_classes=num_classes, ema_decay=run.ema_decay, seed=run.seed)
rate = CosineDecay(run.learning_rate, run.planned_steps(train))
model.compile(FusedAdam(rate, beta_2=0.99, global_clipnorm=1.0), **run.execution())
network.summary()
plotting.show_source(build_image_transformer, ImageTransformer.train_step, ImageTransformer.before)

# %%
model.fit(coded, validation_data=coded_test, **run.schedule())
run.show("loss", plotting.curves(run.history, ["loss"], y_label="nats a word"))

# %% [markdown]
# ## New images

# %%
if has_classes:
    by_class = {
        name: model.generate(12, labels=np.full(12, label), seed=label) for label, name in enumerate(train.class_names)
    }
    run.show("generated", plotting.rows(by_class))
else:
    run.show("generated", plotting.grid(model.generate(40, seed=run.seed), columns=10))

# %% [markdown]
# ## The lower half
# The upper half of held-out images is given.  Only words whose patch lies wholly in it are; their vectors have seen a
# little of what is around their patch.

# %%
top = originals[:, : train.image_shape[0] // 2]
labels = {"labels": test.sample(10, seed=3, column="labels")} if has_classes else {}
rows = {"original": originals}
for number in range(1, 4):
    rows[f"completed {number}"] = model.generate(given=top, seed=run.seed + number, **labels)
run.show("completed", plotting.rows(rows))

# %% [markdown]
# ## Temperature
# Below 1 the likely words become likelier: cleaner, and less different.

# %%
asked = model.conditions.in_turn(10)
at_temperatures = {
    f"temperature {temperature}": model.generate(10, seed=run.seed, temperature=temperature, **asked)
    for temperature in (0.0, 0.7, 0.9, 1.0, 1.2)
}
run.show("temperatures", plotting.rows(at_temperatures))

# %% [markdown]
# ## Does it make what it is told to, and all of it?

# %%
metrics = {"reconstruction_psnr": psnr, "perplexity": perplexity, "codes_used": (counts > 0).mean()}
if has_classes and run.dataset in ("fashion", "fashion_mini"):
    judge = Judge("fashion")
    asked = np.repeat(np.arange(num_classes), 100)
    report = judge.report(
        model.generate(len(asked), labels=asked, seed=run.seed), asked, test.images(slice(None)), test.labels
    )
    diversity = report.pop("diversity")
    run.show("diversity", plotting.bars(list(diversity.values()), list(diversity), 1.0, "diversity, real = 1"))
    metrics |= report | {"smallest_diversity": min(diversity.values())}
run.finish(**metrics)
