"""What can be measured of some models alone: do labels count, do images come back, how likely are they?

Metrics as in `summary`.
"""

import numpy as np

from gdl_keras.metrics.judge import total_variance
from gdl_keras.metrics.likelihood import bits_per_dim
from gdl_keras.metrics.reconstruction import psnr
from gdl_keras.metrics.similarity import ssim
from gdl_keras.metrics.summary import mean_of
from gdl_keras.models import VAE

# Distance of neighbouring values of pixels that were bytes.
BYTE = 1 / 255


def as_asked(images, labels):
    """Whether images show the classes that were asked for, by the extractor's probabilities.

    Args:
        images: their `Summary`.
        labels: int array, one for each.

    Returns:
        {"share_as_asked": metric}.
    """
    right = images.probabilities.argmax(axis=1) == labels[: len(images.probabilities)]
    return {"share_as_asked": mean_of(right)}


def smallest_diversity(images, labels, reals, real_labels):
    """The total variance of a class's features as a share of that of real images, of the class where it is smallest.

    Classes with fewer than two images on either side are left out.

    Args:
        images, reals: `Summary` of each.
        labels, real_labels: int arrays, one for each image.

    Returns:
        {"smallest_diversity": metric}, or {} where no class has enough images.
    """
    num_classes = reals.probabilities.shape[1]
    diversity, real_diversity = (
        total_variance(summary.features, classes[: len(summary.features)], num_classes)
        for summary, classes in ((images, labels), (reals, real_labels))
    )
    ratios = diversity / real_diversity
    return {} if np.isnan(ratios).all() else {"smallest_diversity": {"value": float(np.nanmin(ratios))}}


def reconstruction(model, batches):
    """How near a model's reconstructions are to the originals, for models that encode and decode images.

    Args:
        model: a model; one without `encode`, or whose `predict` gives no images of the same shape, has none.
        batches: iterable of float arrays (n, height, width, channels) in [0, 1].

    Returns:
        {"reconstruction_psnr": metric in dB, "reconstruction_ssim": metric}, or {}.
    """
    if not hasattr(model, "encode"):
        return {}
    values = {"reconstruction_psnr": [], "reconstruction_ssim": []}
    for images in batches:
        copies = model.predict(images, verbose=0)
        if np.shape(copies) != images.shape:
            return {}
        values["reconstruction_psnr"].append(psnr(images, copies))
        values["reconstruction_ssim"].append(ssim(images, copies))
    return {name: mean_of(np.concatenate(parts)) for name, parts in values.items()}


def likelihood(model, batches):
    """The bound on -log p(x) of models that are trained on it: a `VAE` with weighting="elbo" and beta=1.

    A bernoulli likelihood takes each pixel for a coin.  Of black and white images it is a probability; of grey ones it
    is not quite, and its bits do not compare with those of models of bytes.  A gaussian one is a density, turned into
    bits for bytes by the width of a byte's bin, without the noise that would make that exact.

    Args:
        model: any model.
        batches: iterable of float arrays (n, height, width, channels) in [0, 1].

    Returns:
        {"nats": metric, "bits_per_dim": metric}, each with the "likelihood", or {}.
    """
    if not (isinstance(model, VAE) and model.weighting == "elbo" and model.beta == 1):
        return {}
    losses, image_shape = [], None
    for images in batches:
        losses.append(np.add(*model.loss_terms(images, training=False)))
        image_shape = images.shape[1:]
    nats = mean_of(np.concatenate(losses))
    bin_width = 1.0 if model.likelihood == "bernoulli" else BYTE
    bits = {
        "value": bits_per_dim(nats["value"], image_shape, bin_width),
        "standard_error": bits_per_dim(nats["standard_error"], image_shape),
    }
    kind = {"likelihood": model.likelihood}
    return {"nats": nats | kind, "bits_per_dim": bits | kind}
