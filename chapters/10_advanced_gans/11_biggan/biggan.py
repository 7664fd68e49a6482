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
# # BigGAN: variety for quality
#
# A SAGAN whose generator is told in every block what it makes.  One **embedding of the class** serves all blocks, and
# the **latent point is cut into parts**: one for the first layer, one for each block.  Kernels start orthogonal and are
# kept so.
#
# What is new to look at: the **truncation**.  Latent points that are drawn nearer to zero than in training make more
# typical images, and fewer kinds of them.  It is a dial, turned after the training.
#
# Book: chapter 10, "BigGAN", which tells of it and has no code.

# %%
from dataclasses import dataclass
from typing import ClassVar, Literal

from gdl_keras.training import ImageConfig, Run, above, at_least


@dataclass
class Settings(ImageConfig):
    """A class-conditional GAN with a shared embedding, a latent point in parts, and truncation."""

    dataset: str = "fashion,fashion_mini"
    batch_size: int = 32
    epochs: int = 8
    steps_per_epoch: int | None = 300
    # Numbers in a latent point; a multiple of the number of blocks, which each halve the image to 4, and one.
    latent_dim: int = 64
    # Numbers that stand for a class.
    shared_dim: int = 32
    # The narrowest width of both networks; the smaller the image, the wider they are.
    channels: int = 16
    # The height of the image at which attention stands: half of the image's, a quarter, down to about 4.
    attention_size: int = 16
    # Whether every kernel is divided by its largest singular value; no: the discriminator pays for its slope instead.
    spectral: Literal["yes", "no"] = "no"
    # Weight of that penalty.
    penalty_weight: float = 5.0
    # In one of how many steps it is taken.
    penalty_interval: int = 4
    # Weight of what kernels pay for outputs that are not orthogonal.
    orthogonal_weight: float = 1e-4
    # Adam's rate for the discriminator.
    discriminator_learning_rate: float = 2e-3
    # Adam's rate for the generator.
    generator_learning_rate: float = 1e-3
    # How much of itself the average of the generator's weights keeps in each step.
    ema_decay: float = 0.995

    book_is: ClassVar = "the paper's rates and wider networks (the book has no such program)"
    ranges: ClassVar = {
        "latent_dim": at_least(1),
        "shared_dim": at_least(1),
        "channels": at_least(1),
        "attention_size": at_least(4),
        "penalty_weight": at_least(0),
        "penalty_interval": at_least(1),
        "orthogonal_weight": at_least(0),
        "discriminator_learning_rate": above(0),
        "generator_learning_rate": above(0),
        "ema_decay": at_least(0, below=1),
    }


run = Run.start(
    Settings,
    chapter="10_advanced_gans/11_biggan",
    presets={
        "book": {
            "dataset": "cifar10",
            "batch_size": 256,
            "epochs": 500,
            "steps_per_epoch": None,
            "latent_dim": 80,
            "shared_dim": 128,
            "channels": 64,
            "spectral": "yes",
            "discriminator_learning_rate": 2e-4,
            "generator_learning_rate": 5e-5,
            "ema_decay": 0.9999,
        },
        "smoke": {"dataset": "fashion_mini", "epochs": 1, "steps_per_epoch": 2, "batch_size": 8, "channels": 4},
    },
)

# %% [markdown]
# ## The data

# %%
import numpy as np

from gdl_keras import losses, plotting
from gdl_keras.metrics import Judge
from gdl_keras.metrics.frechet import frechet_distance
from gdl_keras.metrics.judge import share_as_asked, total_variance
from gdl_keras.models.biggan import BigGAN, build_discriminator, build_generator
from gdl_keras.models.parts.standing_statistics import keep_statistics_of
from gdl_keras.optimizers import FusedAdam
from gdl_keras.samplers.noise import random_truncated_normal

train = run.load("train").with_labels()
test = run.load("test").with_labels()
num_classes = len(train.class_names)
run.show("training_images", plotting.grid(train.sample(20), columns=10))

# %% [markdown]
# ## The networks

# %%
sizes = {"channels": run.channels, "attention_size": run.attention_size, "spectral": run.spectral == "yes"}
generator = build_generator(train.image_shape, num_classes, run.latent_dim, shared_dim=run.shared_dim, **sizes)
discriminator = build_discriminator(train.image_shape, num_classes, **sizes)
generator.summary()
plotting.show_source(build_generator, losses.orthogonality_penalty)

# %% [markdown]
# ## The game

# %%
model = BigGAN(
    generator,
    discriminator,
    num_classes,
    penalty_weight=0.0 if run.spectral == "yes" else run.penalty_weight,
    penalty_interval=run.penalty_interval,
    orthogonal_weight=run.orthogonal_weight,
    ema_decay=run.ema_decay,
    seed=run.seed,
)
model.compile(
    discriminator_optimizer=FusedAdam(run.discriminator_learning_rate, beta_1=0.0, beta_2=0.9),
    generator_optimizer=FusedAdam(run.generator_learning_rate, beta_1=0.0, beta_2=0.9),
    **run.execution(),
)
model.fit(train, **run.schedule())
run.show("losses", plotting.curves(run.history, ["discriminator_loss", "generator_loss"], y_label="loss, in scores"))

# %% [markdown]
# ## One row for each class

# %%
by_class = {
    name: model.generate(12, labels=np.full(12, label), seed=label) for label, name in enumerate(train.class_names)
}
run.show("generated", plotting.rows(by_class))

# %% [markdown]
# ## Truncation
# Each number of a latent point as if drawn again until it lies within the threshold.  What batch normalisation followed
# in training is of other points, so its statistics are counted anew for each threshold.  Columns are the same points,
# moved nearer to zero.

# %%
plotting.show_source(random_truncated_normal, keep_statistics_of)
thresholds = (2.0, 1.0, 0.5, 0.1)
labels = np.arange(12) % num_classes
judge = Judge("fashion") if run.dataset in ("fashion", "fashion_mini") else None
asked = np.repeat(np.arange(num_classes), 100)
if judge:
    real_features, real_probabilities = judge.features_and_probabilities(test.images(slice(None)))
    real_share = share_as_asked(real_probabilities, test.labels).mean()
    real_diversity = total_variance(real_features, test.labels, num_classes)
rows, sweep = {}, {}
for threshold in thresholds:
    model.keep_standing_statistics(threshold, seed=run.seed)
    rows[f"within {threshold:g}"] = model.generate(12, labels=labels, seed=run.seed, truncation=threshold)
    if judge:
        made = model.generate(len(asked), labels=asked, seed=run.seed, truncation=threshold)
        features, probabilities = judge.features_and_probabilities(made)
        sweep[threshold] = {
            "FCD": frechet_distance(features, real_features),
            "diversity": np.mean(total_variance(features, asked, num_classes) / real_diversity),
            "as asked": share_as_asked(probabilities, asked).mean(),
        }
run.show("truncation", plotting.rows(rows))
for threshold, numbers in sweep.items():
    print(f"within {threshold:g}:", ", ".join(f"{name} {value:.3g}" for name, value in numbers.items()))

# %%
if sweep:
    shares = {name: [numbers[name] for numbers in sweep.values()] for name in ("diversity", "as asked")}
    levels = {"real images: diversity": 1.0, "real images: as asked": real_share}
    run.show("sweep", plotting.lines(thresholds, shares, levels, "threshold", "share"))
model.keep_standing_statistics(None, seed=run.seed)

# %% [markdown]
# ## Classes mixed
# The same latent point, and an embedding that goes from that of one class to that of another.

# %%
pairs = [(first, (first + 1 + first % 3) % num_classes) for first in range(min(5, num_classes))]
way = np.linspace(0, 1, 12)
mixed = {}
for first, second in pairs:
    latents = model.sample_latents(1, seed=run.seed + first).repeat(len(way), axis=0)
    names = f"{train.class_names[first]}\nto {train.class_names[second]}"
    mixed[names] = model.mix_classes(latents, first, second, way)
run.show("mixed_classes", plotting.rows(mixed))
plotting.show_source(BigGAN.mix_classes)

# %% [markdown]
# ## Does it make what it is told to, and all of it?
# Without truncation; the Fréchet distance is that of 1,000 images to held-out ones.

# %%
metrics = {f"test_{name}": value for name, value in model.evaluate(test, verbose=0, return_dict=True).items()}
if judge:
    made = model.generate(len(asked), labels=asked, seed=run.seed)
    report = judge.report(made, asked, test.images(slice(None)), test.labels)
    diversity = report.pop("diversity")
    run.show("diversity", plotting.bars(list(diversity.values()), list(diversity), 1.0, "diversity, real = 1"))
    distance = frechet_distance(judge.features(made), real_features)
    metrics |= report | {"smallest_diversity": min(diversity.values()), "fcd": distance}
run.finish(**metrics)
