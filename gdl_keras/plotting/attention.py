"""What each token of a text was foreseen from: as lines of HTML, and as pictures of the shares."""

from html import escape

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from gdl_keras.plotting.text import REDS, SHOWN

RED = "240, 96, 77"
LINE = "font-family: monospace; white-space: pre-wrap; color: black; background: white; padding: 1px 4px;"


def attention_html(pieces, weights, first=0, beginning="|", notes=None):
    """A line for each token: those before it on a ground that is the redder the more was taken from them, then itself.

    Args:
        pieces: list of n str, the tokens as they are read; they are escaped.
        weights: float array (n, n), as one head or a mean of several heads of `GPT.attention` gives it: row t is of the
            moment before token t, column 0 of the mark of the beginning and column s of token s - 1.
        first: int, the token that the first line is of.
        beginning: str, how the mark of the beginning is shown.
        notes: list of n str that stand behind their lines, such as what else was likely; None for none.

    Returns:
        str, HTML for a notebook and for files; in each line the reddest ground is that of its largest share.
    """
    shown = [beginning, *(SHOWN["\n"] if piece == "\n" else piece for piece in pieces)]
    lines = []
    for place in range(first, len(pieces)):
        shares = np.asarray(weights[place][: place + 1], "float64")
        seen = "".join(_on_ground(piece, share, shares.max()) for piece, share in zip(shown, shares))
        note = f'<span style="color: gray">   {escape(notes[place])}</span>' if notes else ""
        lines.append(f'<div style="{LINE}">{seen}<b>{escape(shown[place + 1])}</b>{note}</div>')
    return "\n".join(["<div>", *lines, "</div>"])


def attention_maps(pieces, named, beginning="|", columns=2):
    """Shares as squares, the redder the larger: a row for each token, a column for each that it was foreseen from.

    Args:
        pieces: list of n str, the tokens as they are read.
        named: {name: float array (n, n)}, as in `attention_html`, a picture each.
        beginning: str, how the mark of the beginning is shown.
        columns: int, pictures side by side.
    """
    columns = min(columns, len(named))
    rows = -(-len(named) // columns)
    size = 1.2 + 0.13 * len(pieces)
    figure = Figure(figsize=(size * columns, size * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flat
    labels = [beginning, *(SHOWN.get(piece, piece) for piece in pieces)]
    places, norm = range(len(pieces)), Normalize(0, 1)
    font = {"fontsize": 7, "family": "monospace", "parse_math": False}
    for (name, weights), axes in zip(named.items(), panels):  # in this order it takes no panel too many
        axes.imshow(weights, cmap=REDS, norm=norm)
        # A piece of one letter can be read as it stands.
        upright = all(len(label) == 1 for label in labels)
        axes.set_xticks(places, labels[:-1], rotation=0 if upright else 90, **font)
        axes.set_yticks(places, labels[1:], **font)
        axes.tick_params(length=0)
        axes.set_title(name, fontsize=9, parse_math=False)
    for axes in panels:
        axes.set_axis_off()
    figure.colorbar(ScalarMappable(norm, REDS), ax=figure.axes, fraction=0.02, pad=0.01)
    return figure


def _on_ground(piece, share, largest):
    strength = share / largest if largest else 0
    ground = f'style="background: rgba({RED}, {strength:.3f})" title="{100 * share:.1f} %"'
    return f"<span {ground}>{escape(piece)}</span>"
