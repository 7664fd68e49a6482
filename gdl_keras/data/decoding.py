"""From a picture, whatever its format, to an 8-bit RGB or grey one."""

import struct
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

SMALLEST_SIDE = 4
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".avif"}

# What Pillow's decoders raise on damaged content.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, Image.DecompressionBombError)


class Unreadable(Exception):
    """An image that cannot be used; its text is the reason, a few words."""


def decode(source, needed_size):
    """Opens a picture as a reader would see it: upright, on white, first frame, 8 bits a channel.

    Args:
        source: a path, the content of an image file as bytes, or a uint8 array (H, W) or (H, W, channels).
        needed_size: the side in pixels that will be asked for; a much larger JPEG is decoded at reduced size.

    Returns:
        `(image, was_cmyk)`: a Pillow image of mode "L" or "RGB", and whether it had the four colours of print.

    Raises:
        Unreadable: no image, a damaged one, or one with a side under 4 pixels.
    """
    if isinstance(source, np.ndarray):
        # The channel axis of grey arrays is one that Pillow does not know.
        opened = Image.fromarray(source[..., 0] if source.ndim == 3 and source.shape[-1] == 1 else source)
        return _eight_bits(_big_enough(opened)), False
    if isinstance(source, Path) and source.stat().st_size == 0:
        raise Unreadable("an empty file")
    try:
        with warnings.catch_warnings(), Image.open(source if isinstance(source, Path) else BytesIO(source)) as opened:
            warnings.simplefilter("ignore")
            _big_enough(opened)
            # Reduction inside the JPEG decoder is rough; at twice the size, the resize after it hides that.
            opened.draft(None, (2 * needed_size, 2 * needed_size))
            was_cmyk = opened.mode == "CMYK"
            return _eight_bits(ImageOps.exif_transpose(opened)), was_cmyk
    except Image.UnidentifiedImageError as error:
        raise Unreadable("not an image that can be read, whatever its name says") from error
    except _DAMAGE as error:
        raise Unreadable(f"damaged: {error}") from error


def _big_enough(image):
    if min(image.size) < SMALLEST_SIDE:
        raise Unreadable(f"too small: {image.width}x{image.height} pixels")
    return image


def _eight_bits(image):
    if image.mode in ("L", "RGB"):
        image.load()
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return _scaled(np.asarray(image, np.float64))
    if "A" in image.mode or "transparency" in image.info:
        picture = image.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    return image.convert("L" if image.mode == "1" else "RGB")


def _scaled(values):
    # Pillow clips such values to 255 when it converts them: a 16-bit picture would come out white.
    highest = values.max()
    full = 1.0 if highest <= 1 else 255.0 if highest <= 255 else 65535.0
    return Image.fromarray(np.uint8(np.clip(values / full, 0, 1) * 255 + 0.5))
