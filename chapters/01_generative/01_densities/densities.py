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
# # Densities: what a generative model is, in the plane
#
# Somewhere there is a rule by which examples come into being: faces, sentences, or here points in the plane.  We never
# see the rule, only examples.  A **generative model** is a rule of our own that makes examples like them.  A good one
# makes what could have been in the data and is not.
#
# To say "like them" precisely, think of the rule as a **density** $p(x)$: high where examples are common, near zero
# where they never are, and in all as much as 1.  Then there are two things that a model may be able to do: *draw* new
# examples, and *score* a given one, by telling its $\log p(x)$.  Not every model can do both.
#
# With images nobody can look at a density.  In the plane one can, and the rules behind our data are known, so each
# model meets its answer key.  Book: chapter 1, which explains all this on points of a map and has no notebook; the
# programs and numbers are ours.

# %%
from dataclasses import dataclass
from typing import ClassVar

from gdl_keras.training import PointConfig, Run
from gdl_keras.training.ranges import above, at_least


@dataclass
class Settings(PointConfig):
    """Densities in the plane: a histogram, a normal distribution, a mixture, and a GAN that has no density."""

    dataset: str = "moons"
    batch_size: int = 500
    # Epochs of the mixture, and as many of the GAN.
    epochs: int = 10
    steps_per_epoch: int | None = 100
    # Normal distributions in the mixture.
    components: int = 16
    # Adam's rate for the mixture and the Gaussian.
    learning_rate: float = 0.05
    # Cells of the histogram along each side.
    bins: int = 32
    # Steps in each epoch of the GAN.
    gan_steps: int = 300
    # Adam's rate for the GAN.
    gan_learning_rate: float = 3e-3
    # Standard deviation of the kernels with which samples of the GAN are turned into a density.
    kernel_width: float = 0.08
    # Examples of the models that learn theirs by heart.
    few: int = 500

    book_is: ClassVar = "the same on a map, with more of everything (the book trains nothing here)"
    ranges: ClassVar = {
        "components": at_least(1),
        "learning_rate": above(0),
        "bins": at_least(1),
        "gan_steps": at_least(1),
        "gan_learning_rate": above(0),
        "kernel_width": above(0),
        "few": at_least(2),
    }


run = Run.start(
    Settings,
    chapter="01_generative/01_densities",
    presets={
        "book": {
            "dataset": "map",
            "count": 100_000,
            "epochs": 30,
            "steps_per_epoch": None,
            "components": 200,
            "bins": 128,
        },
        "smoke": {
            "count": 200,
            "batch_size": 100,
            "epochs": 2,
            "steps_per_epoch": 2,
            "components": 4,
            "gan_steps": 2,
            "few": 50,
        },
    },
)

# %% [markdown]
# ## A map of the models
# Chapters 3 to 8 of the book are answers to one question: what does a model do about the density?
#
# - *Explicit* models have a formula for it.  Where that can be computed exactly, they are trained by **maximum
#   likelihood**: of all densities that the formula can be, the one under which the examples are least surprising.
# - Others have a formula that nobody can compute (a sum over everything that is unseen, a constant that is an integral
#   over all images), and train on something near it.
# - *Implicit* models have none.  They are machines that make examples, and learn from being compared.

# %%
import numpy as np
import tensorflow as tf
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay

from gdl_keras import plotting
from gdl_keras.metrics.energy import energy_distance
from gdl_keras.metrics.neighbours import nearest_distances
from gdl_keras.models.densities import (
    Gaussian,
    Histogram,
    Mixture,
    PointGAN,
    build_point_discriminator,
    build_point_generator,
)
from gdl_keras.models.densities.density import DensityModel

taxonomy = {
    "explicit density": {
        "exact": {
            "histogram, mixture": "here: counts, clouds",
            "autoregressive": "chapter 5: one number after the other",
            "normalizing flow": "chapter 6: a change of variables",
        },
        "approximate": {
            "variational autoencoder": "chapter 3: a bound",
            "energy-based": "chapter 7: a constant is missing",
            "diffusion": "chapter 8: step by step out of noise",
        },
    },
    "implicit density": {"GAN": "here and chapter 4: samples, and a judge"},
}
run.show("taxonomy", plotting.tree("generative\nmodels", taxonomy))

# %% [markdown]
# ## The data
# The test points are for one thing only: to ask, at the end, how surprised a model is by points that it has not seen.

# %%
train = run.load("train")
test = run.load("test", count=None)
examples, held_out = train.rows("points", slice(None)), test.rows("points", slice(None))
limits = plotting.square_around(examples)
run.show("data", plotting.points(examples, held_out, titles=["to learn from", "held out"]))

# %% [markdown]
# ## Maximum likelihood, seen from above
# The smallest model that can be: one normal distribution, on the line.  It has two numbers, the mean $\mu$ and the
# standard deviation $\sigma$.  For each pair of them the examples (their first coordinates) have some mean
# log-likelihood
#
# $$\frac1n \sum_i \log p(x_i) = -\log\sigma - \frac{(\bar x - \mu)^2 + s^2}{2\sigma^2} - \frac12\log 2\pi,$$
#
# and that is a landscape over the plane of $\mu$ and $\sigma$.  Training walks uphill: the gradient is the way that is
# steepest.  Here the top is known ($\mu$ is the mean $\bar x$ of the examples, $\sigma$ their standard deviation $s$),
# and from wherever the walk begins it must end there.  (It walks in the logarithm of $\sigma$: that may be any number.)

# %%
column = examples[:, :1]


@tf.function
def slopes(line):
    """Those of the mean log-likelihood, along the mean and along the logarithm of the standard deviation."""
    with tf.GradientTape() as tape:
        log_likelihood = tf.reduce_mean(line.log_density(column))
    return tape.gradient(log_likelihood, [line.mean.value, line.log_scale.value])


paths = {}
for mean, scale in ((-2.0, 2.2), (1.5, 0.6)):
    line = Gaussian(dimensions=1, seed=run.seed)
    line.mean.assign([mean])
    line.log_scale.assign([np.log(scale)])
    path = [(mean, scale)]
    for _ in range(500):
        slope_of_mean, slope_of_scale = slopes(line)
        line.mean.assign_add(0.03 * slope_of_mean)
        line.log_scale.assign_add(0.03 * slope_of_scale)
        path.append((float(line.mean[0]), float(np.exp(line.log_scale[0]))))
    paths[f"from ({mean:g}, {scale:g})"] = np.array(path)

top = column.mean(dtype="float64"), column.std(dtype="float64")
mus, sigmas = np.linspace(-2.5, 2.5, 201), np.linspace(0.4, 3, 201)
mu, sigma = np.meshgrid(mus, sigmas)
heights = -np.log(sigma) - ((top[0] - mu) ** 2 + top[1] ** 2) / (2 * sigma**2) - np.log(2 * np.pi) / 2
run.show("ascent", plotting.landscape(mus, sigmas, heights, paths, top, "mean", "standard deviation"))
walk_error = max(np.abs(path[-1] - top).max() for path in paths.values())
print(f"The walks end {walk_error:.1g} from the top at ({top[0]:.4f}, {top[1]:.4f}).")

# %% [markdown]
# ## Three explicit densities
# **A histogram.**  Cut the plane into square cells and count.  No gradient is needed: of all densities that are flat in
# each cell, the counts are the one of maximum likelihood.  A cell without any example would be declared impossible for
# ever, so all cells together begin with a count of one.

# %%
plotting.show_source(Histogram.train_step, Histogram.log_density)
stage = run.stage("histogram", epochs=1)
histogram = Histogram.around(examples, run.bins, seed=run.seed)
histogram.compile(None, **run.execution())
histogram.fit(train, **stage.schedule())

# %% [markdown]
# **One normal distribution**, now in the plane: a mean, and a covariance that says how wide it is in which direction.
# Its maximum is known too, so we let gradient ascent find it, and then look up the answer.

# %%
plotting.show_source(DensityModel.train_step)
stage = run.stage("gaussian", epochs=2 if run.preset == "smoke" else 10, steps_per_epoch=20)
gaussian = Gaussian(seed=run.seed)
ever_slower = CosineDecay(0.05, stage.planned_steps(train))
gaussian.compile(Adam(ever_slower), **run.execution())
gaussian.fit(train, **stage.schedule())

solved = Gaussian(seed=run.seed)
solved.solve(examples)
print("mean:", gaussian.mean.numpy(), "by ascent,", solved.mean.numpy(), "exactly")
print("covariance:", *gaussian.covariance.round(3), "by ascent,", *solved.covariance.round(3), "exactly")

# %% [markdown]
# **A mixture** of several normal distributions, each with its own centre, width, direction and share of the whole.
# Nobody can write the maximum down any more; but the likelihood is still exact, and so is its gradient.  The components
# begin on examples that lie far apart, and walk uphill from there.

# %%
plotting.show_source(Mixture.start_from, Mixture.log_density)
model = Mixture(run.components, seed=run.seed)
model.start_from(examples)
begun = Mixture.from_config(model.get_config())
begun.set_weights(model.get_weights())
ever_slower = CosineDecay(run.learning_rate, run.planned_steps(train))
model.compile(Adam(ever_slower), **run.execution())
model.fit(train, validation_data=test, **run.schedule())

# %%
run.show("loss", plotting.curves(run.history, ["loss"], y_label="-log p, nats a point"))
ascent = {
    "the mixture, as it began": begun.negative_log_likelihood,
    "as it ended": model.negative_log_likelihood,
}
run.show("mixture", plotting.densities(ascent, limits, columns=2))

# %% [markdown]
# ## An implicit one
# A GAN on the same points.  Its generator bends a cloud of normally distributed points until a discriminator cannot
# tell it from the data, and it gets as many weights as the mixture has.  What it cannot do is score a point: ask for
# its density, and there is none.

# %%
weights = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
generator = build_point_generator(units=(max(1, round((weights - 2) / 5)),))
print(f"{weights} weights in the mixture, {generator.count_params()} in the generator")
plotting.show_source(build_point_generator, PointGAN.train_step)
stage = run.stage("gan", epochs=run.planned_epochs, steps_per_epoch=run.gan_steps)
gan = PointGAN(generator, build_point_discriminator(), ema_decay=0.995, seed=run.seed)
gan.compile(Adam(run.gan_learning_rate, 0.5), Adam(run.gan_learning_rate, 0.5), **run.execution())
gan.fit(train, verbose=0, **stage.schedule())
losses = ["discriminator_loss", "generator_loss"]
run.show("gan_losses", plotting.curves(stage.history, losses, y_label="cross-entropy, nats"))

# %% [markdown]
# To look at its density all the same, we draw many points and put a small round cloud, a *kernel*, on each.  That blurs
# what the GAN does, and is an estimate of it, not its density: beside it as many real points, blurred alike.
#
# Look between the moons.  The generator is a continuous map of a cloud in one piece: it can bend the cloud and stretch
# it, but not tear it in two, and thin bridges are left.  The mixture has no such trouble.

# %%
models = {"histogram": histogram, "gaussian": gaussian, "mixture": model, "GAN": gan}
samples = {name: each.generate(min(2000, len(held_out)), seed=run.seed) for name, each in models.items()}
several = min(2000, len(examples))
blurred = {
    "GAN, blurred samples": Mixture.on_examples(gan.generate(several, seed=run.seed + 1), run.kernel_width),
    "real points, blurred": Mixture.on_examples(train.sample(several), run.kernel_width),
}
truth = {"the truth": lambda points: -test.log_density(points)} if test.log_density else {}
exact = {name: each for name, each in models.items() if each.likelihood_is}
shown = truth | {name: each.negative_log_likelihood for name, each in (exact | blurred).items()}
run.show("densities", plotting.densities(shown, limits))
run.show("samples", plotting.points(*samples.values(), titles=list(samples), limits=limits))

# %% [markdown]
# ## Held-out nats
# The mean of $-\log p(x)$ over held-out points: how surprising they are, in nats.  It has a floor.  Even who knows the
# rule itself is surprised by this much, the **entropy** of the data; what a model is above that is its *divergence*
# from the truth, $\mathrm{KL}(\text{truth}\,\|\,p)$.
#
# The GAN is left out of that by its nature.  The **energy distance** asks only for samples, and everybody can take
# part: it is near 0 (a little above or below) where samples cannot be told from held-out points.

# %%
metrics = {"ascent_error": walk_error}
if test.log_density:
    metrics["entropy"] = test.entropy
    surprise_of_truth = -test.log_density(held_out)
    print(f"entropy {test.entropy:.3f} nats; on these points the truth itself has {surprise_of_truth.mean():.3f}")
print(f"{'':10}  weights  held-out nats      divergence         energy distance")
for name, each in models.items():
    size = each.counts.shape[0] if name == "histogram" else weights
    size = {"GAN": generator.count_params(), "gaussian": 5}.get(name, size)
    columns = ["-", "-"]
    if each.likelihood_is:
        nats = each.negative_log_likelihood(held_out)
        metrics[f"{name}_nats"] = nats.mean()
        columns[0] = f"{nats.mean():.3f} ± {nats.std() / len(nats) ** 0.5:.3f}"
        if test.log_density:
            above_truth = nats - surprise_of_truth
            columns[1] = f"{above_truth.mean():.4f} ± {above_truth.std() / len(nats) ** 0.5:.4f}"
    distance = energy_distance(held_out[: len(samples[name])], samples[name]) if len(held_out) >= 20 else None
    if distance:
        metrics[f"{name.lower()}_energy_distance"] = distance.value
    last = f"{distance.value:.4f} ± {distance.standard_error:.4f}" if distance else "-"
    print(f"{name:10}  {size:>7}  {columns[0]:17}  {columns[1]:17}  {last}")

# %% [markdown]
# ## Learning by heart
# A density that is free enough can do better on its examples than the truth itself: put a very thin spike on each.  The
# likelihood of the *training* data then grows without end, and means nothing.  What it costs shows on held-out points.
#
# A few examples, and two ways to be too free: a histogram of ever more cells, and kernels that are ever thinner.

# %%
few = train.only(np.arange(min(run.few, len(examples))))
known = few.rows("points", slice(None))
bins = (2, 4, 8, 12, 16, 24, 32, 64, 128)
by_bins = []
for count in bins:
    study = Histogram.around(examples, count, seed=run.seed)
    study.compile(None, **run.execution())
    study.fit(few, epochs=1, verbose=0)
    by_bins.append([study.negative_log_likelihood(points).mean() for points in (known, held_out)])
widths = (0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
kernels = {width: Mixture.on_examples(known, width) for width in widths}
by_width = [[k.negative_log_likelihood(points).mean() for points in (known, held_out)] for k in kernels.values()]

floor = {"entropy": test.entropy} if test.entropy else None
for title, x, nats, label in (
    ("by_heart_bins", bins, by_bins, "cells of a histogram, along each side"),
    ("by_heart_widths", widths, by_width, "width of the kernels"),
):
    named = dict(zip((f"on its {len(known)} examples", "on held-out points"), np.transpose(nats)))
    run.show(title, plotting.lines(x, named, floor, label, "-log p, nats a point"))

# %% [markdown]
# Three of the kernel densities, with their examples.  The thin one is a memory: what it draws lies next to something
# that it has seen, far nearer than new points do.

# %%
shown = {f"width {width:g}": kernels[width].negative_log_likelihood for width in (0.02, 0.1, 0.5)}
run.show("by_heart", plotting.densities(truth | shown, limits, columns=4, examples=known))
for width in (0.02, 0.1, 0.5):
    on_examples, on_held_out = by_width[widths.index(width)]
    to_nearest = np.median(nearest_distances(kernels[width].generate(500, seed=run.seed), known))
    print(f"width {width:g}: {on_examples:.2f} nats on its examples, {on_held_out:.2f} on held-out points;", end=" ")
    print(f"half of what it draws is within {to_nearest:.3f} of an example")
print(f"held-out points: half of them are within {np.median(nearest_distances(held_out, known)):.3f}")

# %%
run.finish(
    **metrics,
    best_kernel_nats=min(held for _, held in by_width),
    thin_kernel_nats=by_width[0][1],
    thin_kernel_training_nats=by_width[0][0],
)
