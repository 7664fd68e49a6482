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
# # StyleGAN2-ADA: few images
#
# With two hundred images the discriminator soon knows each of them, and says no to everything else.  Then it has
# nothing to teach: whatever the generator changes, the answer stays the same.
#
# - **Augmentation** hides the images from it: it sees only flipped, turned, scaled and recoloured ones, of the real
#   images and of the generated ones alike.  The generator learns through the augmentation, which has a slope.
# - What is augmented with a **strength** clearly below 1 does not leak: most images are upright, so upright ones are
#   what the generator has to make.
# - How strong it has to be depends on the data, and changes as the game goes on.  So it is **adaptive**: when the
#   discriminator is sure of too many of its real images, the strength grows, else it falls.
#
# Book: chapter 10, beside "StyleGAN2".  Paper: Karras et al. 2020, arXiv:2006.06676.

# %%
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gdl_keras.training import ImageConfig, Run, above, at_least, between


@dataclass
class Settings(ImageConfig):
    """A StyleGAN2 that learns from few images, with adaptive augmentation and without."""

    dataset: str = "fashion,fashion_mini"
    batch_size: int = 32
    epochs: int = 8
    steps_per_epoch: int | None = 250
    # From one measured distance of new images to the next.
    every: int = 1
    # How many images of the data set there are to learn from, drawn at random.
    images: int = 200
    # Numbers in a latent point, and in a style.
    latent_dim: int = 64
    # Layers of the mapping network.
    mapping_layers: int = 2
    # At a size there are channel_base / size channels ...
    channel_base: int = 128
    # ... but at most so many.
    channel_max: int = 32
    # Thousands of images after which the average of the generator has forgotten half.
    ema_half_life: float = 10.0
    # Adam's rate.
    learning_rate: float = 5e-3
    # Which share of real images the discriminator may be sure of: 0.6 is 80 % of them above 0.
    target: float = 0.6
    # Thousands of images that the strength takes from 0 to 1.  The paper has 500 of 25,000.
    ramp_kimg: float = 10.0
    # Whether the same game is played without augmentation, too, in front.
    compare: bool = True

    book_is: ClassVar = "the paper's (the book has no such program)"
    ranges: ClassVar = {
        "image_size": between(8, 1024),
        "images": at_least(1),
        "latent_dim": at_least(1),
        "mapping_layers": at_least(1),
        "channel_base": lambda settings: at_least(settings.image_size),
        "channel_max": at_least(1),
        "ema_half_life": above(0),
        "learning_rate": above(0),
        "target": between(-0.99, 0.99),
        "ramp_kimg": above(0),
    }

    def prepared(self, train):
        chosen = np.random.default_rng(self.seed).permutation(train.num_examples)[: self.images]
        return super().prepared(train.only(np.sort(chosen)))


run = Run.start(
    Settings,
    chapter="10_advanced_gans/08_stylegan2_ada",
    presets={
        "book": {
            "dataset": "faces",
            "image_size": 256,
            "images": 2000,
            "epochs": 100,
            "steps_per_epoch": 4000,
            "batch_size": 64,
            "every": 10,
            "latent_dim": 512,
            "channel_base": 16384,
            "channel_max": 512,
            "ema_half_life": 20.0,
            "learning_rate": 2.5e-3,
            "ramp_kimg": 500.0,
        },
        "smoke": {
            "dataset": "fashion_mini",
            "epochs": 1,
            "steps_per_epoch": 2,
            "batch_size": 8,
            "every": 0,
            "latent_dim": 8,
            "channel_max": 4,
        },
    },
)

# %% [markdown]
# ## The data
# All that there is.

# %%
import keras
from keras.optimizers import Adam

from gdl_keras import plotting
from gdl_keras.layers import AdaptiveAugmentation, AugmentationController
from gdl_keras.models.stylegan import StyleGAN2
from gdl_keras.models.stylegan.networks import build_discriminator, build_generator
from gdl_keras.models.stylegan.stylegan2 import penalty_weight_for

train = run.load("train")
run.show("training_images", plotting.grid(train.sample(40), columns=10))


# %% [markdown]
# ## What the discriminator sees
# The same images at five strengths, which are probabilities: of a flip, a quarter turn and a shift by whole pixels, a
# scale, a turn, a stretch and a shift by any amount, another brightness and contrast, light for dark, and, in colour,
# other hues.  At 1 hardly any image is upright, and the generator could not know which way up images are.


# %%
def augmentation(**options):
    """The paper's choice of transforms; of images in grey those of colour change brightness and contrast alone."""
    return AdaptiveAugmentation(target=run.target, ramp_kimg=run.ramp_kimg, seed=run.seed, **options)


images = train.sample(10)
strengths = {
    f"{strength:g}": np.clip(augmentation(strength=strength)(images, training=True), 0, 1)
    for strength in (0, 0.25, 0.5, 0.75, 1)
}
run.show("augmented", plotting.rows(strengths))
plotting.show_source(AdaptiveAugmentation.drawn, AugmentationController.observe)

# %% [markdown]
# ## The game, twice
# Networks, data, seeds and the number of images seen are the same.


# %%
def new_model(augmentation):
    """A compiled StyleGAN2, each time from the same weights."""
    keras.utils.set_random_seed(run.seed)
    channels = {"channel_base": run.channel_base, "channel_max": run.channel_max, "mapping_layers": run.mapping_layers}
    game = StyleGAN2(
        build_generator(train.image_shape, run.latent_dim, style_dim=run.latent_dim, **channels),
        build_discriminator(train.image_shape, **channels),
        penalty_weight=penalty_weight_for(train.image_shape[0], run.batch_size),
        path_weight=0.0,
        ema_half_life=run.ema_half_life,
        augmentation=augmentation,
        seed=run.seed,
    )
    players = ("discriminator_optimizer", "generator_optimizer")
    game.compile(**{player: Adam(run.learning_rate, 0.0, 0.99) for player in players}, **run.execution())
    return game


histories, made = {}, {}
if run.compare:
    stage = run.stage("plain", epochs=run.planned_epochs, steps_per_epoch=run.steps_per_epoch)
    plain = new_model(None)
    plain.fit(train, **stage.schedule(run.test_data() if run.every else None))
    histories["without"], made["without"] = stage.history, plain.generate(40, seed=run.seed)

# %%
model = new_model(augmentation())
model.fit(train, **run.schedule())
histories["with augmentation"], made["with augmentation"] = run.history, model.generate(40, seed=run.seed)

# %% [markdown]
# ## How strong it became
# The strength, and how sure the discriminator is of real images: $r = E[\operatorname{sign} D(x)]$, which is 1 when it
# is right about all of them, and 0 when it is right about half.

# %%
share = {f"{name}: r": 2 * np.array(history["real_accuracy"]) - 1 for name, history in histories.items()}
strength = {"strength": run.history["augmentation_strength"], "target of r": [run.target] * len(run.history["kimg"])}
run.show("strength", plotting.curves({**share, **strength}, [*share, *strength], y_label="strength, and r"))

# %% [markdown]
# ## What it is worth
# The distance of new images from held-out ones, which neither game has seen, by the images seen.

# %%
distances = [column for column in run.history if column.endswith("_distance")]
if distances:
    run.show("distance", plotting.paths(histories, "kimg", {distances[0]: "distance, smaller is better"}))
for name, images in made.items():
    run.show(f"generated_{name.split()[0]}", plotting.grid(images, columns=10))


# %% [markdown]
# ## Or copies?
# Below each generated image the training image nearest to it.


# %%
def nearest_images(images, candidates):
    """For each image, the candidate at the smallest Euclidean distance."""
    a, b = images.reshape(len(images), -1), candidates.reshape(len(candidates), -1)
    distances = (a**2).sum(axis=1)[:, None] - 2 * a @ b.T + (b**2).sum(axis=1)
    return candidates[distances.argmin(axis=1)]


rows = {}
for name, images in made.items():
    rows |= {name: images[:10], f"nearest: {name}": nearest_images(images[:10], train.images(slice(None)))}
run.show("nearest", plotting.rows(rows))

# %%
metrics = {"strength": run.history["augmentation_strength"][-1]}
for name, history in histories.items():
    for distance in distances:
        kind = f"{name.split()[0]}_{distance}"
        metrics |= {f"{kind}_at_the_end": history[distance][-1], f"{kind}_at_best": min(history[distance])}
run.finish(**metrics)
