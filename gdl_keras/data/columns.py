"""The columns of a table: where the values lie, and how a batch of them becomes what networks take."""

import numpy as np

from gdl_keras.errors import InputError


class Column:
    """One value an example.

    Args:
        values: array-like (N, ...) with `shape`, `dtype` and numpy's indexing by slices and integer arrays: a numpy
            array, a memory map, `Windows`.  Nothing of it is read before it is asked for.
        dtype: what a batch is cast to; None leaves it as it is stored.
        divisor: what a batch is divided by after that, such as 255 for bytes that become images in [0, 1].
    """

    def __init__(self, values, dtype=None, divisor=None):
        self.values = values
        self.dtype = dtype
        self.divisor = divisor

    def __len__(self):
        return self.values.shape[0]

    @property
    def shape(self):
        """The shape of one example."""
        return tuple(self.values.shape[1:])

    def rows(self, indices):
        """Examples by number (a slice or an integer array), as networks take them: numpy array (n, ...)."""
        values = self.values[indices]
        if self.dtype is not None:
            values = values.astype(self.dtype)
        return values if self.divisor is None else values / values.dtype.type(self.divisor)

    def tensor(self, values):
        """The same of a tensor of stored values, inside a graph; bit for bit what `rows` gives."""
        import tensorflow as tf

        if self.dtype is not None:
            values = tf.cast(values, self.dtype)
        return values if self.divisor is None else values / tf.constant(self.divisor, values.dtype)

    def only(self, numbers):
        """A column of the examples with these numbers, an int array, in that order."""
        # Labels and the like are taken now, what may be large when it is asked for.
        at_once = type(self.values) is np.ndarray and self.values.ndim <= 2
        values = self.values[numbers] if at_once else Chosen(self.values, numbers)
        return Column(values, self.dtype, self.divisor)


class Chosen:
    """Some of the values of a column, by number: read when they are asked for, like the values themselves."""

    def __init__(self, values, numbers):
        self.shape = (len(numbers), *values.shape[1:])
        self._values = values
        self._numbers = numbers

    @property
    def dtype(self):
        return self._values.dtype

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, indices):
        return self._values[self._numbers[indices]]


class Windows:
    """Cuts of one long array, each taken when it is asked for: window i begins at value i * stride.

    Args:
        values: array (T, ...), in memory or a memory map.
        length: values a window.
        stride: values from the beginning of one window to that of the next.  What is left at the end, too short for a
            window, is in none.

    Attributes:
        shape: (count, length, ...).

    Raises:
        InputError: the array is shorter than one window.
    """

    def __init__(self, values, length, stride=1):
        if length < 1 or stride < 1:
            raise InputError(f"A window's length and stride are at least 1; they are {length} and {stride}.")
        if len(values) < length:
            raise InputError(f"A window of {length} values does not fit into {len(values)}: take a shorter one.")
        # A view of all windows that overlap in memory: numpy copies those that are asked for, and no others.
        overlapping = np.lib.stride_tricks.sliding_window_view(values, length, axis=0)[::stride]
        self._windows = np.moveaxis(overlapping, -1, 1)
        self.shape = self._windows.shape
        self.dtype = self._windows.dtype

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, indices):
        return self._windows[indices]


class Beginnings:
    """The beginnings of the texts of one long array, a row each, taken when they are asked for.

    Args:
        values: int array (T,), in memory or a memory map, in which `end` stands between two texts.
        length: values a row; what a shorter text does not fill is `end`.
        end: int.

    Attributes:
        shape: (count, length).
    """

    def __init__(self, values, length, end):
        ends = np.flatnonzero(values == end)
        self._values = values
        self._starts, self._ends = np.append(0, ends + 1), np.append(ends, len(values))
        self._end = values.dtype.type(end)
        self.shape = (len(self._starts), length)
        self.dtype = values.dtype

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, indices):
        places = self._starts[indices][..., None] + np.arange(self.shape[1])
        values = self._values[np.minimum(places, len(self._values) - 1)]
        return np.where(places < self._ends[indices][..., None], values, self._end)
