"""Images as the levels of their numbers, and back: what models share whose tokens are levels of grey or of colour."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from gdl_keras.data.decoding import NoScale, Unreadable, decode
from gdl_keras.data.images import check_range
from gdl_keras.errors import InputError

BYTE = 255


def levels_of(images, levels):
    """The level of each number: int32 tensor of the same shape.

        level = int(byte * levels / 256),    byte = 255 * number

    Args:
        images: float tensor, in [0, 1].
        levels: int, how many there are.
    """
    # A byte is at least 1/256 away from the next level: more than rounding, which this makes up for.
    scaled = tf.cast(images, tf.float32) * (BYTE * levels / (BYTE + 1)) + 1e-3
    return tf.clip_by_value(tf.cast(tf.floor(scaled), tf.int32), 0, levels - 1)


def images_of(numbers, levels):
    """The images that levels stand for: float32 tensor of the same shape, in [0, 1].

    A level is the byte of its own that is nearest to level / (levels - 1): black is 0, and white is 1.

    Args:
        numbers: int tensor.
        levels: int, how many there are.
    """
    return tf.gather(tf.constant(level_values(levels)), numbers)


def first_rows(model_name, samples, image_shape):
    """Images, or their first rows, as an array: float32 (n, rows, width, channels).

    Args:
        model_name: str, for error messages.
        samples: float array (n, rows, width, channels) or of one image (rows, width, channels), in [0, 1]; or a list
            with the paths of picture files, which are brought to the width of the images, and of which the rows are
            taken that do not reach below the middle of an image.
        image_shape: (height, width, channels).

    Raises:
        InputError: they do not fit.
    """
    height, width, channels = image_shape
    if len(samples) and isinstance(samples[0], (str, Path)):
        samples = np.stack([upper_half(path, image_shape) for path in samples])
    samples = np.asarray(samples, "float32")
    samples = samples[None] if samples.ndim == 3 else samples
    if samples.ndim != 4 or samples.shape[2:] != (width, channels) or samples.shape[1] > height:
        raise InputError(
            f"Images of {model_name}, or their first rows, have the shape (n, up to {height}, {width}, {channels}), "
            f"not {samples.shape}."
        )
    if samples.size:
        check_range(float(samples.min()), float(samples.max()))
    return samples


def level_values(levels):
    """The numbers in [0, 1] that levels of grey stand for: float32 array (levels,).

    Args:
        levels: int, 2 to 256.
    """
    number = np.arange(levels)
    lowest = -(-(BYTE + 1) * number // levels)
    highest = -(-(BYTE + 1) * (number + 1) // levels) - 1
    even = np.rint(BYTE * number / (levels - 1))
    return (np.clip(even, lowest, highest) / BYTE).astype("float32")


def upper_half(path, image_shape):
    """The rows above the middle of a picture file that is brought to the size of a model's images.

    Args:
        path: str or Path.
        image_shape: (height, width, channels).

    Returns:
        float32 array (height // 2, width, channels) in [0, 1].

    Raises:
        InputError: there is no picture that can be read.
    """
    height, width, channels = image_shape
    if not Path(path).is_file():
        raise InputError(f"There is no picture {path} to begin with.")
    try:
        picture = decode(Path(path), max(height, width)).image
    except (Unreadable, NoScale) as error:
        reason = str(error) or "what is black in it, and what white, nobody can tell"
        raise InputError(f"{path} is no picture to begin with: {reason}.") from error
    picture = picture.convert("L" if channels == 1 else "RGB").resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(picture, "float32").reshape(image_shape)[: height // 2] / BYTE


def check_levels(levels):
    """Raises InputError unless pixels can have so many levels."""
    if not (isinstance(levels, int) and 2 <= levels <= BYTE + 1):
        raise InputError(f"Pixels have 2 to {BYTE + 1} levels, not {levels}.")
