"""The images that are compared, real ones of a data set and new ones of a model, in batches that bound memory."""

import numpy as np

from gdl_keras.errors import InputError

BATCH_SIZE = 500


def choose(num_images, n, seed=0):
    """Numbers of `n` distinct images of so many, or of all, in random order: int64 array."""
    return np.random.default_rng(seed).permutation(num_images)[:n]


def real_images(data, indices):
    """The images of an `ImageData` by number: yields float32 arrays (up to 500, height, width, channels) in [0, 1]."""
    for start in range(0, len(indices), BATCH_SIZE):
        yield data.images(indices[start : start + BATCH_SIZE])


def generated_images(model, n, seed=0, labels=None):
    """`n` images that a model generates, yielded as by `real_images`; each batch has random numbers of its own.

    Args:
        model: has `generate(n, seed=..., **conditions)`.
        n: int.
        seed: int, at least 0; the same seed gives the same images.
        labels: array of length n for a conditional model, else None.
    """
    for number, start in enumerate(range(0, n, BATCH_SIZE)):
        count = min(BATCH_SIZE, n - start)
        conditions = {} if labels is None else {"labels": labels[start : start + count]}
        batch_seed = int(np.random.SeedSequence([seed, number]).generate_state(1)[0] % 2**31)
        yield model.generate(count, seed=batch_seed, **conditions)


def labels_like(model, data, indices, n):
    """`n` labels for a conditional model, those of the given images over and over; None for other models.

    Classes, or combinations of attributes, then come in the proportions of the real images.

    Args:
        model: a generative model.
        data: `ImageData`.
        indices: int array, numbers of images.
        n: int.

    Returns:
        int64 array (n,), float32 array (n, K), or None.

    Raises:
        InputError: the data has no such labels.
    """
    num_classes = getattr(model, "num_classes", None)
    if num_classes is None:
        return None
    targets, known = data.labels, len(data.class_names or [])
    if not model.has_class_labels():
        targets, known = data.attributes, len(data.attribute_names or [])
    if targets is None or known != num_classes:
        kind = "classes" if model.has_class_labels() else "attributes"
        raise InputError(
            f"{type(model).__name__} makes images of {num_classes} {kind}, and {data.name} has {known}: "
            "choose the data set that it learnt from."
        )
    repeated = indices[np.arange(n) % len(indices)]
    return targets[repeated] if model.has_class_labels() else targets[repeated].astype("float32")
