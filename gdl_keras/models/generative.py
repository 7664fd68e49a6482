"""What every model shares that makes something new."""

import secrets

import keras
import numpy as np
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.models.base import TapeModel


class GenerativeModel(TapeModel):
    """A model that makes images out of points of a latent space.

    A subclass writes `sample_latents` and `decode`, beside what a `TapeModel` asks for.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._decode = tf.function(self.decode, reduce_retracing=True)

    def sample_latents(self, n, seed=None):
        """`n` points of the latent space, drawn as the model expects them: float32 array, fixed by `seed`."""
        raise NotImplementedError(f"{type(self).__name__} has no latent space to draw from.")

    def decode(self, latents, **conditions):
        """Images, float32 tensor in [0, 1], from one batch of latent points."""
        raise NotImplementedError(f"{type(self).__name__} does not decode latent points.")

    def check_conditions(self, n, **conditions):
        """What `generate` was given beside `n` points, checked, as arrays of length `n`: {name: array}.

        Raises:
            InputError: one is missing, or not what the model learnt from.
        """
        if conditions:
            raise InputError(f"generate() of {type(self).__name__} takes no {', '.join(conditions)}.")
        return {}

    def generate(self, n=None, *, latents=None, seed=None, batch_size=256, **conditions):
        """New images.

        Args:
            n: how many, at points that `sample_latents` draws; or
            latents: the points themselves, array (n, ...): a morph, a grid, the same point under every label.
            seed: int or None; the same seed gives the same images.
            batch_size: how many points are decoded at a time; bounds memory.
            conditions: for conditional models, arrays of length n, for example `labels`.

        Returns:
            float32 array (n, height, width, channels) in [0, 1].

        Raises:
            InputError: both or neither of `n` and `latents` are given, `n` is below 1, or the conditions do not fit.
        """
        if (n is None) == (latents is None):
            raise InputError("generate() takes either n, how many images, or latents, the points to decode.")
        n = len(latents) if n is None else n
        if n < 1:
            raise InputError(f"generate() makes at least 1 image, not {n}.")
        latents = np.asarray(self.sample_latents(n, seed) if latents is None else latents, "float32")
        conditions = self.check_conditions(n, **conditions)
        images = None
        for start in range(0, len(latents), batch_size):
            part = slice(start, start + batch_size)
            inputs = {name: tf.constant(value[part]) for name, value in conditions.items()}
            batch = self._decode(tf.constant(latents[part]), **inputs).numpy()
            if images is None:
                images = np.empty((n, *batch.shape[1:]), batch.dtype)
            images[part] = batch
        return images

    def morph(self, start, end, steps=10, **conditions):
        """What lies on the straight line from one latent point to another.

            z(t) = (1 - t) start + t end,   t = 0 ... 1

        Args:
            start, end: latent points, arrays of one shape.
            steps: int, how many images, both ends included.
            conditions: as in `generate`, arrays of length `steps`.

        Returns:
            float32 array (steps, height, width, channels) in [0, 1].
        """
        share = np.linspace(0, 1, steps, dtype="float32").reshape(-1, *[1] * np.ndim(start))
        return self.generate(latents=(1 - share) * start + share * end, **conditions)

    def sample_sheet(self, seed=0):
        """A page of images that shows what the model makes: (images, columns); the same points for the same `seed`."""
        return self.generate(25, seed=seed), 5


def random_normal(shape, seed=None):
    """Standard normal numbers for sampling outside training: float32 array, the same for the same `seed`."""
    return np.asarray(keras.random.normal(shape, seed=_or_any(seed)))


def random_uniform(shape, seed=None):
    """Numbers uniform in [-1, 1) for sampling outside training: float32 array, the same for the same `seed`."""
    return np.asarray(keras.random.uniform(shape, -1.0, 1.0, seed=_or_any(seed)))


def _or_any(seed):
    return secrets.randbelow(2**31) if seed is None else seed
