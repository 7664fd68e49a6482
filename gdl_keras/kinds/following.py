"""The distance of images from held-out ones while a model trains: what the kind `images` follows."""

import numpy as np

from gdl_keras.data.notices import say
from gdl_keras.kinds.base import Follow, generated, in_parts
from gdl_keras.metrics.extractors import load_extractor
from gdl_keras.metrics.frechet import ENOUGH_PER_FEATURE, frechet_distance
from gdl_keras.metrics.kernel import squared_mean_discrepancy


class FollowDistance(Follow):
    """The distance of new images from held-out ones.

    Args:
        kind, every, test, n, seed: as in `Kind.follow`.
        features: the name of an extractor; by default as in `default_features`.
    """

    def __init__(self, kind, every, test, n, seed, features=None):
        self.extractor = load_extractor(features, test.image_shape, test.class_names)
        self.test = test
        self.seed = seed
        self.chosen = np.random.default_rng(seed).permutation(test.num_examples)[:n]
        super().__init__(
            kind,
            every,
            len(self.chosen),
            seed=seed,
            extractor={"name": self.extractor.name, "weights_sha256": self.extractor.sha256},
            held_out={"split": test.split, "identity": test.identity},
        )
        if not self.extractor.knows(test.class_names):
            say(
                f"The distance while training is taken in the features {self.extractor.name}, which have not learnt "
                "from this data: gdl evaluate measures how well they see it."
            )

    def prepare(self):
        self.reals = np.concatenate([self.extractor(self.test.rows("images", part)) for part in in_parts(self.chosen)])

    def numbers(self):
        n = len(self.chosen)
        conditions = self.model.conditions.like(self.test, self.chosen, n)
        batches = generated(self.model, n, self.seed, conditions)
        samples = np.concatenate([self.extractor(images) for images in batches])
        kind = self.extractor.kind
        if n >= ENOUGH_PER_FEATURE * samples.shape[1]:
            return {f"frechet_{kind}_distance": frechet_distance(self.reals, samples)}
        return {f"kernel_{kind}_distance": float(squared_mean_discrepancy(self.reals, samples))}
