"""Pictures: grids of images, latent planes, curves.  Each function returns a matplotlib `Figure`; nothing is global.

Images are float arrays (n, height, width, channels) in [0, 1].  Grey ones are drawn dark on white, as in the book.
"""

import inspect
import io
import math

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from PIL import Image

from gdl_keras.files import whole_file

INCHES_PER_IMAGE = 0.8


def grid(images, columns=None, title=None):
    """Images side by side in rows; as square as may be, or `columns` wide."""
    picture = mosaic(images, columns)
    height, width = (INCHES_PER_IMAGE * n for n in _rows_and_columns(len(images), columns))
    figure, axes = _figure(width, height + 0.3 * bool(title))
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
    figure, axes = _figure(width, INCHES_PER_IMAGE * len(named_images))
    axes.imshow(picture)
    step = picture.shape[0] / len(named_images)
    axes.set_yticks([step * (i + 0.5) for i in range(len(named_images))], list(named_images))
    axes.set_xticks([])
    _without_frame(axes)
    return figure


def latent_scatter(points, labels=None, class_names=None, marked=None, title=None):
    """Points of a two-dimensional latent space, coloured by label.

    Args:
        points: array (n, 2).
        labels: int array (n,) or None.
        class_names: list of str, the legend.
        marked: array (m, 2) of points to draw on top with their numbers, or None.
    """
    figure, axes = _figure(7.5 if class_names else 6, 6)
    scatter_on(axes, points, labels, class_names)
    if marked is not None:
        axes.scatter(marked[:, 0], marked[:, 1], s=60, color="black", marker="o", zorder=3)
        for number, (x, y) in enumerate(marked):
            axes.annotate(str(number), (x, y), color="white", ha="center", va="center", fontsize=6, zorder=4)
    if title:
        axes.set_title(title)
    return figure


def scatters(named_points, labels=None, class_names=None):
    """Several scatters of the same labelled examples side by side: {title: points (n, 2)}."""
    figure = Figure(figsize=(5 * len(named_points) + 1.3, 4.6), layout="constrained")
    for axes, (title, points) in zip(figure.subplots(1, len(named_points), squeeze=False)[0], named_points.items()):
        scatter_on(axes, points, labels, class_names if title == list(named_points)[-1] else None)
        axes.set_title(title)
    return figure


def scatter_on(axes, points, labels=None, class_names=None):
    """Draws the points of `latent_scatter` on given axes."""
    if labels is None:
        axes.scatter(points[:, 0], points[:, 1], s=2, alpha=0.6, color="black", linewidths=0)
        return
    classes = np.unique(labels)
    colours = colormaps["rainbow"](np.linspace(0, 1, max(len(classes), 2)))
    for label, colour in zip(classes, colours):
        chosen = points[labels == label]
        name = class_names[label] if class_names else str(label)
        axes.scatter(chosen[:, 0], chosen[:, 1], s=3, alpha=0.7, color=colour, linewidths=0, label=name)
    if class_names:
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), markerscale=4, frameon=False, fontsize=8)


def numbered(images, captions, columns=6):
    """Images with a caption under each."""
    count_rows = math.ceil(len(images) / columns)
    lines = max(caption.count("\n") + 1 for caption in captions)
    figure = Figure(figsize=(1.3 * columns, (1.3 + 0.2 * lines) * count_rows), layout="constrained")
    for axes in figure.subplots(count_rows, columns, squeeze=False).flat:
        axes.set(xticks=[], yticks=[])
        _without_frame(axes)
    for axes, image, caption in zip(figure.axes, images, captions):
        axes.imshow(_rgb(np.asarray(image)[None])[0])
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
            axes.imshow(_rgb(np.asarray(image)[None])[0])
        axes.set_title(title, fontsize=10)
        axes.set_axis_off()
    return figure


def confusion(labels, answers, class_names):
    """How often each class is taken for each other: rows are the truth and add up to 1."""
    counts = np.zeros((len(class_names), len(class_names)))
    np.add.at(counts, (labels, answers), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = _figure(6, 5.5)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        if share >= 0.01:
            axes.text(column, row, f"{share:.2f}", ha="center", va="center", fontsize=7, color="wk"[int(share < 0.5)])
    axes.set_xticks(range(len(class_names)), class_names, rotation=90, fontsize=8)
    axes.set_yticks(range(len(class_names)), class_names, fontsize=8)
    axes.set_xlabel("answer")
    axes.set_ylabel("truth")
    return figure


def latent_plane(model, x, y, points=None, labels=None, axis_labels=None):
    """What a model decodes on a grid of its two-dimensional latent space, over a scatter of encoded images.

    Args:
        model: with `generate(latents=...)`.
        x, y: the grid's coordinates, arrays (n,) and (m,), ascending.
        points, labels: encoded images to draw underneath, arrays (k, 2) and (k,), or None.
        axis_labels: texts for the ticks of (x, y), where the coordinates are not to be read as they are.
    """
    latents = np.stack(np.meshgrid(x, y[::-1]), axis=-1).reshape(-1, 2).astype("float32")
    picture = mosaic(model.generate(latents=latents), len(x))
    figure, axes = _figure(0.45 * len(x) + 1, 0.45 * len(y) + 0.6)
    axes.imshow(picture, extent=(-0.5, len(x) - 0.5, -0.5, len(y) - 0.5), aspect="equal")
    if points is not None:
        columns, lines = (np.interp(points[:, i], c, np.arange(len(c))) for i, c in enumerate((x, y)))
        axes.scatter(columns, lines, c=labels, cmap="rainbow", s=2, alpha=0.25, linewidths=0)
    x_texts, y_texts = axis_labels or ([f"{v:.1f}" for v in x], [f"{v:.1f}" for v in y])
    axes.set_xticks(range(len(x)), x_texts, fontsize=7, rotation=90)
    axes.set_yticks(range(len(y)), y_texts, fontsize=7)
    _without_frame(axes)
    return figure


def pictures(titled_paths):
    """Picture files beside each other, each under its title: {title: path}."""
    figure = Figure(figsize=(4 * len(titled_paths), 4.3), layout="constrained")
    for axes, (title, path) in zip(figure.subplots(1, len(titled_paths), squeeze=False)[0], titled_paths.items()):
        axes.imshow(Image.open(path))
        axes.set_title(title, fontsize=10)
        axes.set_axis_off()
    return figure


def bars(values, names, level=None, y_label=None):
    """One bar for each name; a dashed line at `level`."""
    figure, axes = _figure(6, 3.2)
    axes.bar(range(len(values)), values)
    if level is not None:
        axes.axhline(level, color="black", linestyle="--", linewidth=1)
    axes.set_xticks(range(len(values)), names, rotation=45, ha="right", fontsize=8)
    axes.set_ylabel(y_label)
    return figure


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


def curves(history, names, x_label="epoch", y_label=None):
    """Columns of a Keras history against the epoch; validation values dashed in the same colour."""
    figure, axes = _figure(6, 3.5)
    for name in names:
        (line,) = axes.plot(np.arange(1, len(history[name]) + 1), history[name], label=name)
        if f"val_{name}" in history:
            values = history[f"val_{name}"]
            axes.plot(np.arange(1, len(values) + 1), values, "--", color=line.get_color(), label=f"{name}, validation")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label or names[0])
    axes.legend(frameon=False)
    return figure


def mosaic(images, columns=None):
    """The images of a grid as one picture, uint8 array (height, width, 3), white where there is none."""
    images = _rgb(np.asarray(images))
    lines, columns = _rows_and_columns(len(images), columns)
    _, height, width, _ = images.shape
    cells = np.full((lines * columns, height + 1, width + 1, 3), 255, np.uint8)
    cells[: len(images), :height, :width] = images
    cells = cells.reshape(lines, columns, height + 1, width + 1, 3).swapaxes(1, 2)
    return cells.reshape(lines * (height + 1), columns * (width + 1), 3)[:-1, :-1]


def save(figure, path):
    """Writes a figure as PNG, whole or not at all; in 128 colours, so that executed notebooks stay small."""
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=80)
    picture = Image.open(drawn).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    with whole_file(path) as partial:
        picture.save(partial, format="PNG", optimize=True)


def save_mosaic(images, path, columns=None):
    """Writes the images of a grid as PNG, each pixel of theirs 2x2 pixels of the file."""
    picture = mosaic(images, columns).repeat(2, axis=0).repeat(2, axis=1)
    with whole_file(path) as partial:
        Image.fromarray(picture).save(partial, format="PNG", optimize=True)


def show_source(*things):
    """Shows the source of functions and classes: what lives in the library is read where it is used."""
    source = "\n\n".join(inspect.getsource(thing).rstrip() for thing in things)
    try:
        from IPython import get_ipython
        from IPython.display import Code, display
    except ImportError:
        return
    if get_ipython() is not None:
        display(Code(source, language="python"))


def _rgb(images):
    images = np.clip(images, 0, 1)
    if images.shape[-1] == 1:
        images = np.repeat(1 - images, 3, axis=-1)
    return np.rint(images * 255).astype(np.uint8)


def _rows_and_columns(count, columns):
    columns = columns or math.ceil(math.sqrt(count))
    return math.ceil(count / columns), columns


def _longest(named_images):
    return max(len(images) for images in named_images.values())


def _figure(width, height):
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _without_frame(axes):
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
