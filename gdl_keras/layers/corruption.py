"""Corruption: what a denoising autoencoder does to the images that its encoder sees in training."""

import keras
from keras import ops

from gdl_keras.errors import InputError
from gdl_keras.layers.seeds import SeedGenerator
from gdl_keras.layers.settings import Adjustable, Annealed

KINDS = ("gaussian", "masking")


@keras.saving.register_keras_serializable(package="gdl_keras")
class Corruption(Adjustable, keras.layers.Layer):
    """Adds noise to images in training, or paints over some of their pixels.

        gaussian:  clip(x + amount * epsilon),   epsilon ~ N(0, 1) for each number
        masking:   0 with probability `amount`, else x; all channels of a pixel together

    Source: Vincent et al. 2010, Stacked denoising autoencoders, JMLR 11, section 3.3.

    Args:
        kind: "gaussian" or "masking".
        amount: float, the standard deviation of the noise, or the share of the pixels that are set to 0.  It may be
            annealed: `corruption.amount = 0.3` holds from the next step on.
        seed: int or None, start of the random numbers.

    Call arguments:
        images: float tensor (batch, height, width, channels) in [0, 1].
        training: bool; outside training nothing changes.

    Returns:
        float32 tensor of that shape in [0, 1], under every precision policy.

    Raises:
        InputError: an argument is out of range.
    """

    amount = Annealed("at least 0, and at most 1 for masking", lambda value: value >= 0)

    def __init__(self, kind="gaussian", amount=0.1, seed=None, dtype="float32", **kwargs):
        super().__init__(dtype=dtype, **kwargs)
        if kind not in KINDS:
            raise InputError(f"kind is {' or '.join(map(repr, KINDS))}, not {kind!r}.")
        if kind == "masking" and amount > 1:
            raise InputError(f"amount is {type(self).amount.what}, not {amount}.")
        self.kind = kind
        self.amount = amount
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)

    def call(self, images, training=False):
        if not training:
            return images
        if self.kind == "gaussian":
            noise = keras.random.normal(ops.shape(images), dtype=images.dtype, seed=self.seed_generator)
            return ops.clip(images + self._amount_like(images) * noise, 0, 1)
        one_a_pixel = (*ops.shape(images)[:-1], 1)
        uniform = keras.random.uniform(one_a_pixel, dtype=images.dtype, seed=self.seed_generator)
        return ops.where(uniform >= self._amount_like(images), images, 0)

    def _amount_like(self, images):
        return ops.cast(self.amount, images.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "kind": self.kind, "amount": float(self.amount), "seed": self.seed}
