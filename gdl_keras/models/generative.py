"""What every model shares that makes something new."""

import math

import numpy as np
import tensorflow as tf

from gdl_keras import keywords
from gdl_keras.errors import InputError, check_whole
from gdl_keras.models.base import TapeModel
from gdl_keras.models.parts.conditions import Unconditional
from gdl_keras.samplers.noise import seed_or_any

SHEET_COLUMNS, SHEET_ROWS = 10, 10
# Samples at a time, of small networks up to the last number: as many as have a layer of so many numbers.
AT_ONCE, AT_MOST, NUMBERS = 256, 4096, 2**22


class GenerativeModel(TapeModel):
    """A model that makes samples.  A subclass writes `draw`, beside what a `TapeModel` asks for.

    Attributes:
        makes: the kind of its samples, a name in `gdl_keras.kinds`.
        conditions: what it can be told to make, as in `parts/conditions.py`.
        evaluation_size: how many samples an evaluation takes unless it is told otherwise.
        likelihood_is: "exact" or "bound", what `negative_log_likelihood` gives, or None where there is none.
        density_bin_width: where the likelihood is a density, the width of the bin of data that a density stands for,
            such as 1/255 for bytes brought to [0, 1]; 1 where it is a probability.
    """

    makes = "images"
    evaluation_size = 10_000
    likelihood_is = None
    density_bin_width = 1.0

    @property
    def conditions(self):
        return Unconditional()

    def draw(self, count, seed, first=0, **options):
        """Samples number `first` to `first + count - 1`, as many as fit into memory at once.

        Sample i is a function of (seed, i), whatever `first` and `count` are; `samplers.noise` has such random numbers.
        Options are named as keywords: `generate` and `gdl sample` offer what stands here.

        Args:
            count: int.
            seed: int.
            first: int.
            options: the model's own, and its conditions, arrays of length `count`.

        Returns:
            array (count, ...).
        """
        raise NotImplementedError(f"{type(self).__name__} does not draw samples.")

    @classmethod
    def draw_options(cls):
        """What `draw` can be asked for, beside the conditions: {name: `inspect.Parameter`}."""
        return keywords.of(cls.draw)

    def generate(self, n=None, *, seed=None, first=0, batch_size=256, **options):
        """New samples.

        Args:
            n: int, how many.
            seed: int or None; the same seed gives the same samples, whatever `n` and `batch_size` are.
            first: int, the number of the first of them: `first=100` goes on where `n=100` ended.
            batch_size: how many are made at a time; bounds memory.
            options: the model's own, as in its `draw`; for conditional models, arrays of length n, such as `labels`.

        Returns:
            array (n, ...): images are float32 (n, height, width, channels) in [0, 1].

        Raises:
            InputError: `n` is missing or below 1, or an option is unknown or does not fit.
        """
        check_whole("How many samples generate() makes", n, 1)
        known = self.draw_options()
        own = {name: value for name, value in options.items() if name in known}
        given = {name: value for name, value in options.items() if name not in known}
        per_sample = self.conditions.check(n, type(self).__name__, **given)
        return self._in_batches(n, seed_or_any(seed), first, batch_size, per_sample, own)

    def _in_batches(self, n, seed, first, batch_size, per_sample, options):
        """`draw`, a batch at a time; `per_sample` holds arrays of length n, of which each batch gets its part."""
        samples = None
        for start in range(0, n, batch_size):
            part = slice(start, min(n, start + batch_size))
            cut = {name: value[part] for name, value in per_sample.items()}
            batch = self.draw(part.stop - start, seed, first + start, **cut, **options)
            if samples is None:
                samples = np.empty((n, *batch.shape[1:]), batch.dtype)
            samples[part] = batch
        return samples

    def negative_log_likelihood(self, batch, seed=0, first=0):
        """-log p of each example, or an upper bound on it: float64 array (n,), nats.

        Args:
            batch: array (n, ...), examples of what the model makes.
            seed: int; where the estimate is random, that of example i depends on (seed, first + i).
            first: int, the number of the first example.
        """
        raise NotImplementedError(f"{type(self).__name__} has no likelihood.")

    def sample_sheet(self, seed=0):
        """A page of samples that shows what the model makes: (samples, columns), the same for the same `seed`.

        Of a conditional model, a row for each condition.
        """
        if not self.conditions:
            return self.generate(25, seed=seed), 5
        rows = min(self.conditions.count, SHEET_ROWS)
        n = rows * SHEET_COLUMNS
        return self.generate(n, seed=seed, **self.conditions.in_turn(n, each=SHEET_COLUMNS)), SHEET_COLUMNS


class LatentModel(GenerativeModel):
    """A model that makes samples out of points of a latent space.

    A subclass writes `sample_latents` and `decode`, beside what a `TapeModel` asks for.

    Attributes:
        decoding_network: the `keras.Model` that `decode` calls, or None where that is not one network's work.
        latents_fill_a_cube: whether latent points are uniform in a cube; else they are normal.
    """

    decoding_network = None
    latents_fill_a_cube = False

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._decode = tf.function(self.decode, reduce_retracing=True)

    def trace_anew(self):
        super().trace_anew()
        self._decode = tf.function(self.decode, reduce_retracing=True)

    def sample_latents(self, n, seed=None, first=0):
        """Latent points number `first` to `first + n - 1`, drawn as the model expects them: float32 array (n, ...)."""
        raise NotImplementedError(f"{type(self).__name__} has no latent space to draw from.")

    def latents_of(self, examples):
        """The latent points of examples, where there is a way to them, `encode`: float32 array (n, *latent_shape)."""
        return self.encode(examples)

    def decode(self, latents, **conditions):
        """Samples, such as images in [0, 1], from one batch of latent points.

        Options are named as keywords, as those of `draw`; `generate(latents=...)` takes them.
        """
        raise NotImplementedError(f"{type(self).__name__} does not decode latent points.")

    def draw(self, count, seed, first=0, **conditions):
        return self.decode_batch(self.sample_latents(count, seed, first), **conditions)

    def decode_batch(self, latents, **conditions):
        """`decode`, compiled, from arrays to an array, which is not to be written to."""
        inputs = {name: tf.constant(value) for name, value in conditions.items() if value is not None}
        return np.asarray(self._decode(tf.constant(np.asarray(latents, "float32")), **inputs))

    @property
    def samples_at_once(self):
        """int: how many samples are made at a time unless it is said: many where a call costs more than the network."""
        if self.decoding_network is None:
            return AT_ONCE
        tensors = tf.nest.flatten([layer.output for layer in self.decoding_network.layers])
        sizes = [math.prod(tensor.shape[1:]) for tensor in tensors if None not in tensor.shape[1:]]
        known = len(sizes) == len(tensors)
        return min(AT_MOST, max(AT_ONCE, NUMBERS // max(sizes))) if known else AT_ONCE

    def generate(self, n=None, *, latents=None, seed=None, first=0, batch_size=None, **options):
        """New samples, of points that are drawn or given.

        Args:
            n: how many, at points that `sample_latents` draws; or
            latents: the points themselves, array (n, ...): a morph, a grid, the same point under every label.
            batch_size: how many are made at a time, by default `samples_at_once`; bounds memory.
            seed, first, options: as in `GenerativeModel.generate`.

        Raises:
            InputError: both or neither of `n` and `latents` are given, or as in `GenerativeModel.generate`.
        """
        batch_size = batch_size or self.samples_at_once
        if latents is None:
            if n is None:
                raise InputError("generate() takes either n, how many samples, or latents, the points to decode.")
            return super().generate(n, seed=seed, first=first, batch_size=batch_size, **options)
        latents = np.asarray(latents)
        if n is not None or not latents.size:
            raise InputError("generate() takes either n, how many samples, or latents, at least one point to decode.")
        if latents.shape[1:] != self.latent_shape:
            wanted = ", ".join(map(str, ("n", *self.latent_shape)))
            raise InputError(
                f"Latent points of {type(self).__name__} are an array ({wanted}), as sample_latents(n) gives them, and "
                f"these have shape {latents.shape}."
            )
        own = {name: options.pop(name) for name in keywords.of(self.decode) if name in options}
        conditions = self.conditions.check(len(latents), type(self).__name__, **options)
        samples = []
        for start in range(0, len(latents), batch_size):
            part = slice(start, start + batch_size)
            cut = {name: value[part] for name, value in conditions.items()}
            samples.append(self.decode_batch(latents[part], **cut, **own))
        return np.concatenate(samples)

    def between(self, start, end, share):
        """The latent point at a share of the way from one to another, as probable as they are.

            z = start cos(t) + end sin(t),   t = share pi / 2

        Beyond 1 it goes on, round a circle that is closed at 4.  Points of a cube would leave it so, and the way is
        straight: (1 - share) start + share end.

        Args:
            start, end: latent points, arrays of one shape.
            share: float.
        """
        if self.latents_fill_a_cube:
            return (1 - share) * start + share * end
        turn = np.pi / 2 * share
        return np.cos(turn) * start + np.sin(turn) * end

    def morph(self, start, end, steps=10, **conditions):
        """What lies on the straight line from one latent point to another.

            z(t) = (1 - t) start + t end,   t = 0 ... 1

        Args:
            start, end: latent points, arrays of one shape.
            steps: int, how many samples, both ends included.
            conditions: as in `generate`, arrays of length `steps`.

        Returns:
            array (steps, ...), such as images in [0, 1].
        """
        share = np.linspace(0, 1, steps, dtype="float32").reshape(-1, *[1] * np.ndim(start))
        return self.generate(latents=(1 - share) * start + share * end, **conditions)

    def sample_sheet(self, seed=0):
        """As in `GenerativeModel`; with conditions the same ten points in all rows."""
        if not self.conditions:
            return super().sample_sheet(seed)
        rows = min(self.conditions.count, SHEET_ROWS)
        points = np.tile(self.sample_latents(SHEET_COLUMNS, seed), (rows, *[1] * (len(self.latent_shape))))
        conditions = self.conditions.in_turn(len(points), each=SHEET_COLUMNS)
        return self.generate(latents=points, **conditions), SHEET_COLUMNS

    @property
    def latent_shape(self):
        """Shape of one latent point."""
        return (self.latent_dim,)
