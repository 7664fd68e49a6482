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
# # ViT-VQGAN: a transformer for a codec
#
# A convolution sees its neighbours; in a transformer each patch sees all others from the first block on.  Here either
# makes as many words of an image, and learns for as many seconds of processor time.  The transformer's vectors are
# brought down to few numbers, and vector and word are compared by their **angle**: both are divided by their length
# first, so no word is out of reach for being too long.
#
# Both learn from squared errors alone, so that only the networks differ; `--adversary` gives the transformer the
# discriminator of `02_vqgan`, which the paper's has.
# Book: chapter 10, "ViT VQ-GAN", which tells of it and has no code.

# %%
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from gdl_keras.training import ImageConfig, Run, above, at_least, halved_for_each, multiple_of


@dataclass
class Settings(ImageConfig):
    """A codec of transformers beside one of convolutions, and a transformer that writes its words."""

    dataset: str = "fashion,fashion_mini"
    batch_size: int = 32
    # Epochs of the prior.
    epochs: int = 4
    # Steps that count as one epoch of the prior.
    steps_per_epoch: int | None = 300
    # A run of this program whose codec to take instead of training one.
    codec: Path | None = None
    # Epochs of either codec.
    codec_epochs: int = 4
    # Steps that count as one of them.
    codec_steps: int | None = 300
    # Steps of an epoch of the convolutions, which take less time for each.
    plain_steps: int | None = 825
    # Whether a discriminator of patches is trained against the transformer.
    adversary: bool = False
    # Words in the codebook.
    num_codes: int = 512
    # Numbers in the vector of a word of the transformer's.
    code_dim: int = 16
    # Numbers of a vector in the codec's transformer.
    dim: int = 96
    # Blocks on each side of it.
    codec_blocks: int = 3
    # Heads of each of them.
    codec_heads: int = 4
    # Channels of the convolutions after each halving of the image; with two, either codec's patches have a side of 4.
    filters: tuple[int, ...] = (32, 96)
    # Channels of the discriminator after each halving.
    discriminator_filters: tuple[int, ...] = (32, 64)
    # What the weight that balances the two sides is multiplied by.
    adversarial_weight: float = 0.75
    # Steps before the codec hears of the discriminator.
    start_step: int = 300
    # Weight of what a vector pays for being far from its word.
    commitment_weight: float = 0.25
    # How much of itself the average that a word is keeps in each step.
    decay: float = 0.98
    # Adam's rate for the transformer's codec.
    codec_rate: float = 1e-3
    # Adam's rate for that of convolutions.
    plain_rate: float = 2e-3
    # Adam's rate for the discriminator.
    discriminator_rate: float = 1e-3
    # Numbers that stand for a word in the prior.
    embedding_dim: int = 128
    # Blocks of attention, one above the other.
    num_blocks: int = 4
    # Heads of each block.
    num_heads: int = 4
    # How much of itself the average of the prior's weights keeps in each step.
    ema_decay: float = 0.995
    # Adam's rate for the prior.
    learning_rate: float = 3e-3

    book_is: ClassVar = "faces of 128x128 and wider transformers, for a GPU (the book has no such program)"
    ranges: ClassVar = {
        "image_size": halved_for_each("filters"),
        "codec_epochs": at_least(1),
        "codec_steps": at_least(1),
        "plain_steps": at_least(1),
        "num_codes": at_least(2),
        "code_dim": at_least(1),
        "dim": lambda settings: multiple_of(4 * settings.codec_heads),
        "codec_blocks": at_least(1),
        "codec_heads": at_least(1),
        "filters": at_least(1),
        "discriminator_filters": at_least(1),
        "adversarial_weight": at_least(0),
        "start_step": at_least(0),
        "commitment_weight": at_least(0),
        "decay": at_least(0, below=1),
        "codec_rate": above(0),
        "plain_rate": above(0),
        "discriminator_rate": above(0),
        "embedding_dim": lambda settings: multiple_of(settings.num_heads),
        "num_blocks": at_least(1),
        "num_heads": at_least(1),
        "ema_decay": at_least(0, below=1),
        "learning_rate": above(0),
    }


run = Run.start(
    Settings,
    chapter="10_advanced_gans/04_vit_vqgan",
    presets={
        "book": {
            "dataset": "faces",
            "image_size": 128,
            "codec_epochs": 30,
            "codec_steps": None,
            "plain_steps": None,
            "adversary": True,
            "dim": 512,
            "codec_blocks": 8,
            "codec_heads": 8,
            "code_dim": 32,
            "num_codes": 8192,
            "filters": (64, 128, 256),
            "codec_rate": 2e-4,
            "plain_rate": 2e-4,
            "discriminator_rate": 2e-4,
            "epochs": 100,
            "steps_per_epoch": None,
            "embedding_dim": 384,
            "num_blocks": 8,
            "num_heads": 6,
        },
        "smoke": {
            "dataset": "fashion_mini",
            "batch_size": 8,
            "codec_epochs": 1,
            "codec_steps": 3,
            "plain_steps": 3,
            "dim": 16,
            "codec_blocks": 1,
            "code_dim": 4,
            "epochs": 1,
            "steps_per_epoch": 3,
            "num_codes": 16,
            "filters": (8, 8),
            "discriminator_filters": (8, 8),
            "start_step": 1,
            "embedding_dim": 16,
            "num_blocks": 1,
        },
    },
)

# %% [markdown]
# ## The data

# %%
import numpy as np
from keras.optimizers.schedules import CosineDecay

from gdl_keras import data, plotting
from gdl_keras.kinds.reconstructions import reconstruction_distance
from gdl_keras.layers import VectorQuantizer
from gdl_keras.metrics.codecs import counts_of, perplexity_of, pooled_psnr
from gdl_keras.models import (
    VQGAN,
    VQVAE,
    ImageTransformer,
    build_codec_decoder,
    build_codec_encoder,
    build_image_transformer,
)
from gdl_keras.models.quantised.former import codec_of
from gdl_keras.models.quantised.vit import build_vit_decoder, build_vit_encoder
from gdl_keras.models.quantised.vqgan import build_patch_discriminator
from gdl_keras.optimizers import FusedAdam

train = run.load("train")
test = run.load("test")
run.show("training_images", plotting.grid(train.sample(20), columns=10))

# %% [markdown]
# ## Two codecs
# A patch becomes a vector by one dense layer, and blocks of attention let the vectors see each other; the decoder is
# the same backwards.  Of vectors of length 1, the nearest word is the one at the smallest angle.

# %%
WORDS = {"decay": run.decay, "commitment_weight": run.commitment_weight, "seed": run.seed}


def new_transformer():
    """A codec of patches as large as those that the convolutions make a word of."""
    sizes = (2 ** len(run.filters), run.code_dim, run.dim, run.codec_blocks, run.codec_heads, 4 * run.dim)
    quantizer = VectorQuantizer(run.num_codes, run.code_dim, distance="cosine", **WORDS)
    parts = build_vit_encoder(train.image_shape, *sizes), build_vit_decoder(train.image_shape, *sizes), quantizer
    if not run.adversary:
        return VQVAE(*parts, seed=run.seed)
    discriminator = build_patch_discriminator(train.image_shape, run.discriminator_filters)
    weights = {"adversarial_weight": run.adversarial_weight, "start_step": run.start_step}
    return VQGAN(*parts, discriminator, **weights, seed=run.seed)


def new_convolutions():
    """The codec of `01_vqvae`."""
    sizes = (train.image_shape, 64, run.filters)
    quantizer = VectorQuantizer(run.num_codes, 64, **WORDS)
    return VQVAE(build_codec_encoder(*sizes), build_codec_decoder(*sizes), quantizer, seed=run.seed)


plotting.show_source(build_vit_encoder, VectorQuantizer.placed)

# %%
codecs = {"transformer": run.former("codec")}
histories = {}
if codecs["transformer"] is None:
    stage = run.stage("codec", epochs=run.codec_epochs, steps_per_epoch=run.codec_steps)
    vit, steps = new_transformer(), stage.planned_steps(train)
    rate = CosineDecay(run.codec_rate, steps)
    if run.adversary:
        judge_rate = CosineDecay(run.discriminator_rate, steps)
        vit.compile(
            codec_optimizer=FusedAdam(rate, beta_1=0.5, beta_2=0.9),
            discriminator_optimizer=FusedAdam(judge_rate, beta_1=0.5, beta_2=0.9),
            **run.execution(),
        )
    else:
        vit.compile(FusedAdam(rate), **run.execution())
    vit.fit(train, validation_data=test, **stage.schedule())
    codecs["transformer"], histories["transformer"] = vit, stage.history

    stage = run.stage("convolutions", epochs=run.codec_epochs, steps_per_epoch=run.plain_steps)
    plain = new_convolutions()
    rate = CosineDecay(run.plain_rate, stage.planned_steps(train))
    plain.compile(FusedAdam(rate), **run.execution())
    plain.fit(train, validation_data=test, **stage.schedule())
    codecs["convolutions"], histories["convolutions"] = plain, stage.history
codec = codec_of(codecs["transformer"], "--codec", train.image_shape)
codec.encoder.summary()

# %% [markdown]
# ## At equal time
# PSNR of held-out images against the processor time of training.  What counts is where the curves stand above each
# other, not how many steps that took.

# %%
if histories:
    for history in histories.values():
        history["spent"] = np.cumsum(history["cpu_seconds"])
    axes = {"val_psnr": "PSNR of held-out images, dB"}
    run.show("psnr", plotting.paths(histories, "spent", axes, "seconds of a processor"))

# %% [markdown]
# ## Said again
# Held-out images, and what the words of either codec say.  Look for the edges of patches.

# %%
originals = test.sample(10, seed=3)
again = {name: model.predict(originals, verbose=0) for name, model in codecs.items()}
run.show("reconstructions", plotting.rows({"original": originals, **again}))

# %% [markdown]
# ## At equal words
# The border that garments are given does not count for the PSNR.  The distance is that of reconstructions of one half
# of the held-out images from the other half, as in `02_vqgan`.

# %%
BORDER = 2 if test.image_shape[:2] == (32, 32) and test.image_shape[2] == 1 else 0
held_out = test.images(slice(0, 10_000))
metrics = {}
for name, model in codecs.items():
    codes = model.encode(held_out)
    again = model.predict(held_out, batch_size=500, verbose=0)
    numbers = {
        "words": codes[0].size,
        "codes_used": (counts_of(codes, model.num_codes) > 0).mean(),
        "perplexity": perplexity_of(codes, model.num_codes),
        "reconstruction_psnr": pooled_psnr(held_out, again, BORDER),
    }
    if name in histories:
        numbers["cpu_seconds"] = histories[name]["spent"][-1]
    if run.dataset in ("fashion", "fashion_mini"):
        distances = reconstruction_distance(model, test, seed=run.seed)
        numbers |= {distance: result["value"] for distance, result in distances.items()}
    metrics |= {f"{name}_{what}": value for what, value in numbers.items()}
for name, value in metrics.items():
    print(f"{name}: {value:.4g}")

# %% [markdown]
# ## The prior
# As in `01_vqvae`: a transformer learns to foresee each word of the other transformer's from those before it.

# %%
num_classes = None if train.labels is None else len(train.class_names)
coded, coded_test = (data.encoded(table, codec, into="codes") for table in (train, test))
network = build_image_transformer(
    codec.code_shape,
    codec.num_codes,
    num_starts=num_classes or 1,
    embedding_dim=run.embedding_dim,
    num_blocks=run.num_blocks,
    num_heads=run.num_heads,
)
model = ImageTransformer(network, codec=codec, num_classes=num_classes, ema_decay=run.ema_decay, seed=run.seed)
rate = CosineDecay(run.learning_rate, run.planned_steps(train))
model.compile(FusedAdam(rate, beta_2=0.99, global_clipnorm=1.0), **run.execution())
model.fit(coded, validation_data=coded_test, **run.schedule())
run.show("loss", plotting.curves(run.history, ["loss"], y_label="nats a word"))

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

# %%
run.finish(**metrics)
