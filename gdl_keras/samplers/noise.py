"""Random numbers for sampling: those of sample number i depend on the seed and on i, and on nothing else.

How many samples are drawn, and how many at a time memory allows, then changes none of them, also where a sampler draws
noise again and again inside a loop.
"""

import math
import secrets

import numpy as np

from gdl_keras.backend import use_tensorflow

use_tensorflow()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

# Samples that share a stream of random numbers; a part of them costs as much as all.
BLOCK = 64


def random_normal(shape, seed=None, first=0):
    """Standard normal numbers for samples number `first`, `first + 1`, ...: float32 array (n, ...).

    Args:
        shape: (n, ...).
        seed: int, or None for other numbers each time.
        first: int, the number of the first sample.
    """
    # The numbers of a stream are counted: a longer array begins with the shorter one.
    return np.asarray(keras.random.normal((first + shape[0], *shape[1:]), seed=seed_or_any(seed)))[first:]


def random_uniform(shape, seed=None, first=0):
    """Numbers uniform in [-1, 1), as `random_normal`."""
    return np.asarray(keras.random.uniform((first + shape[0], *shape[1:]), -1.0, 1.0, seed=seed_or_any(seed)))[first:]


def random_truncated_normal(shape, threshold, seed=None, first=0):
    """Normal numbers as they are if each is drawn again until it lies within the threshold, as `random_normal`.

        z = sqrt(2) erfinv(u erf(t / sqrt(2))),   u uniform in [-1, 1)

    No number is in fact drawn again, so that every threshold takes as long, and the same seed under a smaller threshold
    gives the same points nearer to zero.

    Args:
        threshold: float above 0; 2 leaves a variance of 0.774, 1 of 0.291, 0.5 of 0.081.
    """
    share = math.erf(threshold / math.sqrt(2))
    uniform = tf.cast(random_uniform(shape, seed, first), tf.float64)
    numbers = math.sqrt(2) * np.asarray(tf.math.erfinv(share * uniform))
    return np.clip(numbers, -threshold, threshold).astype("float32")


def seed_or_any(seed):
    """`seed`, or a random one where it is None: int."""
    return secrets.randbelow(2**31) if seed is None else seed


class SampleNoise:
    """Streams of random numbers for samples number `first` to `first + count - 1`.

    Each sample has a stream of its own; `step` says which part of it.  For use inside loops, compiled or not.

    Args:
        seed: int.
        first: int or int tensor, the number of the first sample.
        count: int, how many samples.
    """

    def __init__(self, seed, first, count):
        self.seed = seed
        self.first = first
        self.count = count

    def normal(self, step, shape):
        """Standard normal numbers: float32 tensor (count, *shape).

        Args:
            step: int or int tensor, the number of the draw.
            shape: tuple of ints, of what belongs to one sample.
        """
        return self._draw(tf.random.stateless_normal, step, shape)

    def uniform(self, step, shape=()):
        """Numbers uniform in [0, 1): float32 tensor (count, *shape).  Args as in `normal`."""
        return self._draw(tf.random.stateless_uniform, step, shape)

    def _draw(self, distribution, step, shape):
        fold_in = tf.random.experimental.stateless_fold_in
        seed = fold_in(tf.stack([tf.cast(self.seed, tf.int32), 1]), tf.cast(step, tf.int32))
        first = tf.cast(self.first, tf.int32)
        # The block that holds the first sample, and as many more as may be needed, wherever in it that one lies.
        blocks = range((self.count + 2 * BLOCK - 2) // BLOCK)
        parts = [distribution((BLOCK, *shape), seed=fold_in(seed, first // BLOCK + block)) for block in blocks]
        start = first % BLOCK
        numbers = tf.concat(parts, axis=0)[start : start + self.count]
        return tf.ensure_shape(numbers, (self.count, *shape))


class DrawnNoise:
    """Random numbers that were drawn before, where a loop asks a `SampleNoise` for them.

    For training, where they come from the state that is saved with the model, and nobody knows how many samples.

    Args:
        numbers: float32 tensor (count, steps), uniform in [0, 1).
    """

    def __init__(self, numbers):
        self.numbers = numbers

    def uniform(self, step):
        """Those of a step, an int or int tensor: float32 tensor (count,)."""
        return tf.gather(self.numbers, step, axis=1)
