"""What the columns are that models learn from: images, points, tokens, labels; and what to do where they are not.

`check_are_arrays` asks whether they are columns at all, `check_width` what else can be told without the numbers, and
`check_values` the numbers themselves.
"""

import math
import os
from collections.abc import Mapping

import keras
import numpy as np

from gdl_keras.data.images import BYTE, OVERSHOOT, ROUNDING, check_range
from gdl_keras.errors import InputError

# How texts and names become numbers.
NUMBERED = {
    "tokens": ": encode texts with model.to_tokens",
    **dict.fromkeys(("chosen", "rejected"), ": encode texts with model.vocabulary"),
    "labels": ": number the classes from 0 on",
}


def check_are_arrays(columns, given):
    """Raises InputError unless what is given for columns is arrays, tensors, or what has their `shape`.

    Args:
        columns: their names; those that are not known here are not looked at.
        given: list, one for each name.
    """
    for column, one in zip(columns, given):
        if column in (*INPUTS, "labels") and not hasattr(one, "shape"):
            raise InputError(f"{column.capitalize()} come as an array, {_not_an_array(columns, column, one)}.")


def _not_an_array(columns, column, given):
    kind = type(given).__name__
    if isinstance(given, Mapping):
        known = [key for name in columns for key in (name, name.removesuffix("s")) if key in given]
        taken = [f"batch[{key!r}]" for key in known or list(given)[: len(columns)]]
        wanted = f"({', '.join(taken)})" if len(taken) > 1 else "".join(taken)
        return f"and this is a dictionary of {', '.join(map(str, given))}: map(lambda batch: {wanted}) takes them out"
    if isinstance(given, (str, os.PathLike)):
        return f"and this is a path: gdl_keras.data.load({str(given)!r}) makes a data set of what is there"
    if isinstance(given, (list, tuple)):
        return f"and this is a {kind}: give numpy.asarray({column})"
    return f"a tf.data.Dataset or a data set of gdl_keras.data, and this is a {kind}"


def check_width(model, column, given):
    """Raises InputError unless one example of a column has the shape and the type that the model takes.

    Args:
        model: a `TapeModel`.
        column: its name; those that are not known here are not looked at.
        given: what has a `shape`, in which None stands for any size, and a `dtype`.
    """
    shape = getattr(given, "shape", None)
    if shape is None or getattr(shape, "rank", 0) is None or column not in (*INPUTS, "labels"):
        return
    dtype = getattr(given.dtype, "name", str(given.dtype))
    if not dtype.startswith(("float", "bfloat", "int", "uint", "bool")):
        dtype = "text" if dtype.startswith("str") else dtype
        raise InputError(f"{column.capitalize()} are numbers, not {dtype}{NUMBERED.get(column, '')}.")
    if column == "labels":
        model.labels_are.check_learnt_width(tuple(shape), type(model).__name__)
    elif model.example_shape is not None:
        _check_shape(type(model).__name__, column, tuple(shape), model.example_shape)


def check_values(model, column, given):
    """Raises InputError unless the numbers of a column are what its name says.

    Args:
        model, column: as in `check_width`.
        given: array or tensor (n, ...).
    """
    if not hasattr(given, "shape") or column not in (*INPUTS, "labels"):
        return
    values = np.asarray(given)
    if not values.size:
        raise InputError(f"There are no {column}: {type(model).__name__} needs at least one example.")
    if column == "labels":
        model.labels_are.check_learnt_values(values, type(model).__name__)
    else:
        low, high = float(values.min()), float(values.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            raise InputError(f"{column.capitalize()} are finite numbers, and some of these are NaN or infinite.")
        INPUTS[column](model, values, low, high)


def shape_taken_by(network):
    """The shape of one example that a network takes, None in the place of any size; or None where any shape goes."""
    inputs = getattr(network, "inputs", None)
    return tuple(inputs[0].shape[1:]) if inputs else None


def _check_shape(name, column, shape, wanted):
    given = shape[1:]
    if len(given) == len(wanted) and all(a == b or None in (a, b) for a, b in zip(given, wanted)):
        return
    raise InputError(
        f"{name} takes {column} of shape {_shown(('n', *wanted))}, and these have {_shown(shape)}: "
        f"{_way_to_shape(column, shape, wanted)}."
    )


def _way_to_shape(column, shape, wanted):
    given = shape[1:]
    if shape == wanted:
        return f"put one into a batch of its own, {column}[None]"
    if (*given, 1) == wanted:
        return f"add the axis of channels, {column}[..., None]"
    if len(wanted) == 3 and given == (wanted[2], *wanted[:2]):
        return f"channels come last, numpy.moveaxis({column}, 1, -1)"
    if None not in (*given, *wanted) and math.prod(given) == math.prod(wanted):
        return f"reshape them, {column}.reshape({', '.join(map(str, (-1, *wanted)))})"
    if len(given) == len(wanted) == 3 and given[:2] != wanted[:2] and None not in wanted:
        height, width, _ = wanted
        return f"resize them, keras.ops.image.resize({column}, ({height}, {width})), or build networks for their size"
    if (*given[:-1], given[-1:]) == (*wanted[:-1], (3,)) and wanted[-1] == 1:
        return f"make them grey, {column}.mean(axis=-1, keepdims=True), or build networks for 3 channels"
    return "build networks for their shape"


def _shown(shape):
    return str(shape).replace("None", "any").replace("'", "")


def _check_images(model, values, low, high):
    if getattr(model, "makes", "images") != "images":
        return
    # What a model makes is compared with its examples; a network that only looks at them may rescale them itself.
    first = None if hasattr(model, "makes") else _first_layer(model.first_network)
    if isinstance(first, keras.layers.Normalization):
        return
    if isinstance(first, keras.layers.Rescaling) and _takes_bytes(first):
        if low < 0 or high > BYTE:
            raise InputError(f"The network takes images from 0 to {BYTE}, and these go from {low:g} to {high:g}.")
        if high <= 1:
            raise InputError(f"The network divides images by {BYTE} itself, and these reach {high:g}: leave one away.")
    elif not (_is_linear(model) and (low < 0 or high <= 1 + OVERSHOOT)):
        check_range(low, high)


def _is_linear(model):
    """Whether it makes any numbers, as principal components do: then it learns any but those of bytes."""
    return getattr(model, "final_activation", None) == "linear"


def _takes_bytes(rescaling):
    ends = np.multiply.outer((0, BYTE), rescaling.scale) + rescaling.offset
    return bool((np.abs(ends) <= 1 + ROUNDING).all())


def _first_layer(network):
    layers = [layer for layer in getattr(network, "layers", []) if not isinstance(layer, keras.layers.InputLayer)]
    first = layers[0] if layers else None
    return _first_layer(first) if isinstance(first, keras.Model) else first


def _check_points(model, values, low, high):
    """Points may lie anywhere."""


def _check_tokens(model, values, low, high):
    if values.ndim != 2:
        raise InputError(f"Tokens are an array (n, length), a row for each text, not one of shape {values.shape}.")
    if not np.issubdtype(values.dtype, np.integer):
        raise InputError(f"Tokens are integers, not {values.dtype}: encode texts with the model's vocabulary.")
    if low < 0 or high >= model.vocabulary_size:
        raise InputError(
            f"Tokens are numbers from 0 to {model.vocabulary_size - 1}, those of the model's vocabulary, and these "
            f"go from {low:g} to {high:g}: encode texts with that vocabulary."
        )


def _check_codes(model, values, low, high):
    if not np.issubdtype(values.dtype, np.integer):
        raise InputError(f"Codes are integers, not {values.dtype}: the codec's encode gives them.")
    if low < 0 or high >= model.vocabulary_size:
        raise InputError(
            f"Codes are numbers from 0 to {model.vocabulary_size - 1}, those of the model's codec, and these go from "
            f"{low:g} to {high:g}: encode images with that codec."
        )


# What numbers may stand in the column that comes first, from the smallest to the largest that do.
INPUTS = {
    "images": _check_images,
    "points": _check_points,
    "codes": _check_codes,
    "tokens": _check_tokens,
    "chosen": _check_tokens,
    "rejected": _check_tokens,
}
