"""Numbers against epochs or names: curves, bars, the table of who is taken for whom."""

from itertools import cycle

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gdl_keras.plotting.figures import figure_with_axes
from gdl_keras.plotting.names import common_and_own, in_words


def curves(history, names, x_label="epoch", y_label=None, first=1):
    """Columns of a Keras history against the epoch; validation values dashed in the same colour.

    Args:
        history: {column: numbers}.
        names: list of str, columns; what all of them are called names the axis, the rest of their names the curves.
        x_label: str.
        y_label: str, what the axis says, best with its unit; by default what the columns have in common.
        first: int, where the first number stands.
    """
    figure, axes = figure_with_axes(6, 3.5)
    common, own = common_and_own(names)
    for name, label in zip(names, own):
        (line,) = axes.plot(np.arange(first, first + len(history[name])), history[name], label=label or "training")
        if f"val_{name}" in history:
            values, beside = history[f"val_{name}"], f"{label}, held out" if label else "held out"
            axes.plot(np.arange(first, first + len(values)), values, "--", color=line.get_color(), label=beside)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set(xlabel=x_label, ylabel=y_label or common)
    if len(axes.lines) > 1:
        axes.legend(frameon=False)
    return figure


def lines(x, named_values, level=None, x_label=None, y_label=None):
    """Numbers against another on a logarithmic axis, a line for each name; other lines at levels.

    Args:
        x: numbers above 0, (n,).
        named_values: {name: numbers (n,)}.
        level: {name: number}, a dashed line, a dotted one and so on; or None.
    """
    figure, axes = figure_with_axes(6, 3.5)
    for name, values in named_values.items():
        axes.plot(x, values, "o-", markersize=4, label=name)
    for (name, height), style in zip((level or {}).items(), cycle(("--", ":", "-."))):
        axes.axhline(height, color="black", linestyle=style, linewidth=1, label=name)
    axes.set_xscale("log")
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.legend(frameon=False)
    return figure


def paths(histories, x, columns, x_label=None):
    """Columns of several histories against one that they share: a panel for each, a line for each history.

    Args:
        histories: {name: {column: numbers, one an epoch}}.
        x: str, the column of the horizontal axes.
        columns: {column: what its axis says}.
        x_label: str; by default `x` in words.
    """
    figure = Figure(figsize=(3.4 * len(columns), 3.4), layout="constrained")
    for axes, (column, label) in zip(figure.subplots(1, len(columns), squeeze=False)[0], columns.items()):
        for name, history in histories.items():
            axes.plot(history[x], history[column], ".-", linewidth=1, markersize=5, label=name)
        axes.set(xlabel=x_label or in_words(x), ylabel=label)
    if len(histories) > 1:
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=6, frameon=False, fontsize=8)
    return figure


def curve_panels(histories, across=3):
    """Several histories, column by column: a panel for each column, validation values dashed in the same colour.

    Args:
        histories: {name: {column: numbers, one an epoch}}; nan where a number was not taken.
        across: int, panels side by side.
    """
    columns = list(dict.fromkeys(name.removeprefix("val_") for history in histories.values() for name in history))
    down = -(-len(columns) // across)
    figure = Figure(figsize=(3.6 * min(across, len(columns)), 2.6 * down), layout="constrained")
    panels = figure.subplots(down, min(across, len(columns)), squeeze=False).ravel()
    for axes, column in zip(panels, columns):
        for number, history in enumerate(histories.values()):
            for name, style in ((column, ".-"), (f"val_{column}", ".--")):
                values = np.asarray(history.get(name, []), "float64")
                taken = np.flatnonzero(np.isfinite(values))
                axes.plot(taken + 1, values[taken], style, color=f"C{number % 10}", linewidth=1, markersize=4)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_title(in_words(column), fontsize=9)
        axes.tick_params(labelsize=7)
    for axes in panels[len(columns) :]:
        axes.set_axis_off()
    if len(histories) > 1:
        handles = [Line2D([], [], color=f"C{number % 10}") for number in range(len(histories))]
        figure.legend(handles, list(histories), loc="outside lower center", ncols=8, frameon=False, fontsize=8)
    return figure


def bars(values, names, level=None, y_label=None):
    """One bar for each name; a dashed line at `level`."""
    figure, axes = figure_with_axes(6, 3.2)
    axes.bar(range(len(values)), values)
    if level is not None:
        axes.axhline(level, color="black", linestyle="--", linewidth=1)
    axes.set_xticks(range(len(values)), names, rotation=45, ha="right", fontsize=8)
    axes.set_ylabel(y_label)
    return figure


def confusion(labels, answers, class_names):
    """How often each class is taken for each other: rows are the truth and add up to 1."""
    counts = np.zeros((len(class_names), len(class_names)))
    np.add.at(counts, (labels, answers), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = figure_with_axes(6, 5.5)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        if share >= 0.01:
            axes.text(column, row, f"{share:.2f}", ha="center", va="center", fontsize=7, color="wk"[int(share < 0.5)])
    axes.set_xticks(range(len(class_names)), class_names, rotation=90, fontsize=8)
    axes.set_yticks(range(len(class_names)), class_names, fontsize=8)
    axes.set_xlabel("answer")
    axes.set_ylabel("truth")
    return figure
