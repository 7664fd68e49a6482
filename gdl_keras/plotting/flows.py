"""How a map of the plane bends it: a grid on its way, and the ways of single points."""

import math

import numpy as np
from matplotlib import colormaps
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

# The grid's lines, along each side, end on a circle that holds 95 % of a standard normal distribution.
GRID_LINES = 15
GRID_RADIUS = math.sqrt(-2 * math.log(0.05))
POINTS_OF_A_LINE = 120


def bent_grid(way, limits, titles=None, columns=4, behind=None):
    """A round piece of a square grid, and what becomes of it: a panel for each station of its way.

    Args:
        way: function, points (n, 2) -> list of arrays (n, 2), where the points are at each station.
        limits: ((lowest, highest), (lowest, highest)) of all panels.
        titles: a str for each station, or None.
        columns: int, panels side by side.
        behind: array (n, 2), points to draw behind the last panel's grid, or None.
    """
    lines = _lines_within(GRID_RADIUS, GRID_LINES)
    stations = [np.asarray(station).reshape(lines.shape) for station in way(lines.reshape(-1, 2).astype("float32"))]
    height = math.ceil(len(stations) / columns)
    figure = Figure(figsize=(3.0 * columns, 3.2 * height), layout="constrained")
    # Upright lines in one colour scale and level ones in another, from side to side.
    shares = np.linspace(0.15, 0.85, GRID_LINES)
    colours = [*colormaps["viridis"](shares), *colormaps["plasma"](shares)]
    for axes in figure.subplots(height, columns, squeeze=False).flat:
        axes.set_axis_off()
    for index, (axes, station) in enumerate(zip(figure.axes, stations)):
        if behind is not None and index == len(stations) - 1:
            axes.scatter(behind[:, 0], behind[:, 1], s=2, color="lightgrey", linewidths=0)
        axes.add_collection(LineCollection(station, colors=colours, linewidths=0.9))
        axes.set(xlim=limits[0], ylim=limits[1], aspect="equal")
        if titles:
            axes.set_title(titles[index], fontsize=10)
    return figure


def ways(stations, limits, title=None):
    """Where each of some points goes: a line from its beginning (grey) to its end (blue).

    Args:
        stations: array (stations, n, 2), or a list of arrays (n, 2).
        limits: ((lowest, highest), (lowest, highest)).
        title: str, or None.
    """
    stations = np.asarray(stations)
    figure = Figure(figsize=(5, 5.2), layout="constrained")
    axes = figure.subplots()
    axes.add_collection(LineCollection(stations.transpose(1, 0, 2), colors="tab:blue", linewidths=0.6, alpha=0.35))
    axes.scatter(*stations[0].T, s=6, color="grey", linewidths=0, zorder=2)
    axes.scatter(*stations[-1].T, s=6, color="tab:blue", linewidths=0, zorder=3)
    axes.set(xlim=limits[0], ylim=limits[1], aspect="equal")
    if title:
        axes.set_title(title, fontsize=10)
    figure.set_label(f"the ways of {stations.shape[1]} points through the plane")
    return figure


def _lines_within(radius, count):
    """Upright lines, then level ones, that end on a circle: float64 array (2 * count, points of a line, 2)."""
    # Not quite to the edge, where a line would be a point.
    offsets = np.linspace(-0.96, 0.96, count) * radius
    along = np.sqrt(radius**2 - offsets**2)[:, None] * np.linspace(-1, 1, POINTS_OF_A_LINE)
    upright = np.stack([np.broadcast_to(offsets[:, None], along.shape), along], axis=-1)
    return np.concatenate([upright, upright[..., ::-1]])
