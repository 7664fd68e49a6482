"""A data set: named columns of equal length, as batches in an order that a seed fixes."""

import copy

import numpy as np

from gdl_keras.data.columns import Column
from gdl_keras.data.digests import digest
from gdl_keras.data.labelled import Labelled
from gdl_keras.data.order import BatchOrder
from gdl_keras.errors import InputError, check_whole, nearest


class Table(Labelled):
    """One split of a data set.  `gdl_keras.data.load` makes it, or `from_arrays`.

    Args:
        columns: {name: `Column`}, all of one length; the first is what models of the data set make.
        name, split, source, identity, kind, batch_size, seed, class_names, attribute_names, left_out: the attributes.
        formerly: a function of a str: whether an earlier version of this package gave these examples that identity.

    Attributes:
        name: the name or folder that was asked for.
        split: "train" or "test".
        source: where the data came from, as a phrase.
        identity: str, the same for the same examples prepared in the same way.
        kind: what an example is: "images", "text", "points" ...
        num_examples: how many.
        columns: {name: `Column`}.
        class_names: list of str, or None; attribute_names: list of str, or None.
        left_out: {reason: how many}, files beside the examples that are not used.
        batch_size: examples a batch, never more than there are.
        seed: fixes the order of the examples in every pass.

    Raises:
        InputError: there is no example, the columns differ in length, or a batch has none.
    """

    def __init__(
        self,
        columns,
        *,
        name,
        kind,
        split="train",
        source="memory",
        identity=None,
        batch_size=32,
        seed=0,
        class_names=None,
        attribute_names=None,
        left_out=None,
        formerly=None,
    ):
        self.name = name
        self.kind = kind
        self.split = split
        self.source = source
        self.identity = identity
        self.seed = seed
        self.class_names = class_names
        self.attribute_names = attribute_names
        self.left_out = left_out or {}
        self._formerly = formerly
        self.columns = dict(columns)
        self.num_examples = self._common_length()
        check_whole("The batch size", batch_size, 1)
        self.batch_size = min(batch_size, self.num_examples)

    def __len__(self):
        return self.steps_per_epoch

    def __repr__(self):
        shapes = ", ".join(f"{name} {column.shape}" for name, column in self.columns.items())
        return f"<{self.name} {self.split}: {self.num_examples:,} examples ({shapes}) from {self.source}>"

    @property
    def steps_per_epoch(self):
        """Batches in one pass, the incomplete last one not counted."""
        return self.num_examples // self.batch_size

    @property
    def main_column(self):
        """The name of the column that models of this data set make: the first one."""
        return next(iter(self.columns))

    def is_called(self, identity):
        """Whether these are the examples that had this identity, be it under an earlier version of this package."""
        return identity == self.identity or bool(self._formerly and self._formerly(identity))

    def rows(self, column, indices):
        """Examples by number, as networks take them.

        Args:
            column: the name of a column; "labels" are the attributes where there are attributes and no labels.
            indices: a slice or an integer array.

        Returns:
            numpy array (n, ...).

        Raises:
            InputError: there is no such column.
        """
        return self.column(column).rows(indices)

    def sample(self, n, seed=0, column=None):
        """`n` distinct examples of a column (by default the first), or all where there are fewer: array (n, ...)."""
        chosen = np.random.default_rng(seed).choice(self.num_examples, min(n, self.num_examples), replace=False)
        return self.rows(column or self.main_column, chosen)

    def spread(self, n):
        """The numbers of `n` examples spread evenly over all, or of all where there are fewer: ascending int array."""
        return np.unique(np.linspace(0, self.num_examples - 1, min(n, self.num_examples)).round().astype(int))

    def batches(self, first_batch=0, shuffle=True, repeat=True, columns=None, drop_remainder=True):
        """The examples as batches.

        Args:
            first_batch: the stream starts where one from 0 would be after so many batches.
            shuffle: each pass in an order of its own, which the seed and its number fix; else the stored order.
            repeat: an endless stream; else one pass.
            columns: the name of a column or several of them; by default the first column.
            drop_remainder: leave out the incomplete batch at the end of a pass.

        Returns:
            tf.data.Dataset: of tensors (batch, ...) for one column, of tuples of them in the order asked for several.

        Raises:
            InputError: there is no such column.
        """
        from gdl_keras.data.stream import stream

        names = [columns] if isinstance(columns, str) else columns or [self.main_column]
        order = self.order(shuffle, drop_remainder)
        return stream([self.column(name) for name in names], order, first_batch, repeat, drop_remainder)

    def order(self, shuffle=True, drop_remainder=True):
        """Which examples make up which batch of `batches`: a `BatchOrder`."""
        return BatchOrder(self.num_examples, self.batch_size, self.seed, shuffle, drop_remainder)

    def with_columns(self, **columns):
        """The same examples with more columns, or others in the place of those of the same name.

        Args:
            columns: a `Column` or an array (num_examples, ...) each.
        """
        columns = {name: _as_column(values) for name, values in columns.items()}
        parts = [self.identity, *(f"{name} {digest(column)}" for name, column in columns.items())]
        return self.changed(columns={**self.columns, **columns}, identity=" with ".join(map(str, parts)))

    def only(self, numbers):
        """A table of the examples with these numbers, an int array, in that order."""
        numbers = np.asarray(numbers, np.int64)
        return self._only(numbers, f"only {digest(Column(numbers))}")

    def changed(self, **attributes):
        """A copy of this table with other values of some attributes; who changes the examples changes the identity."""
        other = copy.copy(self)
        vars(other).update(attributes)
        if "identity" in attributes:
            other._formerly = None  # what that knew are not these examples
        other.num_examples = other._common_length()
        other.batch_size = min(other.batch_size, other.num_examples)
        return other

    def _only(self, numbers, phrase):
        columns = {name: column.only(numbers) for name, column in self.columns.items()}
        return self.changed(columns=columns, identity=f"{self.identity} {phrase}")

    def _common_length(self):
        lengths = {name: len(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) != 1:
            told = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
            raise InputError(f"The columns of {self.name} must have one length; they have: {told or 'no column'}.")
        length = next(iter(lengths.values()))
        if not length:
            raise InputError(f"{self.name} has no example: give at least one.")
        return length

    def column(self, name):
        """The `Column` of a name; "labels" are the attributes where there are attributes and no labels.

        Raises:
            InputError: there is no such column.
        """
        if name in self.columns:
            return self.columns[name]
        if name == "labels":
            if "attributes" in self.columns:
                return self.columns["attributes"]
            raise self._no_labels()
        raise InputError(f"{self.name} has no column {name}.  {nearest(name, self.columns)}")


def _as_column(values):
    return values if isinstance(values, Column) else Column(np.asarray(values))
