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
# for the *variational* autoencoder, the next program.  Before that, the same game with other rules: other networks,
# another loss, spoilt pictures, and pictures of a kind that the networks have never seen.
#
# Book: chapter 3, "Autoencoders".

# %%
from dataclasses import dataclass
from typing import ClassVar, Literal

from gdl_keras.errors import InputError
from gdl_keras.training import ImageConfig, Run, above, at_least, multiple_of


@dataclass
class Settings(ImageConfig):
    """An autoencoder on pictures of garments."""

    dataset: str = "fashion,fashion_mini"
    epochs: int = 4
    steps_per_epoch: int | None = 400
    # Numbers that the encoder may write down.
    latent_dim: int = 2
    # Adam's rate.
    learning_rate: float = 1e-3
    # The networks; stacked, dense and linear have no convolutions.
    network: Literal["convolutional", "dense", "stacked", "linear"] = "convolutional"
    # How far a drawing is from its original; the linear network cannot be trained with the cross-entropy.
    loss: Literal["binary_crossentropy", "mean_squared_error", "root_mean_squared_error"] = "binary_crossentropy"
    # Noise on what the encoder sees in training: its standard deviation, or the share of pixels that are masked.
    noise: float = 0.0
    # gaussian: numbers are added; masking: pixels are set to zero.
    noise_kind: Literal["gaussian", "masking"] = "gaussian"
    # A class of images to leave out in training.
    leave_out: str | None = None
    # Steps of training for each model of the comparisons.
    compare_steps: int = 400
    # Numbers that their encoders may write down.
    compare_latent_dim: int = 30
    # Classes to leave out, one at a time, when looking for anomalies.
    anomalies: int = 10

    ranges: ClassVar = {
        "image_size": multiple_of(8),
        "latent_dim": at_least(1),
        "learning_rate": above(0),
        "noise": at_least(0),
        "compare_steps": at_least(1),
        "compare_latent_dim": at_least(1),
        "anomalies": at_least(1),
    }

    def check(self):
        """Raises InputError where a value is out of range."""
        super().check()
        if self.image_size % 8:
            raise InputError(f"--image-size must be a multiple of 8 to be halved three times, not {self.image_size}.")


run = Run.start(
    Settings,
    chapter="03_vae/01_autoencoder",
    presets={
        "book": {"dataset": "fashion", "epochs": 3, "steps_per_epoch": None},
        "smoke": {
            "dataset": "fashion_mini",
            "image_size": 16,
            "epochs": 1,
            "steps_per_epoch": 3,
            "compare_steps": 3,
            "anomalies": 1,
        },
    },
)

# %% [markdown]
# ## The data
# Grey pictures of ten kinds of garments, 28x28, with a border of black that makes them 32x32: a size that can be halved
# three times.  (They are drawn dark on white here.)

# %%
import keras
import numpy as np
from keras.optimizers import Adam

from gdl_keras import plotting
from gdl_keras.layers import Corruption
from gdl_keras.metrics.ranking import auroc
from gdl_keras.metrics.reconstruction import psnr, sharpness
from gdl_keras.models import Autoencoder, build_decoder, build_encoder
from gdl_keras.models.dense_autoencoder import build_dense_decoder, build_dense_encoder, principal_components

everything = run.load("train")
train = everything.without(run.leave_out) if run.leave_out else everything
test = run.load("test")
run.show("training_images", plotting.grid(train.sample(20), columns=10))

# %% [markdown]
# ## The networks
# The encoder halves the picture three times by convolutions with stride 2, and ends in a dense layer with as many
# outputs as there are latent numbers.  The decoder is the same road backwards.  (The dense ones come further below.)


# %%
def build_networks(name, latent_dim):
    """(encoder, decoder) of the network of that name."""
    if name == "convolutional":
        return build_encoder(train.image_shape, latent_dim), build_decoder(train.image_shape, latent_dim)
    units = (100,) if name == "stacked" else ()
    encoder = build_dense_encoder(train.image_shape, latent_dim, units)
    return encoder, build_dense_decoder(train.image_shape, latent_dim, units)


def last_step(name):
    """What makes an image of the decoder's numbers."""
    return "linear" if name == "linear" else "sigmoid"


encoder, decoder = build_networks(run.network, run.latent_dim)
encoder.summary()
decoder.summary()
plotting.show_source(build_encoder, build_decoder)

# %% [markdown]
# ## The model
# One step of training: encode, decode, compare, improve both networks.  The loss is the binary cross-entropy of each
# pixel, the average over all of them.

# %%
corruption = Corruption(run.noise_kind, run.noise, seed=run.seed) if run.noise else None
model = Autoencoder(encoder, decoder, run.loss, corruption, last_step(run.network), seed=run.seed)
model.compile(Adam(run.learning_rate), **run.execution())
plotting.show_source(Autoencoder.train_step)

# %%
model.fit(train, validation_data=test, **run.schedule())

# %%
unit = {"binary_crossentropy": "cross-entropy, nats per pixel"}.get(run.loss, run.loss.replace("_", " "))
run.show("loss", plotting.curves(run.history, ["loss"], y_label=unit))

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
# ## Other networks
# Must it be convolutions?  Three networks without any, beside the one above, all with thirty latent numbers, and all
# trained briefly from the same start on the same images, with the mean squared error as the loss:
#
# - **stacked**: a hidden dense layer in front of the latent numbers, another one behind them;
# - **dense**: one layer in, one layer out, and a sigmoid;
# - **linear**: the same without the sigmoid, so that a drawing is a weighted sum of thirty pictures and a mean.
#
# The last row, **PCA**, is a linear network, too, but nobody trains it: principal component analysis works out the
# pictures whose sums come nearest to 10,000 training images.  No linear network can do better on those, and one that is
# trained for longer gets close.

# %%
plotting.show_source(build_dense_encoder, build_dense_decoder, principal_components)


def study(network, images=everything, steps=run.compare_steps, loss="mean_squared_error", corruption=None):
    """A model trained briefly: from the same start on the same batches, with the large steps that this needs."""
    keras.utils.set_random_seed(run.seed)
    networks = build_networks(network, run.compare_latent_dim)
    other = Autoencoder(*networks, loss, corruption, last_step(network), seed=run.seed)
    other.compile(Adam(3e-3), **run.execution())
    other.fit(images, epochs=1, steps_per_epoch=steps, verbose=0)
    return other


def decibels(other, seen=shown):
    """The PSNR of each test image as `other` draws it when it is given `seen`."""
    return psnr(shown, other.predict(seen, verbose=0))


# %%
studies = {network: study(network) for network in ("convolutional", "stacked", "dense", "linear")}
studies["linear, longer"] = study("linear", steps=10 * run.compare_steps)
# With more pixels than this, the table of their covariances takes minutes to work through.
if originals[0].size <= 64 * 64:
    networks = principal_components(everything.images(slice(0, 10_000)), run.compare_latent_dim)
    studies["PCA"] = Autoencoder(*networks, "mean_squared_error", final_activation="linear")
    studies["PCA"].compile()
few = originals[:6]
rows = {"original": few}
print(f"{'network':>15} {'weights':>9} {'squared error':>14} {'PSNR':>8}")
for name, other in studies.items():
    rows[name] = other.predict(few, verbose=0)
    weights, error = other.encoder.count_params() + other.decoder.count_params(), other.evaluate(shown, verbose=0)
    print(f"{name:>15} {weights:>9,} {error:>14.4f} {decibels(other).mean():>5.1f} dB")
run.show("networks", plotting.rows(rows))

# %% [markdown]
# (PSNR, the peak signal-to-noise ratio, is the squared error in decibels: 10 more are a tenth of the error.  It is
# measured on what is shown, where brightness below 0 or above 1 is cut off; the squared error is measured before.)
#
# ## Two losses
# The root of the mean squared error (RMSE) against the binary cross-entropy: the same convolutions, the same start, the
# same images.  Sharpness is the mean length of an image's gradient, here as a share of what the originals have: below 1
# is blurred.

# %%
rows = {"original": few}
for name, loss in {"cross-entropy": "binary_crossentropy", "RMSE": "root_mean_squared_error"}.items():
    other = study("convolutional", loss=loss)
    rows[name] = other.predict(few, verbose=0)
    share = sharpness(other.predict(shown, verbose=0)).mean() / sharpness(shown).mean()
    print(f"{name:>13}: sharpness {share:.3f}, PSNR {decibels(other).mean():.1f} dB")
run.show("two_losses", plotting.rows(rows))

# %% [markdown]
# As the book says, the cross-entropy blurs more, if only by a little.  (That RMSE has the better PSNR says less: both
# are made of the squared error.)
#
# ## Denoising
# Spoil what the encoder sees, and ask for the clean image all the same.  Here are test images under two kinds of noise;
# the same, drawn by the stacked network from above, which has seen clean images alone; drawn by one that was trained on
# noise; and drawn by this program's own model.

# %%
plotting.show_source(Corruption.call)
amounts = {"gaussian": 0.4, "masking": 0.5} | ({run.noise_kind: run.noise} if run.noise else {})
for kind, amount in amounts.items():
    spoil = Corruption(kind, amount, seed=run.seed + 1)
    spoilt, noisy = (np.asarray(spoil(images, training=True)) for images in (few, shown))
    denoiser = study("stacked", corruption=Corruption(kind, amount, seed=run.seed))
    print(f"{kind} noise, {amount:g}: PSNR {psnr(shown, noisy).mean():.1f} dB")
    rows = {"original": few, f"{kind} noise": spoilt}
    for name, other in {"trained clean": studies["stacked"], "trained noisy": denoiser, "own model": model}.items():
        rows[name] = other.predict(spoilt, verbose=0)
        print(f"  {name}: {decibels(other, noisy).mean():.1f} dB")
    run.show(f"denoising_{kind}", plotting.rows(rows))

# %% [markdown]
# ## Anomalies
# An autoencoder draws best what it was trained on.  So leave one class out, and look at the test images that are drawn
# worst: are they of that class?  The **AUROC** says how often, of an image of that class and one of another, the first
# is drawn worse: 1 is always, 0.5 is what a coin reaches.
#
# Some classes are harder to draw than others even for a network that has seen them all.  The second number is what such
# a network reaches: the difference is what leaving out has done.

# %%
classes = [] if labels is None or len(set(labels)) < 2 else np.unique(labels)[: run.anomalies]
names = [test.class_names[number] for number in classes]
detectors = [study("stacked", everything.without(name)) for name in names]
left_out = [auroc(-decibels(detector), labels == number) for number, detector in zip(classes, detectors)]
seen = [auroc(-decibels(studies["stacked"]), labels == number) for number in classes]
for name, unknown, known in zip(names, left_out, seen):
    print(f"{name:>15}: {unknown:.2f} left out, {known:.2f} seen in training")
if names:
    run.show("anomalies", plotting.bars(left_out, names, level=0.5, y_label="AUROC of the class left out"))
if names and run.leave_out:
    unknown = auroc(-decibels(model), labels == test.class_names.index(run.leave_out))
    print(f"This program's own model, trained without {run.leave_out}: {unknown:.2f}")

# %% [markdown]
# On garments it works for bags, sandals and trousers, and not for shirts, coats and T-shirts: whoever can draw the
# other tops can draw those.
#
# Now the class for which leaving out has changed most: how it is drawn by a network that has never seen it, and by one
# that has.  Below, the test images that the first draws worst.  Among garments those have loud patterns, whatever their
# class: the error finds what is hard to draw, and never to have seen it is one reason of several.

# %%
if names:
    most = int(np.subtract(left_out, seen).argmax())
    worst = shown[np.argsort(decibels(detectors[most]))[:6]]
    unknown = shown[labels == classes[most]][:6]
    rows = {names[most]: unknown, "never seen": detectors[most].predict(unknown, verbose=0)}
    rows["seen"] = studies["stacked"].predict(unknown, verbose=0)
    rows |= {"drawn worst": worst, "drawn again": detectors[most].predict(worst, verbose=0)}
    run.show("never_seen", plotting.rows(rows))

# %% [markdown]
# ## What to keep in mind
# An autoencoder compresses, and it sorts.  It does not tell us where to put a new point.  Turn to
# `03_vae/02_vae_fashion` for the model that does.

# %%
run.finish(test_loss=model.evaluate(test, verbose=0))
