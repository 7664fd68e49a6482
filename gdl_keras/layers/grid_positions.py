"""Positions in a grid: what tells a transformer in which row and which column a token of an image stands."""

import keras
import numpy as np
import tensorflow as tf

from gdl_keras.errors import InputError, check_one_of

KINDS = ("learned", "fixed", "sines")


@keras.saving.register_keras_serializable(package="gdl_keras")
class GridPositions(keras.layers.Layer):
    """Adds to the vector at place t what stands for the row and the column of the token to be foreseen there.

        learned:  x_t + rows[i] + columns[j] (+ channels[c]),    t = (i width + j) channels + c
        fixed:    x_t + [sin 2^k j / width, cos 2^k j / width ..., sin 2^k i / height, cos 2^k i / height ...]_k
        sines:    x_t + [sin j / s_k, cos j / s_k ..., sin i / s_k, cos i / s_k ...]_k,    s_k = 10000^(k / number of k)

    A grid of h rows and w columns has h + w vectors to learn, and not h w: what a row has in common is learnt from all
    of its tokens.

    Args:
        height, width: ints, of the grid.
        channels: int, how many tokens stand in a place, one after the other.
        kind: "learned"; or "fixed" or "sines": sines and cosines, of a share of the vector's numbers for each axis.
            In the higher octaves of "fixed" neighbours are no more alike than others: for long vectors there are
            "sines" (Vaswani et al. 2017, section 3.5).

    Call arguments:
        x: float tensor (batch, length, dim), length at most height * width * channels.

    Raises:
        InputError: a size is below 1, x is longer, or its numbers cannot be dealt out among sines, cosines and axes.
    """

    def __init__(self, height, width, channels=1, kind="learned", **kwargs):
        super().__init__(**kwargs)
        check_one_of("kind", kind, KINDS)
        if min(height, width, channels) < 1:
            raise InputError(f"height, width and channels are at least 1, not {height}, {width} and {channels}.")
        self.height, self.width, self.channels = height, width, channels
        self.kind = kind

    @property
    def length(self):
        """int, how many places there are."""
        return self.height * self.width * self.channels

    def build(self, input_shape):
        dim = input_shape[-1]
        sizes = {"rows": self.height, "columns": self.width}
        if self.channels > 1:
            sizes["channels"] = self.channels
        if self.kind != "learned":
            self.table = fixed_table(tuple(sizes.values()), dim, self.kind)
            return
        self.tables = [
            self.add_weight(shape=(size, dim), initializer=keras.initializers.RandomNormal(stddev=0.02), name=name)
            for name, size in sizes.items()
        ]

    def call(self, x):
        length = x.shape[1]
        if length is not None and length > self.length:
            raise InputError(f"{length} tokens are more than the {self.length} of the grid.")
        return x + self._vectors(tf.range(tf.shape(x)[1]), x.dtype)

    def step(self, x, place):
        """The same for vectors (batch, dim) that all stand at one place, an int tensor."""
        return x + self._vectors(place, x.dtype)

    def _vectors(self, places, dtype):
        if self.kind != "learned":
            return tf.cast(tf.gather(tf.constant(self.table), places), dtype)
        pixels = places // self.channels
        along = (pixels // self.width, pixels % self.width, places % self.channels)
        tables = [tf.cast(tf.convert_to_tensor(table), dtype) for table in self.tables]
        return sum(tf.gather(table, numbers) for table, numbers in zip(tables, along))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        names = ("height", "width", "channels", "kind")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def fixed_table(sizes, dim, kind="fixed"):
    """Sines and cosines of each place: float32 array (places, dim).

    Args:
        sizes: (height, width) or (height, width, channels).
        dim: int, a multiple of 2 * len(sizes).
        kind: "fixed" or "sines".

    Raises:
        InputError: it is none.
    """
    octaves, rest = divmod(dim, 2 * len(sizes))
    if rest:
        raise InputError(f"Fixed positions want vectors of a multiple of {2 * len(sizes)} numbers, not {dim}.")
    rows, columns, *channels = (numbers.reshape(-1) for numbers in np.indices(sizes))
    places = np.stack([columns, rows, *channels], axis=1)
    if kind == "fixed":
        height, width, *rest = sizes
        places, speeds = places / np.array([width, height, *rest]), 2.0 ** np.arange(octaves)
    else:
        speeds = 1e4 ** (-np.arange(octaves) / octaves)
    angles = np.multiply.outer(places, speeds)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(-1, dim).astype("float32")
