"""What the tokens of an image are: the levels of its numbers, or the codes that a codec makes of it."""

import numpy as np
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.models.autoregressive.levels import check_levels, first_rows, images_of, levels_of

# Images that are decoded at a time.
TOGETHER = 100


class LevelTokens:
    """The levels of an image's numbers, row by row, and channel by channel within a pixel.

    Args:
        grid: (height, width, channels), the shape of an image.
        levels: int, 2 to 256.

    Attributes:
        grid: how tokens lie, the shape of an example of the column that is learnt from.
        column, dtype: the name of that column, and what its numbers are.
        bits: what bits a token are called.
        likelihood: what bits are bits of; None where images have no likelihood.

    Raises:
        InputError: there cannot be so many levels.
    """

    column, dtype, bits = "images", "float32", "bits_per_dim"

    def __init__(self, grid, levels):
        check_levels(levels)
        self.grid = tuple(grid)
        self.count = levels
        self.image_shape = self.grid
        self.likelihood = f"{levels} levels"

    def of(self, examples):
        """Rows of the column as tokens: int32 tensor (batch, *grid)."""
        return levels_of(examples, self.count)

    def read(self, model_name, samples):
        """Samples, or their first rows: int32 array (n, length so far).

        Args, errors as in `levels.first_rows`.
        """
        images = first_rows(model_name, samples, self.image_shape)
        return np.asarray(self.of(images)).reshape(len(images), -1)

    def images(self, tokens):
        """The images of int array (n, length): float32 array (n, *image_shape)."""
        return np.asarray(images_of(np.reshape(tokens, (-1, *self.grid)), self.count))

    def shown(self, is_known):
        """Which numbers of an image are there, of the tokens that are: bool array that goes with `image_shape`.

        Args:
            is_known: bool array (length,).
        """
        return is_known.reshape(self.grid)


class CodeTokens:
    """The codes of a codec, row by row; attributes as in `LevelTokens`.

    Args:
        codec: a `VQVAE` or the like, with `num_codes`, `code_shape`, `image_shape`, `encode` and `decode_codes`.
    """

    column, dtype, bits, likelihood = "codes", "int32", "bits_per_token", None

    def __init__(self, codec):
        self.codec = codec
        self.grid = tuple(codec.code_shape)
        self.count = codec.num_codes
        self.image_shape = tuple(codec.image_shape)
        self._decode = tf.function(codec.decode_codes, reduce_retracing=True)

    def of(self, examples):
        """Rows of the column as tokens: int32 tensor (batch, *grid)."""
        return tf.cast(examples, tf.int32)

    def read(self, model_name, samples):
        """Images, or their first rows, or codes: int32 array (n, length so far).

        Below rows that are given the last of them is repeated, and of the codes of that image those are taken whose
        patches lie wholly in what was given.

        Args:
            model_name: str, for error messages.
            samples: as in `levels.first_rows`; or codes, or their first rows, int array (n, rows, width).

        Raises:
            InputError: they do not fit.
        """
        if np.asarray(samples).dtype.kind in "iu":
            return self.checked(samples)
        images = first_rows(model_name, samples, self.image_shape)
        height, rows = self.image_shape[0], images.shape[1]
        known = rows * self.grid[0] // height
        if known == 0:
            return np.zeros((len(images), 0), "int32")
        below = np.repeat(images[:, -1:], height - rows, axis=1)
        codes = self.codec.encode(np.concatenate([images, below], axis=1))
        return codes[:, :known].reshape(len(images), -1).astype("int32")

    def checked(self, codes):
        """Codes, or their first rows, int array (n, rows, width), one after the other: int32 array (n, rows * width).

        Raises:
            InputError: they are none of this codec's.
        """
        codes, (height, width) = np.asarray(codes), self.grid
        fits = codes.ndim == 3 and codes.shape[1] <= height and codes.shape[2] == width
        if not (fits and codes.dtype.kind in "iu"):
            raise InputError(f"Codes are integers (n, up to {height}, {width}), not {codes.dtype} of {codes.shape}.")
        if codes.size and not (codes.min() >= 0 and codes.max() < self.count):
            raise InputError(f"Codes lie between 0 and {self.count - 1}, not {codes.min()} to {codes.max()}.")
        return codes.reshape(len(codes), -1).astype("int32")

    def images(self, tokens):
        """The images of int array (n, length): float32 array (n, *image_shape)."""
        codes = np.reshape(tokens, (-1, *self.grid)).astype("int32")
        parts = [codes[start : start + TOGETHER] for start in range(0, len(codes), TOGETHER)]
        return np.concatenate([np.asarray(self._decode(tf.constant(part)), "float32") for part in parts])

    def shown(self, is_known):
        """As in `LevelTokens`: of each patch all numbers, or none; (height, width, 1)."""
        sizes = zip(self.image_shape, self.grid)
        rows, columns = (np.arange(size) * cells // size for size, cells in sizes)
        return is_known.reshape(self.grid)[rows][:, columns, None]
