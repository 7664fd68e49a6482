"""What every picture starts and ends with: a figure, axes without a frame, a PNG that is whole or not there."""

import io

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from gdl_keras.files import whole_file


def figure_with_axes(width, height):
    """(figure, its one axes), in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


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
    figure.set_dpi(80)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # `savefig` would lay it out twice, and pack what is unpacked again
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    packed = io.BytesIO()
    picture.save(packed, format="PNG", optimize=True)
    return packed.getvalue()
