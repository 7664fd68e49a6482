"""Weights of examples: `fit(..., sample_weight=...)`, `class_weight`, or the third part of what a data set gives.

    loss = 1/n sum_i weight_i loss_i

As in Keras it is the number of examples by which the sum is divided, not the sum of the weights: a batch that was dealt
out among devices, or is learnt from in parts, then gives what it would have given whole.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from gdl_keras.errors import InputError


def weights_of(data):
    """The weights in what `fit` hands to `train_step`: a tensor (batch,), or None where there are none."""
    weights = keras.utils.unpack_x_y_sample_weight(data)[2]
    return None if weights is None else ops.reshape(weights, (-1,))


def weighted(values, weights):
    """Each example's value times its weight; the values themselves without weights.

    Where the weight is zero so is the result, even if the value is infinite or not a number.

    Args:
        values: float tensor (batch,).
        weights: tensor (batch,), or None.
    """
    return values if weights is None else tf.math.multiply_no_nan(values, ops.cast(weights, values.dtype))


def weighted_mean(values, weights):
    """The mean of rows, each as often as its weight says: float tensor (...), zeros where all weights are zero.

    Args:
        values: float tensor (batch, ...).
        weights: tensor (batch,), or None, where all count alike.
    """
    if weights is None:
        return ops.mean(values, axis=0)
    weights = ops.reshape(ops.cast(weights, values.dtype), (-1, *[1] * (len(values.shape) - 1)))
    return tf.math.divide_no_nan(ops.sum(weights * values, axis=0), ops.sum(weights))


def refuse_weights(model):
    """Raises InputError: the model's step has no place for weights."""
    raise InputError(
        f"{type(model).__name__} does not weigh examples: leave sample_weight and class_weight away, "
        "and show examples more often that should count more."
    )


def _check_weights(count, weights):
    if weights.shape not in ((count,), (count, 1)):
        raise InputError(
            f"sample_weight is one number for each of the {count} examples, and this has shape {weights.shape}."
        )
    if not np.isfinite(weights.astype("float64")).all():
        raise InputError("Weights are finite numbers, and some in sample_weight are NaN or infinite.")


def targets_beside(model, x, y=None, sample_weight=None, class_weight=None):
    """What Keras must get for `y`, which drops weights without a word where there is none.

    Args:
        model: a `TapeModel`; its `weighs_examples` says whether its step uses weights.
        x, y: what it is to learn from: arrays, a `tf.data.Dataset`, one of our data sets.
        sample_weight, class_weight: as in `keras.Model.fit`.

    Returns:
        `y`, or zeros, which a model that learns from `x` alone does not look at.

    Raises:
        InputError: the weights would have no meaning.
    """
    in_data = isinstance(x, tf.data.Dataset) and isinstance(x.element_spec, tuple) and len(x.element_spec) == 3
    is_given = in_data or sample_weight is not None or class_weight is not None
    if is_given and not model.weighs_examples:
        refuse_weights(model)
    is_table = hasattr(x, "batches")
    lacks_labels = "labels" not in model.learns_from if is_table else hasattr(x, "shape") and y is None
    if is_table and sample_weight is not None:
        raise InputError(
            "sample_weight goes along with arrays.  A data set carries its weights beside its examples: "
            "tf.data.Dataset.from_tensor_slices((images, labels, weights)).batch(32)."
        )
    if sample_weight is not None and hasattr(x, "shape"):
        _check_weights(len(x), np.asarray(sample_weight))
    if class_weight is not None and lacks_labels:
        raise InputError(
            f"class_weight wants labels, and there are none: give {type(model).__name__}.fit() "
            "arrays, images and labels, or tf.data of both."
        )
    return np.zeros(len(x)) if sample_weight is not None and lacks_labels else y
