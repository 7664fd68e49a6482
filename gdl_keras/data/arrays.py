"""Tables of the reader's own arrays."""

import numpy as np

from gdl_keras.data.columns import Column
from gdl_keras.data.digests import digest, fingerprint
from gdl_keras.data.images import ImageData, check_range
from gdl_keras.data.points import PointData
from gdl_keras.data.table import Table
from gdl_keras.data.texts import TextData
from gdl_keras.errors import InputError

# Images that are looked at together, where there may be more than fit into memory.
AT_ONCE = 1024
TABLES = {"images": ImageData, "text": TextData, "points": PointData}


def from_arrays(
    *,
    kind="images",
    name="arrays",
    split="train",
    batch_size=32,
    seed=0,
    class_names=None,
    attribute_names=None,
    **columns,
):
    """A data set of arrays.

    Args:
        kind: what an example is.
        name, split: what messages call it.
        batch_size: examples a batch.
        seed: fixes the order of the examples in every pass.
        class_names, attribute_names: lists of str; by default their numbers.
        columns: what models make comes first.  Each is an array (N, ...), `Windows` or a `Column`.  Images are uint8
            (N, H, W) or (N, H, W, C), or floats in [0, 1]; labels are integers (N,) or (N, 1), or one-hot rows (N, K);
            attributes numbers (N, K).

    Returns:
        a `Table`: an `ImageData` for images, a `TextData` for text, a `PointData` for points.
        Its identity is the arrays' content.

    Raises:
        InputError: the arrays differ in length, are empty, or are not what their name says.
    """
    if kind == "images" and "images" not in columns:
        raise InputError(f"{name} has no images: give images=..., or the kind of its examples, such as kind='points'.")
    made = {column: _column(column, values) for column, values in columns.items()}
    if class_names is None and "labels" in made:
        class_names = [str(number) for number in range(int(np.max(made["labels"].values[:], initial=-1)) + 1)]
    if attribute_names is None and "attributes" in made:
        attribute_names = [str(number) for number in range(made["attributes"].shape[0])]
    content = fingerprint(kind, [[column, digest(values)] for column, values in made.items()])
    return TABLES.get(kind, Table)(
        made,
        name=name,
        kind=kind,
        split=split,
        identity=f"{name}-{split}-{content}",
        batch_size=batch_size,
        seed=seed,
        class_names=class_names,
        attribute_names=attribute_names,
    )


def are_one_hot(rows):
    """Whether each row of an array (N, K) is a single 1 among 0."""
    return bool(np.isin(rows, (0, 1)).all() and (rows.sum(axis=1) == 1).all())


def _column(name, values):
    if isinstance(values, Column):
        return values
    if not hasattr(values, "shape") or not hasattr(values, "dtype"):
        values = np.asarray(values)
    if name == "images":
        return _images(values)
    if name == "labels":
        return Column(_labels(np.asarray(values)))
    if name == "attributes" and len(values.shape) != 2:
        raise InputError(f"Attributes are an array (N, K), not one of shape {tuple(values.shape)}.")
    return Column(values)


def _images(values):
    if len(values.shape) == 3:
        values = values[..., None]
    if len(values.shape) != 4:
        raise InputError(f"Images are an array (N, H, W) or (N, H, W, C), not one of shape {tuple(values.shape)}.")
    if values.dtype == np.uint8:
        return Column(values, "float32", 255)
    if np.issubdtype(values.dtype, np.floating):
        parts = [values[start : start + AT_ONCE] for start in range(0, len(values), AT_ONCE)]
        check_range(min(map(np.min, parts), default=0), max(map(np.max, parts), default=0))
        return Column(values, "float32")
    raise InputError(f"Images are bytes (uint8) or floats in [0, 1], not {values.dtype}: convert them first.")


def _labels(values):
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    elif values.ndim == 2 and are_one_hot(values):
        values = values.argmax(axis=1)
    if values.ndim != 1 or not np.issubdtype(values.dtype, np.integer) or np.min(values, initial=0) < 0:
        raise InputError(
            f"Labels are an array (N,) or (N, 1) of integers from 0 on, or one-hot rows, not {values.dtype} of shape "
            f"{tuple(values.shape)}."
        )
    return values.astype(np.int64)
