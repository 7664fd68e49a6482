"""Directions of a latent space towards a class or an attribute, out of training images with and without it."""

from functools import cached_property

import numpy as np

from gdl_keras.kinds.base import in_parts
from gdl_keras.models.vae_faces import attribute_vector

IMAGES = 2000  # whose latent points are looked at, spread evenly over all
MOST = 40  # sliders
REACH = 2.0  # how far one goes, in whole ways


class Attributes:
    """What some of the images of a table have, and the directions of a model's latent space that lead to it.

    Args:
        model: a `LatentModel` that has `encode`.
        table: a `data.Table` of images that it learnt from.

    Attributes:
        names: list of str, of attributes that some have and others have not or, without such, of classes.
    """

    def __init__(self, model, table):
        self._model = model
        self._table = table.only(table.spread(IMAGES))
        self._groups = self._table.groups()
        self.names = list(self._groups)[:MOST]

    @property
    def num_images(self):
        """How many images are looked at."""
        return self._table.num_examples

    @cached_property
    def directions(self):
        """float32 array (names, *latent_shape), each the whole way: `attribute_vector` of the images' latent points."""
        parts = in_parts(np.arange(self.num_images))
        latents = np.concatenate([self._model.latents_of(self._table.rows("images", part)) for part in parts])
        return np.stack([attribute_vector(latents, self._groups[name]) for name in self.names])
