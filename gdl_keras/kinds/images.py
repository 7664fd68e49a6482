"""Images: float arrays (n, height, width, 1 or 3) in [0, 1].

How good they are is asked in the features of a network that knows such images, and of pairs of them; of a model that
reconstructs or has a likelihood, of the held-out images themselves.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from gdl_keras import data, plotting
from gdl_keras.errors import InputError
from gdl_keras.files import whole_file, whole_folder
from gdl_keras.kinds.base import Kind, generated, halves, in_parts, likelihood, mean_of
from gdl_keras.kinds.following import FollowDistance
from gdl_keras.metrics.extractors import load_extractor
from gdl_keras.metrics.frechet import (
    ENOUGH_PER_FEATURE,
    FEWEST_PER_FEATURE,
    Moments,
    extrapolated_frechet_distance,
    frechet_distance,
)
from gdl_keras.metrics.inception_score import inception_score
from gdl_keras.metrics.judge import caution, share_as_asked, smallest_diversity
from gdl_keras.metrics.kernel import kernel_distance
from gdl_keras.metrics.neighbours import density_coverage, precision_recall
from gdl_keras.metrics.reconstruction import psnr
from gdl_keras.metrics.sight import LOOKED_AT, describe, normal_noise, sight
from gdl_keras.metrics.similarity import pairwise_ms_ssim, scales, ssim

# Images whose features are kept, and pairs that are compared for MS-SSIM: with these, memory stops growing.
KEPT = 10_000
PAIRS = 500


class Images(Kind):
    """Pictures as they are shown, and as arrays of bytes."""

    name = "images"
    unit = "images"
    suffixes = {".png": "a grid of images", ".npz": "an array", "": "a folder of .png files"}
    sheet_suffix = ".png"
    better = {
        "frechet_classifier_distance": "smaller",
        "frechet_classifier_distance_extrapolated": "smaller",
        "frechet_lite0_distance": "smaller",
        "frechet_lite0_distance_extrapolated": "smaller",
        "frechet_inception_distance": "smaller",
        "frechet_inception_distance_extrapolated": "smaller",
        "kernel_classifier_distance": "smaller",
        "kernel_lite0_distance": "smaller",
        "kernel_inception_distance": "smaller",
        "classifier_score": "larger",
        "inception_score": "larger",
        "precision": "larger",
        "recall": "larger",
        "density": "larger",
        "coverage": "larger",
        "ms_ssim": "as the floor (larger: too much alike)",
        "share_as_asked": "larger",
        "smallest_diversity": "as the floor (smaller: too much alike)",
        "reconstruction_psnr": "larger (dB)",
        "reconstruction_ssim": "larger",
        "nats": "smaller",
        "bits_per_dim": "smaller",
    }

    def check(self, samples):
        if not isinstance(samples, np.ndarray) or samples.ndim != 4 or samples.shape[-1] not in (1, 3):
            raise InputError(f"Images are arrays (n, height, width, 1 or 3), not {np.shape(samples)}.")
        if not np.issubdtype(samples.dtype, np.floating) or not np.isfinite(samples).all():
            raise InputError(f"Images are finite floats, and some of these ({samples.dtype}) are not: has it diverged?")
        if samples.size and not 0 <= samples.min() <= samples.max() <= 1:
            raise InputError(f"Images lie in [0, 1], and these in [{samples.min():.3g}, {samples.max():.3g}].")

    def write_sheet(self, samples, columns, path):
        plotting.save_mosaic(samples, path, columns)

    def write(self, samples, path):
        """Writes a grid (.png), `images` as uint8 array (.npz), or a folder of single pictures, 0000.png and so on.

        Grey ones are dark on white in the grid, as in the book, and as they are in an array and in a folder, which is a
        data set again.
        """
        self.check_path(path)
        self.check(samples)
        pixels = np.rint(samples * 255).astype(np.uint8)
        path = Path(path)
        if path.is_dir() or not path.suffix:
            _write_folder(pixels, path)
        elif path.suffix == ".png":
            plotting.save_mosaic(samples, path)
        else:
            with whole_file(path) as partial:
                np.savez_compressed(partial, images=pixels)

    def load(self, settings, split, model):
        height, width, channels = _image_shape(model)
        if height != width:
            raise InputError(f"{type(model).__name__} makes images {height}x{width}: only square ones are evaluated.")
        skip_unreadable = settings.get("skip_unreadable", False)
        return data.load(
            settings["dataset"], split, image_size=height, channels=channels, skip_unreadable=skip_unreadable
        )

    def examples(self, table, indices):
        return table.rows("images", indices)

    def measure(self, model, train, test, n, seed=0, *, features: str | None = None):
        """As in `Kind`; the samples are compared with one half of the held-out images, or with `n` of it.

        The floor are as many of the other half in the samples' place.  Both halves are new to the features, which have
        learnt from training images; reconstructions and likelihoods are those of both.

        Args:
            features: "fashion", "emoji", "lite0" or "inception"; by default those of `default_features`.

        Of features that have not learnt from such images "sight" tells how well they see them.
        """
        extractor = load_extractor(features, test.image_shape, test.class_names)
        knows = extractor.knows(test.class_names)
        first, second = halves(test.num_examples, n, seed)
        asked = model.conditions.like(test, first, n)
        samples = Summary(self._checked(generated(model, n, seed, asked)), extractor)
        reals, others = (Summary(_rows(test, half), extractor) for half in (first, second))

        has_score = knows or extractor.kind == "inception"
        metrics, floors = (compare(summary, reals, extractor.kind, has_score) for summary in (samples, others))
        labels = asked.get("labels")
        if labels is not None and labels.ndim == 1 and knows:
            metrics |= compare_classes(samples, labels, reals, test.labels[first])
            floors |= compare_classes(others, test.labels[second], reals, test.labels[first])
        both = np.concatenate([first, second])
        metrics |= reconstruction(model, _rows(test, both)) | likelihood(model, _rows(test, both), seed)
        seen = {} if knows else {"sight": see(test, first, second, others.features, extractor, seed)}
        return {
            "extractor": {
                "name": extractor.name,
                "weights_sha256": extractor.sha256,
                "image_shape": list(extractor.image_shape),
                "resizing": extractor.resizing(test.image_shape),
            },
            **seen,
            "held_out": self.part(test, len(first)),
            "floor": self.part(test, len(second)),
            "metrics": self.joined(metrics, floors),
        }

    def about(self, result):
        lines = [f"features: {result['extractor']['name']}, resizing: {result['extractor']['resizing']}"]
        if "sight" in result:
            lines += describe(result["sight"], result["extractor"]["name"])
        if share := result["metrics"].get("share_as_asked"):
            counts = result["n"], result["floor"][self.unit]
            lines += filter(None, [caution(share["value"], share["floor"]["value"], *counts)])
        return lines

    def follow(self, every, test, n=1000, seed=0, *, features=None):
        """As in `Kind`: the Fréchet distance, or the kernel distance of fewer than ten images a feature."""
        return FollowDistance(self, every, test, n, seed, features)

    def follow_options(self, settings):
        return {"features": settings["extractor"]["name"]}

    def _checked(self, batches):
        for images in batches:
            self.check(images)
            yield images


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


def see(test, first, second, features, extractor, seed):
    """How well features see held-out images, those of the second half beside noise made of the first: see `sight`."""
    source = test.rows("images", first[:LOOKED_AT])
    noise = extractor(normal_noise(source, len(source), seed))
    return sight(features, noise, test.labels if test.labels is None else test.labels[second])


def compare(samples, reals, kind, has_score=True):
    """Every metric of samples against real images, both a `Summary`: {name: metric}.

    A metric is {"value": float, "standard_error": float where it is known, and how it was measured}.

    Args:
        kind: the extractor's word in names, "classifier", "lite0" or "inception".
        has_score: whether the extractor's classes say something of these images.
    """
    looked_at = {"images": len(samples.features)}
    kernel = kernel_distance(reals.features, samples.features)
    metrics = {f"frechet_{kind}_{name}": metric for name, metric in compare_moments(samples, reals).items()}
    metrics[f"kernel_{kind}_distance"] = {**kernel._asdict(), **looked_at}
    if has_score and f"{kind}_score" in Images.better:
        metrics[f"{kind}_score"] = {"value": inception_score(samples.probabilities), **looked_at}
    for compute, k in ((precision_recall, 3), (density_coverage, 5)):
        shares = compute(reals.features, samples.features, k=k)
        metrics |= {name: {"value": value, "k": k, **looked_at} for name, value in shares._asdict().items()}
    pairs = {"pairs": len(samples.similarities), **scales(samples.image_shape)}
    return metrics | {"ms_ssim": {**mean_of(samples.similarities), **pairs}}


def compare_moments(samples, reals):
    """The Fréchet distance as far as so few images can tell it: {"distance" or "distance_extrapolated": metric}, or {}.

    Under ten images a feature most of it is bias, so that is taken away, and the name says so; under two that cannot be
    done, and the kernel distance, which has no bias, stands alone.
    """
    count, num_features = min(samples.moments.count, reals.moments.count), samples.features.shape[1]
    if count >= ENOUGH_PER_FEATURE * num_features:
        distance = frechet_distance(reals.moments, samples.moments)
        return {"distance": {"value": distance, "images": samples.moments.count}}
    if count >= FEWEST_PER_FEATURE * num_features:
        distance = extrapolated_frechet_distance(reals.features, samples.features)
        return {"distance_extrapolated": {"value": distance, "images": len(samples.features)}}
    return {}


def compare_classes(samples, labels, reals, real_labels):
    """Are images what was asked for, and as different within a class as real ones?  {name: metric}."""
    right = share_as_asked(samples.probabilities, labels[: len(samples.probabilities)])
    smallest = smallest_diversity(samples.features, labels, reals.features, real_labels)
    return {"share_as_asked": mean_of(right)} | (
        {} if smallest is None else {"smallest_diversity": {"value": smallest}}
    )


def reconstruction(model, batches):
    """How near reconstructions are to the originals, where `predict` gives images of the same shape: metrics, or {}."""
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


def _rows(table, indices):
    return (table.rows("images", part) for part in in_parts(indices))


def _image_shape(model):
    # The page of samples is the one thing that every generative model makes without being told of its labels.
    images, _ = model.sample_sheet()
    KIND.check(images)
    return images.shape[1:]


def _write_folder(pixels, path):
    if path.exists():
        path.rmdir()
    digits = max(4, len(str(len(pixels) - 1)))
    with whole_folder(path) as partial:
        for number, image in enumerate(pixels):
            Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(partial / f"{number:0{digits}}.png")


KIND = Images()
