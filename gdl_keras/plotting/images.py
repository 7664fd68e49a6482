"""Images side by side: grids, rows, captions, panels.

Images are float arrays (n, height, width, channels) in [0, 1].  Grey ones are drawn dark on white, as in the book.
"""

import math

import numpy as np
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath
from PIL import Image

from gdl_keras.files import whole_file
from gdl_keras.plotting.figures import DOTS, LINE, axes_of_pixels, figure_of_pixels, titled, without_frame

# Pixels that an image in a grid, in a figure or in a file, has at least along its longer side.
SHOWN_SIZE = 96
LABEL = 10  # points of a row's label
# Pixels of a figure of several pages, and between them.
WIDEST, GAP = 1320, 16


def grid(images, columns=None, title=None):
    """Images side by side in rows; as square as may be, or `columns` wide."""
    figure, axes = _shown(mosaic(images, columns), scale_of(images), title=title)
    axes.set_axis_off()
    lines, columns = rows_and_columns(len(images), columns)
    figure.set_label(f"{len(images)} images in {lines} rows of {columns}" if lines > 1 else f"{len(images)} images")
    return figure


def rows(named_images, title=None):
    """One labelled row of images for each item of {label: images}: originals above their reconstructions."""
    picture = mosaic(np.concatenate([np.asarray(images) for images in named_images.values()]), _longest(named_images))
    left = max(map(_width, named_images)) + 12
    figure, axes = _shown(picture, scale_of(next(iter(named_images.values()))), left, title)
    step = picture.shape[0] / len(named_images)
    axes.set_yticks([step * (i + 0.5) for i in range(len(named_images))], list(named_images), fontsize=LABEL)
    axes.set_xticks([])
    without_frame(axes)
    figure.set_label(f"rows of images, {_longest(named_images)} in each")
    return figure


def numbered(images, captions, columns=6):
    """Images with a caption under each."""
    scale = scale_of(images)
    height, width = (round(scale * side) for side in np.shape(images)[1:3])
    step = width + 8, height + 4 + 13 * max(caption.count("\n") + 1 for caption in captions)
    lines = math.ceil(len(images) / columns)
    figure = figure_of_pixels(step[0] * columns, step[1] * lines)
    for number, (image, caption) in enumerate(zip(images, captions)):
        line, column = divmod(number, columns)
        axes = axes_of_pixels(figure, step[0] * column + 4, step[1] * (lines - line) - height, width, height)
        axes.imshow(rgb(np.asarray(image)[None])[0], aspect="auto", interpolation=interpolation(scale))
        axes.set(xticks=[], yticks=[])
        without_frame(axes)
        axes.set_xlabel(caption, fontsize=7, labelpad=1)
    figure.set_label(f"{len(images)} images, each over its caption")
    return figure


def panels(titled_images, symmetric=False):
    """Single images beside each other, each under its title: {title: (height, width, channels)}.

    With `symmetric`, one-channel images of any values, blue below 0, white at 0, red above.
    """
    figure = Figure(figsize=(3 * len(titled_images), 3.2), layout="constrained")
    for axes, (title, image) in zip(figure.subplots(1, len(titled_images), squeeze=False)[0], titled_images.items()):
        if symmetric:
            limit = np.abs(image).max()
            axes.imshow(image[..., 0], cmap="bwr", vmin=-limit, vmax=limit)
        else:
            axes.imshow(rgb(np.asarray(image)[None])[0])
        axes.set_title(title, fontsize=10)
        axes.set_axis_off()
    figure.set_label("single images")
    return figure


def pictures(titled_paths):
    """Picture files pixel for pixel, each under its title: {title: path}; one below the other where they are wide."""
    shown = {title: np.asarray(Image.open(path).convert("RGB")) for title, path in titled_paths.items()}
    height, width = (max(picture.shape[side] for picture in shown.values()) for side in (0, 1))
    step = width + GAP, height + LINE + 6
    columns = max(1, min(len(shown), WIDEST // step[0]))
    lines = math.ceil(len(shown) / columns)
    figure = figure_of_pixels(step[0] * columns, step[1] * lines)
    for number, (title, picture) in enumerate(shown.items()):
        line, column = divmod(number, columns)
        axes = axes_of_pixels(figure, step[0] * column, step[1] * (lines - line - 1), *picture.shape[1::-1])
        axes.imshow(picture, aspect="auto", interpolation="nearest")
        axes.set_title(title, fontsize=10)
        axes.set_axis_off()
    figure.set_label("pages of images")
    return figure


def mosaic(images, columns=None):
    """The images of a grid as one picture, uint8 array (height, width, 3), white where there is none."""
    images = rgb(np.asarray(images))
    lines, columns = rows_and_columns(len(images), columns)
    _, height, width, _ = images.shape
    cells = np.full((lines * columns, height + 1, width + 1, 3), 255, np.uint8)
    cells[: len(images), :height, :width] = images
    cells = cells.reshape(lines, columns, height + 1, width + 1, 3).swapaxes(1, 2)
    return cells.reshape(lines * (height + 1), columns * (width + 1), 3)[:-1, :-1]


def save_mosaic(images, path, columns=None):
    """Writes the images of a grid as PNG, each pixel of theirs 2x2 pixels of the file, or more where they are small."""
    factor = max(2, math.ceil(scale_of(images)))
    picture = mosaic(images, columns).repeat(factor, axis=0).repeat(factor, axis=1)
    with whole_file(path) as partial:
        Image.fromarray(picture).save(partial, format="PNG", optimize=True)


def scale_of(images):
    """Pixels of a figure for one of an image: a whole number, so that each stays a square, or one over a whole number.

    Small images are enlarged to `SHOWN_SIZE`, large ones made smaller as long as they stay above it.
    """
    size = max(np.shape(images)[1:3])
    return -(-SHOWN_SIZE // size) if size < 2 * SHOWN_SIZE else 1 / (size // SHOWN_SIZE)


def interpolation(scale):
    """How matplotlib is to draw images of that scale: pixels as squares, or means of several."""
    return "nearest" if scale >= 1 else "antialiased"


def rgb(images):
    """Images as colour bytes: uint8 array (n, height, width, 3)."""
    images = np.clip(images, 0, 1)
    if images.shape[-1] == 1:
        images = np.repeat(1 - images, 3, axis=-1)
    return np.rint(images * 255).astype(np.uint8)


def rows_and_columns(count, columns=None):
    """How a page of so many is laid out: as square as may be, or `columns` wide."""
    columns = columns or math.ceil(math.sqrt(count))
    return math.ceil(count / columns), columns


def _shown(picture, scale, left=0, title=None):
    """A figure of a picture, and its axes, `left` pixels from its edge and under its title."""
    height, width = (round(scale * side) for side in picture.shape[:2])
    title, above = titled(title, left + width)
    figure = figure_of_pixels(left + width, height + above)
    axes = axes_of_pixels(figure, left, 0, width, height)
    axes.imshow(picture, aspect="auto", interpolation=interpolation(scale))
    if title:
        figure.suptitle(title, y=1 - 4 / (height + above), va="top", fontsize=11, parse_math=False)
    return figure, axes


def _width(label):
    """Pixels of the longest line of a label."""
    lines = [line for line in label.splitlines() if line.strip()] or ["0"]
    return math.ceil(max(TextPath((0, 0), line, size=LABEL).get_extents().width for line in lines) * DOTS / 72)


def _longest(named_images):
    return max(len(images) for images in named_images.values())
