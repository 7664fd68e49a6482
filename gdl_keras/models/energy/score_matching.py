"""Denoising score matching: learn the slope of log p from examples alone, with no chain and no constant.

Spoil an example by normal noise, and ask which way leads back.  On average over all examples that a spoilt point may
have been, the way back is the slope of the log-density of spoilt points:

    slope of log p_sigma(y) = E[x - y | y] / sigma^2,      y = x + sigma * epsilon

so that a network which is told of pairs (x, y), and answers with the slope of an energy, learns it by least squares.
What is learnt is the density of the *spoilt* points: the data, blurred by sigma.

Papers: Hyvärinen 2005, Estimation of non-normalized statistical models by score matching, JMLR 6; Vincent 2011, A
connection between score matching and denoising autoencoders, Neural Computation 23, for the identity; Song & Ermon
2019, arXiv:1907.05600, which goes on from here to diffusion.
"""

import keras
import tensorflow as tf
from keras import ops

from gdl_keras.layers import SeedGenerator
from gdl_keras.layers.settings import Annealed
from gdl_keras.models.base import inputs_of
from gdl_keras.models.energy.points import PointEnergyModel
from gdl_keras.models.parts.weights import weighted, weights_of
from gdl_keras.samplers.langevin import noise_at


@keras.saving.register_keras_serializable(package="gdl_keras")
class ScoreMatching(PointEnergyModel):
    """Trains an energy of points by denoising score matching (Vincent 2011, equation 9).

        loss = 1/2 |epsilon - sigma * slope of E(x + sigma * epsilon)|^2

    Args:
        network: `keras.Model`, points -> energies (batch, 1).
        sigma: float, the standard deviation of the noise; it may be annealed.
        step_size, noise, reach, sampling_steps: as in `EnergyModel`, for sampling; the noise is by default that of
            temperature 1.
        seed: int or None.
    """

    weighs_examples = True
    sigma = Annealed("larger than 0", lambda value: value > 0)

    def __init__(self, network, sigma=0.1, step_size=0.005, noise=None, reach=3.0, **kwargs):
        noise = noise_at(1.0, step_size) if noise is None else noise
        super().__init__(network, step_size, noise, reach=reach, **kwargs)
        self.sigma = sigma
        # Validation draws from random numbers of its own: whether it is looked at changes nothing in training.
        self.evaluation_seed_generator = SeedGenerator(None if self.seed is None else self.seed + 1)

    def train_step(self, data):
        with tf.GradientTape() as tape:
            losses = weighted(self.denoising_loss(inputs_of(data), self.seed_generator), weights_of(data))
            loss = ops.mean(losses)
        self.minimize(tape, loss, self.optimizer, self.trainable_variables)
        return self.report(loss=losses)

    def test_step(self, data):
        losses = self.denoising_loss(inputs_of(data), self.evaluation_seed_generator)
        return self.report(loss=weighted(losses, weights_of(data)))

    def denoising_loss(self, points, seed_generator):
        """The loss of each point: float32 tensor (n,)."""
        epsilon = keras.random.normal(ops.shape(points), seed=seed_generator)
        slope = self.slope_at(points + self.sigma * epsilon)
        return 0.5 * ops.sum(ops.square(epsilon - self.sigma * slope), axis=1)
