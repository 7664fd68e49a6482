"""How near a reconstruction is to its original, and how sharp an image is."""

import math

import numpy as np

from gdl_keras.errors import InputError

# An error of less than half the step between two bytes is gone once images are written as bytes, and the ratio of
# equal images has no end: a mean squared error below (0.5 / 255)^2 counts as that.
LARGEST_PSNR = 20 * math.log10(255 / 0.5)


def psnr(originals, reconstructions):
    """Peak signal-to-noise ratio: 10 log10(1 / mean squared error), in decibels; higher is nearer.

    Ten decibels more are a tenth of the squared error.  It ends at `LARGEST_PSNR`, 54.15 dB, so that a mean over images
    stays a number where some are reproduced exactly.

    Args:
        originals, reconstructions: float arrays (n, height, width, channels) in [0, 1].

    Returns:
        float64 array (n,), at most 54.15.

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
    return -10 * np.log10(np.maximum(errors, 10 ** (-LARGEST_PSNR / 10)))


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
