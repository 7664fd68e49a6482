"""The pipeline of transforms, as a layer."""

import keras
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.layers.augmentation.blit import random_blit
from gdl_keras.layers.augmentation.colour import random_colour
from gdl_keras.layers.augmentation.controller import AugmentationController
from gdl_keras.layers.augmentation.corruptions import random_cutout, random_noise
from gdl_keras.layers.augmentation.draws import Draws
from gdl_keras.layers.augmentation.filtering import random_filtering
from gdl_keras.layers.augmentation.geometry import random_geometry
from gdl_keras.layers.seeds import SeedGenerator

# In the order in which they are applied.
GROUPS = {
    "blit": random_blit,
    "geometry": random_geometry,
    "colour": random_colour,
    "filtering": random_filtering,
    "noise": random_noise,
    "cutout": random_cutout,
}


@keras.saving.register_keras_serializable(package="gdl_keras")
class AdaptiveAugmentation(keras.layers.Layer):
    """Transforms images at random, each transform with probability `strength`, which a controller moves.

    Put in front of a discriminator, of real and of generated images alike, it keeps a small training set from being
    learnt by heart.  As long as strength is clearly below 1, most images stay as they are in each respect, and the
    generator learns images that are not transformed (section 2.2).

    By default it is the paper's choice: blit, geometry and colour.  At strength 0 nothing changes.  Gradients of
    gradients pass, too.

    Args:
        blit: float in [0, 1], times strength the probability of each of its transforms: flip, quarter turn, shift by
            whole pixels.  It takes square images.
        geometry: the same for scale, turn, stretch and shift by any amount.
        colour: the same for brightness, contrast, luma flip, hue and saturation; it takes images of 1 or 3 channels.
        filtering: the same for each of four bands of frequencies.
        noise, cutout: the same for either.
        strength, target, ramp_kimg, interval: as in `AugmentationController`.
        seed: int or None.

    Attributes:
        controller: the `AugmentationController`; a training step calls `controller.observe(real_scores)`.

    `drawn` gives the same as a function of images, for a step that augments some of them twice alike.

    Call arguments:
        images: float tensor (batch, height, width, channels) in [0, 1].
        training: bool; outside training nothing changes.

    Returns:
        float32 tensor of that shape under every precision policy; brightness, contrast and noise take it out of [0, 1].

    Raises:
        InputError: an argument is out of range, or images are not of a shape that a transform takes.
    """

    def __init__(
        self,
        blit=1.0,
        geometry=1.0,
        colour=1.0,
        filtering=0.0,
        noise=0.0,
        cutout=0.0,
        strength=0.0,
        target=0.6,
        ramp_kimg=500,
        interval=4,
        seed=None,
        dtype="float32",
        **kwargs,
    ):
        super().__init__(dtype=dtype, **kwargs)
        self.shares = dict(zip(GROUPS, (blit, geometry, colour, filtering, noise, cutout)))
        if not all(0 <= share <= 1 for share in self.shares.values()):
            raise InputError(f"{', '.join(GROUPS)} lie in [0, 1], not {self.shares}.")
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)
        self.controller = AugmentationController(strength, target, ramp_kimg, interval, name="controller")

    def build(self, input_shape):
        height, width, channels = input_shape[1:]
        if None in (height, width) or min(height, width) < 2:
            raise InputError(f"Images to augment have a fixed size of at least 2x2 pixels, not {height}x{width}.")
        if self.shares["blit"] and height != width:
            raise InputError(f"Images of {height}x{width} pixels cannot be turned by a quarter: give blit=0.")
        if self.shares["colour"] and channels not in (1, 3):
            raise InputError(f"Images of {channels} channels have no hue: give colour=0.")

    def call(self, images, training=False):
        return self.drawn()(images) if training else images

    def drawn(self):
        """A function of images that draws nothing: the random numbers are drawn here, the same for all its calls."""
        seed = self.seed_generator.next()

        def transformed(images):
            draws = Draws(seed, tf.shape(images)[0])
            images = 2 * tf.cast(images, tf.float32) - 1
            for name, transform in GROUPS.items():
                if self.shares[name]:
                    images = transform(images, draws, self.shares[name] * self.controller.strength.value)
            return (images + 1) / 2

        return transformed

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        names = ("strength", "target", "ramp_kimg", "interval")
        controller = self.controller.get_config()
        own = {**self.shares, **{name: controller[name] for name in names}, "seed": self.seed}
        return {**super().get_config(), **own}
