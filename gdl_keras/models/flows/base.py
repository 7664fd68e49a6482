"""What all normalizing flows share: a map that can be gone both ways, and a change of variables that is counted.

A flow is an invertible map f from examples x to latent points z = f(x), which are to be standard normal.  A map moves
no probability away, it only packs it closer or further apart; by how much is the determinant of its Jacobian:

    log p(x) = log N(f(x); 0, I) + log |det df/dx|

So the density is exact, it is trained by maximum likelihood, and a sample is a normal point sent the other way.

Book: chapter 6, "Change of variables".  Papers: Tabak & Vanden-Eijnden 2010; Rezende & Mohamed 2015, Variational
inference with normalizing flows, arXiv:1505.05770; Papamakarios et al. 2021, a survey, arXiv:1912.02762.
"""

import numpy as np
import tensorflow as tf
from keras import ops

from gdl_keras import losses
from gdl_keras.backend import full_float32
from gdl_keras.errors import InputError
from gdl_keras.models.base import inputs_of
from gdl_keras.models.generative import LatentModel
from gdl_keras.models.parts.weights import weighted, weights_of
from gdl_keras.samplers.noise import random_normal


class FlowModel(LatentModel):
    """An invertible map between examples and standard normal points, trained by maximum likelihood.

    A subclass writes `forward`, `inverse`, `latent_shape` and `input_signature`.  It reports `nats`, the mean of
    -log p(x), and `loss`, the same with the penalties of its networks' weights (their regularizers).

    Attributes:
        chunk: int, examples at a time where a likelihood or latent points are computed; bounds memory.
    """

    likelihood_is = "exact"
    weighs_examples = True
    metric_names = ("loss", "nats")
    chunk = 1024

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._trace()

    def trace_anew(self):
        super().trace_anew()
        self._trace()

    def _trace(self):
        self._log_density = tf.function(self.log_density, reduce_retracing=True)
        self._forward = tf.function(self.forward, reduce_retracing=True)

    # ---- the map -------------------------------------------------------------------------------------------------

    def forward(self, examples):
        """From examples to latent points.

        Args:
            examples: float32 tensor (batch, ...).

        Returns:
            (latent points, float32 tensor (batch, *latent_shape); log |det df/dx| of each example, float32 (batch,)).
        """
        raise NotImplementedError(f"{type(self).__name__} has no way to its latent points.")

    def inverse(self, latents):
        """From latent points back to examples: float32 tensor (batch, ...)."""
        raise NotImplementedError(f"{type(self).__name__} has no way back from its latent points.")

    def log_density(self, examples):
        """log p(x) of each example: float32 tensor (batch,), nats."""
        return self.log_density_from(*self.forward(examples))

    def log_density_from(self, latents, log_det):
        """The change of variables: log p(x) from what `forward` gives, float32 tensor (batch,)."""
        return losses.normal_log_density(ops.reshape(latents, (ops.shape(latents)[0], -1))) + log_det

    def call(self, examples):
        """log p(x) of each example: float32 tensor (batch,), nats."""
        return self.log_density(examples)

    # ---- training ------------------------------------------------------------------------------------------------

    def train_step(self, data):
        with tf.GradientTape() as tape:
            nats, losses_with_penalties = self.nats_and_losses(data)
            loss = ops.mean(losses_with_penalties)
        self.minimize(tape, loss, self.optimizer, self.trainable_variables)
        return self.report(loss=losses_with_penalties, nats=nats)

    def test_step(self, data):
        nats, losses_with_penalties = self.nats_and_losses(data)
        return self.report(loss=losses_with_penalties, nats=nats)

    def nats_and_losses(self, data):
        """(-log p, the same plus the penalties) of what `fit` hands over: float32 tensors (batch,)."""
        nats = weighted(self.surprise(inputs_of(data)), weights_of(data))
        return nats, nats + self.penalties()

    def surprise(self, examples):
        """-log p(x) of each example as a step of training takes it, or a random estimate: float32 tensor (batch,)."""
        return -self.log_density(examples)

    def penalties(self):
        """The sum of all regularizers of the networks' weights: float32 scalar tensor."""
        return sum((ops.cast(penalty, "float32") for penalty in self.losses), tf.constant(0.0))

    # ---- samples and likelihood ----------------------------------------------------------------------------------

    def draw(self, count, seed, first=0, *, temperature=1.0):
        # Latent points nearer to the middle (below 1) are likelier samples, and less varied.
        if not temperature >= 0:
            raise InputError(f"temperature is not negative, and {temperature} is.")
        return self.decode_batch(temperature * self.sample_latents(count, seed, first))

    def decode(self, latents):
        return self.inverse(latents)

    def sample_latents(self, n, seed=None, first=0):
        return random_normal((n, *self.latent_shape), seed, first)

    def encode(self, examples):
        """The latent points of examples: float32 array (n, *latent_shape)."""
        return np.concatenate([np.asarray(self._forward(part)[0]) for part in self.chunks_of(examples)])

    @full_float32()
    def negative_log_likelihood(self, batch, seed=0, first=0):
        """-log p of each example, exact: float64 array (n,), nats."""
        return np.concatenate([-np.asarray(self._log_density(part), "float64") for part in self.chunks_of(batch)])

    def chunks_of(self, examples):
        """An array in parts that fit into memory: float32 tensors (chunk or fewer, ...)."""
        examples = np.asarray(examples, "float32")
        return [tf.constant(examples[start : start + self.chunk]) for start in range(0, len(examples), self.chunk)]
