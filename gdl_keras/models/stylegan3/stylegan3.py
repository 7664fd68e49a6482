"""StyleGAN3: images that can be moved by a third of a pixel, and detail that goes along.

The generator starts from waves, which are there between the pixels and beyond the edge, too; every layer keeps to the
frequencies that its pixels can hold.  So nothing in it knows where the grid lies, and to move or turn the waves is to
move or turn the image.  The discriminator and the game are StyleGAN2's, without noise, mixed styles and the path's
penalty.

Paper: Karras et al. 2021, Alias-free generative adversarial networks, arXiv:2106.12423.  Book: chapter 10.
"""

import keras
from keras import ops

from gdl_keras.layers.settings import Annealed, Setting
from gdl_keras.models.stylegan.base import Styled
from gdl_keras.models.stylegan.game import LogisticGame
from gdl_keras.models.stylegan3.blur import blurred
from gdl_keras.models.stylegan3.transforms import moved_and_turned

# What the blur of the variant R begins with, as a share of the image's side: 10 pixels of 256.
BLUR_OF_ROTATION = 10 / 256


@keras.saving.register_keras_serializable(package="gdl_keras")
class StyleGAN3(LogisticGame, Styled):
    """The game of `LogisticGame` for a generator that moves.

    The variant R would rather draw fine detail from its 1x1 convolutions than learn what things look like, so at first
    its discriminator sees all images through a blur:

        standard deviation = blur * size of images * max(0, 1 - thousands of images so far / blur_kimg)     pixels

    The average of the generator holds the average of the layers' running means of squares, too, by the same clock as
    that of the weights: what a layer is divided by belongs to the weights of its time.

    Args:
        generator: `keras.Model`, latent points -> images, with layers "mapping", "transforms" and "synthesis", such as
            `networks.build_generator` makes.
        discriminator, num_classes, penalty_interval, augmentation: as in `LogisticGame`.
        penalty_weight: as there; `penalty_weight_for` says which one to begin with.
        blur: float, what the standard deviation begins with as a share of the image's side, such as `BLUR_OF_ROTATION`;
            0 for no blur.
        blur_kimg: float, thousands of images over which it goes.
        mixing, style_decay, ema_half_life, ema_ramp, seed: as in `Styled`.

    Raises:
        InputError: as in `LogisticGame`.
    """

    beside = "transforms"
    built_by = "models.stylegan3.networks.build_generator"

    blur = Setting("not negative", lambda value: value >= 0)
    blur_kimg = Annealed("larger than 0", lambda value: value > 0)

    def __init__(
        self,
        generator,
        discriminator,
        num_classes=None,
        penalty_weight=2.0,
        penalty_interval=16,
        blur=0.0,
        blur_kimg=200.0,
        mixing=0.0,
        **kwargs,
    ):
        super().__init__(
            generator, discriminator, num_classes, penalty_weight, penalty_interval, mixing=mixing, **kwargs
        )
        self.blur, self.blur_kimg = blur, blur_kimg
        self.steps_taken = self._counter("steps_taken")

    def drawn_beside(self, images):
        return self.generator.get_layer(self.beside)(images)

    def judge(self, discriminator):
        judge = super().judge(discriminator)
        return (lambda images: judge(blurred(images, self.blur_now))) if self.blur else judge

    @property
    def blur_now(self):
        """The blur's standard deviation in pixels: float32 scalar."""
        size = self.synthesis.outputs[0].shape[1]
        return self.blur * size * ops.maximum(1 - ops.cast(self.kimg, "float32") / self.blur_kimg, 0.0)

    # ---- generation --------------------------------------------------------------------------------------------------

    def draw(
        self,
        count,
        seed,
        first=0,
        *,
        truncation: float = 1.0,
        cutoff: int | None = None,
        right: float = 0.0,
        down: float = 0.0,
        turn: float = 0.0,
        **labels,
    ):
        """Images of fresh points.

        Args:
            truncation, cutoff: as in `StyleModel.draw`.
            right, down: float, by how many pixels images are moved; parts of pixels, too.
            turn: float, by how many degrees they are turned before that, counter-clockwise about their middle; of the
                variant T the waves turn, and the image does not follow.
        """
        latents = self.sample_latents(count, seed, first)
        moved = {"right": right, "down": down, "turn": turn}
        return self.decode_batch(latents, truncation=truncation, cutoff=cutoff, **moved, **labels)

    def decode_batch(self, latents, *, right=0.0, down=0.0, turn=0.0, **others):
        return super().decode_batch(latents, right=float(right), down=float(down), turn=float(turn), **others)

    def decode(
        self,
        latents,
        labels=None,
        *,
        truncation: float = 1.0,
        cutoff: int | None = None,
        right: float = 0.0,
        down: float = 0.0,
        turn: float = 0.0,
    ):
        styles = self.styles_of(latents, labels, truncation=truncation, cutoff=cutoff)
        transform = moved_and_turned(right, down, turn, self.synthesis.outputs[0].shape[1])
        return self.images_of(styles, ops.broadcast_to(transform, (ops.shape(styles)[0], 3, 3)))

    def images_of(self, styles, transforms=None):
        """`Styled.images_of` with transforms (batch, 3, 3) as in `FourierInput`; None for images at rest."""
        return super().images_of(styles, transforms)

    def unclipped_images_of(self, styles, transforms=None):
        """The same before what lies outside of [0, 1] is cut off, and with it its slope."""
        return super().unclipped_images_of(styles, transforms)


def penalty_weight_for(image_size):
    """The weight of the discriminator's penalty to begin with, for batches of 32: float (Karras et al. 2021).

    It grows with the area, from 0.5 at 128x128 to 32 at 1024x1024.  Runs with a half and with twice as much show on
    which side it is wrong.
    """
    return 32 * (image_size / 1024) ** 2
