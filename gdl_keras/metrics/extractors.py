"""Feature extractors: fixed networks whose view of an image is what distances between sets of images are measured in.

A distance is a number of its extractor: its name, its weights and the way images are resized belong to the result.
Distances in features of our small classifiers are called classifier distances, those in features of EfficientNet-Lite0
lite0 distances; the word inception is kept for InceptionV3, with the weights of keras.applications.  None of them has
the weights of the network of 2015 that papers measured the "FID" with (Heusel et al. 2017), so the numbers compare with
each other and not with published ones.

Our classifiers know garments and emoji, and little of anything else: lite0 is for photographs.
"""

from functools import cached_property

import numpy as np

from gdl_keras.errors import InputError, nearest
from gdl_keras.metrics import lite0
from gdl_keras.metrics.judge import Judge, class_names_of
from gdl_keras.metrics.networks import in_batches, in_float32, weights_digest

NAMES = ("fashion", "emoji", "lite0", "inception")
INCEPTION_SHAPE = (299, 299, 3)
# A third of the time that the 224x224 of its training take; the small images of our models gain nothing above it.
LITE0_SHAPE = (128, 128, 3)
# Images of 299x299 take 87 times the room of our classifiers' 32x32.
LARGE_BATCH_SIZE = 32
RESIZE_METHOD = "bilinear"


class Extractor:
    """Images of any size -> features and probabilities of classes.

    An extractor is called like a function: images, float array (n, height, width, 1 or 3) in [0, 1], give features,
    float32 array (n, number of features).  Any such function serves the distances of this package as well.

    Attributes:
        name: "fashion", "emoji", "lite0" or "inception".
        kind: "classifier", "lite0" or "inception", the word in the names of its distances.
        image_shape: (height, width, channels) that images are brought to.
        class_names: list of str, or None.
    """

    kind = "classifier"
    class_names = None

    def __init__(self, name, network, image_shape, compute):
        self.name = name
        self.network = network
        self.image_shape = image_shape
        self._compute = compute

    def __call__(self, images):
        return self.features_and_probabilities(images)[0]

    def features_and_probabilities(self, images):
        """Both in one pass: float32 arrays (n, number of features) and (n, number of classes).

        Raises:
            InputError: the images are in colour and the network looks at grey ones.
        """
        return self._compute(images)

    def knows(self, class_names):
        """Whether the network has learnt from images of these classes, a list of str or None: bool."""
        return self.class_names is not None and self.class_names == class_names

    def resizing(self, image_shape):
        """What is done to images of a shape before the network sees them, as a phrase for results."""
        channels = ", grey repeated to 3 channels" if image_shape[-1] < self.image_shape[-1] else ""
        before, after = ("x".join(map(str, shape[:2])) for shape in (image_shape, self.image_shape))
        if before == after:
            return f"none{channels}"
        return f"{RESIZE_METHOD}, antialiased, {before} to {after}{channels}"

    @cached_property
    def sha256(self):
        """Digest of the network's weights: hexadecimal str."""
        return weights_digest(self.network)


class JudgeExtractor(Extractor):
    """The features of a `Judge`: its last layer but one, 96 numbers.

    Args:
        name: "fashion" or "emoji".
    """

    def __init__(self, name):
        judge = Judge(name)
        shape = judge.image_shape
        super().__init__(
            name, judge.model.network, shape, lambda images: judge.features_and_probabilities(fit(images, shape))
        )
        self.class_names = judge.class_names


class Lite0Extractor(Extractor):
    """The features of EfficientNet-Lite0: the average over its last images, 1,280 numbers.  See `metrics/lite0.py`.

    Raises:
        InputError: the package that holds its weights is not installed, or damaged.
    """

    kind = "lite0"

    def __init__(self):
        import keras

        network = lite0.load_lite0(LITE0_SHAPE)
        probabilities = keras.layers.Softmax(dtype="float32")(network.output)
        outputs = [network.get_layer("features").output, probabilities]
        super().__init__("lite0", network, LITE0_SHAPE, in_batches(network, outputs, LARGE_BATCH_SIZE, _for_lite0))


class InceptionExtractor(Extractor):
    """The features of InceptionV3: the average over its last images, 2,048 numbers (Szegedy et al. 2016).

    Args:
        weights: "imagenet", fetched by Keras once (96 MB); a path of a file with such weights; or None for random
            numbers.

    Raises:
        InputError: the weights cannot be fetched or read.
    """

    kind = "inception"

    def __init__(self, weights="imagenet"):
        network = _inception(weights)
        outputs = [network.get_layer("avg_pool").output, network.output]
        compute = in_batches(network, outputs, LARGE_BATCH_SIZE, _for_inception)
        super().__init__("inception", network, INCEPTION_SHAPE, compute)


def default_features(image_shape, class_names=None):
    """The name of the features that suit images best, of those that are here: str.

    "fashion" for grey images and "emoji" for the emoji themselves; for all others in colour "lite0", and emoji where
    the package of lite0 is not installed.

    Args:
        image_shape: (height, width, channels).
        class_names: list of str, or None; by those of the emoji they are known.
    """
    if image_shape[-1] == 1:
        return "fashion"
    return "emoji" if class_names == class_names_of("emoji") or not lite0.weights_file() else "lite0"


def load_extractor(name=None, image_shape=None, class_names=None):
    """The extractor of a name, "fashion", "emoji", "lite0" or "inception"; without one, the `default_features`.

    Raises:
        InputError: there is none of that name, or what it needs is not here.
    """
    name = name or default_features(image_shape, class_names)
    if name not in NAMES:
        raise InputError(f"There are no features {name!r}.  {nearest(name, NAMES)}")
    others = {"inception": InceptionExtractor, "lite0": Lite0Extractor}
    return others[name]() if name in others else JudgeExtractor(name)


def features_of(images, extractor=None):
    """Features as the distances take them: float array (n, d).

    Args:
        images: images for the extractor; without one, the features themselves.

    Raises:
        InputError: they are not one row an image, or not all finite.
    """
    features = np.asarray(images if extractor is None else extractor(images))
    if features.ndim != 2:
        raise InputError(f"Features are one row an image, (n, d), not {features.shape}: give images an extractor.")
    if not np.isfinite(features).all():
        raise InputError("Some features are not finite: are all images numbers in [0, 1]?")
    return features


def fit(images, image_shape):
    """Images (n, height, width, 1 or 3) brought to a shape: float32 array (n, *image_shape)."""
    import tensorflow as tf

    images = np.asarray(images, "float32")
    if images.ndim != 4:
        raise InputError(f"Images are arrays (n, height, width, channels), not {images.shape}.")
    if images.shape[-1] > image_shape[-1]:
        raise InputError("These features are of grey images, and the images are in colour: choose emoji or lite0.")
    if images.shape[1:3] != image_shape[:2]:
        images = tf.image.resize(images, image_shape[:2], RESIZE_METHOD, antialias=True).numpy()
    return np.broadcast_to(images, (*images.shape[:3], image_shape[-1]))


def _for_lite0(images):
    return (255 * fit(images, LITE0_SHAPE) - 127) / 128


def _for_inception(images):
    return 2 * fit(images, INCEPTION_SHAPE) - 1


def _inception(weights):
    import keras

    try:
        with in_float32():
            return keras.applications.InceptionV3(weights=weights)
    except Exception as error:  # Keras raises no narrower one where there is no network
        raise InputError(
            f"The weights of InceptionV3 cannot be had ({str(error).strip().splitlines()[0]}): connect to the network "
            "once, or use --features fashion (grey images) or lite0 (colour)."
        ) from error
