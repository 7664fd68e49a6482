"""Where a network that makes images looks: its images under the shares that a place of each takes from all others."""

import numpy as np
from matplotlib.figure import Figure

from gdl_keras.plotting.images import interpolation, rgb, scale_of
from gdl_keras.plotting.text import REDS

# How much of an image is left under the shares.
FAINT = 0.35


def attended_places(images, shares, places):
    """A row for each image: the image, then for each place the image under what that place takes from where.

    The redder the more, of each picture the reddest is its largest share; the place itself is a cross.

    Args:
        images: float array (n, height, width, channels) in [0, 1].
        shares: float array (n, len(places), rows, columns), as `SAGAN.attention_maps` gives it.
        places: list of (row, column), pixels of the images.
    """
    pixels = rgb(np.asarray(images)) / 255
    size = scale_of(images) * max(pixels.shape[1:3]) / 72
    lines, columns = len(pixels), 1 + len(places)
    figure = Figure(figsize=(size * columns, size * lines + 0.3), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False)
    for image, of_image, row in zip(pixels, np.asarray(shares), panels):
        row[0].imshow(image, interpolation=interpolation(scale_of(images)))
        for (y, x), of_place, axes in zip(places, of_image, row[1:]):
            axes.imshow(under_shares(image, of_place), interpolation="nearest")
            axes.plot(x, y, "+", color="black", markersize=9, markeredgewidth=1.5)
        for axes in row:
            axes.set(xticks=[], yticks=[])
    for axes, title in zip(panels[0], ("image", *(f"place {row}, {column}" for row, column in places))):
        axes.set_title(title, fontsize=9)
    return figure


def under_shares(image, shares):
    """The image, faint, on a ground that is the redder the larger the share: float array (height, width, 3).

    Args:
        image: float array (height, width, 3) in [0, 1].
        shares: float array (rows, columns), spread evenly over it.
    """
    height, width, _ = image.shape
    rows, columns = (np.arange(side) * count // side for side, count in zip((height, width), shares.shape))
    ground = REDS(shares / shares.max())[..., :3][np.ix_(rows, columns)]
    return ground * (1 - FAINT * (1 - image))
