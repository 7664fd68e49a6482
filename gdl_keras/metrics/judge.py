"""A classifier that judges generated images: are they of the class that was asked for, and are they of all kinds?

Two come with the package, trained by `scripts/train_judges.py`: "fashion" for grey garments of 32x32, "emoji" for
colour emoji of 32x32.  No model of the project learns from them.
"""

import json
from pathlib import Path

import numpy as np

from gdl_keras.backend import use_tensorflow
from gdl_keras.errors import InputError, nearest

WEIGHTS = Path(__file__).parent / "weights"


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

        names = [path.stem for path in WEIGHTS.glob("*.npz")]
        if name not in names:
            raise InputError(f"There is no judge {name!r}.  {nearest(name, names)}")
        about = json.loads((WEIGHTS / f"{name}.json").read_text())
        self.test_accuracy = about["test_accuracy"]
        self.class_names = about["class_names"]
        self.image_shape = tuple(about["image_shape"])
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
        self._check(images)
        return self.model.predict(images, verbose=0)

    def features(self, images):
        """What the last layer but one says of each image: float32 array (n, units)."""
        import keras

        self._check(images)
        network = self.model.network
        return keras.Model(network.inputs, network.get_layer("features").output).predict(images, verbose=0)

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
        features, labels = self.features(images).astype("float64"), np.asarray(labels)
        groups = [features[labels == label] for label in range(len(self.class_names))]
        return np.array([group.var(axis=0, ddof=1).sum() if len(group) > 1 else np.nan for group in groups])

    def _check(self, images):
        if tuple(images.shape[1:]) != self.image_shape:
            raise InputError(f"The judge looks at images of shape {self.image_shape}, not {tuple(images.shape[1:])}.")
