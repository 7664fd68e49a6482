"""All metrics of one set of images against another, from one pass over each.

A metric is {"value": float, "standard_error": float where it is known, and how it was measured}.
"""

import numpy as np

from gdl_keras.metrics.frechet import Moments, frechet_distance
from gdl_keras.metrics.inception_score import inception_score
from gdl_keras.metrics.kernel import kernel_distance
from gdl_keras.metrics.neighbours import density_coverage, precision_recall
from gdl_keras.metrics.similarity import pairwise_ms_ssim, scales

# Images whose features are kept, and pairs that are compared for MS-SSIM: with these, memory stops growing.
KEPT = 10_000
PAIRS = 500


class Summary:
    """What the metrics need to know of a set of images; the images themselves are not kept.

    Args:
        batches: iterable of float arrays (n, height, width, channels) in [0, 1], in random order.
        extractor: an `Extractor`.

    Attributes:
        moments: `Moments` of the features of all images.
        features, probabilities: float32 arrays (up to 10,000, ...), of the first images.
        similarities: float64 array (up to 500,), MS-SSIM of pairs of images.
        image_shape: (height, width, channels).
    """

    def __init__(self, batches, extractor):
        self.moments = Moments()
        features, probabilities, similarities = [], [], []
        pairs = 0
        for images in batches:
            self.image_shape = images.shape[1:]
            batch_features, batch_probabilities = extractor.features_and_probabilities(images)
            if self.moments.count < KEPT:
                features.append(batch_features)
                probabilities.append(batch_probabilities)
            if pairs < PAIRS and len(images) > 1:
                similarities.append(pairwise_ms_ssim(images))
                pairs += len(similarities[-1])
            self.moments.update(batch_features)
        self.features = np.concatenate(features)[:KEPT]
        self.probabilities = np.concatenate(probabilities)[:KEPT]
        self.similarities = np.concatenate(similarities)[:PAIRS]


def compare(samples, reals, kind):
    """Every metric of samples against real images.

    Args:
        samples, reals: `Summary` of each.
        kind: the extractor's word in names, "classifier" or "inception".

    Returns:
        {name: metric}.
    """
    kernel = kernel_distance(reals.features, samples.features)
    looked_at = {"images": len(samples.features)}
    metrics = {
        f"frechet_{kind}_distance": {
            "value": frechet_distance(reals.moments, samples.moments),
            "images": samples.moments.count,
        },
        f"kernel_{kind}_distance": {
            "value": kernel.value,
            "standard_error": kernel.standard_error,
            "blocks": kernel.blocks,
            **looked_at,
        },
        f"{kind}_score": {"value": inception_score(samples.probabilities), **looked_at},
    }
    for compute, k in ((precision_recall, 3), (density_coverage, 5)):
        shares = compute(reals.features, samples.features, k=k)
        metrics |= {name: {"value": value, "k": k, **looked_at} for name, value in shares._asdict().items()}
    pairs = {"pairs": len(samples.similarities), **scales(samples.image_shape)}
    return metrics | {"ms_ssim": {**mean_of(samples.similarities), **pairs}}


def mean_of(values):
    """The mean of independent numbers, as a metric."""
    values = np.asarray(values, "float64")
    return {"value": float(values.mean()), "standard_error": float(values.std(ddof=1) / np.sqrt(len(values)))}
