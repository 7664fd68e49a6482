"""A judge that never sees an image as it is, so that it cannot learn a few real ones by heart.

Paper: Karras et al. 2020, Training generative adversarial networks with limited data, arXiv:2006.06676.
"""

import tensorflow as tf

from gdl_keras.models.parts.kimg import Latest


class Augmenting:
    """For GANs that show their judge augmented images, real and generated: in the list of bases before the others.

    A step takes `drawn_augmentation` once for real images, once for generated ones in each player's turn, and calls
    `follow_scores` at its end.

    Args:
        augmentation: a `layers.AdaptiveAugmentation`, or None.  It is saved with the model, its strength and random
            numbers, too.

    Raises:
        InputError: the images are not of a shape that it takes.
    """

    def __init__(self, generator, *, augmentation=None, **kwargs):
        super().__init__(generator, **kwargs)
        self.augmentation = augmentation
        if augmentation is not None and not augmentation.built:
            augmentation.build(self.generator.outputs[0].shape)
            augmentation.built = True

    def drawn_augmentation(self):
        """A function that augments images, always by the random numbers that were drawn here; without any, as they are.

        A penalty on the slope at real images then belongs to the function that scored them.
        """
        return tf.identity if self.augmentation is None else self.augmentation.drawn()

    def follow_scores(self, real_scores):
        """Moves the strength by what the judge says of real images.

        Returns:
            {"augmentation_strength": float32 scalar}, for `report`; {} without augmentation.
        """
        if self.augmentation is None:
            return {}
        self.augmentation.controller.observe(real_scores)
        return {"augmentation_strength": self.augmentation.controller.strength.value}

    def build_metrics(self):
        return {**super().build_metrics(), "augmentation_strength": Latest(name="augmentation_strength")}
