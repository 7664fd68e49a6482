"""How far reconstructions, as a set, are from images that they were not made from."""

from gdl_keras.kinds.base import halves, in_parts
from gdl_keras.kinds.images import Summary, compare_moments
from gdl_keras.metrics.extractors import load_extractor


def reconstruction_distance(codec, table, n=5000, seed=0, extractor=None):
    """The Fréchet distance of the reconstructions of one half of the images from the other half.

    No image is compared with its own reconstruction, so the floor is what the two halves are apart themselves.

    Args:
        codec: model whose `predict` gives reconstructions in [0, 1].
        table: held-out images.
        n: int, images of a half at most.
        seed: int, of the halves.
        extractor: an `Extractor`; by default the one that suits such images.

    Returns:
        {name: {"value": float, "floor": float}}, the name as in `gdl evaluate`; empty for too few images.
    """
    extractor = extractor or load_extractor(None, table.image_shape, table.class_names)
    first, second = halves(table.num_examples, n, seed)
    reals, others = (
        Summary((table.rows("images", part) for part in in_parts(half)), extractor) for half in (second, first)
    )
    again = (codec.predict(table.rows("images", part), verbose=0) for part in in_parts(first))
    distances, floors = (compare_moments(summary, reals) for summary in (Summary(again, extractor), others))
    return {
        f"frechet_{extractor.kind}_{name}": {"value": metric["value"], "floor": floors[name]["value"]}
        for name, metric in distances.items()
    }
