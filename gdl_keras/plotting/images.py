"""Images side by side: grids, rows, captions, panels.

Images are float arrays (n, height, width, channels) in [0, 1].  Grey ones are drawn dark on white, as in the book.
"""

import math

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from gdl_keras.files import whole_file
from gdl_keras.plotting.figures import figure_with_axes, without_frame

INCHES_PER_IMAGE = 0.8
# Pixels of a file that an image in a grid has at least, as far as a whole factor leads there.
SHOWN_SIZE = 64


def grid(images, columns=None, title=None):
    """Images side by side in rows; as square as may be, or `columns` wide."""
    picture = mosaic(images, columns)
    height, width = (INCHES_PER_IMAGE * n for n in rows_and_columns(len(images), columns))
    figure, axes = figure_with_axes(width, height + 0.3 * bool(title))
    axes.imshow(picture)
    axes.set_axis_off()
    if title:
        axes.set_title(title)
    return figure


def rows(named_images):
    """One labelled row of images for each item of {label: images}: originals above their reconstructions."""
    picture = mosaic(np.concatenate([np.asarray(images) for images in named_images.values()]), _longest(named_images))
    room_for_labels = 0.5 + 0.1 * max(len(label) for label in named_images)
    width = INCHES_PER_IMAGE * _longest(named_images) + room_for_labels
    figure, axes = figure_with_axes(width, INCHES_PER_IMAGE * len(named_images))
    axes.imshow(picture)
    step = picture.shape[0] / len(named_images)
    axes.set_yticks([step * (i + 0.5) for i in range(len(named_images))], list(named_images))
    axes.set_xticks([])
    without_frame(axes)
    return figure


def numbered(images, captions, columns=6):
    """Images with a caption under each."""
    count_rows = math.ceil(len(images) / columns)
    lines = max(caption.count("\n") + 1 for caption in captions)
    figure = Figure(figsize=(1.3 * columns, (1.3 + 0.2 * lines) * count_rows), layout="constrained")
    for axes in figure.subplots(count_rows, columns, squeeze=False).flat:
        axes.set(xticks=[], yticks=[])
        without_frame(axes)
    for axes, image, caption in zip(figure.axes, images, captions):
        axes.imshow(rgb(np.asarray(image)[None])[0])
        axes.set_xlabel(caption, fontsize=7)
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
    return figure


def pictures(titled_paths):
    """Picture files beside each other, each under its title: {title: path}."""
    figure = Figure(figsize=(4 * len(titled_paths), 4.3), layout="constrained")
    for axes, (title, path) in zip(figure.subplots(1, len(titled_paths), squeeze=False)[0], titled_paths.items()):
        axes.imshow(Image.open(path))
        axes.set_title(title, fontsize=10)
        axes.set_axis_off()
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
    factor = max(2, SHOWN_SIZE // max(np.shape(images)[1:3]))
    picture = mosaic(images, columns).repeat(factor, axis=0).repeat(factor, axis=1)
    with whole_file(path) as partial:
        Image.fromarray(picture).save(partial, format="PNG", optimize=True)


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


def _longest(named_images):
    return max(len(images) for images in named_images.values())
