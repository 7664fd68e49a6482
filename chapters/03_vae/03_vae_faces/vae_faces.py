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
# # A latent space to calculate in
#
# Colour images, deeper networks, and 200 dimensions instead of 2.  Too many to look at, but not too many to calculate
# with: if most directions of the latent space mean something, then the difference between two groups of images is such
# a direction.  Take the mean of all pictures that have something and subtract the mean of those that have not; add the
# difference to a picture that has not.
#
# The book does it with faces: blond hair, and a morph from one face to another.  `--preset book` is that; here the same
# program runs on whatever labelled images are at hand, and an attribute is to be of a class.
#
# Book: chapter 3, "Exploring the latent space".

# %%
from dataclasses import dataclass
from typing import ClassVar, Literal

from gdl_keras.training import ImageConfig, Run, above, at_least, halved_for_each


@dataclass
class Settings(ImageConfig):
    """A variational autoencoder on colour images, and attribute vectors in its latent space."""

    dataset: str = "emoji"
    batch_size: int = 64
    epochs: int = 32
    # Numbers in a latent point.
    latent_dim: int = 200
    # Channels of each of the four convolutions.
    filters: tuple[int, ...] = (64, 64, 64, 64)
    # Weight of the KL term.
    beta: float = 1.0
    # book: 2000 times the mean squared error of a pixel, plus the KL term; elbo: nats, each pixel normal around it.
    weighting: Literal["elbo", "book"] = "book"
    # Adam's rate.
    learning_rate: float = 1e-3
    # Attributes (as Blond_Hair) or classes to walk towards; the first three that there are by default.
    attributes: tuple[str, ...] = ()
    # The mean of those that have an attribute minus the mean of the others, or of all.
    minus: Literal["others", "all"] = "others"

    ranges: ClassVar = {
        "image_size": halved_for_each("filters"),
        "latent_dim": at_least(1),
        "filters": at_least(1),
        "beta": at_least(0),
        "learning_rate": above(0),
    }


run = Run.start(
    Settings,
    chapter="03_vae/03_vae_faces",
    presets={
        "book": {
            "dataset": "faces",
            "batch_size": 128,
            "epochs": 10,
            "filters": (128, 128, 128, 128),
            "learning_rate": 5e-4,
            "attributes": ("Blond_Hair", "Smiling", "Eyeglasses"),
        },
        "smoke": {"epochs": 1, "steps_per_epoch": 2, "batch_size": 16, "filters": (8, 8, 8, 8)},
    },
)

# %% [markdown]
# ## The data

# %%
import numpy as np
from keras.optimizers import Adam

from gdl_keras import plotting
from gdl_keras.models import VAE
from gdl_keras.models.vae_faces import attribute_vector, build_decoder, build_encoder

train = run.load("train")
test = run.load("test")
groups = train.groups(run.attributes or None)  # an attribute that is not there is refused before training
run.show("training_images", plotting.grid(train.sample(20), columns=10))

# %% [markdown]
# ## The networks and the model
# The loss weighs the squared error of the pixels against the KL term: grey and colour values have no coin to be thrown.

# %%
encoder = build_encoder(train.image_shape, run.latent_dim, run.filters)
decoder = build_decoder(train.image_shape, run.latent_dim, run.filters)
encoder.summary()
plotting.show_source(build_encoder, build_decoder)

# %%
model = VAE(encoder, decoder, likelihood="gaussian", beta=run.beta, weighting=run.weighting, seed=run.seed)
model.compile(Adam(run.learning_rate), **run.execution())
model.fit(train, validation_data=test, **run.schedule())

# %%
unit = "loss, nats an image" if run.weighting == "elbo" else "loss, weighted as in the book"
run.show("loss", plotting.curves(run.history, ["loss", "reconstruction_loss", "kl_loss"], y_label=unit))

# %% [markdown]
# ## Reconstructions

# %%
originals = test.sample(10, seed=3)
run.show("reconstructions", plotting.rows({"original": originals, "drawn again": model.predict(originals, verbose=0)}))

# %% [markdown]
# ## Is every dimension normal?
# The first fifty dimensions of the training images' latent points, drawn from their clouds, against the curve of the
# standard normal distribution.  Where they agree, a point drawn from that distribution is a point like those that the
# decoder has learnt.

# %%
some = np.arange(min(train.num_images, 5000))
means, log_variances = model.encode(train.images(some))
noise = np.random.default_rng(run.seed).normal(size=means.shape)
run.show("dimensions", plotting.histograms(means + np.exp(log_variances / 2) * noise, count=50))

# %% [markdown]
# ## New images

# %%
run.show("generated", plotting.grid(model.generate(30, seed=run.seed), columns=10))

# %% [markdown]
# ## Adding an attribute
# The direction of each attribute, added to five images at strengths from -2 to 2.  At 0 stands the plain
# reconstruction.

# %%
has = {name: members[some] for name, members in groups.items()}
starts = model.encode(originals[:5])[0]
strengths = (-2, -1, 0, 1, 2)
for name in run.attributes or list(has)[:3]:
    direction = attribute_vector(means, has[name], run.minus)
    walks = {f"{strength:+d}": model.generate(latents=starts + strength * direction) for strength in strengths}
    title = f"{name}, added so many times to five images"
    run.show(f"attribute_{name.replace(' ', '_').replace('&', 'and')}", plotting.rows(walks, title))
    print(f"{name}: {has[name].sum()} images have it, the two means are {np.linalg.norm(direction):.2f} apart")

# %% [markdown]
# ## Morphing
# Straight lines between the latent points of two images.

# %%
ends = model.encode(test.sample(8, seed=5))[0]
morphs = {f"{i // 2 + 1}": model.morph(ends[i], ends[i + 1]) for i in range(0, len(ends) - 1, 2)}
if morphs:
    run.show("morphs", plotting.rows(morphs))

# %%
test_loss, test_reconstruction_loss, test_kl_loss = model.evaluate(test, verbose=0)
run.finish(test_loss=test_loss, test_reconstruction_loss=test_reconstruction_loss, test_kl_loss=test_kl_loss)
