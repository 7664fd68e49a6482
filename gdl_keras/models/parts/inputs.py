"""What a model is given is looked at before it learns from it, and what is wrong is said in one sentence.

Arrays are looked at whole, streams at their first batch, and at the labels of every batch, as they pass by: asked for a
batch a second time, a generator would have lost it, and a shuffled data set would come in another order.
"""

import weakref
from collections.abc import Iterable, Iterator, Mapping

import keras
import numpy as np
import tensorflow as tf

from gdl_keras.errors import InputError, counted
from gdl_keras.models.parts.examples import check_are_arrays, check_values, check_width
from gdl_keras.models.parts.precision import check_precision
from gdl_keras.models.parts.weights import refuse_weights, weights_of


def columns_of(data, count):
    """The first `count` columns of what Keras hands to a step: list of them, shorter where there are fewer.

    Args:
        data: one column; or a tuple that begins with the columns, or with a tuple of them.
        count: int.
    """
    data = tuple(data) if isinstance(data, (tuple, list)) else (data,)
    if count > 1 and isinstance(data[0], (tuple, list)):
        data = tuple(data[0])
    return [column for column in data[:count] if column is not None]


def images_beside(data):
    """The second column of what Keras hands to a step, in a list, where it is images and not labels or attributes."""

    def is_images(column):
        # The rank of a stream's column may be unknown.
        return (tf.TensorShape(getattr(column, "shape", ())).rank or 0) > 2

    return list(filter(is_images, columns_of(data, 2)[1:]))


def inputs_and_labels(data, labels_are):
    """The first column of what Keras hands to `train_step`, and the labels.

    Args:
        data: what `train_step` gets.
        labels_are: `Classes` or `Attributes` of `parts/conditions.py`.

    Returns:
        (float32 tensor (batch, ...), int64 tensor (batch,) of class numbers or float32 tensor (batch, count)).
    """
    inputs, labels = columns_of(data, 2)
    return tf.cast(inputs, tf.float32), labels_are.as_learnt(labels)


def pairs_of(model, data):
    """The two texts of each pair in what Keras hands to a step: int32 tensors (batch, length), chosen and rejected.

    Raises:
        InputError: their rows differ in length, or there are weights beside them, which these steps do not take.
    """
    if weights_of(data) is not None:
        refuse_weights(model)
    chosen, rejected = (tf.cast(column, tf.int32) for column in columns_of(data, 2))
    if not chosen.shape[1:].is_compatible_with(rejected.shape[1:]):
        raise InputError(
            f"The chosen texts have {chosen.shape[1]} tokens, and the rejected ones {rejected.shape[1]}: fill up the "
            "shorter rows with the token of a text's end."
        )
    return chosen, rejected


def join_batches(batches, count):
    """A `tf.data.Dataset` whose batches are `count` of another one's each, joined; nested structures stay."""
    if count == 1:
        return batches

    def join(*columns):
        columns = columns[0] if len(columns) == 1 else columns
        return tf.nest.map_structure(lambda tensor: tf.reshape(tensor, (-1, *tensor.shape[2:])), columns)

    return batches.batch(count, drop_remainder=True).map(join)


def as_stream(x):
    """What gives batches each time that it is gone through, as a `DataLoader` of PyTorch does, as a `tf.data.Dataset`.

    Args:
        x: what `fit` is given; all that Keras knows stays as it is, and so do our own data sets.

    Raises:
        InputError: it gives no batch.
    """
    is_known = isinstance(x, (tuple, list, dict, str, tf.data.Dataset, keras.utils.PyDataset, Iterator))
    if is_known or hasattr(x, "shape") or hasattr(x, "batches") or not isinstance(x, Iterable):
        return x

    def batches():
        for batch in x:
            if isinstance(batch, Mapping):
                yield {name: _array(column) for name, column in batch.items()}
            else:
                yield tuple(map(_array, batch)) if isinstance(batch, (tuple, list)) else _array(batch)

    first = next(batches(), None)
    if first is None:
        raise InputError(f"This {type(x).__name__} gives no batch: there must be one at least.")
    signature = tf.nest.map_structure(lambda column: tf.TensorSpec((None, *column.shape[1:]), column.dtype), first)
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
    return dataset.apply(tf.data.experimental.assert_cardinality(len(x))) if hasattr(x, "__len__") else dataset


def _array(column):
    # A tensor of PyTorch may lie on a GPU.
    return np.asarray(column.detach().cpu() if hasattr(column, "detach") else column)


class Look:
    """Looks at what one call of `fit`, `evaluate` or `predict` is given.

        with Look(model, model.learns_from) as look:
            x = look.at(x, y)
            ...                 # streams are looked at here

    Args:
        model: a `TapeModel`.
        columns: names of the columns that it needs.

    Raises:
        InputError: they are not what their names say, or do not fit the model; or Keras is set to another precision.
    """

    def __init__(self, model, columns):
        check_precision(model)
        self.model = model
        self.columns = columns
        self.error = None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        # What is raised within a pipeline of TensorFlow's comes out of it as an error of TensorFlow's.
        if self.error is not None and error is not self.error:
            raise self.error from None

    def at(self, x, y=None):
        """`x`, or a stream of the same batches that is looked at on its way."""
        if not self.columns:
            return x
        x = as_stream(x)
        if hasattr(x, "rows"):
            self._at_table(x)
        elif isinstance(x, tf.data.Dataset):
            self._check(x.element_spec, values=False)
            return self._passing(x)
        elif isinstance(x, keras.utils.PyDataset):
            return _Passing(x, self._forgettable_check())
        elif isinstance(x, Iterator):
            return self._generated(x)
        elif not hasattr(x, "batches"):
            self._refuse_batches(x)
            self._check(x if y is None else (x, y))
            if y is not None:
                check_are_arrays(("labels",), (y,))
        return x

    def at_validation(self, data):
        """The same of `validation_data`: arrays and streams may come as a tuple (x, y, weights)."""
        if not isinstance(data, (tuple, list)):
            return None if data is None else self.at(data)
        return (self.at(*data[:2]), *data[1:])

    def _refuse_batches(self, x):
        is_list = isinstance(x, (tuple, list)) and all(hasattr(part, "shape") for part in x)
        if is_list and len(x) > len(self.columns):
            wanted, name = " and ".join(self.columns), type(self.model).__name__
            raise InputError(
                f"{name} learns from {wanted}, and this is a {type(x).__name__} of {counted(len(x), 'array')}: join "
                "batches with numpy.concatenate, or give them one by one from a generator or a keras.utils.PyDataset."
            )

    def _check(self, batch, values=True):
        found = columns_of(batch, len(self.columns))
        check_are_arrays(self.columns, found)
        name = type(self.model).__name__
        if len(found) < len(self.columns):
            wanted = " and ".join(self.columns)
            them = "both" if len(self.columns) > 1 else "them"
            raise InputError(f"{name} learns from {wanted}: give {them}, such as fit({', '.join(self.columns)}).")
        columns = [*zip(self.columns, found), *(("images", target) for target in self._targets(batch))]
        for column, given in columns:
            check_width(self.model, column, given)
        if not values:
            return
        for column, given in columns:
            check_values(self.model, column, given)
        lengths = {
            len(given): f"{len(given):,} {column.removesuffix('s') if len(given) == 1 else column}"
            for column, given in columns
            if hasattr(given, "__len__")
        }
        if len(lengths) > 1:
            raise InputError(f"There are {' and '.join(lengths.values())}: {name} learns from one of each.")

    def _targets(self, batch):
        return images_beside(batch) if self.model.takes_targets else []

    def _at_table(self, table):
        # Its batches are what its columns say; what they say may not be what this model learns from.
        for column in self.columns:
            rows = slice(None) if column == "labels" else slice(0, table.batch_size)
            check_width(self.model, column, values := table.rows(column, rows))
            check_values(self.model, column, values)

    def _check_next(self, batch, number):
        try:
            if number == 0:
                self._check(batch)
            elif "labels" in self.columns:
                labels = columns_of(batch, len(self.columns))[self.columns.index("labels")]
                check_values(self.model, "labels", labels)
        except InputError as error:
            self.error = error
            raise

    def _forgettable_check(self):
        # TensorFlow never forgets a Python function that it was given, and would keep the model along with this one.
        reference = weakref.WeakMethod(self._check_next)

        def check_next(batch, number):
            if (check := reference()) is not None:
                check(batch, number)

        return check_next

    def _passing(self, dataset):
        check_next = self._forgettable_check()

        @tf.autograph.experimental.do_not_convert
        def pass_on(is_due, batch):
            found = columns_of(batch, len(self.columns)) + self._targets(batch)
            if not all(isinstance(column, tf.Tensor) for column in found):
                return is_due, batch

            def look():
                seen = tf.py_function(lambda *columns: check_next(columns, 0), found, [])
                with tf.control_dependencies([seen]):
                    return tf.constant(False)

            if "labels" in self.columns:
                is_due |= self.model.labels_are.are_outside(found[self.columns.index("labels")])
            return tf.cond(is_due, look, lambda: tf.constant(False)), batch

        return dataset.scan(tf.constant(True), pass_on)

    def _generated(self, batches):
        for number, batch in enumerate(batches):
            self._check_next(batch, number)
            yield tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)


class _Passing(keras.utils.PyDataset):
    """Another `PyDataset`, whose batches are looked at when Keras asks for them."""

    def __init__(self, inner, look):
        super().__init__(inner.workers, inner.use_multiprocessing, inner.max_queue_size)
        self.inner = inner
        self.look = look
        self.seen = 0

    def __getitem__(self, index):
        batch = self.inner[index]
        if self.look is not None:
            self.look(batch, self.seen)
            self.seen += 1
        return batch

    def __getstate__(self):
        # Keras asks for the first two batches before it sends copies to other processes.
        return {**vars(self), "look": None}

    @property
    def num_batches(self):
        return self.inner.num_batches

    def on_epoch_begin(self):
        self.inner.on_epoch_begin()

    def on_epoch_end(self):
        self.inner.on_epoch_end()
