"""Latent spaces: where examples lie in the plane, and what a model decodes there."""

import numpy as np
from matplotlib.figure import Figure

from gdl_keras.plotting.colours import class_style
from gdl_keras.plotting.figures import axes_of_pixels, figure_of_pixels, figure_with_axes, without_frame
from gdl_keras.plotting.images import interpolation, mosaic, scale_of

AXES = "{} latent number"
# Pixels beside and below the plane's images, for ticks and the names of the axes.
MARGIN = 64


def latent_scatter(points, labels=None, class_names=None, marked=None, title=None):
    """Points of a two-dimensional latent space, coloured by label.

    Args:
        points: array (n, 2).
        labels: int array (n,) or None.
        class_names: list of str, the legend.
        marked: array (m, 2) of points to draw on top with their numbers, or None.
    """
    figure, axes = figure_with_axes(7.5 if class_names else 6, 6)
    scatter_on(axes, points, labels, class_names)
    if marked is not None:
        axes.scatter(marked[:, 0], marked[:, 1], s=60, color="black", marker="o", zorder=3)
        for number, (x, y) in enumerate(marked):
            axes.annotate(str(number), (x, y), color="white", ha="center", va="center", fontsize=6, zorder=4)
    if title:
        axes.set_title(title)
    figure.set_label(f"{len(points)} points in a plane" + ("" if marked is None else f", {len(marked)} numbered"))
    return figure


def scatters(named_points, labels=None, class_names=None, axis_names=None):
    """Several scatters of the same labelled examples side by side.

    Args:
        named_points: {title: array (n, 2)}.
        labels, class_names: as in `latent_scatter`.
        axis_names: {title: what its axes count, with {} for "first" and "second"}, where that is no latent number.
    """
    figure = Figure(figsize=(5 * len(named_points) + 1.3, 4.6), layout="constrained")
    for axes, (title, points) in zip(figure.subplots(1, len(named_points), squeeze=False)[0], named_points.items()):
        names = class_names if title == list(named_points)[-1] else None
        scatter_on(axes, points, labels, names, (axis_names or {}).get(title, AXES))
        axes.set_title(title)
    figure.set_label("points in planes")
    return figure


def scatter_on(axes, points, labels=None, class_names=None, axis_names=AXES):
    """Draws the points of `latent_scatter` on given axes, and says what these count."""
    enlarged = _enlarged(points)
    axes.set(xlabel=axis_names.format("first"), ylabel=axis_names.format("second"))
    if labels is None:
        axes.scatter(points[:, 0], points[:, 1], s=2 * enlarged, alpha=0.6, color="black", linewidths=0)
        return
    for label in np.unique(labels):
        chosen = points[labels == label]
        name = class_names[label] if class_names else str(label)
        style = {**class_style(label), "s": 3 * enlarged, "alpha": 0.7, "linewidths": 0}
        axes.scatter(chosen[:, 0], chosen[:, 1], label=name, **style)
    if class_names:
        scale = 4 / enlarged**0.5
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), markerscale=scale, frameon=False, fontsize=8)


def latent_plane(model, x, y, points=None, labels=None, axis_labels=None):
    """What a model decodes on a grid of its two-dimensional latent space, over a scatter of encoded images.

    Args:
        model: with `generate(latents=...)`.
        x, y: the grid's coordinates, arrays (n,) and (m,), ascending.
        points, labels: encoded images to draw underneath, arrays (k, 2) and (k,), or None.
        axis_labels: texts for the ticks of (x, y), where the coordinates are not to be read as they are.
    """
    latents = np.stack(np.meshgrid(x, y[::-1]), axis=-1).reshape(-1, 2).astype("float32")
    images = model.generate(latents=latents)
    picture, scale = mosaic(images, len(x)), scale_of(images)
    height, width = (round(scale * side) for side in picture.shape[:2])
    figure = figure_of_pixels(width + MARGIN, height + MARGIN)
    axes = axes_of_pixels(figure, MARGIN, MARGIN, width, height)
    extent = (-0.5, len(x) - 0.5, -0.5, len(y) - 0.5)
    axes.imshow(picture, extent=extent, aspect="auto", interpolation=interpolation(scale))
    if points is not None:
        columns, lines = (np.interp(points[:, i], c, np.arange(len(c))) for i, c in enumerate((x, y)))
        few = {"s": 2 * _enlarged(points), "alpha": 0.25, "linewidths": 0}
        for label in [None] if labels is None else np.unique(labels):
            chosen = slice(None) if label is None else labels == label
            axes.scatter(columns[chosen], lines[chosen], **class_style(label), **few)
    x_texts, y_texts = axis_labels or ([f"{v:.1f}" for v in x], [f"{v:.1f}" for v in y])
    axes.set_xticks(range(len(x)), x_texts, fontsize=9)
    axes.set_yticks(range(len(y)), y_texts, fontsize=9)
    axes.set(xlabel=AXES.format("first"), ylabel=AXES.format("second"))
    without_frame(axes)
    figure.set_label(f"{len(images)} images, decoded on a grid of {len(x)} by {len(y)} points")
    return figure


def _enlarged(points):
    """How many times the usual area a point is drawn with: few are to be seen as well."""
    return float(np.clip(1000 / max(len(points), 1), 1, 12))
