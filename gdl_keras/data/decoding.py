"""From a picture, whatever its format, to an 8-bit RGB or grey one."""

import struct
import warnings
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

SMALLEST_SIDE = 4
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".avif"}

# What Pillow's decoders raise on damaged content.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, Image.DecompressionBombError)


class Unreadable(Exception):
    """An image that cannot be used; its text is the reason, a few words."""


class NoScale(Exception):
    """What is black and what is white in this picture, only the others can tell; see `extremes`."""


class Scale(NamedTuple):
    """The numbers that are black and white in pictures whose format does not say."""

    black: float
    white: float


class Decoded(NamedTuple):
    """A Pillow image of mode "L" or "RGB"; whether it had the four colours of print; its `Scale` where it was deep."""

    image: Image.Image
    was_cmyk: bool = False
    scale: Scale | None = None


DEEP = Scale(0, 65535)  # 16 bits a pixel


def decode(source, needed_size, scale=None):
    """Opens a picture as a reader would see it: upright, on white, first frame, 8 bits a channel.

    Args:
        source: a path, the content of an image file as bytes, or a uint8 array (H, W) or (H, W, channels).
        needed_size: the side in pixels that will be asked for; a much larger JPEG is decoded at reduced size.
        scale: the `Scale` of pictures of floats or of 32-bit integers.

    Returns:
        a `Decoded`.

    Raises:
        Unreadable: no image, a damaged one, one with pixels that are no numbers, or with a side under 4 pixels.
        NoScale: it is one of floats or of 32-bit integers, and no scale was given.
    """
    if isinstance(source, np.ndarray):
        # The channel axis of grey arrays is one that Pillow does not know.
        opened = Image.fromarray(source[..., 0] if source.ndim == 3 and source.shape[-1] == 1 else source)
        return Decoded(_eight_bits(_big_enough(opened)))
    with _opened(source) as opened:
        # Reduction inside the JPEG decoder is rough; at twice the size, the resize after it hides that.
        opened.draft(None, (2 * needed_size, 2 * needed_size))
        if not _is_deep(opened):
            return Decoded(_eight_bits(ImageOps.exif_transpose(opened)), opened.mode == "CMYK")
        scale = DEEP if _says_its_depth(opened) else scale
        if scale is None:
            raise NoScale
        return Decoded(_scaled(_numbers(ImageOps.exif_transpose(opened)), scale), scale=scale)


def extremes(source):
    """(least, largest) number in a picture whose format does not say what is white, or None for others and damaged."""
    if isinstance(source, np.ndarray):
        return None
    try:
        with _opened(source) as opened:
            if not _is_deep(opened) or _says_its_depth(opened):
                return None
            numbers = _numbers(opened)
            return float(numbers.min()), float(numbers.max())
    except Unreadable:
        return None


@contextmanager
def _opened(source):
    try:
        if isinstance(source, Path) and source.stat().st_size == 0:
            raise Unreadable("an empty file")
        with warnings.catch_warnings(), Image.open(source if isinstance(source, Path) else BytesIO(source)) as opened:
            warnings.simplefilter("ignore")
            yield _big_enough(opened)
    except Image.UnidentifiedImageError as error:
        raise Unreadable("not an image that can be read, whatever its name says") from error
    except PermissionError as error:
        raise Unreadable("a file that may not be read") from error
    except _DAMAGE as error:
        raise Unreadable(f"damaged: {error}") from error


def _big_enough(image):
    if min(image.size) < SMALLEST_SIDE:
        raise Unreadable(f"too small: {image.width}x{image.height} pixels")
    return image


def _is_deep(image):
    return image.mode == "F" or image.mode.startswith("I")


def _says_its_depth(image):
    # Of integers, Pillow knows PNG's and PPM's to be of 16 bits; in a TIFF they are so under that name only.
    return image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM"))


def _numbers(image):
    numbers = np.asarray(image, np.float64)
    if not np.isfinite(numbers).all():
        raise Unreadable("damaged: some of its pixels are no numbers")
    return numbers


def _scaled(numbers, scale):
    # Pillow clips such values to 255 when it converts them: a 16-bit picture would come out white.
    shares = (numbers - scale.black) / (scale.white - scale.black)
    return Image.fromarray(np.uint8(np.clip(shares, 0, 1) * 255 + 0.5))


def _eight_bits(image):
    if image.mode in ("L", "RGB"):
        image.load()
        return image
    if "A" in image.mode or "transparency" in image.info:
        picture = image.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    return image.convert("L" if image.mode == "1" else "RGB")
