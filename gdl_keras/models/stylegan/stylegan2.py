"""StyleGAN2: what a latent point means is worked out first, and then said to every layer of the generator.

A mapping network makes a style of a latent point, a list of numbers which need not be normal, and may lie as the data
wants it to.  At every size the style says which features are loud, so that coarse layers take pose and shape from it,
and fine ones colour and texture; what is left to chance comes from noise.  Two penalties keep both networks smooth: one
on the discriminator's slope at real images, one on how unevenly images move as styles do.

Papers: Karras et al. 2019, A style-based generator architecture for generative adversarial networks, arXiv:1812.04948;
Karras et al. 2020, Analyzing and improving the image quality of StyleGAN, arXiv:1912.04958.  Book: chapter 10.
"""

import keras
import tensorflow as tf
from keras import ops

from gdl_keras import losses
from gdl_keras.layers.settings import Annealed, Setting
from gdl_keras.models.parts.replicas import sum_over_replicas
from gdl_keras.models.stylegan.base import StyleModel
from gdl_keras.models.stylegan.game import LogisticGame, like, none_of


@keras.saving.register_keras_serializable(package="gdl_keras")
class StyleGAN2(LogisticGame, StyleModel):
    """The game of `LogisticGame`, with a penalty on how unevenly images move as styles do.

        discriminator:  E[softplus(-D(real))] + E[softplus(D(G(z)))] + penalty_weight / 2 E[|grad D(real)|^2]   (R1)
        generator:      E[softplus(-D(G(z)))] + path_weight E[(|J^T y| - a)^2]

    J is the Jacobian of an image for its styles, y random, and a the running mean of the lengths |J^T y|
    (`losses.path_length`).  Slopes and lengths are per unit of images in [-1, 1], as in the papers, whose rates and
    betas of Adam are 0.002, 0, 0.99.

    One forward pass of the generator serves both steps, but for the path's penalty, which has points of its own.

    Args:
        generator: `keras.Model`, as in `StyleModel`.
        discriminator, num_classes, penalty_weight, penalty_interval, augmentation: as in `LogisticGame`.
        path_weight: float; 0 for no penalty.
        path_interval: int, in one of how many steps.
        path_decay: float in (0, 1], how much of the mean length each batch that it is taken from makes up.
        path_shrink: int; the path's penalty is taken from a batch so many times smaller.
        mixing, style_decay, ema_half_life, ema_ramp, seed: as in `StyleModel`.

    Raises:
        InputError: as in `LogisticGame`.
    """

    metric_names = (*LogisticGame.metric_names, "path_length")

    path_weight = Setting("not negative", lambda value: value >= 0)
    path_interval = Setting("at least 1", lambda value: value >= 1)
    path_decay = Annealed("larger than 0, and at most 1", lambda value: 0 < value <= 1)
    path_shrink = Setting("at least 1", lambda value: value >= 1)

    def __init__(
        self,
        generator,
        discriminator,
        num_classes=None,
        penalty_weight=10.0,
        penalty_interval=16,
        path_weight=2.0,
        path_interval=4,
        path_decay=0.01,
        path_shrink=2,
        **kwargs,
    ):
        super().__init__(generator, discriminator, num_classes, penalty_weight, penalty_interval, **kwargs)
        self.path_weight, self.path_interval = path_weight, path_interval
        self.path_decay, self.path_shrink = path_decay, path_shrink
        self.mean_path = self.add_weight(shape=(), initializer="zeros", trainable=False, name="mean_path")
        self.steps_taken = self._counter("steps_taken")

    def drawn_beside(self, images):
        return self.drawn_noise(images)

    def generator_penalty(self, reals, labels):
        is_due, weight = self.due(self.path_weight, self.path_interval)
        lengths = self.path_lengths(is_due, reals, labels)
        mean_path = self.followed_path(is_due, lengths)
        penalty = weight * ops.mean(ops.square(lengths - mean_path))
        self.mean_path.assign(mean_path)
        return penalty, {"path_length": (lengths, like(lengths, is_due))}

    def path_lengths(self, is_due, reals, labels):
        """`losses.path_length` of fresh styles where it is due, else zeros: float32 (smaller batch,).

        Random numbers are drawn in every step, so that what is due when changes none of those of other steps.
        """
        count = ops.maximum(ops.shape(reals)[0] // self.path_shrink, 1)
        some = reals[:count]
        if not self.path_weight:
            return none_of(some)
        _, styles = self.drawn_styles(some, None if labels is None else labels[:count])
        noise = self.drawn_noise(some)
        direction = keras.random.normal(ops.shape(some), seed=self.seed_generator)

        def lengths():
            return losses.path_length(lambda given: self.synthesis([given, noise], training=True), styles, direction)

        return tf.cond(is_due, lengths, lambda: tf.zeros(tf.shape(some)[:1]))

    def followed_path(self, is_due, lengths):
        """The running mean of lengths, moved by these, of all replicas, where they are due: float32 scalar."""
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        mean = ops.mean(ops.stop_gradient(lengths))
        mean = sum_over_replicas(mean) / replicas if replicas > 1 else mean
        return self.mean_path + like(mean, is_due) * self.path_decay * (mean - self.mean_path)


def penalty_weight_for(image_size, batch_size):
    """The weight of the discriminator's penalty to begin with: float (Karras et al. 2020, arXiv:2006.06676).

    Slopes of images of n times the size are smaller, and of smaller batches noisier.  Runs with a half and with twice
    as much show on which side it is wrong.
    """
    return 0.0002 * image_size**2 / batch_size
