"""An energy: one number for anything, low for what is likely.

    p(x) = exp(-E(x)) / Z,      Z = integral of exp(-E(x)) over everything there is

Any network with one output is such a model, which is its charm.  The price is Z, that nobody can compute for images.
What needs no Z: which of two things is likelier, and the slope of log p, the *score*, which is minus the slope of E.
With the slope samples are drawn, by Langevin dynamics.

Papers: LeCun et al. 2006, A tutorial on energy-based learning; Du & Mordatch 2019, arXiv:1903.08689.
"""

import numpy as np
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.layers.settings import Annealed
from gdl_keras.models.generative import GenerativeModel
from gdl_keras.models.parts.calling import specs_of
from gdl_keras.models.parts.endings import refuse_ending
from gdl_keras.samplers.langevin import langevin
from gdl_keras.samplers.noise import SampleNoise

# Energies that are computed at a time; bounds memory.
CHUNK = 1024


class EnergyModel(GenerativeModel):
    """A network that gives an energy, and Langevin dynamics that samples it.

    Chains walk in coordinates of their own, which a subclass may choose (`to_coordinates`, `to_samples`).  They begin
    as noise that is uniform in [-reach, reach), and are kept within [-limit, limit].  A subclass writes `train_step`.

    Args:
        network: `keras.Model`, samples -> energies (batch, 1), without an activation at its end.
        step_size: float, how far a step goes down a slope.
        noise: float, the standard deviation of what each step adds.
        slope_clip: float, what each number of a slope is kept within, up and down; None for no bound.
        reach: float, how far noise reaches from 0, up and down, where chains begin.
        sampling_steps: int, how many steps lead from noise to a sample, unless `generate(steps=...)` says otherwise.
        seed: int or None.

    Raises:
        InputError: an argument is out of range, or the network does not end in one number, any number.
    """

    step_size = Annealed("larger than 0", lambda value: value > 0)
    noise = Annealed("not negative", lambda value: value >= 0)
    slope_clip = Annealed("None or larger than 0", lambda value: value > 0, optional=True)
    read_by_no_step = ("label_names", "sampling_steps")
    limit = None

    def __init__(self, network, step_size, noise, slope_clip=None, reach=1.0, sampling_steps=200, **kwargs):
        super().__init__(**kwargs)
        refuse_ending(network, type(self).__name__)
        if network.output_shape[1:] != (1,):
            raise InputError(f"An energy is one number a sample; {network.name} gives {network.output_shape[1:]}.")
        check_steps(sampling_steps)
        if reach <= 0:
            raise InputError(f"Chains begin as noise that reaches further than 0, not {reach}.")
        self.network = network
        self.step_size, self.noise, self.slope_clip = step_size, noise, slope_clip
        self.reach, self.sampling_steps = reach, sampling_steps
        self.trace_the_walk()

    def trace_anew(self):
        super().trace_anew()
        self.trace_the_walk()

    def trace_the_walk(self):
        # Traced for each number of chains: random numbers of samples want it known.
        self._walk = tf.function(self._walk_of_samples)
        self._slope = tf.function(self.slope_at, reduce_retracing=True)

    @property
    def first_network(self):
        return self.network

    @property
    def example_shape(self):
        return tuple(self.network.input_shape[1:])

    @property
    def input_signature(self):
        return specs_of(self.network.inputs[0])

    def call(self, samples, training=False):
        """The energy of each sample: float32 (batch,)."""
        return self.network(samples, training=training)[:, 0]

    # ---- the walk ----------------------------------------------------------------------------------------------------

    def to_coordinates(self, samples):
        """Where samples lie in the space in which chains walk: a tensor of the same shape."""
        return samples

    def to_samples(self, coordinates):
        """The samples that lie there: the inverse of `to_coordinates`."""
        return coordinates

    def energy_at(self, coordinates, training=False):
        """E(x): float32 tensor (n,)."""
        return self(self.to_samples(coordinates), training=training)

    def slope_at(self, coordinates):
        """The slope of E(x), a tensor of the same shape, in units of the coordinates."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(coordinates)
            energies = self.energy_at(coordinates)
        return tape.gradient(energies, coordinates)

    def walk(self, start, steps, normal, first_step=0):
        """`langevin` down this model's energy, in coordinates; args as there."""
        settings = self.step_size, self.noise
        return langevin(self.slope_at, start, steps, *settings, normal, self.slope_clip, self.limit, first_step)

    # ---- samples -----------------------------------------------------------------------------------------------------

    def draw(self, count, seed, first=0, *, steps: int | None = None):
        """Samples at the end of chains that begin as noise.

        Args:
            count, seed, first: as in `GenerativeModel.draw`.
            steps: int, how many steps a chain takes; by default `sampling_steps`.
        """
        return self.chains(count, [self.sampling_steps if steps is None else steps], seed, first)[0]

    def chains(self, count, stops, seed, first=0, begun=None):
        """Chains on their way: where they are after some numbers of steps.

        Args:
            count, seed, first: as in `GenerativeModel.draw`.
            stops: ascending list of ints from 0 on.
            begun: float array (count, ...), samples at which the chains begin; by default noise.

        Returns:
            float32 array (len(stops), count, ...).

        Raises:
            InputError: `stops` is no such list.
        """
        if not len(stops) or min(stops) < 0 or list(stops) != sorted(stops):
            raise InputError(f"Chains are seen after ascending numbers of steps, 0 or more, not {stops}.")
        place = self.noise_of(count, seed, first) if begun is None else self.to_coordinates(tf.constant(begun))
        seen, done = [], 0
        seed, first = tf.constant(seed, tf.int32), tf.constant(first)
        for stop in stops:
            place = self._walk(place, tf.constant(stop - done), seed, first, tf.constant(done))
            seen.append(np.asarray(self.to_samples(place)))
            done = stop
        return np.stack(seen)

    def on_the_way(self, count, seed, frames):
        """What samples look like while chains walk out of noise: float32 array (frames, count, ...).

        Args as in `WalkingModel.on_the_way`; the last are those of `generate`, for which chains begin as noise.
        """
        return self.chains(count, np.linspace(0, self.sampling_steps, frames).round().astype(int).tolist(), seed)

    def noise_of(self, count, seed, first=0):
        """Where chains begin that begin as noise, in coordinates: float32 tensor (count, ...)."""
        return self.reach * (2 * SampleNoise(seed, first, count).uniform(0, self.example_shape) - 1)

    def energies(self, samples):
        """E of each sample: float64 array (n,), of an array (n, ...)."""
        parts = range(0, len(samples), CHUNK)
        return np.concatenate(
            [np.asarray(self.predict_on_batch(samples[start : start + CHUNK]), "float64") for start in parts]
        )

    def _walk_of_samples(self, start, steps, seed, first, first_step):
        noise = SampleNoise(seed, first, start.shape[0])
        # The draw of number 0 is where chains begin.
        return self.walk(start, steps, lambda number: noise.normal(number + 1, self.example_shape), first_step)


def check_steps(steps):
    """Raises InputError unless that is a number of steps."""
    if steps != int(steps) or steps < 1:
        raise InputError(f"A chain takes a whole number of steps, 1 or more, not {steps}.")
