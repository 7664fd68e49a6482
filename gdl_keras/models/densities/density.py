"""Maximum likelihood: of all densities that a model can be, the one under which the examples are least surprising.

    loss = -1/n sum_i log p(x_i)

Where p can be computed and integrates to 1, that is the whole method: no second network, no bound.  Over ever more
examples the loss becomes the entropy of where they come from, plus the divergence of the model from that:

    E[-log p(x)] = H(truth) + KL(truth || p)

so it never gets below the entropy, and the best model of a family is the one whose divergence is smallest.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from gdl_keras.backend import full_float32
from gdl_keras.models.base import inputs_of
from gdl_keras.models.generative import GenerativeModel
from gdl_keras.models.parts.weights import weighted, weights_of

# Points whose density is computed at a time; bounds memory, also where each is compared with thousands of others.
CHUNK = 1024
# Points on the page of samples that a run keeps after each epoch.
SHEET = 1000


class PointModel(GenerativeModel):
    """A model whose samples are points: float32 arrays (n, dimensions)."""

    makes = "points"
    learns_from = ("points",)

    def sample_sheet(self, seed=0):
        return self.generate(SHEET, seed=seed), 1


class DensityModel(PointModel):
    """A density that can be computed, learnt by gradient ascent on the likelihood of its examples.

    A subclass writes `log_density` and `draw`.
    """

    likelihood_is = "exact"
    weighs_examples = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._log_density = tf.function(self.log_density, reduce_retracing=True)

    def trace_anew(self):
        super().trace_anew()
        self._log_density = tf.function(self.log_density, reduce_retracing=True)

    @property
    def example_shape(self):
        return (self.dimensions,)

    def log_density(self, points):
        """log p(x) of each point.

        Args:
            points: float32 tensor (n, dimensions).

        Returns:
            float32 tensor (n,), nats.
        """
        raise NotImplementedError(f"{type(self).__name__} has no density.")

    def call(self, points):
        """log p(x) of each point: float32 tensor (batch,), nats."""
        return self.log_density(points)

    @property
    def input_signature(self):
        return keras.InputSpec(shape=(None, self.dimensions), dtype="float32", name="points")

    def train_step(self, data):
        points = inputs_of(data)
        with tf.GradientTape() as tape:
            surprise = weighted(-self.log_density(points), weights_of(data))
            loss = ops.mean(surprise)
        self.minimize(tape, loss, self.optimizer, self.trainable_variables)
        return self.report(loss=surprise)

    def test_step(self, data):
        return self.report(loss=weighted(-self.log_density(inputs_of(data)), weights_of(data)))

    @full_float32()
    def negative_log_likelihood(self, batch, seed=0, first=0):
        """-log p of each point, exact: float64 array (n,), nats; infinity where the model thinks it impossible."""
        points = np.asarray(batch, "float32")
        parts = [points[start : start + CHUNK] for start in range(0, len(points), CHUNK)]
        return np.concatenate([-np.asarray(self._log_density(tf.constant(part)), "float64") for part in parts])
