"""How numbers are distributed."""

import math

import numpy as np
from matplotlib.figure import Figure


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
    return figure
