"""Batches of images as a `tf.data.Dataset`, gathered from the store while the device is busy with the batch before."""

import numpy as np
import tensorflow as tf


def stream(pixels, targets, order, first_batch, repeat, fixed_size):
    """A dataset of the batches of `order`, from number `first_batch` on.

    Args:
        pixels: uint8 (N, H, W, C), in memory or a memory map.
        targets: array (N, ...) that goes along with the images, or None.
        order: a `BatchOrder`.
        repeat: endless; else up to the end of the first pass.
        fixed_size: every batch is whole, so the batch axis of the dataset has a known size.
    """
    end = np.iinfo(np.int64).max if repeat else order.steps_per_epoch
    batch_axis = order.batch_size if fixed_size else None

    def gather(batch):
        indices = order.indices(batch)
        # Sorting the indices first, so that the file is read in its order, measured no faster.
        return (pixels[indices], targets[indices]) if targets is not None else pixels[indices]

    def load(batch):
        if targets is None:
            images, rest = tf.numpy_function(gather, [batch], tf.uint8, stateful=False), ()
        else:
            images, labels = tf.numpy_function(gather, [batch], [tf.uint8, targets.dtype], stateful=False)
            rest = (tf.ensure_shape(labels, (batch_axis, *targets.shape[1:])),)
        images = tf.ensure_shape(images, (batch_axis, *pixels.shape[1:]))
        images = tf.cast(images, tf.float32) / 255.0
        return (images, *rest) if rest else images

    dataset = tf.data.Dataset.range(first_batch, end).map(load)
    count = tf.data.INFINITE_CARDINALITY if repeat else max(0, end - first_batch)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(count))
    return dataset.prefetch(tf.data.AUTOTUNE)
