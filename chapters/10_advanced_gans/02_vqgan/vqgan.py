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
# # VQ-GAN: words for sharp images
#
# A VQ-VAE pays for squared errors, and where its words leave something open it draws the mean of all that it could be:
# a blur.  Here a **discriminator** looks at patches of the image and says which are real, and a **perceptual loss**
# asks that an image look to a network as the original does, and not only be near it number by number.
#
# Beside it a VQ-VAE of the same networks learns for as many seconds of processor time.  Squared errors are what that
# one is trained for; the Fréchet distance asks whether reconstructions, as a set, are like images.  Look at both.
# Book: chapter 10, "VQ-GAN", which tells of it and has no code.
#
# `--variant notebook` takes the networks of the notebook `VQGAN` in DaiDaiLoh's *ExemplaryNotebooks*, and its absolute
# error, from the first step on; there, the first 5,000 steps have the squared one.

# %%
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from gdl_keras.training import ImageConfig, Run, above, at_least, multiple_of


@dataclass
class Settings(ImageConfig):
    """A codec that a discriminator keeps sharp, beside one without; and a transformer that writes its words."""

    dataset: str = "fashion,fashion_mini"
    batch_size: int = 32
    # Epochs of the prior.
    epochs: int = 4
    # Steps that count as one epoch of the prior.
    steps_per_epoch: int | None = 300
    # improved: a codebook that follows the vectors, a bounded image; notebook: the notebook's networks.
    variant: Literal["improved", "notebook"] = "improved"
    # A run of this program whose codec to take instead of training one.
    codec: Path | None = None
    # Epochs of the codec, and of the one without a discriminator.
    codec_epochs: int = 4
    # Steps that count as one of them.
    codec_steps: int | None = 750
    # Steps that count as one epoch of the codec without a discriminator, which takes less time for each.
    plain_steps: int | None = 1050
    # Words in the codebook.
    num_codes: int = 512
    # Numbers in the vector of a word.
    code_dim: int = 64
    # Channels after each halving of the image (improved).
    filters: tuple[int, ...] = (32, 96)
    # Channels of the discriminator after each halving (improved).
    discriminator_filters: tuple[int, ...] = (32, 64)
    # What looks at images for the perceptual loss: the discriminator, EfficientNet-Lite0, VGG16, or nothing.
    perceptual: Literal["discriminator", "lite0", "vgg16", "none"] = "discriminator"
    # Weight of the perceptual loss.
    perceptual_weight: float = 1.0
    # What the weight that balances the two sides is multiplied by.
    adversarial_weight: float = 0.75
    # Steps before the codec hears of the discriminator.
    start_step: int = 500
    # Weight of what a vector pays for being far from its word.
    commitment_weight: float = 0.25
    # How much of itself the average that a word is keeps in each step (improved).
    decay: float = 0.98
    # Adam's rate for the codec.
    codec_rate: float = 2e-3
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

    book_is: ClassVar = "faces of 128x128 with the notebook's networks, for a GPU (the book has no such program)"
    ranges: ClassVar = {
        "image_size": multiple_of(8),
        "codec_epochs": at_least(1),
        "codec_steps": at_least(1),
        "plain_steps": at_least(1),
        "num_codes": at_least(2),
        "code_dim": at_least(1),
        "filters": at_least(1),
        "discriminator_filters": at_least(1),
        "perceptual_weight": at_least(0),
        "adversarial_weight": at_least(0),
        "start_step": at_least(0),
        "commitment_weight": at_least(0),
        "decay": at_least(0, below=1),
        "codec_rate": above(0),
        "discriminator_rate": above(0),
        "embedding_dim": lambda settings: multiple_of(settings.num_heads),
        "num_blocks": at_least(1),
        "num_heads": at_least(1),
        "ema_decay": at_least(0, below=1),
        "learning_rate": above(0),
    }


run = Run.start(
    Settings,
    chapter="10_advanced_gans/02_vqgan",
    presets={
        "book": {
            "dataset": "faces",
            "image_size": 128,
            "variant": "notebook",
            "batch_size": 8,
            "codec_epochs": 30,
            "codec_steps": None,
            "plain_steps": None,
            "perceptual": "vgg16",
            "start_step": 5000,
            "codec_rate": 2e-4,
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
from gdl_keras.metrics.codecs import perplexity_of, pooled_psnr
from gdl_keras.metrics.feature_maps import build_lite0_feature_maps, build_vgg16_feature_maps
from gdl_keras.models import (
    VQGAN,
    VQVAE,
    ImageTransformer,
    build_codec_decoder,
    build_codec_encoder,
    build_image_transformer,
)
from gdl_keras.models.quantised.former import codec_of
from gdl_keras.models.quantised.networks import build_notebook_decoder, build_notebook_encoder
from gdl_keras.models.quantised.vqgan import build_notebook_discriminator, build_patch_discriminator
from gdl_keras.optimizers import FusedAdam

train = run.load("train")
test = run.load("test")
run.show("training_images", plotting.grid(train.sample(20), columns=10))

# %% [markdown]
# ## The networks
# Those of the VQ-VAE, and a discriminator each of whose scores is of one patch.  The perceptual loss compares feature
# maps: those of the discriminator itself, which cost next to nothing and know garments, or those of a network that has
# learnt from photographs (`--perceptual lite0`).

# %%
ours = run.variant == "improved"
ending = "sigmoid" if ours else "linear"


def codec_parts():
    """Encoder, decoder, quantizer, all new."""
    sizes = (train.image_shape, run.code_dim)
    if ours:
        networks = build_codec_encoder(*sizes, run.filters), build_codec_decoder(*sizes, run.filters)
    else:
        networks = build_notebook_encoder(*sizes, halvings=3), build_notebook_decoder(*sizes, halvings=3)
    quantizer = VectorQuantizer(
        run.num_codes,
        run.code_dim,
        run.decay,
        learning="ema" if ours else "loss",
        commitment_weight=run.commitment_weight,
        start="kmeans" if ours else "uniform",
        revive_below=0.1 if ours else 0.0,
        seed=run.seed,
    )
    return *networks, quantizer


def new_vqgan():
    """A codec and its discriminator."""
    build_maps = {"lite0": build_lite0_feature_maps, "vgg16": build_vgg16_feature_maps}.get(run.perceptual)
    named = {"discriminator": "discriminator", "none": None}
    return VQGAN(
        *codec_parts(),
        build_patch_discriminator(train.image_shape, run.discriminator_filters)
        if ours
        else build_notebook_discriminator(train.image_shape),
        ending,
        reconstruction="squared" if ours else "absolute",
        perceptual=build_maps(train.image_shape) if build_maps else named[run.perceptual],
        perceptual_weight=run.perceptual_weight,
        adversarial_weight=run.adversarial_weight,
        start_step=run.start_step,
        seed=run.seed,
    )


plotting.show_source(build_patch_discriminator if ours else build_notebook_discriminator)

# %% [markdown]
# ## The codec, with and without a discriminator
# How much the codec listens to the discriminator is weighed in each step, where the decoder's last layer feels it: as
# much as to likeness, times a constant.  Until `start_step` it does not listen, and the discriminator learns alone.

# %%
codecs = {"VQ-GAN": run.former("codec")}
seconds = {}
if codecs["VQ-GAN"] is None:
    stage = run.stage("codec", epochs=run.codec_epochs, steps_per_epoch=run.codec_steps)
    vqgan, steps = new_vqgan(), stage.planned_steps(train)
    rate, judge_rate = CosineDecay(run.codec_rate, steps), CosineDecay(run.discriminator_rate, steps)
    vqgan.compile(
        codec_optimizer=FusedAdam(rate, beta_1=0.5, beta_2=0.9),
        discriminator_optimizer=FusedAdam(judge_rate, beta_1=0.5, beta_2=0.9),
        **run.execution(),
    )
    vqgan.fit(train, validation_data=test, **stage.schedule())
    codecs["VQ-GAN"], seconds["VQ-GAN"] = vqgan, sum(stage.history.get("cpu_seconds", []))
    if stage.history:
        stage.show("psnr", plotting.curves(stage.history, ["psnr"], y_label="PSNR, dB"))
        stage.show("accuracies", plotting.curves(stage.history, ["real_accuracy", "fake_accuracy"]))

    stage = run.stage("plain", epochs=run.codec_epochs, steps_per_epoch=run.plain_steps)
    plain = VQVAE(*codec_parts(), ending, seed=run.seed)
    rate = CosineDecay(run.codec_rate, stage.planned_steps(train))
    plain.compile(FusedAdam(rate), **run.execution())
    plain.fit(train, validation_data=test, **stage.schedule())
    codecs["VQ-VAE"], seconds["VQ-VAE"] = plain, sum(stage.history.get("cpu_seconds", []))
codec = codec_of(codecs["VQ-GAN"], "--codec", train.image_shape)
plotting.show_source(VQGAN.train_step, VQGAN.weight_of_adversary)

# %% [markdown]
# ## Said again
# Held-out images, and what the words of either codec say.  Look at seams, prints and laces: where the one is blurred,
# is the other right, or only sharp?

# %%
originals = test.sample(10, seed=3)
again = {name: model.predict(originals, verbose=0) for name, model in codecs.items()}
run.show("reconstructions", plotting.rows({"original": originals, **again}))

# %% [markdown]
# ## What the discriminator doubts
# Its scores, each where its patch lies, on one scale for all rows: the higher, the more real the patch looks to it.
# Grey images are drawn dark on white, so there high scores are dark.

# %%
if isinstance(codec, VQGAN):
    pairs = {"original": originals, **again}
    scores = {name: np.asarray(codec.discriminator(images)).mean(axis=-1) for name, images in pairs.items()}
    low, high = np.min(list(scores.values())), np.max(list(scores.values()))
    for name, heights in scores.items():
        print(f"{name}: mean score {heights.mean():.3f}, on a scale from {low:.3f} to {high:.3f}")
    tile = np.ones((train.image_shape[0] // scores["original"].shape[1],) * 2)
    shown = {}
    for name, images in pairs.items():
        heights = np.kron((scores[name] - low) / (high - low), tile)
        shown |= {name: images, f"scores, {name}": np.repeat(heights[..., None], images.shape[-1], axis=-1)}
    run.show("doubts", plotting.rows(shown))

# %% [markdown]
# ## What the discriminator is worth
# The border that garments are given does not count for the PSNR.  For the distance, reconstructions of one half of the
# held-out images are compared with the other half; the floor is what the two halves are apart themselves.

# %%
BORDER = 2 if test.image_shape[:2] == (32, 32) and test.image_shape[2] == 1 else 0
held_out = test.images(slice(0, 10_000))
metrics = {}
for name, model in codecs.items():
    own = "" if name == "VQ-GAN" else "plain_"
    again = model.predict(held_out, batch_size=500, verbose=0)
    metrics[f"{own}perplexity"] = perplexity_of(model.encode(held_out), model.num_codes)
    metrics[f"{own}reconstruction_psnr"] = pooled_psnr(held_out, again, BORDER)
    if name in seconds:
        metrics[f"{own or 'codec_'}cpu_seconds"] = seconds[name]
    if run.dataset in ("fashion", "fashion_mini"):
        for distance, result in reconstruction_distance(model, test, seed=run.seed).items():
            metrics |= {f"{own}{distance}": result["value"], f"{distance}_floor": result["floor"]}
for name, value in metrics.items():
    print(f"{name}: {value:.4g}")

# %% [markdown]
# ## The prior
# As in `01_vqvae`: a transformer learns to foresee each word from those before it.

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
