"""The Fréchet distance while a model trains."""

import keras

from gdl_keras.errors import InputError
from gdl_keras.metrics.frechet import frechet_distance, moments
from gdl_keras.metrics.samples import choose, generated_images, labels_like, real_images


class Evaluation(keras.callbacks.Callback):
    """After every so many epochs, the Fréchet distance of new images from held-out ones, into the epoch's numbers.

    It is called `frechet_classifier_distance`, or `frechet_inception_distance` with that extractor.  Name this callback
    before the one that writes the history.  It draws from random numbers of its own: training goes on as if it were
    not there.

    Args:
        every: int, epochs from one evaluation to the next.
        data: `ImageData` of held-out images.
        extractor: an `Extractor`.
        n: int, how many images of each kind; no more than `data` has.
        seed: int, decides which images.

    Raises:
        InputError: `every` is below 1, or `n` below 2; when training begins: the model generates no images.
    """

    def __init__(self, every, data, extractor, n=1000, seed=0):
        super().__init__()
        if every < 1 or min(n, data.num_images) < 2:
            raise InputError(f"every is at least 1 and n at least 2; they are {every} and {min(n, data.num_images)}.")
        self.every = every
        self.data = data
        self.extractor = extractor
        self.seed = seed
        self.metric_name = f"frechet_{extractor.kind}_distance"
        self._indices = choose(data.num_images, n, seed)
        self._reference = None

    @property
    def settings(self):
        """What it takes to repeat the numbers: a dict."""
        return {
            "every": self.every,
            "n": len(self._indices),
            "seed": self.seed,
            "extractor": {"name": self.extractor.name, "weights_sha256": self.extractor.sha256},
            "held_out": {"split": self.data.split, "identity": self.data.identity},
        }

    def on_train_begin(self, logs=None):
        if not hasattr(self.model, "generate"):
            raise InputError(f"{type(self.model).__name__} generates no images to evaluate: leave --every away.")
        self._reference = self._reference or moments(real_images(self.data, self._indices), self.extractor)

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every:
            return
        n = len(self._indices)
        labels = labels_like(self.model, self.data, self._indices, n)
        samples = moments(generated_images(self.model, n, self.seed, labels), self.extractor)
        logs[self.metric_name] = frechet_distance(self._reference, samples)
