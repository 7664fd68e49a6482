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
# # WGAN-GP: a critic instead of a judge
#
# The discriminator's verdict, real or not, is a poor teacher: once it is sure, it is flat.  The **Wasserstein** GAN
# asks for something else.  Its critic gives every image a number, any number, and the distance between the average over
# real and over generated images tells how much work it would take to turn one lot into the other.  For that the critic
# must not be too steep: its gradient must have length 1.  The **gradient penalty** sees to it.
#
# What you gain: a game that hardly ever collapses, and, with several steps of the critic for each of the generator as
# in paper and book, a number that goes down while the images get better.  What it costs: the gradient of a gradient in
# each step, and those several steps.  (The preset `cpu` takes one, and lets the critic learn twice as fast as the
# generator: better images in the same time, but no such number.  A model further down shows it.)
#
# Book: chapter 4, "Wasserstein GAN with Gradient Penalty (WGAN-GP)".

# %%
from dataclasses import dataclass
from typing import ClassVar, Literal

from gdl_keras.training import ImageConfig, Run, above, at_least, multiple_of


@dataclass
class Settings(ImageConfig):
    """A Wasserstein GAN with gradient penalty."""

    dataset: str = "emoji"
    batch_size: int = 64
    epochs: int = 10
    steps_per_epoch: int | None = 250
    # dcgan: the book's networks; residual: those of the hinge GAN, without labels and spectral normalisation.
    network: Literal["dcgan", "residual"] = "dcgan"
    # Numbers in a latent point.
    latent_dim: int = 128
    # How latent points are drawn: from N(0, 1), or from [-1, 1] evenly.
    latents: Literal["normal", "uniform"] = "normal"
    # Channels of the generator from its smallest image on; the critic has them the other way round.
    filters: tuple[int, ...] = (128, 64, 32)
    # How images are enlarged: transposed convolutions, or repeated pixels and a convolution (no checkerboard).
    upsampling: Literal["transposed", "resize"] = "resize"
    # Share of the critic's numbers that are set to zero in each step.
    dropout: float = 0.0
    # Steps of the critic for each of the generator.
    critic_steps: int = 1
    # Weight of the gradient penalty.
    penalty_weight: float = 10.0
    # paper, or book: normal mixing weights, one real batch for all critic steps, dropout in the penalty.
    variant: Literal["paper", "book"] = "paper"
    # Adam's rate; with one critic step, the critic learns faster instead (Heusel et al. 2017, section 2).
    critic_learning_rate: float = 1e-3
    # Adam's rate.
    generator_learning_rate: float = 5e-4
    # Adam's memory of past gradients.
    beta_1: float = 0.0
    # Adam's memory of their squares.
    beta_2: float = 0.9
    # How much of itself the average of the generator's weights keeps in each step; 0 for no average.
    ema_decay: float = 0.995
    # Steps of the generator for the model whose critic is ahead.
    ahead_steps: int = 200

    ranges: ClassVar = {
        "image_size": lambda self: multiple_of(4 if self.network == "residual" else 2 ** len(self.filters)),
        "latent_dim": at_least(1),
        "filters": at_least(1),
        "dropout": at_least(0, below=1),
        "critic_steps": at_least(1),
        "penalty_weight": at_least(0),
        "critic_learning_rate": above(0),
        "generator_learning_rate": above(0),
        "beta_1": at_least(0, below=1),
        "beta_2": at_least(0, below=1),
        "ema_decay": at_least(0, below=1),
        "ahead_steps": at_least(1),
    }


run = Run.start(
    Settings,
    chapter="04_gan/02_wgan_gp",
    presets={
        "book": {
            "dataset": "faces",
            "image_size": 64,
            "batch_size": 512,
            "epochs": 200,
            "steps_per_epoch": None,
            "filters": (512, 256, 128, 64),
            "upsampling": "transposed",
            "dropout": 0.3,
            "critic_steps": 3,
            "critic_learning_rate": 2e-4,
            "generator_learning_rate": 2e-4,
            "beta_1": 0.5,
            "ema_decay": 0.0,
        },
        # The notebook WGAN-GP of DaiDaiLoh's ExemplaryNotebooks: 301,979 and 245,281 weights on images of 28x28.
        "digits": {
            "dataset": "mnist,mnist_mini",
            "image_size": 28,
            "network": "residual",
            "epochs": 9,
            "latent_dim": 64,
            "latents": "uniform",
            "critic_steps": 5,
            "penalty_weight": 1.0,
            "steps_per_epoch": 100,
            "critic_learning_rate": 1e-3,
            "generator_learning_rate": 1e-3,
            "beta_1": 0.9,
            "beta_2": 0.999,
            "ema_decay": 0.0,
        },
        "smoke": {"epochs": 1, "steps_per_epoch": 2, "batch_size": 8, "filters": (8, 8, 8), "ahead_steps": 1},
    },
)

# %% [markdown]
# ## The data

# %%
import keras
from keras.optimizers import Adam

from gdl_keras import losses, plotting
from gdl_keras.models import hinge_gan
from gdl_keras.models.adversarial import AdversarialModel
from gdl_keras.models.wgan_gp import WGANGP, build_critic, build_generator

train = run.load("train")
test = run.load("test")
run.show("training_images", plotting.grid(train.sample(20), columns=10))

# %% [markdown]
# ## The networks
# The generator is the DCGAN's.  The critic has no batch normalisation, because the penalty is about the gradient of
# each image by itself, and no sigmoid at its end, because its answer is no probability.

# %%
if run.network == "residual":
    generator = hinge_gan.build_generator(train.image_shape, latent_dim=run.latent_dim)
    critic = hinge_gan.build_discriminator(train.image_shape, spectral=False)
else:
    generator = build_generator(train.image_shape, run.latent_dim, run.filters, run.upsampling)
    critic = build_critic(train.image_shape, run.filters[::-1], run.dropout)
critic.summary()
plotting.show_source(build_critic)

# %% [markdown]
# ## The penalty
# Take a real and a generated image, mix them in a random ratio, and look at the critic's gradient there: its length
# should be 1.

# %%
plotting.show_source(losses.gradient_penalty)

# %% [markdown]
# ## The game

# %%
model = WGANGP(
    generator,
    critic,
    critic_steps=run.critic_steps,
    penalty_weight=run.penalty_weight,
    variant=run.variant,
    latents=run.latents,
    ema_decay=run.ema_decay or None,
    seed=run.seed,
)
model.compile(
    critic_optimizer=Adam(run.critic_learning_rate, run.beta_1, run.beta_2),
    generator_optimizer=Adam(run.generator_learning_rate, run.beta_1, run.beta_2),
    **run.execution(),
)
plotting.show_source(WGANGP.train_step)

# %% [markdown]
# The rest of the model, and what all GANs of this project share: two networks, latent points, an average of the
# generator's weights.

# %%
plotting.show_source(WGANGP, AdversarialModel)

# %%
model.fit(train, **run.schedule())

# %% [markdown]
# ## How the game went
# The distance is only as good as the critic.  With one step of the critic for each of the generator it lags behind and
# measures too little at first; its number rises while the images get better.
#
# The same distance on test images stands at the end.  Where it is much smaller than on training images, the critic has
# begun to know those by heart: there are few of them.
#
# The length of the critic's gradient should stay near 1: where it runs off, the penalty weighs too little.

# %%
unit = "Wasserstein distance, images in [-1, 1]"
run.show("distance", plotting.curves(run.history, ["wasserstein_distance"], y_label=unit))
run.show("gradient_norm", plotting.curves(run.history, ["gradient_norm"], y_label="slope, per unit of [-1, 1]"))

# %% [markdown]
# ## With the critic ahead
# The same networks from the start again, slower, and with five steps of the critic for each of the generator: it is
# ahead before the generator has moved far, its number is a distance, and the number falls as the generator closes in.

# %%
keras.utils.set_random_seed(run.seed)
patient = WGANGP(
    keras.models.clone_model(generator),
    keras.models.clone_model(critic),
    critic_steps=5,
    penalty_weight=run.penalty_weight,
    seed=run.seed,
)
patient.compile(
    critic_optimizer=Adam(3e-4, run.beta_1, run.beta_2),
    generator_optimizer=Adam(3e-4, run.beta_1, run.beta_2),
    **run.execution(),
)
steps = max(1, run.ahead_steps // 10)
history = patient.fit(train, epochs=10, steps_per_epoch=steps, verbose=0).history
print("distance:", ", ".join(f"{distance:.1f}" for distance in history["wasserstein_distance"]))
x_label = f"{steps} steps of the generator"
run.show("distance_ahead", plotting.curves(history, ["wasserstein_distance"], x_label, y_label=unit))

# %% [markdown]
# ## New images

# %%
run.show("generated", plotting.grid(model.generate(40, seed=run.seed), columns=10))

# %%
points = model.sample_latents(4, seed=run.seed)
walks = {f"{row + 1}": model.morph(points[row], points[row + 1]) for row in range(3)}
run.show("interpolation", plotting.rows(walks))

# %%
metrics = model.evaluate(test, verbose=0, return_dict=True)
run.finish(**{f"test_{name}": value for name, value in metrics.items()})
