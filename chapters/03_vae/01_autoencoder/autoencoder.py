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
# # Autoencoder: an image through the eye of a needle
#
# Two networks play one game.  The **encoder** looks at a picture of a garment, 32x32 pixels, and may write down two
# numbers.  The **decoder** sees those two numbers and has to draw the picture again.  Both are trained to make the
# drawing match.
#
# Two numbers are a point in a plane, so we can look at everything that the networks have learnt: where the shirts lie,
# where the shoes lie, and what is drawn for the points in between.  Watch for what goes wrong there: it is the reason
# for the *variational* autoencoder, the next program.
#
# Book: chapter 3, "Autoencoders".

# %%
from dataclasses import dataclass

from gdl_keras.training import Config, Run


@dataclass
class Settings(Config):
    """An autoencoder on pictures of garments."""

    dataset: str = "fashion,fashion_mini"
    epochs: int = 4
    steps_per_epoch: int | None = 400
    # Numbers that the encoder may write down.
    latent_dim: int = 2
    learning_rate: float = 1e-3


run = Run.start(
    Settings,
    chapter="03_vae/01_autoencoder",
    presets={
        "book": {"dataset": "fashion", "epochs": 3, "steps_per_epoch": None},
        "smoke": {"dataset": "fashion_mini", "epochs": 1, "steps_per_epoch": 3},
    },
)

# %% [markdown]
# ## The data
# Grey pictures of ten kinds of garments, 28x28, with a border of black that makes them 32x32: a size that can be halved
# three times.  (They are drawn dark on white here.)

# %%
import numpy as np
from keras.optimizers import Adam

from gdl_keras import plotting
from gdl_keras.models import Autoencoder, build_decoder, build_encoder

train = run.load("train")
test = run.load("test")
run.show("training_images", plotting.grid(train.sample(20), columns=10))

# %% [markdown]
# ## The networks
# The encoder halves the picture three times by convolutions with stride 2, and ends in a dense layer with as many
# outputs as there are latent numbers.  The decoder is the same road backwards.

# %%
encoder = build_encoder(train.image_shape, run.latent_dim)
decoder = build_decoder(train.image_shape, run.latent_dim)
encoder.summary()
decoder.summary()
plotting.show_source(build_encoder, build_decoder)

# %% [markdown]
# ## The model
# One step of training: encode, decode, compare, improve both networks.  The loss is the binary cross-entropy of each
# pixel, the average over all of them.

# %%
model = Autoencoder(encoder, decoder, seed=run.seed)
model.compile(Adam(run.learning_rate))
plotting.show_source(Autoencoder.train_step)

# %%
history = model.fit(
    train,
    epochs=run.epochs,
    steps_per_epoch=run.steps_per_epoch,
    initial_epoch=run.initial_epoch,
    validation_data=test,
    callbacks=run.callbacks(),
)

# %%
run.show("loss", plotting.curves(run.history, ["loss"], y_label="cross-entropy, nats per pixel"))

# %% [markdown]
# ## Reconstructions
# Pictures that the networks have never seen, and what is left of them after two numbers.  The kind of garment survives;
# prints, pockets and laces do not.

# %%
originals = test.sample(10, seed=3)
run.show("reconstructions", plotting.rows({"original": originals, "drawn again": model.predict(originals, verbose=0)}))

# %% [markdown]
# ## The latent plane
# Each test image is a point.  The classes were never told to the networks, and yet they lie apart: the points of one
# kind of garment end up together because they can share a drawing.

# %%
shown = test.images(slice(0, 5000))
labels = None if test.labels is None else test.labels[:5000]
points = model.encode(shown)
if run.latent_dim == 2:
    run.show("latent_plane", plotting.latent_scatter(points, labels, test.class_names))

# %% [markdown]
# Look at three things that the loss did not ask for: the cloud is not centred on anything, some classes take a lot of
# room and others little, and there are gaps between them.
#
# ## Points in the cloud, and points off it
# Eighteen points drawn evenly from the box around the cloud.  Those that fall *into* the cloud decode to garments,
# those that fall *off* it to things between garments or to nothing at all.  And nothing tells us, for a new point,
# which it is.

# %%
low, high = points.min(axis=0), points.max(axis=0)
drawn = np.random.default_rng(run.seed).uniform(low, high, (18, run.latent_dim)).astype("float32")
distance = np.linalg.norm(points[None] - drawn[:, None], axis=-1).min(axis=1)
order = np.argsort(distance)
if run.latent_dim == 2:
    run.show("points_in_and_off", plotting.latent_scatter(points, labels, test.class_names, marked=drawn[order]))
captions = [f"{number}: {gap:.2f} away" for number, gap in enumerate(distance[order])]
run.show("decoded_in_and_off", plotting.numbered(model.generate(latents=drawn[order]), captions))

# %% [markdown]
# (Numbered from the one nearest to an encoded image to the one farthest from any; the distance stands beside the
# number.)
#
# ## The plane, decoded
# The same box on a grid of 15 by 15 points.

# %%
if run.latent_dim == 2:
    x, y = np.linspace(low[0], high[0], 15), np.linspace(low[1], high[1], 15)
    run.show("latent_grid", plotting.latent_plane(model, x, y))

# %% [markdown]
# ## What to keep in mind
# An autoencoder compresses, and it sorts.  It does not tell us where to put a new point.  Turn to
# `03_vae/02_vae_fashion` for the model that does.

# %%
run.finish(test_loss=model.evaluate(test, verbose=0))
