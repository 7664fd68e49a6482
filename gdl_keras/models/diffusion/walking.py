"""Models whose samples are the ends of walks: from noise, step by step, to an image."""

from itertools import pairwise

import numpy as np
import tensorflow as tf

from gdl_keras.errors import InputError, check_whole
from gdl_keras.models.generative import LatentModel
from gdl_keras.samplers.denoising import check_steps
from gdl_keras.samplers.noise import SampleNoise, random_normal, seed_or_any


class WalkingModel(LatentModel):
    """A latent space that is noise of the images' own shape, decoded step by step.

    A subclass writes `walk`, `levels_of` and `draw`, and keeps `image_shape`, `steps`, how many there are by default,
    `standardized` and its inverse `as_images`.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._walks = {}

    def trace_anew(self):
        super().trace_anew()
        self._walks = {}

    @property
    def latent_shape(self):
        return self.image_shape

    def sample_latents(self, n, seed=None, first=0):
        return random_normal((n, *self.latent_shape), seed, first)

    def walk(self, latents, noise, labels, given, levels, **options):
        """Standardised images out of noise, compiled.

        Args:
            latents: float32 tensor (n, *image_shape).
            noise: `SampleNoise`, for what is drawn on the way.
            labels: integer tensor (n,) or None.
            given: float32 tensor (n, *image_shape), standardised, with NaN where nothing is given; or None.
            levels: what `levels_of` gives.
            options: as in `draw`.
        """
        raise NotImplementedError(f"{type(self).__name__} does not make images.")

    def levels_of(self, steps):
        """The levels that `walk` goes through in so many steps: a tuple of float32 arrays (steps + 1,)."""
        raise NotImplementedError(f"{type(self).__name__} has no levels.")

    def decode_batch(self, latents, seed=0, first=0, labels=None, given=None, steps=None, **options):
        """Images in [0, 1] out of one batch of noise; args as in `draw` and `generate`."""
        steps = self.steps if steps is None else steps
        check_steps(steps)
        self.check_options(**options)
        (images,) = self._seen(latents, steps, [0, steps], seed, first, labels, given, **options)
        return images

    def _seen(self, place, steps, stops, seed, first=0, labels=None, given=None, **options):
        """Yields images in [0, 1] of where a walk has come to at each of its stops but the first, where it begins.

        A walk of several parts is one only for solvers that draw no noise and remember no step.
        """
        key = tuple(sorted(options.items()))
        if key not in self._walks:

            @tf.function  # noise wants to know how many samples there are: another number is traced anew
            def walk(place, levels, start, stop, seed, first, labels, given):
                levels = [level[start : stop + 1] for level in levels]
                noise = SampleNoise(seed, first, place.shape[0])
                given = None if given is None else self.standardized(given)
                place = self.walk(place, noise, labels, given, levels, **options)
                return place, self.as_images(place)

            self._walks[key] = walk
        levels = [tf.constant(level) for level in self.levels_of(steps)]
        tensors = [None if value is None else tf.constant(value) for value in (labels, given)]
        place = tf.constant(np.asarray(place, "float32"))
        for part in pairwise(stops):
            numbers = [tf.constant(number) for number in (*map(int, part), seed, first)]
            place, images = self._walks[key](place, levels, *numbers, *tensors)
            yield images.numpy()

    def on_the_way(self, count, seed, frames, **conditions):
        """What samples look like while they are made.

        Args:
            count, seed: as in `generate`.
            frames: int, how often they are looked at: first as noise, last when they are done.
            conditions: as in `generate`, such as `labels`.

        Returns:
            float32 array (frames, count, *image_shape) in [0, 1]; the last are those of `generate`.
        """
        per_sample = self.conditions.check(count, type(self).__name__, **conditions)
        latents = self.sample_latents(count, seed)
        stops = np.linspace(0, self.steps, frames).round().astype(int)
        return np.stack([*self._seen(latents, self.steps, [0, *stops], seed, **per_sample)])

    def check_options(self, **options):
        """Raises InputError unless `draw` takes these options together."""

    def generate(
        self, n=None, *, latents=None, given: np.ndarray = None, seed=None, first=0, batch_size=256, **options
    ):
        """New images, of noise that is drawn or given; or the rest of images of which a part is given.

        Args:
            n, latents, seed, first, batch_size: as in `LatentModel.generate`.
            given: float array (n, *image_shape) in [0, 1], one image a sample, with NaN where the model is to fill in.
                At each step what is given takes its place in the image that the network sees behind the noise.
            options: as in `draw`; `labels` of a conditional model.

        Raises:
            InputError: an argument does not fit.
        """
        if (n is None) == (latents is None) and not (n is None and given is not None):
            raise InputError("generate() takes either n, how many samples, or latents, the points to decode.")
        count = next(len(each) for each in (latents, given) if each is not None) if n is None else n
        check_whole("How many samples generate() makes", count, 1)
        own = {name: value for name, value in options.items() if name in self.draw_options()}
        rest = {name: value for name, value in options.items() if name not in own}
        per_sample = self.conditions.check(count, type(self).__name__, **rest)
        for name, value in (("latents", latents), ("given", given)):
            if value is not None:
                per_sample[name] = self._one_each(name, value, count)
        return self._in_batches(count, seed_or_any(seed), first, batch_size, per_sample, own)

    def _one_each(self, name, value, count):
        value = np.asarray(value, "float32")
        if value.shape != (count, *self.image_shape):
            raise InputError(f"{name} has shape {value.shape}: {count} samples want {(count, *self.image_shape)}.")
        return value

    def interpolate(self, start, end, steps=10, **options):
        """What lies on the great circle from one point of noise to another, along which its length stays that of noise.

            z(t) = (sin((1 - t) angle) start + sin(t angle) end) / sin(angle)                     (Shoemake 1985)

        Args:
            start, end: latent points, arrays of one shape.
            steps: int, how many images, both ends included.
            options: as in `generate`.

        Returns:
            float32 array (steps, *image_shape) in [0, 1].
        """
        cosine = np.sum(start * end) / (np.linalg.norm(start) * np.linalg.norm(end))
        angle = np.arccos(np.clip(cosine, -1, 1))
        share = np.linspace(0, 1, steps).reshape(-1, *[1] * np.ndim(start))
        if np.sin(angle) < 1e-4:
            return self.morph(start, end, steps, **options)
        points = (np.sin((1 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle)
        return self.generate(latents=points, **options)


def keep_given(images, given):
    """Images in which what is given has its place: NaN is not given."""
    return images if given is None else tf.where(tf.math.is_nan(given), images, given)
