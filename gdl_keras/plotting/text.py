"""Texts as pictures: side by side, shaded by a number for each token, and what may come next."""

import textwrap

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

LINE = 0.19  # inches
CHARACTER = 0.0835
SCALE = 0.65  # inches that a scale of colours below a text takes
REDS = LinearSegmentedColormap.from_list("pale reds", ["white", "#f0604d"])  # black letters can be read on all of them
SHOWN = {"\n": "¶", " ": "␣"}


def texts(named, width=100):
    """Texts one under the other, each under its name.

    Args:
        named: {name: text}.
        width: characters a line.
    """
    lines = []
    for name, text in named.items():
        paragraphs = [line for paragraph in text.splitlines() for line in _wrapped(paragraph, width)]
        lines += [(name, "bold"), *((line, "normal") for line in paragraphs), ("", "normal")]
    figure, axes = _page(len(lines), width)
    for row, (line, weight) in enumerate(lines):
        axes.text(0, row, line, fontsize=9, family="monospace", weight=weight, va="center", parse_math=False)
    figure.set_label(f"texts: {', '.join(named)}")
    return figure


def shaded(pieces, values, label, width=100, largest=None):
    """A text whose tokens have a ground that is the redder the larger their number is.

    Args:
        pieces: list of str, the tokens as they are read; a line ends after one that ends in a line break.
        values: numbers, as many.
        label: what the numbers are.
        width: characters a line.
        largest: the number from which on the ground is as red as can be; by default the largest one.
    """
    places, row, column = [], 0, 0
    for piece in pieces:
        shown = piece.rstrip("\n")
        if column + len(shown) > width:
            row, column = row + 1, 0
        places.append((row, column))
        column += len(shown)
        if piece.endswith("\n") and column:
            row, column = row + 1, 0
    figure, axes = _page(row + 1, width, SCALE)
    norm = Normalize(0, largest or max(values), clip=True)
    for (row, column), piece, value in zip(places, pieces, values):
        shown = piece.rstrip("\n")
        axes.barh(row, len(shown), left=column, height=1, color=REDS(norm(value)))
        for place, character in enumerate(shown):
            axes.text(column + place + 0.5, row, character, fontsize=9, family="monospace", ha="center", va="center")
    # Beside a line or two there is no room for what the label says.
    scale = figure.colorbar(ScalarMappable(norm, REDS), ax=axes, location="bottom", shrink=0.4, aspect=40)
    scale.set_label(label, fontsize=8)
    scale.ax.tick_params(labelsize=7)
    figure.set_label(f"a text on a ground that is the redder the larger its number is: {''.join(pieces)}")
    return figure


def next_tokens(named, tokens, count=12, columns=3):
    """The likeliest next tokens after each beginning, as bars.

    Args:
        named: {beginning: probabilities (vocabulary,)}.
        tokens: list of str, the vocabulary.
        count: how many tokens.
        columns: beginnings side by side.
    """
    rows = -(-len(named) // columns)
    figure = Figure(figsize=(3 * columns, 0.17 * count * rows + 0.5 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for (name, probabilities), axes in zip(named.items(), panels):  # in this order it takes no panel too many
        likeliest = np.argsort(-probabilities, kind="stable")[:count]
        axes.barh(range(len(likeliest)), probabilities[likeliest], color="tab:blue")
        axes.set_yticks(
            range(len(likeliest)), [SHOWN.get(tokens[n], tokens[n]) for n in likeliest], fontsize=7, family="monospace"
        )
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.tick_params(axis="x", labelsize=7)
        axes.set_title(name, fontsize=9, parse_math=False)
    for axes in panels:
        axes.set_axis_off()
    return figure


def _wrapped(line, width):
    return textwrap.wrap(line, width, drop_whitespace=True) or [""]


def _page(rows, width, below=0.0):
    figure = Figure(figsize=(CHARACTER * width, LINE * (rows + 1) + below), layout="constrained")
    axes = figure.subplots()
    axes.set_xlim(0, width)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.set_axis_off()
    return figure, axes
