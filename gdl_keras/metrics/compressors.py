"""How many bits lossless files of images take: what a likelihood in bits a number can be held against."""

import io
import math

import numpy as np
from PIL import Image

FORMATS = {
    "PNG": {"format": "PNG", "optimize": True},
    "WebP": {"format": "WebP", "lossless": True, "quality": 100, "method": 6},
}


def bits_of_files(images):
    """Bits for each number of images in lossless files: {"PNG, one file each": float, "PNG, one sheet": ...}.

    One file an image pays for a header each time.  On one sheet of all, side by side, that is gone, and a program may
    find in one image what it knows from another one.

    Args:
        images: float array (n, height, width, channels) in [0, 1], channels 1 or 3.
    """
    pixels = np.rint(images * 255).astype(np.uint8)
    bits = {}
    for name, options in FORMATS.items():
        for how, pictures in ((f"{name}, one file each", pixels), (f"{name}, one sheet", _sheet(pixels)[None])):
            bits[how] = 8 * sum(_size_of(picture, options) for picture in pictures) / pictures.size
    return bits


def _sheet(pixels):
    """As many of the images as make a square, side by side: uint8 array (height, width, channels)."""
    side = math.isqrt(len(pixels))
    _, height, width, channels = pixels.shape
    square = pixels[: side**2].reshape(side, side, height, width, channels).swapaxes(1, 2)
    return square.reshape(side * height, side * width, channels)


def _size_of(picture, options):
    with io.BytesIO() as file:
        Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).save(file, **options)
        return file.tell()
