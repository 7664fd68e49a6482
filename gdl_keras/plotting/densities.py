"""How numbers are distributed: histograms, points and densities in the plane, a likelihood as a landscape."""

import math

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from gdl_keras.plotting.figures import figure_with_axes

# Shares of a density that its contour lines hold, the innermost first.
HELD = (0.5, 0.95)
# A line this near to the greatest height would run through the ripples of a plateau.
PLATEAU = 0.97
# Points of the grid on which a density is computed, along each side.
RESOLUTION = 160


def histograms(points, count=50, columns=10):
    """The distribution of each of the first `count` columns of `points`, with the standard normal curve in red."""
    count = min(count, points.shape[1])
    lines = math.ceil(count / columns)
    figure = Figure(figsize=(1.1 * columns, 0.8 * lines), layout="constrained")
    x = np.linspace(-4, 4, 81)
    density = np.exp(-0.5 * x**2) / math.sqrt(2 * math.pi)
    for index, axes in enumerate(figure.subplots(lines, columns, squeeze=False).flat):
        axes.set_axis_off()
        if index < count:
            axes.hist(points[:, index], bins=x[::4], density=True, color="tab:blue")
            axes.plot(x, density, color="red", linewidth=0.8)
            axes.set_ylim(0, 0.8)
    figure.set_label(f"{count} histograms, each under the standard normal curve")
    return figure


def points(*sets, titles=None, limits=None):
    """Points in the plane, arrays (n, 2), side by side in equal squares: around all of them, or with given `limits`."""
    limits = limits or square_around(np.concatenate(sets))
    side = 4.2 if len(sets) < 3 else 3.3
    figure = Figure(figsize=(side * len(sets), side + 0.3 * bool(titles)), layout="constrained")
    for index, (axes, some) in enumerate(zip(figure.subplots(1, len(sets), squeeze=False)[0], sets)):
        axes.scatter(some[:, 0], some[:, 1], s=5 if len(some) < 2500 else 2, alpha=0.5, color="tab:blue", linewidths=0)
        axes.set(xlim=limits[0], ylim=limits[1], aspect="equal")
        if titles:
            axes.set_title(titles[index], fontsize=10)
    return figure


def densities(named_nats, limits, columns=3, examples=None):
    """Densities in the plane as heat maps on one scale, with contour lines that hold 50 and 95 % of each.

    Args:
        named_nats: {title: function, points (n, 2) -> -log p of each (n,)}, such as a model's
            `negative_log_likelihood`; the first one sets the scale.
        limits: ((lowest, highest), (lowest, highest)), as `square_around` gives them.
        columns: int, how many stand side by side.
        examples: array (n, 2) of points to draw on top of all of them, or None.
    """
    x, y = ((np.arange(RESOLUTION) + 0.5) / RESOLUTION * (high - low) + low for low, high in limits)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    lines = math.ceil(len(named_nats) / columns)
    figure = Figure(figsize=(3.3 * columns, 3.5 * lines), layout="constrained")
    brightest = None
    for axes in figure.subplots(lines, columns, squeeze=False).flat:
        axes.set_axis_off()
    for axes, (title, nats) in zip(figure.axes, named_nats.items()):
        density = np.exp(-np.asarray(nats(grid), "float64")).reshape(RESOLUTION, RESOLUTION)
        brightest = brightest or float(density.max())
        extent = (*limits[0], *limits[1])
        axes.imshow(density, origin="lower", extent=extent, cmap="Blues", vmin=0, vmax=brightest)
        levels = [level for level in levels_that_hold(density) if level < PLATEAU * density.max()]
        axes.contour(x, y, density, levels=levels, colors="tab:orange", linewidths=0.8)
        if examples is not None:
            axes.scatter(examples[:, 0], examples[:, 1], s=3, color="black", linewidths=0)
        axes.set(xlim=limits[0], ylim=limits[1])
        axes.set_title(title, fontsize=10)
    return figure


def levels_that_hold(density, shares=HELD):
    """Heights of contour lines within which a density has so much of its mass on the grid: ascending list of float.

    Args:
        density: array of any shape, one number for each of cells of equal area.
        shares: floats in (0, 1).
    """
    heights = np.sort(density, axis=None)[::-1]
    mass = np.cumsum(heights) / heights.sum()
    return sorted({float(heights[np.searchsorted(mass, share)]) for share in shares})


def landscape(x, y, heights, paths, top, x_label, y_label, title=None):
    """A likelihood as a landscape with contour lines, the ways that lead up it, and its top.

    Args:
        x, y: coordinates of the grid, (n,) and (m,).
        heights: array (m, n).
        paths: {name: array (steps, 2)}, from where it began to where it ended.
        top: (x, y), the place of the maximum.
        x_label, y_label, title: texts.
    """
    figure, axes = figure_with_axes(7, 5)
    # Steps that grow downhill, so that the flat top has lines as well as the cliffs.
    below = heights.max() - heights
    levels = heights.max() - np.geomspace(below.max(), 0.005, 18)
    axes.contourf(x, y, heights, levels=levels, colors=colormaps["Blues"](np.linspace(0.05, 0.75, 19)), extend="both")
    axes.contour(x, y, heights, levels=levels, colors="white", linewidths=0.6, linestyles="solid")
    for (name, path), colour in zip(paths.items(), ("tab:orange", "tab:red", "tab:purple")):
        axes.plot(path[:, 0], path[:, 1], ".-", color=colour, markersize=4, linewidth=1, label=name)
        axes.plot(*path[0], "o", color=colour, markersize=7)
    axes.plot(*top, "*", color="black", markersize=12, label="the maximum, computed", zorder=3)
    axes.set(xlabel=x_label, ylabel=y_label, xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    axes.legend(loc="upper right", fontsize=8)
    if title:
        axes.set_title(title, fontsize=10)
    return figure


def square_around(points, margin=0.08):
    """((lowest x, highest x), (lowest y, highest y)) of a square that holds all points, with a margin on each side."""
    low, high = points.min(axis=0), points.max(axis=0)
    half = max(float((high - low).max()) / 2, 1e-6) * (1 + 2 * margin)
    return tuple((float(centre - half), float(centre + half)) for centre in (low + high) / 2)
