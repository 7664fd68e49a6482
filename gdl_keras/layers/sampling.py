"""The reparameterisation trick: a random draw that gradients pass through."""

import keras
from keras import ops

from gdl_keras.layers.seeds import SeedGenerator


@keras.saving.register_keras_serializable(package="gdl_keras")
class Sampling(keras.layers.Layer):
    """Draws a point from a normal distribution with diagonal covariance.

        z = mean + exp(log_variance / 2) * epsilon,   epsilon ~ N(0, I)      (Kingma & Welling 2014, section 2.4)

    The randomness sits in epsilon alone, so z has a gradient with respect to mean and log_variance.

    Training and evaluation draw from two streams of random numbers: whether somebody looks at the validation loss
    changes nothing in training.

    Args:
        seed: int or None, start of both streams.

    Call arguments:
        inputs: (mean, log_variance), two float tensors of one shape, (batch, latent_dim).
        training: bool, which stream to draw from.

    Returns:
        float tensor of that shape.
    """

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)
        self.evaluation_seed_generator = SeedGenerator(None if seed is None else seed + 1)

    def call(self, inputs, training=False):
        mean, log_variance = inputs
        generator = self.seed_generator if training else self.evaluation_seed_generator
        epsilon = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=generator)
        return mean + ops.exp(0.5 * log_variance) * epsilon

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}
