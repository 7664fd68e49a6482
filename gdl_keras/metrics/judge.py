"""A classifier that judges generated images: are they of the class that was asked for, and are they of all kinds?

Two come with the package, trained by `scripts/train_judges.py`: "fashion" for grey garments of 32x32, "emoji" for
colour emoji of 32x32.  No model of the project learns from them.
"""

import json
from functools import cached_property
from pathlib import Path

import numpy as np

from gdl_keras.backend import use_tensorflow
from gdl_keras.data.notices import say
from gdl_keras.errors import InputError, nearest
from gdl_keras.metrics.networks import in_batches, in_float32

WEIGHTS = Path(__file__).parent / "weights"


# A judge that is wrong about one real image in five, or more, tells generated ones from real ones by its mistakes.
RELIABLE = 0.8


class Judge:
    """The CNN of `02_cnn`, trained on real images and fixed since.

    Args:
        name: "fashion" or "emoji".

    Attributes:
        test_accuracy: float, on real images that it was not trained on.
        class_names: list of str.
        model: the `Classifier`.

    Raises:
        InputError: there is no judge of that name.
    """

    def __init__(self, name):
        use_tensorflow()
        from gdl_keras.models.classifier import Classifier, build_cnn

        about = _about(name)
        self.test_accuracy = about["test_accuracy"]
        self.class_names = about["class_names"]
        self.image_shape = tuple(about["image_shape"])
        with in_float32():
            network = build_cnn(self.image_shape, len(self.class_names), about["filters"], about["units"])
        with np.load(WEIGHTS / f"{name}.npz", allow_pickle=False) as stored:
            network.set_weights([stored[f"{index}"].astype("float32") for index in range(len(network.weights))])
        self.model = Classifier(network)

    def classes(self, images):
        """The most probable class of each image: int array (n,).

        Args:
            images: float array (n, *image_shape) in [0, 1].
        """
        return self.probabilities(images).argmax(axis=1)

    def probabilities(self, images):
        """float32 array (n, number of classes)."""
        return self.features_and_probabilities(images)[1]

    def features(self, images):
        """What the last layer but one says of each image: float32 array (n, units)."""
        return self.features_and_probabilities(images)[0]

    def features_and_probabilities(self, images):
        """Both of the above in one pass."""
        self._check(images)
        return self._compute(images)

    def share_as_asked(self, images, labels):
        """The share of images that the judge puts into the class that was asked for: float.

        Read it beside `test_accuracy`, which is what real images reach.
        """
        return float((self.classes(images) == np.asarray(labels)).mean())

    def diversity(self, images, labels):
        """How different the images of each class are: the total variance of their features.

        Returns:
            float64 array (number of classes,); NaN where a class has fewer than two images.
        """
        return total_variance(self.features(images), labels, len(self.class_names))

    @cached_property
    def _compute(self):
        import keras

        network = self.model.network
        probabilities = keras.layers.Softmax(dtype="float32")(network.output)
        return in_batches(network, [network.get_layer("features").output, probabilities])

    def report(self, images, labels, real_images, real_labels):
        """Whether images are of the classes asked for, and as different from each other as real ones.

        Where the share ranks nothing it says so, in the words of `caution`.

        Returns:
            {"share_as_asked": float, "share_as_asked_real": float, "diversity": {class name: float}}, the last as a
            share of the diversity of real images of that class.
        """
        ratio = self.diversity(images, labels) / self.diversity(real_images, real_labels)
        share, real_share = self.share_as_asked(images, labels), self.share_as_asked(real_images, real_labels)
        if told := caution(share, real_share, len(images), len(real_images)):
            say(told)
        return {
            "share_as_asked": share,
            "share_as_asked_real": real_share,
            "diversity": dict(zip(self.class_names, ratio.tolist())),
        }

    def _check(self, images):
        if tuple(images.shape[1:]) != self.image_shape:
            raise InputError(f"The judge looks at images of shape {self.image_shape}, not {tuple(images.shape[1:])}.")


def class_names_of(name):
    """The classes that a judge knows: list of str."""
    return _about(name)["class_names"]


def caution(share, real_share, images, real_images):
    """Why a share of images as asked ranks nothing, as a sentence; None where it does rank.

    It does not from a judge that is often wrong about real images, nor where it lies within two standard errors of what
    real images reach, or above: who pleases a judge more than those do has learnt the judge's mistakes.

    Args:
        share, real_share: float, of generated and of real images the share that the judge puts into their class.
        images, real_images: int, how many there were.
    """
    error = np.sqrt(share * (1 - share) / images + real_share * (1 - real_share) / real_images)
    if real_share >= RELIABLE and share < real_share - 2 * error:
        return None
    return f"The judge is right about {100 * real_share:.0f} % of real images: shares near or above that rank nothing."


def share_as_asked(probabilities, labels):
    """Which images a classifier puts into the class that was asked for: bool array (n,).

    Args:
        probabilities: float array (n, number of classes), what the classifier says.
        labels: int array (n,), what was asked for.
    """
    return np.asarray(probabilities).argmax(axis=1) == np.asarray(labels)


def smallest_diversity(features, labels, real_features, real_labels):
    """The total variance of a class's features as a share of that of real images, of the class where it is smallest.

    Classes are left out that have fewer than two images on either side, or real images that are all alike.

    Args:
        features, real_features: float arrays (n, d) and (m, d).
        labels, real_labels: int arrays (n or more,) and (m or more,).

    Returns:
        float, or None where no class is left.
    """
    labels, real_labels = np.asarray(labels)[: len(features)], np.asarray(real_labels)[: len(real_features)]
    num_classes = 1 + max(labels.max(), real_labels.max())
    diversity = total_variance(features, labels, num_classes)
    real_diversity = total_variance(real_features, real_labels, num_classes)
    usable = np.isfinite(diversity) & (real_diversity > 0)
    return float((diversity[usable] / real_diversity[usable]).min()) if usable.any() else None


def total_variance(features, labels, num_classes):
    """The variance of the features of each class, summed over features: float64 array (num_classes,).

    NaN where a class has fewer than two rows.
    """
    features, labels = np.asarray(features, "float64"), np.asarray(labels)
    groups = [features[labels == label] for label in range(num_classes)]
    return np.array([group.var(axis=0, ddof=1).sum() if len(group) > 1 else np.nan for group in groups])


def _about(name):
    names = [path.stem for path in WEIGHTS.glob("*.json")]
    if name not in names:
        raise InputError(f"There is no judge {name!r}.  {nearest(name, names)}")
    return json.loads((WEIGHTS / f"{name}.json").read_text())
