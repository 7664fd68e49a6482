"""Batches of a table's columns as a `tf.data.Dataset`, gathered while the device is busy with the batch before."""

import numpy as np
import tensorflow as tf


def stream(columns, order, first_batch, repeat, fixed_size):
    """A dataset of the batches of `order`, from number `first_batch` on.

    Args:
        columns: list of `Column`.
        order: a `BatchOrder`.
        repeat: endless; else up to the end of the first pass.
        fixed_size: every batch is whole, so the batch axis of the dataset has a known size.

    Returns:
        tf.data.Dataset: tensors (batch, ...) for one column, tuples of them for several.
    """
    end = np.iinfo(np.int64).max if repeat else order.steps_per_epoch
    batch_axis = order.batch_size if fixed_size else None
    stored = [tf.as_dtype(column.values.dtype) for column in columns]

    def gather(batch):
        indices = order.indices(batch)
        # Sorting the indices first, so that the file is read in its order, measured no faster.
        return [_for_tensorflow(column.values[indices]) for column in columns]

    def load(batch):
        # What is stored crosses into the graph, and is cast there: a byte a pixel, not four.
        gathered = tf.numpy_function(gather, [batch], stored, stateful=False)
        tensors = [
            column.tensor(tf.ensure_shape(values, (batch_axis, *column.shape)))
            for column, values in zip(columns, gathered)
        ]
        return tuple(tensors) if len(tensors) > 1 else tensors[0]

    dataset = tf.data.Dataset.range(first_batch, end).map(load)
    count = tf.data.INFINITE_CARDINALITY if repeat else max(0, end - first_batch)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(count))
    return dataset.prefetch(tf.data.AUTOTUNE)


def _for_tensorflow(values):
    # Its own way from text to bytes knows ASCII alone.
    return np.char.encode(values, "utf-8") if values.dtype.kind == "U" else values
