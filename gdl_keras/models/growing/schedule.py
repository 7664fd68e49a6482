"""When a growing GAN learns images of which size: pure functions of the images that it has seen."""

from typing import NamedTuple

from keras import ops

from gdl_keras.errors import InputError


class Phase(NamedTuple):
    """What is trained at a time.

    Attributes:
        level: int, images are of 4 * 2**level pixels a side.
        fades: whether this size is being faded in, out of the one before.
    """

    level: int
    fades: bool = False


class Schedule:
    """Sizes that double: each is learnt for a while, and then the next one is faded in (Karras et al. 2018, section 2).

    The last size, once it is there, stays.

    Args:
        first, last: ints, levels.
        stable_kimg: float, thousands of images for which a size is learnt before the next one is faded in.
        transition_kimg: float, thousands of images that fading takes; 0 for none.

    Raises:
        InputError: `stable_kimg` is not larger than 0, or `transition_kimg` is below it.
    """

    def __init__(self, first, last, stable_kimg, transition_kimg):
        if not stable_kimg > 0 or not transition_kimg >= 0:
            raise InputError(
                "Every size is learnt for a while, stable_kimg > 0, and faded in for a while, transition_kimg >= 0: "
                f"not {stable_kimg} and {transition_kimg}."
            )
        self.first, self.last = first, last
        self.stable, self.transition = round(1000 * stable_kimg), round(1000 * transition_kimg)

    def phase_at(self, images):
        """The `Phase` after so many images, int."""
        doublings, since = divmod(images, self.stable + self.transition)
        level = min(self.first + doublings, self.last)
        fades = level < self.last and since >= self.stable
        return Phase(level + fades, fades)

    def fade_at(self, phase, images):
        """How far the size of a phase is faded in after so many images, from 0 to 1: float32 scalar.

        Args:
            phase: `Phase`; after its end the fade stays at 1.
            images: int64 scalar, or int.
        """
        if not phase.fades:
            return ops.ones(())
        began = (phase.level - 1 - self.first) * (self.stable + self.transition) + self.stable
        return ops.clip(ops.cast(images - began, "float32") / self.transition, 0.0, 1.0)
