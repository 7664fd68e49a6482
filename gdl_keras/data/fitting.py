"""From a picture of any size to a square one: the three ways that the data sets ask for."""

import numpy as np
from PIL import Image, ImageOps

BORDER = 2  # what the book adds on each side of 28x28 images, so that they can be halved five times


def fit(image, size, channels, how):
    """Makes a Pillow image ("L" or "RGB") square.

    Args:
        size: side of the result in pixels.
        channels: 1 (grey) or 3.
        how: "pad": a black border of two pixels where that gives `size`, else "stretch";
            "stretch": the whole picture, its proportions lost, as the book does with the faces;
            "crop": the largest square in the middle.

    Returns:
        uint8 (size, size, channels).  Every change of size is bilinear and antialiased.
    """
    image = image.convert("L" if channels == 1 else "RGB")
    if how == "pad" and image.size == (size - 2 * BORDER, size - 2 * BORDER):
        image = ImageOps.expand(image, BORDER)
    elif image.size != (size, size):
        if how == "crop":
            image = ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
        else:
            image = image.resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(image).reshape(size, size, channels)
