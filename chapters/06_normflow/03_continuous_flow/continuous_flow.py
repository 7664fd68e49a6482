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
# # The continuous flow: a density that streams
#
# RealNVP bends the plane in a few large steps, each of a special form so that it can be undone.  Take ever more and
# ever smaller steps, and the special form is no longer needed: a point that follows a smooth velocity can always follow
# it back.  What was a stack of couplings becomes one network that says, at each place and time, which way to go.
#
# Book: chapter 6, "FFJORD", which it describes and does not program.

# %%
from dataclasses import dataclass
from typing import ClassVar, Literal

from gdl_keras.training import PointConfig, Run
from gdl_keras.training.ranges import above, at_least, between


@dataclass
class Settings(PointConfig):
    """A continuous normalizing flow, in the plane."""

    dataset: str = "thin_moons"
    count: int | None = 100_000
    batch_size: int = 250
    epochs: int = 10
    steps_per_epoch: int | None = 300
    # Units in each hidden layer of the velocity.
    units: int = 64
    # Its hidden layers.
    hidden_layers: int = 3
    # How the equation is followed in training.
    method: Literal["euler", "midpoint", "heun", "rk4"] = "rk4"
    # Steps from the data to the latent points, in training.
    solver_steps: int = 8
    # The trace of the Jacobian, in training: exact, or estimated from one random vector (Hutchinson).
    trace_method: Literal["exact", "hutchinson"] = "exact"
    # The price of speed on the way, in training.
    kinetic_weight: float = 0.01
    # The price of how fast speed changes from place to place; with 0 for both the solver's errors may be learnt.
    jacobian_weight: float = 0.01
    # How large the error of an adaptive step may be, when the finished model is looked at.
    tolerance: float = 1e-5
    # Adam's rate.
    learning_rate: float = 5e-3
    # What the rate has fallen to at the end, as a share of itself; 1 for a constant one.
    final_rate: float = 0.0

    book_is: ClassVar = "the same with a larger network and finer steps (the book trains nothing here)"
    ranges: ClassVar = {
        "units": at_least(1),
        "hidden_layers": at_least(1),
        "solver_steps": at_least(1),
        "tolerance": above(0),
        "kinetic_weight": at_least(0),
        "jacobian_weight": at_least(0),
        "learning_rate": above(0),
        "final_rate": between(0, 1),
    }


run = Run.start(
    Settings,
    chapter="06_normflow/03_continuous_flow",
    presets={
        "book": {"epochs": 100, "steps_per_epoch": 500, "batch_size": 500, "units": 128, "solver_steps": 16},
        "smoke": {
            "count": 200,
            "batch_size": 50,
            "epochs": 2,
            "steps_per_epoch": 2,
            "units": 8,
            "hidden_layers": 1,
            "solver_steps": 2,
            "tolerance": 1e-3,
        },
    },
)

# %% [markdown]
# ## The data

# %%
import numpy as np
import tensorflow as tf
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay

from gdl_keras import plotting
from gdl_keras.models import ContinuousFlow
from gdl_keras.models.flows import build_velocity_network
from gdl_keras.samplers.ode import integrate, integrate_adaptively

train = run.load("train")
test = run.load("test", count=None)
examples, held_out = train.rows("points", slice(None)), test.rows("points", slice(None))
limits = plotting.square_around(examples)

# %% [markdown]
# ## A velocity and a trace
# A point begins at time 0 as a standard normal one, and at time 1 it is an example:
#
# $$\frac{dx}{dt} = v(x, t).$$
#
# Along its way the density around it thins out where the velocity spreads points, and thickens where it gathers them.
# How much it spreads is its divergence, the trace of the Jacobian, and that is all that is needed; no determinant:
#
# $$\frac{d}{dt}\log p(x(t)) = -\operatorname{tr}\frac{\partial v}{\partial x}.$$
#
# The trace takes one pass back through the network for each dimension: two, here.  For images that would be thousands,
# and there one random vector $e$ stands for all: $\mathbb E[e^\top J e] = \operatorname{tr} J$.

# %%
plotting.show_source(
    build_velocity_network,
    ContinuousFlow.velocity_and_slopes,
    ContinuousFlow.bend_at_a_price,
    ContinuousFlow.nats_and_losses,
)
network = build_velocity_network(units=(run.units,) * run.hidden_layers)
model = ContinuousFlow(
    network,
    run.method,
    run.solver_steps,
    run.tolerance,
    run.trace_method,
    kinetic_weight=run.kinetic_weight,
    jacobian_weight=run.jacobian_weight,
    seed=run.seed,
)
model.standardise_by(examples)

# %% [markdown]
# ## Following an equation
# In equal steps, by a method of Runge and Kutta: the error of `rk4` shrinks with the fourth power of their length.
# Each step of the optimizer goes back through all of them, so there should be few.  But what training sees is the
# solver's answer, and the network can learn to be wrong in its favour, by a velocity that bends sharply between two
# steps: the nats then fall below the entropy, which no density's can.  So speed, and how fast it changes from place to
# place, have a small price on the way (Finlay et al. 2020), and few steps see it rightly:
#
# $$-\log p(x) + \int_0^1 \left(0.01\,|v|^2 + 0.01\,\Big\|\frac{\partial v}{\partial x}\Big\|^2\right) dt.$$

# %%
plotting.show_source(integrate)
rate = CosineDecay(run.learning_rate, run.planned_steps(train), alpha=run.final_rate)
model.compile(Adam(rate), **run.execution())
model.fit(train, validation_data=test, **run.schedule())

# %%
run.show("loss", plotting.curves(run.history, ["nats"], y_label="-log p, nats a point"))

# %% [markdown]
# ## How well was it followed?
# What a coarse solver calls the density is that of a slightly different map.  So the finished model is measured with
# steps as long as a tolerance allows, each point with its own: long where the velocity is even, short where it turns.

# %%
plotting.show_source(integrate_adaptively)
some = held_out[: min(1000, len(held_out))]
nats = {}
for steps in (1, 2, 4, 8, 16):
    model.method, model.steps = run.method, steps
    nats[f"{run.method}, {steps} steps"] = model.negative_log_likelihood(some).mean()
model.method = "adaptive"
nats["adaptive"] = model.negative_log_likelihood(some).mean()
for name, value in nats.items():
    print(f"{name:18} {value:8.4f} nats on {len(some):,} held-out points")

standard = (some - np.asarray(model.mean)) / np.asarray(model.scale)
_, evaluations = integrate_adaptively(model.velocity_at, tf.constant(standard), 1.0, 0.0, run.tolerance, run.tolerance)
evaluations = np.asarray(evaluations)
print(
    f"looks at the velocity for each point: {evaluations.min()} to {evaluations.max()}, in the mean "
    f"{evaluations.mean():.0f}"
)

# %% [markdown]
# ## The estimated trace
# The log-determinant of one point, exact, and estimated from random vectors of signs: any one of them is off, their
# mean is not.

# %%
model.method, model.steps = run.method, run.solver_steps
point = tf.repeat(tf.constant(standard[:1]), 2000, axis=0)
signs = tf.constant(np.random.default_rng(run.seed).choice([-1.0, 1.0], point.shape).astype("float32"))
exact = float(model.bend(point[:1])[1][0])
estimates = np.asarray(model.bend_probed(point, [signs])[1])
print(f"exact {exact:.3f}; estimates {estimates.mean():.3f} in the mean, with a spread of {estimates.std():.3f}")

# %% [markdown]
# ## How the plane streams
# A round piece of a square grid, which holds 95 % of the latent points, at eight times on its way to the data; and the
# ways of single points.

# %%
model.method, model.steps = run.method, 4 * run.solver_steps
shown = test.sample(min(3000, len(held_out)))
times = [f"t = {number / 8:g}" for number in range(9)]
grid_limits = ((-3.2, 3.2), (-3.2, 3.2))
run.show("grid", plotting.bent_grid(model.way, grid_limits, times, columns=3, behind=shown))
begun = model.sample_latents(200, seed=run.seed)
run.show("ways", plotting.ways([np.asarray(station) for station in model.way(begun)], grid_limits))

# %% [markdown]
# ## The four panels, and the density

# %%
latents = model.sample_latents(len(shown), seed=run.seed)
panels = {
    "data $x$": shown,
    "its latent points": model.encode(shown),
    "normal points $z$": latents,
    "samples": model.generate(latents=latents),
}
run.show("panels", plotting.points(*panels.values(), titles=list(panels), limits=((-3.5, 3.5), (-3.5, 3.5))))
truth = {"the truth": lambda points: -test.log_density(points)} if test.log_density else {}
heat_maps = truth | {"the continuous flow": model.negative_log_likelihood}
run.show("densities", plotting.densities(heat_maps, limits, columns=2))

# %% [markdown]
# ## Numbers

# %%
metrics = {}
nats = model.negative_log_likelihood(held_out)
line = f"{nats.mean():.3f} ± {nats.std() / len(nats) ** 0.5:.3f} nats"
if test.log_density:
    metrics["entropy"] = test.entropy
    above_truth = nats + test.log_density(held_out)
    metrics["divergence"] = above_truth.mean()
    line += f", divergence {above_truth.mean():.4f} ± {above_truth.std() / len(nats) ** 0.5:.4f}"
    line += f", entropy {test.entropy:.3f}"
print(line)
metrics["nats_with_finer_steps"] = nats.mean()
metrics["round_trip_error"] = np.abs(model.generate(latents=model.encode(shown)) - shown).max()
run.finish(**metrics)
