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
# # Variational autoencoder: a latent space to draw from
#
# The autoencoder left us with a cloud of points of no known shape.  Two changes mend that.
#
# 1. The encoder answers with a *small cloud* for each image, a normal distribution with a mean and a variance, and the
#    decoder gets a random point of it.  Points near each other must then decode to similar images: no gaps.
# 2. The loss has a second term, the **KL divergence** between each small cloud and one standard normal distribution.
#    All clouds together then cover the region that this distribution covers: we know where to draw new points from.
#
# The sum of both terms is more than a trick.  It is an upper bound on $-\log p(x)$, how unlikely the model finds an
# image, in nats; its negative is called the evidence lower bound, ELBO.
#
# Book: chapter 3, "Variational Autoencoders".

# %%
from dataclasses import dataclass
from typing import ClassVar, Literal

from gdl_keras.training import ImageConfig, Run, above, at_least, multiple_of


@dataclass
class Settings(ImageConfig):
    """A variational autoencoder on pictures of garments."""

    dataset: str = "fashion,fashion_mini"
    epochs: int = 4
    steps_per_epoch: int | None = 300
    # Numbers in a latent point.
    latent_dim: int = 2
    # Weight of the KL term.
    beta: float = 1.0
    # elbo: nats, a bound on -log p(x); book: 500 times the mean cross-entropy of a pixel, plus the KL term.
    weighting: Literal["elbo", "book"] = "elbo"
    # Adam's rate.
    learning_rate: float = 2e-3
    # Other values of beta to train a model with, for comparison.
    compare_betas: tuple[float, ...] = (0.1, 20.0)
    # Steps of training for each of those.
    compare_steps: int = 300

    ranges: ClassVar = {
        "image_size": multiple_of(8),
        "latent_dim": at_least(1),
        "beta": at_least(0),
        "learning_rate": above(0),
        "compare_betas": at_least(0),
        "compare_steps": at_least(1),
    }


run = Run.start(
    Settings,
    chapter="03_vae/02_vae_fashion",
    presets={
        "book": {
            "dataset": "fashion",
            "epochs": 5,
            "steps_per_epoch": None,
            "weighting": "book",
            "learning_rate": 5e-4,
        },
        "smoke": {
            "dataset": "fashion_mini",
            "image_size": 16,
            "epochs": 1,
            "steps_per_epoch": 3,
            "compare_steps": 2,
        },
    },
)

# %% [markdown]
# ## The data

# %%
from statistics import NormalDist

import keras
import numpy as np
from keras.optimizers import Adam

from gdl_keras import losses, plotting
from gdl_keras.layers import Sampling
from gdl_keras.models import VAE, build_decoder, build_variational_encoder

train = run.load("train")
test = run.load("test")
run.show("training_images", plotting.grid(train.sample(20), columns=10))

# %% [markdown]
# ## The networks
# The decoder is the autoencoder's.  The encoder has two heads now: the mean of the cloud and the logarithm of its
# variance.  (The logarithm, because a dense layer may give any number, and a variance must be positive.)

# %%
encoder = build_variational_encoder(train.image_shape, run.latent_dim)
decoder = build_decoder(train.image_shape, run.latent_dim)
encoder.summary()
plotting.show_source(build_variational_encoder)

# %% [markdown]
# A random draw has no gradient.  The way around it is to draw noise first, and then to shift and stretch it by what the
# encoder says: that has one.

# %%
plotting.show_source(Sampling.call)

# %% [markdown]
# ## The model
# Both terms of the loss, and the step that lowers their sum.

# %%
model = VAE(encoder, decoder, beta=run.beta, weighting=run.weighting, seed=run.seed)
model.compile(Adam(run.learning_rate), **run.execution())
plotting.show_source(losses.kl_to_standard_normal, VAE.train_step, VAE.loss_terms)

# %%
model.fit(train, validation_data=test, **run.schedule())

# %%
unit = "loss, nats an image" if run.weighting == "elbo" else "loss, weighted as in the book"
run.show("loss", plotting.curves(run.history, ["loss", "reconstruction_loss", "kl_loss"], y_label=unit))

# %% [markdown]
# ## Reconstructions
# Blurrier than the autoencoder's, if anything: the decoder must serve a whole cloud instead of a point, and the picture
# that serves it best is an average.

# %%
originals = test.sample(10, seed=3)
run.show("reconstructions", plotting.rows({"original": originals, "drawn again": model.predict(originals, verbose=0)}))

# %% [markdown]
# ## The latent plane
# The centre of each test image's cloud.  Left: as it is; right: the same points through the normal distribution's
# cumulative function, which would spread them evenly over the unit square if together they were exactly normal.

# %%
shown = test.images(slice(0, 5000))
labels = None if test.labels is None else test.labels[:5000]
points, log_variances = model.encode(shown)
cumulative = np.vectorize(NormalDist().cdf)
if run.latent_dim == 2:
    planes = {"latent plane": points, "as quantiles of N(0, 1)": cumulative(points)}
    quantiles = {"as quantiles of N(0, 1)": "quantile of the {} latent number"}
    run.show("latent_plane", plotting.scatters(planes, labels, test.class_names, quantiles))

# %% [markdown]
# ## New garments
# Eighteen points drawn from the standard normal distribution: where they fall in the plane, and what they decode to.

# %%
latents = model.sample_latents(18, seed=run.seed)
if run.latent_dim == 2:
    run.show("sampled_points", plotting.latent_scatter(points, labels, test.class_names, marked=latents))
captions = [f"{number}: ({', '.join(f'{z:.1f}' for z in point[:2])})" for number, point in enumerate(latents)]
run.show("samples", plotting.numbered(model.generate(latents=latents), captions))

# %% [markdown]
# ## The plane, decoded
# A grid that has as many points where the normal distribution is dense as where it is thin: its lines stand at the
# quantiles 1/30, 3/30, ... 29/30.  (A grid from quantile 0 to quantile 1 would begin and end at infinity.)

# %%
if run.latent_dim == 2:
    quantiles = [(i + 0.5) / 15 for i in range(15)]
    lines = np.array([NormalDist().inv_cdf(q) for q in quantiles])
    run.show("latent_grid", plotting.latent_plane(model, lines, lines))

# %% [markdown]
# ## From one garment to another
# Ten points on the straight line between the centres of two test images.  Every stop is a picture, and where the two
# are of one kind it could be worn; halfway between a shirt and a boot it is a blend of both, which could not.

# %%
pairs = np.random.default_rng(run.seed).choice(len(points), (min(4, len(points) // 2), 2), replace=False)
walks = {f"{row + 1}": model.morph(points[a], points[b]) for row, (a, b) in enumerate(pairs)}
if walks:
    run.show("interpolation", plotting.rows(walks))

# %% [markdown]
# ## What beta does
# Beta weighs the KL term.  Near 0 the model is an autoencoder again: good reconstructions, small clouds scattered far
# and wide, and new points that miss them.  A large beta presses all clouds onto the same spot until the latent point
# says little about the image.  The models below are trained briefly, from the same start, on the same images.

# %%
studies = {}
for beta in sorted({1.0, *run.compare_betas}):
    keras.utils.set_random_seed(run.seed)
    study = VAE(
        build_variational_encoder(train.image_shape, run.latent_dim),
        build_decoder(train.image_shape, run.latent_dim),
        beta=beta,
        seed=run.seed,
    )
    study.compile(Adam(1e-3), **run.execution())
    study.fit(train, epochs=1, steps_per_epoch=run.compare_steps, verbose=0)
    studies[beta] = study
    _, reconstruction, kl = study.evaluate(test, verbose=0)
    print(f"beta {beta:>5g}: reconstruction {reconstruction:6.1f} nats, KL {kl:5.2f} nats")

# %%
rows = {"original": originals}
for beta, study in studies.items():
    rows[f"beta {beta:g}"] = study.predict(originals, verbose=0)
run.show("beta_reconstructions", plotting.rows(rows))
rows = {f"beta {beta:g}": study.generate(10, seed=run.seed) for beta, study in studies.items()}
run.show("beta_samples", plotting.rows(rows))
if run.latent_dim == 2:
    planes = {f"beta {beta:g}": study.encode(shown)[0] for beta, study in studies.items()}
    run.show("beta_planes", plotting.scatters(planes, labels, test.class_names))

# %% [markdown]
# ## How likely are the test images?
# The ELBO is a bound on $\log p(x)$.  Importance sampling comes closer: draw many points from an image's cloud, and
# average how well each explains the image, weighted by how likely the point was to be drawn (Burda et al. 2016).

# %%
some = test.images(slice(0, 200))
log_likelihood = model.log_likelihood(some, num_samples=10 if run.preset == "smoke" else 100).mean()
bound = VAE(encoder, decoder, seed=run.seed)
bound.compile()
elbo = -bound.evaluate(some, verbose=0, return_dict=True)["loss"]
print(f"ELBO {elbo:.1f} nats, log p(x) about {log_likelihood:.1f} nats: the gap is {log_likelihood - elbo:.1f} nats")

# %%
test_loss, test_reconstruction_loss, test_kl_loss = model.evaluate(test, verbose=0)
run.finish(
    test_loss=test_loss,
    test_reconstruction_loss=test_reconstruction_loss,
    test_kl_loss=test_kl_loss,
    test_log_likelihood=log_likelihood,
)
