"""How near a codec's reconstructions are, taken together, and how many words it really has."""

import numpy as np

from gdl_keras.errors import InputError


def pooled_psnr(originals, reconstructions, border=0):
    """10 log10(1 / e), in decibels, e the mean squared error of all numbers of all images.

    A mean over images of `psnr` is larger: there, one image that is reproduced well makes up for bad ones.

    Args:
        originals, reconstructions: float arrays (n, height, width, channels) in [0, 1].
        border: int, pixels at each side that do not count, such as those that garments are given to be 32x32.

    Returns:
        float; infinite for equal images.

    Raises:
        InputError: the shapes differ, or the border leaves nothing.
    """
    if np.shape(originals) != np.shape(reconstructions):
        raise InputError(f"Originals {np.shape(originals)} and reconstructions {np.shape(reconstructions)} differ.")
    height, width = np.shape(originals)[1:3]
    if border < 0 or 2 * border >= min(height, width):
        raise InputError(f"A border of {border} pixels does not lie within images {height}x{width}.")
    inner = np.s_[:, border : height - border, border : width - border]
    errors = np.asarray(originals)[inner].astype("float64") - np.asarray(reconstructions)[inner]
    with np.errstate(divide="ignore"):
        return float(-10 * np.log10(np.square(errors).mean()))


def perplexity_of(codes, num_codes):
    """exp(-sum_k p_k log p_k), p_k the share of code k: how many codes it would be if all were used alike: float.

    Args:
        codes: int array of any shape, not empty, in [0, num_codes).
        num_codes: int.
    """
    share = counts_of(codes, num_codes) / np.size(codes)
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))


def counts_of(codes, num_codes):
    """How often each code comes: int array (num_codes,)."""
    return np.bincount(np.ravel(codes), minlength=num_codes)
