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
# # RealNVP: a density that is bent into shape
#
# Take a cloud of normally distributed points and bend the plane, without tearing it and without folding it over, until
# the cloud lies where the data lies.  Because the map can be gone both ways, everything is there at once: a sample is a
# normal point sent one way, and the density of an example is found by sending it the other way.
#
# Book: chapter 6, "RealNVP", whose notebook trains two couplings on two moons.

# %%
from dataclasses import dataclass
from typing import ClassVar

from gdl_keras.training import PointConfig, Run
from gdl_keras.training.ranges import above, at_least, between


@dataclass
class Settings(PointConfig):
    """RealNVP: a normalizing flow of couplings, in the plane."""

    dataset: str = "thin_moons"
    count: int | None = 100_000
    batch_size: int = 500
    epochs: int = 20
    steps_per_epoch: int | None = 800
    # Couplings one after the other; each moves one coordinate.
    couplings: int = 8
    # Units in each hidden layer of a coupling's two networks.
    units: int = 64
    # Hidden layers in each of the two.
    hidden_layers: int = 2
    # How far one coupling can stretch: its scale lies between exp(-bound) and exp(bound).
    log_scale_bound: float = 1.0
    # How much the squares of the networks' weights count in the loss.
    l2: float = 0.0
    # Adam's rate.
    learning_rate: float = 5e-3
    # What the rate has fallen to at the end, as a share of itself; 1 for a constant one.
    final_rate: float = 0.0

    ranges: ClassVar = {
        "couplings": at_least(2),
        "units": at_least(1),
        "hidden_layers": at_least(1),
        "log_scale_bound": above(0),
        "l2": at_least(0),
        "learning_rate": above(0),
        "final_rate": between(0, 1),
    }


run = Run.start(
    Settings,
    chapter="06_normflow/01_realnvp",
    presets={
        "book": {
            "count": 30_000,
            "batch_size": 256,
            "epochs": 300,
            "steps_per_epoch": None,
            "couplings": 2,
            "units": 256,
            "hidden_layers": 4,
            "l2": 0.01,
            "learning_rate": 1e-4,
            "final_rate": 1.0,
        },
        "smoke": {
            "count": 200,
            "batch_size": 50,
            "epochs": 2,
            "steps_per_epoch": 2,
            "couplings": 2,
            "units": 8,
            "hidden_layers": 1,
        },
    },
)

# %% [markdown]
# ## The data
# Two half circles, as thin as the book draws them.  Their true density is known, so there is an answer key.

# %%
import numpy as np
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay

from gdl_keras import plotting
from gdl_keras.models import RealNVP
from gdl_keras.models.flows import build_coupling_network, build_coupling_networks
from gdl_keras.models.flows.base import FlowModel

train = run.load("train")
test = run.load("test", count=None)
examples, held_out = train.rows("points", slice(None)), test.rows("points", slice(None))
limits = plotting.square_around(examples)
run.show("data", plotting.points(train.sample(3000), test.sample(3000), titles=["to learn from", "held out"]))

# %% [markdown]
# ## A change of variables
# A map $z = f(x)$ that can be gone both ways neither makes nor loses probability: it packs it closer or further apart.
# A small square around $x$ becomes a small patch around $z$, and by how much larger that is says the determinant of the
# Jacobian.  What lies in the one lies in the other, so
#
# $$p(x) = \mathcal N(f(x); 0, I)\;\left|\det \frac{\partial f}{\partial x}\right|.$$
#
# Two things must be cheap then: the way back, and that determinant.

# %% [markdown]
# ## A coupling
# has both.  One coordinate stays as it is, and says (through two networks of any sort) how the other one is scaled and
# shifted.  The way back asks the same networks, since the coordinate that they look at is still there; and the Jacobian
# is triangular, so that the logarithm of its determinant is the logarithm of the scale.  The next coupling moves the
# other coordinate.

# %%
plotting.show_source(build_coupling_network, RealNVP.bend, RealNVP.way, RealNVP.scale_and_shift)


def build(couplings):
    """An untrained flow that begins by standardising the examples."""
    shape = {"units": (run.units,) * run.hidden_layers, "l2": run.l2}
    flow = RealNVP(build_coupling_networks(couplings, **shape), run.log_scale_bound, seed=run.seed)
    flow.standardise_by(examples)
    return flow


model = build(run.couplings)
small, place = 0.01, np.array([0.3, -0.4], "float32")
corners = place + small * np.array([[0, 0], [1, 0], [1, 1], [0, 1]], "float32")

# %% [markdown]
# ## Training
# is maximum likelihood, and nothing else: no second network, no bound.  `nats` is the mean of $-\log p(x)$; `loss` has
# the penalties of the weights in it as well, where there are any (`--l2`).

# %%
plotting.show_source(FlowModel.train_step, FlowModel.log_density_from)
rate = CosineDecay(run.learning_rate, run.planned_steps(train), alpha=run.final_rate)
model.compile(Adam(rate), **run.execution())
model.fit(train, validation_data=test, **run.schedule())

# %%
run.show("loss", plotting.curves(run.history, ["nats"], y_label="-log p, nats a point"))

# %% [markdown]
# Was the determinant right?  Four corners of a small square, sent to the latent space: the area of what they enclose,
# over the area of the square, against what the model says.

# %%
x, y = model.encode(corners).astype("float64").T
area = 0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
log_det = float(np.asarray(model.forward(corners.mean(axis=0, keepdims=True))[1])[0])
print(f"area of the patch over that of the square: {area / small**2:.3f}; the determinant: {np.exp(log_det):.3f}")

# %% [markdown]
# ## The book's four panels
# Data and what the flow makes of it, which should be a round cloud; and a round cloud, and what the flow makes of that,
# which should be the data.

# %%
shown = test.sample(min(3000, len(held_out)))
latents = model.sample_latents(len(shown), seed=run.seed)
panels = {
    "data $x$": shown,
    "its latent points $f(x)$": model.encode(shown),
    "normal points $z$": latents,
    "samples $f^{-1}(z)$": model.generate(latents=latents),
}
run.show("panels", plotting.points(*panels.values(), titles=list(panels), limits=((-3.5, 3.5), (-3.5, 3.5))))

# %% [markdown]
# ## How the plane is bent, coupling by coupling
# A round piece of a square grid, which holds 95 % of the latent points, on its way to the data.  Each coupling moves
# points along one axis only, all that share the other coordinate by the same stretch and shift.  The plane is never
# torn: what lies between the moons at the end was stretched until next to no probability was left there.

# %%
titles = ["latent points", *(f"after coupling {number}" for number in range(1, run.couplings + 1))]
grid_limits = ((-3.2, 3.2), (-3.2, 3.2))
run.show("grid", plotting.bent_grid(model.way, grid_limits, titles, columns=3, behind=shown))

# %% [markdown]
# ## The density
# Beside the truth: what two couplings come to, as many as the book has, after half as many steps; and
# all of them.

# %%
stage = run.stage("two_couplings", epochs=max(1, run.planned_epochs // 2))
two = build(2)
rate = CosineDecay(run.learning_rate, stage.planned_steps(train), alpha=run.final_rate)
two.compile(Adam(rate), **run.execution())
two.fit(train, verbose=0, **stage.schedule())

flows = {"2 couplings": two, f"{run.couplings} couplings, the model": model}
truth = {"the truth": lambda points: -test.log_density(points)} if test.log_density else {}
heat_maps = truth | {name: flow.negative_log_likelihood for name, flow in flows.items()}
run.show("densities", plotting.densities(heat_maps, limits))

# %% [markdown]
# ## Numbers
# Held-out nats have a floor, the entropy of the data; what a model is above the truth on the same points is its
# divergence.  And a flow can be checked as no other model can: it must lead back to where it came from, and its density
# must add up to 1.

# %%
metrics = {}
if test.log_density:
    metrics["entropy"] = test.entropy
    surprise_of_truth = -test.log_density(held_out)
    print(f"entropy {test.entropy:.3f} nats; on these points the truth itself has {surprise_of_truth.mean():.3f}")
for name, flow in (("two_couplings", two), ("model", model)):
    nats = flow.negative_log_likelihood(held_out)
    metrics[f"{name}_nats"] = nats.mean()
    line = f"{name}: {nats.mean():.3f} ± {nats.std() / len(nats) ** 0.5:.3f} nats"
    if test.log_density:
        above_truth = nats - surprise_of_truth
        metrics[f"{name}_divergence"] = above_truth.mean()
        line += f", divergence {above_truth.mean():.4f} ± {above_truth.std() / len(nats) ** 0.5:.4f}"
    print(line)

side = np.linspace(-5, 5, 500, endpoint=False, dtype="float32")
plane = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
metrics["total_probability"] = np.exp(-model.negative_log_likelihood(plane)).sum() * (side[1] - side[0]) ** 2
metrics["round_trip_error"] = np.abs(model.generate(latents=model.encode(shown)) - shown).max()
print(
    f"probability of the plane {metrics['total_probability']:.4f}; "
    f"furthest from where it came from {metrics['round_trip_error']:.1g}"
)

# %%
run.finish(**metrics)
