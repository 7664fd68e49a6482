"""How near a reconstruction is to its original, and how sharp an image is."""

import numpy as np

from gdl_keras.errors import InputError


def psnr(originals, reconstructions):
    """Peak signal-to-noise ratio: 10 log10(1 / mean squared error), in decibels; higher is nearer.

    Ten decibels more are a tenth of the squared error.

    Args:
        originals, reconstructions: float arrays (n, height, width, channels) in [0, 1].

    Returns:
        float64 array (n,); infinite where the two images are equal.

    Raises:
        InputError: the shapes differ.
    """
    originals, reconstructions = np.asarray(originals, "float64"), np.asarray(reconstructions, "float64")
    if originals.shape != reconstructions.shape:
        raise InputError(
            f"Originals {originals.shape} and reconstructions {reconstructions.shape} differ in shape: "
            "give one reconstruction for each original, of its size."
        )
    errors = np.square(originals - reconstructions).mean(axis=(1, 2, 3))
    with np.errstate(divide="ignore"):
        return -10 * np.log10(errors)


def sharpness(images):
    """The mean length of an image's gradient: how steep its edges are, so that a blurred copy has less.

        mean over y, x and channels of  sqrt((I[y, x+1] - I[y, x])^2 + (I[y+1, x] - I[y, x])^2)

    Noise raises it, too: it compares images that show the same thing.

    Args:
        images: float array (n, height, width, channels), height and width at least 2.

    Returns:
        float64 array (n,), in brightness per pixel.
    """
    images = np.asarray(images, "float64")
    right = images[:, :-1, 1:] - images[:, :-1, :-1]
    down = images[:, 1:, :-1] - images[:, :-1, :-1]
    return np.hypot(right, down).mean(axis=(1, 2, 3))
