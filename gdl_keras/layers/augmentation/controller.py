"""How strong augmentation has to be, from what the discriminator says of real images (section 3.1)."""

import keras
import tensorflow as tf

from gdl_keras.errors import InputError, check_whole
from gdl_keras.layers.quantizer import of_all_replicas


@keras.saving.register_keras_serializable(package="gdl_keras")
class AugmentationController(keras.layers.Layer):
    """Makes augmentation stronger where the discriminator knows its real images by heart, else weaker.

        r = E[sign D(real)] over `interval` steps
        strength += sign(r - target) * images / (1000 ramp_kimg),    from 0 to 1; images: how many these steps saw

    A discriminator that has learnt its few images by heart scores all of them above 0, so that r is 1; one that is at a
    loss scores as many above as below.

    Args:
        strength: float in [0, 1], with which it begins.
        target: float in (-1, 1), the r that it aims at.
        ramp_kimg: how many thousand images it takes from 0 to 1; None: strength stays as it is.  The paper has 500, of
            25,000 in all; a shorter run needs a shorter ramp.
        interval: int, steps between two changes.

    Attributes:
        strength: float32 variable, saved with the model, as is what the current interval has seen.

    Raises:
        InputError: an argument is out of range.
    """

    def __init__(self, strength=0.0, target=0.6, ramp_kimg=500, interval=4, **kwargs):
        super().__init__(**{"dtype": "float32", "autocast": False, **kwargs})
        if not 0 <= strength <= 1 or not -1 < target < 1 or (ramp_kimg is not None and ramp_kimg <= 0):
            raise InputError(
                "strength lies in [0, 1], target in (-1, 1), and ramp_kimg is above 0 or None; they are "
                f"{strength}, {target} and {ramp_kimg}."
            )
        check_whole("interval", interval, 1, "step")
        self.start, self.target, self.ramp_kimg, self.interval = float(strength), target, ramp_kimg, interval
        # All replicas assign the same, so that the mean is what each has.
        kept = {"trainable": False, "dtype": "float32", "aggregation": "mean"}
        start = keras.initializers.Constant(self.start)
        self.strength = self.add_weight((), start, name="strength", **kept)
        self.steps, self.images, self.signs = (
            self.add_weight((), "zeros", name=name, **kept) for name in ("steps", "images", "signs")
        )
        self.built = True

    def observe(self, real_scores):
        """At the end of a training step: what the discriminator says of its real images.

        Args:
            real_scores: float tensor (batch, ...), above 0 for what it takes to be real; of this replica's images.
        """
        if self.ramp_kimg is None:
            return
        verdicts = of_all_replicas(tf.sign(tf.cast(tf.stop_gradient(real_scores), tf.float32)))
        steps = self.steps.value + 1
        images = self.images.value + tf.cast(tf.shape(verdicts)[0], tf.float32)
        signs = self.signs.value + tf.reduce_sum(
            tf.reduce_mean(tf.reshape(verdicts, (tf.shape(verdicts)[0], -1)), axis=1)
        )
        strength = self.strength.value + tf.sign(signs / images - self.target) * images / (1000 * self.ramp_kimg)
        # No branch assigns: a `tf.cond` must not change what replicas share.
        is_over = steps >= self.interval
        self.strength.assign(tf.where(is_over, tf.clip_by_value(strength, 0, 1), self.strength.value))
        for counter, value in ((self.steps, steps), (self.images, images), (self.signs, signs)):
            counter.assign(tf.where(is_over, 0.0, value))

    def get_config(self):
        names = ("target", "ramp_kimg", "interval")
        return {**super().get_config(), "strength": self.start, **{name: getattr(self, name) for name in names}}
