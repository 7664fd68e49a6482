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
# # Flow matching: straight lines from noise to images
#
# Draw an image and some noise, and a straight line between them.  At a point of the line, ask a network which way the
# line goes.  Many lines cross there, so it answers with the mean of their directions; and the field of these means
# carries noise over into images (Lipman et al. 2023; Liu et al. 2023).  It is diffusion without its schedules: the
# same network, a loss of three lines, and an ordinary differential equation instead of a sampler.

# %%
from dataclasses import dataclass
from typing import ClassVar, Literal

from gdl_keras.training import ImageConfig, Run
from gdl_keras.training.ranges import above, at_least, between


@dataclass
class Settings(ImageConfig):
    """Flow matching."""

    dataset: str = "fashion,fashion_mini"
    batch_size: int = 32
    epochs: int = 6
    steps_per_epoch: int | None = 500
    # One made for a processor, or the book's U-Net.
    network: Literal["quick", "book"] = "quick"
    # Normal distributions in front of the quick network, each of ten images or more; 0 for none.
    clusters: int = 200
    # Train most in the middle of the lines, where most is decided.
    middle: bool = True
    # Steps from noise to an image.
    steps: int = 20
    # What the average of the weights keeps of itself in a step.
    ema_decay: float = 0.995
    # Adam's rate.
    learning_rate: float = 3e-3
    # How slowly Adam forgets the sizes of gradients.
    beta_2: float = 0.99
    # The longest gradient, over all weights; longer ones are made as long.
    clip: float | None = 1.0
    # What the rate has fallen to at the end, as a share of itself; 1 for a constant one.
    final_rate: float = 0.01

    ranges: ClassVar = {
        "steps": at_least(1),
        "clusters": at_least(0),
        "ema_decay": between(0, 0.99999),
        "learning_rate": above(0),
        "beta_2": between(0, 0.99999),
        "clip": above(0),
        "final_rate": between(0, 1),
    }


run = Run.start(
    Settings,
    chapter="08_diffusion/02_flow_matching",
    presets={
        "book": {
            "dataset": "flowers",
            "image_size": 64,
            "batch_size": 64,
            "epochs": 50,
            "steps_per_epoch": 639,
            "network": "book",
            "ema_decay": 0.999,
            "learning_rate": 1e-3,
            "beta_2": 0.999,
            "clip": None,
            "final_rate": 1.0,
        },
        "smoke": {
            "dataset": "fashion_mini",
            "image_size": 8,
            "epochs": 1,
            "steps_per_epoch": 2,
            "batch_size": 16,
            "clusters": 3,
            "steps": 3,
        },
    },
)

# %% [markdown]
# ## The model
# The network is that of the program beside this one, with the mixture of normal distributions in front of it.  What it
# is told instead of the noise's variance is how far along the line the point lies.

# %%
from keras.optimizers.schedules import CosineDecay

from gdl_keras import plotting
from gdl_keras.models import FlowMatching, NormalMixture, build_quick_unet, build_unet
from gdl_keras.optimizers import FusedAdam

train, test = run.load("train"), run.load("test")
mixture = None
if run.network == "book":
    network = build_unet(train.image_shape)
else:
    if clusters := min(run.clusters, len(train) // 10):
        mixture = NormalMixture(train.image_shape, clusters)
    network = build_quick_unet(train.image_shape, with_guess=mixture is not None)
model = FlowMatching(
    network, middle=run.middle, steps=run.steps, ema_decay=run.ema_decay, mixture=mixture, seed=run.seed
)
model.adapt(train.rows("images", slice(None)))
plotting.show_source(FlowMatching.losses_of, FlowMatching.walk)

# %%
rate = CosineDecay(run.learning_rate, run.planned_steps(train), alpha=run.final_rate)
model.compile(FusedAdam(rate, beta_2=run.beta_2, global_clipnorm=run.clip), **run.execution())
model.fit(train, validation_data=test, **run.schedule())

# %%
run.show("losses", plotting.curves(run.history, ["loss"], y_label="squared error of the velocity"))

# %% [markdown]
# ## New images

# %%
run.show("generated", plotting.grid(model.generate(40, seed=run.seed), columns=10))

# %% [markdown]
# ## The same noise in few steps and in many
# A column is one point of noise.  The lines are straight; the paths along the mean directions are not quite, and that
# is what steps are for.  Heun's method asks twice in a step.

# %%
points = model.sample_latents(10, seed=run.seed)
by_steps = {f"euler, {count}": model.generate(latents=points, steps=count) for count in (1, 2, 3, 5, 20)}
by_steps["heun, 10"] = model.generate(latents=points, steps=10, solver="heun")
run.show("steps", plotting.rows(by_steps))

# %%
values = model.evaluate(test, verbose=0, return_dict=True)
run.finish(**{f"test_{name}": value for name, value in values.items()})
