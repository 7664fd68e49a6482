"""Filters of two orthogonal wavelets as matrices that act on the rows or the columns of an image.

The mirror of the edges is part of a matrix, so that a filter is one matrix product, and of images that are each
filtered in another way one product of as many matrices.  Daubechies 1992, Ten lectures on wavelets, section 8.1.1, has
the symlets: among the shortest orthogonal filters that keep polynomials of their order those nearest to symmetry.
"""

import math

import numpy as np

# 4 taps; the same as Daubechies' own of that length.
SYM2 = np.array([1 + math.sqrt(3), 3 + math.sqrt(3), 3 - math.sqrt(3), 1 - math.sqrt(3)]) / (4 * math.sqrt(2))
# 12 taps, which keep polynomials up to degree 5.
SYM6 = np.array(
    [
        0.015404109327027373,
        0.0034907120842174702,
        -0.11799011114819057,
        -0.048311742585633,
        0.4910559419267466,
        0.787641141030194,
        0.3379294217276218,
        -0.07263752278646252,
        -0.021060292512300564,
        0.04472490177066578,
        0.0017677118642428036,
        -0.007800708325034148,
    ]
)
# What lies at tap 0 shows what is this far behind it: the filter's centre of mass, in taps.
SYM6_CENTRE = float(np.arange(len(SYM6)) @ SYM6 / SYM6.sum())


def upsampling(size):
    """What makes a row of pixels twice as fine, by SYM6, from all taps that reach one of them or its mirror images.

        y[j] = sqrt(2) sum_i h[j - 2 i] x[i],    j = 0, ..., 2 size + 9

    Sample j shows the place (j - SYM6_CENTRE) / 2.

    Returns:
        float32 array (2 size + 10, size).
    """
    taps = len(SYM6)
    matrix = np.zeros((2 * size + taps - 2, size))
    for sample in range(len(matrix)):
        for pixel in range((sample - taps + 2) // 2, sample // 2 + 1):
            matrix[sample, mirrored(pixel, size)] += math.sqrt(2) * SYM6[sample - 2 * pixel]
    return matrix.astype("float32")


def downsampling(size):
    """The way back from `upsampling`, exactly, because the filter is orthogonal to itself moved by two.

        x[i] = 1 / sqrt(2) sum_k h[k] y[2 i + k]

    Returns:
        float32 array (size, 2 size + 10).
    """
    taps = len(SYM6)
    matrix = np.zeros((size, 2 * size + taps - 2))
    for pixel in range(size):
        matrix[pixel, 2 * pixel : 2 * pixel + taps] = SYM6 / math.sqrt(2)
    return matrix.astype("float32")


def bands(size):
    """What takes a row of pixels apart into four bands of frequencies, from low to high, whose sum it is.

    Returns:
        float32 array (4, size, size).
    """
    matrices = np.zeros((4, size, size))
    for matrix, filter in zip(matrices, band_filters()):
        for pixel in range(size):
            for offset, tap in enumerate(filter, start=-(len(filter) // 2)):
                matrix[pixel, mirrored(pixel + offset, size)] += tap
    return matrices.astype("float32")


def band_filters():
    """The four filters: up to an eighth of the highest frequency, up to a quarter, up to a half, and above.

        L(z) L(z^2) L(z^4),  L(z) L(z^2) H(z^4),  L(z) H(z^2),  H(z)        L(z) = h(z) h(1/z) / 2,  H(z) = L(-z)

    with h = SYM2.  L + H = 1, and so is the sum of the four.  They move nothing: each is symmetric.

    Returns:
        list of float64 arrays, of 43, 43, 19 and 7 taps.
    """
    low = np.convolve(SYM2, SYM2[::-1]) / 2
    high = low * (-1.0) ** (np.arange(len(low)) - len(low) // 2)
    lower = np.convolve(low, spread(low, 2))
    return [
        np.convolve(lower, spread(low, 4)),
        np.convolve(lower, spread(high, 4)),
        np.convolve(low, spread(high, 2)),
        high,
    ]


def spread(filter, factor):
    """The filter of z^factor: zeros between its taps."""
    taps = np.zeros(factor * (len(filter) - 1) + 1)
    taps[::factor] = filter
    return taps


def mirrored(place, size):
    """The pixel, 0 to size - 1, that the one at `place` is a mirror image of; the edge is not repeated."""
    place %= 2 * (size - 1)
    return min(place, 2 * (size - 1) - place)
