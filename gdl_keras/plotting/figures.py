"""What every picture starts and ends with: a figure, axes without a frame, a PNG that is whole or not there."""

import io
import textwrap

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from gdl_keras.files import whole_file

DOTS = 80  # pixels of an inch
LINE = 20  # pixels of a line of a title


def figure_with_axes(width, height):
    """(figure, its one axes), in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def figure_of_pixels(width, height):
    """A figure of exactly so many pixels, whose layout is its maker's."""
    # A hundredth more: what a rounding error makes a little too small would lose a pixel.
    return Figure(figsize=((width + 0.01) / DOTS, (height + 0.01) / DOTS), dpi=DOTS)


def axes_of_pixels(figure, left, below, width, height):
    """Axes of exactly so many pixels, so that those of an image that fills them stay whole."""
    all_width, all_height = figure.bbox.size
    return figure.add_axes((left / all_width, below / all_height, width / all_width, height / all_height))


def titled(title, width):
    """(a title broken into lines that fit into so many pixels, pixels that it takes); ("", 0) for None."""
    lines = textwrap.wrap(title or "", max(20, width // 8))
    return "\n".join(lines), (LINE * len(lines) + 6) * bool(lines)


def without_frame(axes):
    """Takes the frame and the ticks of axes away."""
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def save(figure, path):
    """Writes a figure as PNG, whole or not at all; in 128 colours, so that executed notebooks stay small."""
    with whole_file(path) as partial:
        partial.write_bytes(png(figure))


def png(figure):
    """A figure as PNG: bytes."""
    figure.set_dpi(DOTS)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # `savefig` would lay it out twice, and pack what is unpacked again
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    packed = io.BytesIO()
    picture.save(packed, format="PNG", optimize=True)
    return packed.getvalue()
