"""Units of likelihood: nats an image, and bits a dimension, which do not grow with the image."""

import math


def bits_per_dim(nats, image_shape, bin_width=1.0):
    """-log2 P(x) / D from -log p(x) in nats, D = height * width * channels (Theis et al. 2016, section 3.1).

    Args:
        nats: float or array, -log p(x) of a whole image.
        image_shape: (height, width, channels).
        bin_width: distance of neighbouring pixel values where p is a density: 1/255 for bytes that were brought to
            [0, 1].  The probability of a pixel's byte is about the density times this.  1 where p is a probability.

    Returns:
        float or array of the same shape.
    """
    return nats / (math.prod(image_shape) * math.log(2)) - math.log2(bin_width)


def nats(bits, image_shape, bin_width=1.0):
    """-log p(x) in nats of a whole image, from bits a dimension: the inverse of `bits_per_dim`."""
    return (bits + math.log2(bin_width)) * math.prod(image_shape) * math.log(2)
