"""What a conditional model is told to make: one object with which every caller checks, deals out and looks up.

Conditions travel as keyword arguments of `generate`: {keyword: array with one entry a sample}.
"""

import numpy as np
import tensorflow as tf

from gdl_keras.data.arrays import are_one_hot
from gdl_keras.errors import InputError, counted, nearest

NAMES_SHOWN = 20


class Unconditional:
    """No conditions: the model makes what it likes."""

    keyword = None
    count = 0
    names = None

    def __bool__(self):
        return self.keyword is not None

    def check(self, n, model_name, **given):
        """The conditions of `n` samples, as arrays of length `n`: {keyword: array}.

        Args:
            n: int.
            model_name: str, for error messages.
            given: what `generate` was given.

        Raises:
            InputError: one is missing, or not what the model learnt from.
        """
        if given:
            raise InputError(f"generate() of {model_name} takes no {', '.join(given)}.")
        return {}

    def in_turn(self, n, each=1):
        """All conditions in turn, each for so many samples, over and over until there are `n`: {keyword: array}."""
        return {}

    def same(self, value, n):
        """The same condition, by its number or its name, for `n` samples: {keyword: array}.

        Raises:
            InputError: there is no such.
        """
        raise InputError("This model is not conditional: it takes no label.")

    def like(self, table, indices, n):
        """The conditions of real examples, over and over until there are `n`: {keyword: array}.

        They then come in the proportions of the data.

        Args:
            table: a `data.Table`.
            indices: int array, numbers of examples.
            n: int.

        Raises:
            InputError: the data has no such conditions.
        """
        return {}

    def as_learnt(self, labels):
        """The column "labels" as `train_step` wants it, from any form in which it may come; None where there is none.

        Args:
            labels: tensor (batch,) or (batch, k).
        """

    def are_outside(self, labels):
        """Whether any of the labels (batch,) or (batch, k) is none that there is: bool tensor, a scalar."""
        return tf.constant(False)

    def check_learnt_width(self, shape, model_name):
        """Raises InputError unless the column "labels" may come in this shape, in which None is any size."""

    def check_learnt_values(self, labels, model_name):
        """Raises InputError unless an array of labels, of a shape in which they may come, holds what can be learnt."""


class Classes(Unconditional):
    """One class a sample: `labels`, integers (n,) from 0 to count - 1.

    To learn from they may come as (n, 1), as `keras.datasets` has them, or as one-hot rows (n, count), too.

    Args:
        count: int, how many classes.
        names: what they are called, str each; None, or another number of names, where that is not known.
    """

    keyword = "labels"
    noun = "classes"

    def __init__(self, count, names=None):
        self.count = count
        self.names = list(names) if names is not None and len(names) == count else None

    def check(self, n, model_name, labels=None, **others):
        super().check(n, model_name, **others)
        sentence = f"{model_name} makes what labels say: pass labels=..., {n} {self._wanted()}"
        if labels is None:
            raise InputError(f"{sentence}.")
        labels = np.asarray(labels)
        if labels.shape != (n, *self._shape()):
            raise InputError(f"{sentence}, not an array of shape {labels.shape}.")
        if not self._are_valid(labels):
            raise InputError(f"{sentence}, not {labels.min()} to {labels.max()} ({labels.dtype}).")
        return {"labels": labels}

    def in_turn(self, n, each=1):
        return {"labels": self._rows(np.arange(n) // each % self.count)}

    def same(self, value, n):
        return {"labels": self._rows(np.full(n, self.number(value)))}

    def number(self, label):
        """The number of a label: an int from 0 to count - 1.

        Args:
            label: its number, as an int or as text, or its name; a part of one name, large or small letters, is enough.
                Where names are themselves numbers, a text is a name first.

        Raises:
            InputError: there is no such label.
        """
        if isinstance(label, str) and (number := self._named(label)) is not None:
            return number
        try:
            number = int(label)
        except ValueError:
            raise self._unknown(label) from None
        if not 0 <= number < self.count:
            raise InputError(f"A label lies between 0 and {self.count - 1}, not {label}.{self._known()}")
        return number

    def _named(self, label):
        for fits in (str.__eq__, str.__contains__):
            found = self._fitting(label, fits)
            if len(found) == 1 and not (fits is str.__contains__ and label.isdigit()):
                return found[0]
        return None

    def _fitting(self, label, fits=str.__contains__):
        return [n for n, name in enumerate(self.names or []) if fits(name.casefold(), label.casefold())]

    def _unknown(self, label):
        if len(found := self._fitting(label)) > 1:
            return InputError(
                f"The label {label!r} fits several: {self._listed(found)}.  Write more of one, or its number."
            )
        numbers = f"a number from 0 to {self.count - 1}"
        if self.names is None:
            return InputError(f"What {label!r} is called by is not known here: a label is {numbers}.")
        if all(name.isdigit() for name in self.names):
            return InputError(f"There is no label {label!r}: these have no names, a label is {numbers}.")
        hint = nearest(label, self.names)
        hint = f"  {hint}" if hint.startswith("Did") else ""
        return InputError(f"There is no label {label!r}.{hint}{self._known()}")

    def _known(self):
        if self.names is None:
            return ""
        return f"  Known are: {self._listed(range(self.count))}."

    def _listed(self, numbers):
        more = f" and {len(numbers) - NAMES_SHOWN} more" if len(numbers) > NAMES_SHOWN else ""
        return ", ".join(self.names[number] for number in numbers[:NAMES_SHOWN]) + more

    def like(self, table, indices, n):
        values, known = self._values_of(table)
        if values is None or known != self.count:
            raise InputError(
                f"The model makes samples of {self.count} {self.noun}, and {table.name} has {known}: "
                "choose the data set that it learnt from."
            )
        return {"labels": values[indices[np.arange(n) % len(indices)]]}

    def as_learnt(self, labels):
        labels = tf.convert_to_tensor(labels)
        if labels.shape.rank == 1:
            return tf.cast(labels, tf.int64)
        # A step that has seen both forms knows neither's number of axes any more.
        rows = tf.reshape(labels, (tf.shape(labels)[0], -1))
        # Of integers a GPU finds no largest one.
        hot = tf.argmax(tf.cast(rows, tf.float32), axis=1)
        return tf.where(tf.shape(rows)[1] == 1, tf.cast(rows[:, 0], tf.int64), hot)

    def are_outside(self, labels):
        numbers = self.as_learnt(labels)
        return tf.reduce_any((numbers < 0) | (numbers >= self.count))

    def check_learnt_width(self, shape, model_name):
        if len(shape) == 1 or (len(shape) == 2 and shape[1] in (1, self.count, None)):
            return
        raise InputError(
            f"{model_name} learns {self.count} classes: labels are their numbers, (n,) or (n, 1), or one-hot rows "
            f"(n, {self.count}), and these have shape {_shown(shape)}."
        )

    def check_learnt_values(self, labels, model_name):
        if labels.ndim == 2 and labels.shape[1] > 1:
            if not are_one_hot(labels):
                raise InputError("Rows of labels are one-hot, a single 1 among 0, and some of these are not.")
            return
        if not (np.isfinite(labels).all() and (labels == np.floor(labels)).all()):
            raise InputError("Labels are the numbers of classes, and some of these are no integers.")
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= self.count:
            begin_at_1 = (low, high) == (1, self.count)
            way_out = "subtract 1" if begin_at_1 else "number them so, or build networks for as many as there are"
            raise InputError(
                f"{model_name} learns {self.count} classes, numbered from 0 to {self.count - 1}, and these labels go "
                f"from {low} to {high}: {way_out}."
            )

    def _wanted(self):
        return f"integers from 0 to {self.count - 1}"

    def _shape(self):
        return ()

    def _are_valid(self, labels):
        return np.issubdtype(labels.dtype, np.integer) and ((labels >= 0) & (labels < self.count)).all()

    def _rows(self, numbers):
        return numbers

    def _values_of(self, table):
        return table.labels, len(table.class_names or [])


class Attributes(Classes):
    """Any number of attributes at once: `labels`, float rows (n, count) in [0, 1].

    Where one number stands for a row, that attribute is 1 and the others are 0.
    """

    noun = "attributes"

    def as_learnt(self, labels):
        return tf.cast(labels, tf.float32)

    def are_outside(self, labels):
        return tf.constant(False)

    def check_learnt_width(self, shape, model_name):
        if len(shape) != 2 or shape[1] not in (self.count, None):
            raise InputError(
                f"{model_name} learns {counted(self.count, 'attribute')}: labels are rows of numbers (n, "
                f"{self.count}), and these have shape {_shown(shape)}."
            )

    def check_learnt_values(self, labels, model_name):
        if not np.isfinite(labels).all():
            raise InputError("Attributes are finite numbers, and some of these are NaN or infinite.")
        if np.isin(labels, (-1, 1)).all() and labels.min() < 0:
            raise InputError("Attributes are numbers in [0, 1], and these are -1 and 1: map them, (labels + 1) / 2.")

    def _wanted(self):
        return f"rows of {counted(self.count, 'attribute')}"

    def _shape(self):
        return (self.count,)

    def _are_valid(self, labels):
        return True

    def _rows(self, numbers):
        return np.eye(self.count, dtype="float32")[numbers]

    def _values_of(self, table):
        attributes = table.attributes
        return None if attributes is None else attributes.astype("float32"), len(table.attribute_names or [])


def _shown(shape):
    return str(shape).replace("None", "any")
