"""Slopes in the plane as arrows, and how several sets of numbers are distributed over one axis."""

import math

import numpy as np
from matplotlib.figure import Figure

from gdl_keras.plotting.figures import figure_with_axes

# Arrows along each side, and the share of them that count as long and all get one length: slopes grow far out, where
# there is nothing to see.
ARROWS, LONG = 24, 0.6


def fields(named_slopes, limits, columns=3, examples=None):
    """Slopes in the plane as arrows, on one scale; long ones are cut off.

    Args:
        named_slopes: {title: function, points (n, 2) -> slopes (n, 2)}; the first one sets the scale.
        limits: ((lowest, highest), (lowest, highest)), as `square_around` gives them.
        columns: int, how many stand side by side.
        examples: array (n, 2) of points to draw below all of them, or None.
    """
    x, y = ((np.arange(ARROWS) + 0.5) / ARROWS * (high - low) + low for low, high in limits)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    lines = math.ceil(len(named_slopes) / columns)
    figure = Figure(figsize=(3.8 * columns, 4.0 * lines), layout="constrained")
    longest = None
    for axes in figure.subplots(lines, columns, squeeze=False).flat:
        axes.set_axis_off()
    for axes, (title, slopes) in zip(figure.axes, named_slopes.items()):
        arrows = np.asarray(slopes(grid), "float64")
        lengths = np.linalg.norm(arrows, axis=1, keepdims=True)
        longest = longest or float(np.quantile(lengths, 1 - LONG))
        arrows = arrows * np.minimum(1, longest / np.maximum(lengths, 1e-12))
        if examples is not None:
            axes.scatter(*examples.T, s=2, alpha=0.4, color="tab:orange", linewidths=0)
        scale = longest * ARROWS / (limits[0][1] - limits[0][0]) / 1.3
        axes.quiver(*grid.T, *arrows.T, color="tab:blue", angles="xy", scale_units="xy", scale=scale, width=0.004)
        axes.set(xlim=limits[0], ylim=limits[1], aspect="equal")
        axes.set_title(title, fontsize=10)
    return figure


def distributions(named_values, x_label, count=60):
    """How often each value comes, an outline for each name, over the range that 99 % of all of them lie in.

    Args:
        named_values: {name: numbers (n,)}.
        x_label: str.
        count: int, intervals.
    """
    values = [np.asarray(some, "float64") for some in named_values.values()]
    low = min(np.quantile(some, 0.005) for some in values)
    high = max(np.quantile(some, 0.995) for some in values)
    figure, axes = figure_with_axes(7, 3.5)
    for name, some in zip(named_values, values):
        axes.hist(some, np.linspace(low, high, count + 1), density=True, histtype="step", linewidth=1.5, label=name)
    axes.set(xlabel=x_label, ylabel="how often", yticks=[])
    axes.legend(frameon=False, fontsize=8)
    return figure
