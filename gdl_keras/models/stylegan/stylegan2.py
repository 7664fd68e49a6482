"""StyleGAN2: what a latent point means is worked out first, and then said to every layer of the generator.

A mapping network makes a style of a latent point, a list of numbers which need not be normal, and may lie as the data
wants it to.  At every size the style says which features are loud, so that coarse layers take pose and shape from it,
and fine ones colour and texture; what is left to chance comes from noise.  Two penalties keep both networks smooth: one
on the discriminator's slope at real images, one on how unevenly images move as styles do.

Papers: Karras et al. 2019, A style-based generator architecture for generative adversarial networks, arXiv:1812.04948;
Karras et al. 2020, Analyzing and improving the image quality of StyleGAN, arXiv:1912.04958.  Book: chapter 10.
"""

from functools import partial

import keras
import tensorflow as tf
from keras import ops

from gdl_keras import losses
from gdl_keras.layers import warn_about_second_order
from gdl_keras.layers.settings import Annealed, Setting
from gdl_keras.models.adversarial import accuracies
from gdl_keras.models.parts.augmenting import Augmenting
from gdl_keras.models.parts.replicas import sum_over_replicas
from gdl_keras.models.stylegan.base import StyleModel


@keras.saving.register_keras_serializable(package="gdl_keras")
class StyleGAN2(Augmenting, StyleModel):
    """Trains generator and discriminator on the logistic loss, with a penalty on each now and then.

        discriminator:  E[softplus(-D(real))] + E[softplus(D(G(z)))] + penalty_weight / 2 E[|grad D(real)|^2]   (R1)
        generator:      E[softplus(-D(G(z)))] + path_weight E[(|J^T y| - a)^2]

    J is the Jacobian of an image for its styles, y random, and a the running mean of the lengths |J^T y|
    (`losses.path_length`).  Slopes and lengths are per unit of images in [-1, 1], as in the papers.

    A penalty is taken in one of so many steps, and then as many times as heavily, so that its mean over steps is what
    the formula says (Karras et al. 2020, section 3.1).  It joins that step's gradient.  In the paper's code it is a
    step of its own, k + 1 in place of k, for which the paper corrects Adam with c = k / (k + 1): rate c, beta_1^c,
    beta_2^c.  There is nothing to correct here, and rates and betas are those that the papers give: 0.002, 0, 0.99.

    One forward pass of the generator serves both steps, but for the penalty, which has points of its own.

    Args:
        generator: `keras.Model`, as in `StyleModel`.
        discriminator: `keras.Model`, images -> logits.  A warning names layers that do not go with a gradient penalty.
        num_classes: int, of a conditional model, whose networks take labels, too.
        penalty_weight: float; 0 for no penalty.  `penalty_weight_for` says which one to begin with.
        penalty_interval: int, in one of how many steps.
        path_weight: float; 0 for no penalty.
        path_interval: int, in one of how many steps.
        path_decay: float in (0, 1], how much of the mean length each batch that it is taken from makes up.
        path_shrink: int; the path's penalty is taken from a batch so many times smaller.
        augmentation: a `layers.AdaptiveAugmentation` of all that the discriminator sees in training, or None.
        mixing, style_decay, ema_half_life, ema_ramp, seed: as in `StyleModel`.

    Raises:
        InputError: an argument is out of range, the networks do not fit together, or one ends in an activation that it
            must not end in.
    """

    metric_names = (
        *("discriminator_loss", "generator_loss", "discriminator_accuracy", "real_accuracy", "fake_accuracy"),
        *("squared_slope", "path_length"),
    )

    penalty_weight = Setting("not negative", lambda value: value >= 0)
    penalty_interval = Setting("at least 1", lambda value: value >= 1)
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
        super().__init__(generator, **kwargs)
        warn_about_second_order(discriminator)
        self.check_judge(discriminator)
        self.discriminator = discriminator
        self.num_classes = num_classes
        self.penalty_weight, self.penalty_interval = penalty_weight, penalty_interval
        self.path_weight, self.path_interval = path_weight, path_interval
        self.path_decay, self.path_shrink = path_decay, path_shrink
        self.mean_path = self.add_weight(shape=(), initializer="zeros", trainable=False, name="mean_path")
        self.steps_taken = self._counter("steps_taken")

    @property
    def learns_from(self):
        """The columns of the data that `train_step` gets."""
        return ("images",) if self.num_classes is None else ("images", "labels")

    def train_step(self, data):
        reals, labels = self.images_and_labels(data)
        _, discriminator = self.given(labels)
        self.count_images(reals)
        noise = self.drawn_noise(reals)
        generator_tape = tf.GradientTape()
        with generator_tape:
            style, styles = self.drawn_styles(reals, labels)
            fakes = self.synthesis([styles, noise], training=True)

        # Where there is augmentation, the discriminator sees nothing else, in either player's turn.
        judge_reals, judge_fakes, judge_again = (self.judge(discriminator) for _ in range(3))
        is_due, weight = self.due(self.penalty_weight / 2, self.penalty_interval)
        with tf.GradientTape() as tape:
            real_logits = judge_reals(reals)
            fake_logits = judge_fakes(ops.stop_gradient(fakes))
            values = self.discriminator_values(real_logits, fake_logits)
            slopes = self.squared_slopes(is_due, judge_reals, reals)
            discriminator_loss = ops.mean(values["discriminator_loss"]) + weight * ops.mean(slopes)
        self.minimize(tape, discriminator_loss, self.discriminator_optimizer, self.discriminator.trainable_variables)
        values["squared_slope"] = slopes, _like(slopes, is_due)

        is_due, weight = self.due(self.path_weight, self.path_interval)
        with generator_tape:
            generator_losses = losses.binary_crossentropy(1.0, judge_again(fakes))
            lengths = self.path_lengths(is_due, reals, labels)
            mean_path = self.followed_path(is_due, lengths)
            generator_loss = ops.mean(generator_losses) + weight * ops.mean(ops.square(lengths - mean_path))
        self.minimize(generator_tape, generator_loss, self.generator_optimizer, self.generator.trainable_variables)
        values["path_length"] = lengths, _like(lengths, is_due)

        self.mean_path.assign(mean_path)
        self.follow_styles(style)
        self.move_average(self.generator_optimizer)
        self.steps_taken.assign_add(1)
        values |= self.follow_scores(real_logits)
        kimg = ops.cast(self.images_seen.value, "float32") / 1000
        return self.report(generator_loss=generator_losses, kimg=kimg, **values)

    def test_step(self, data):
        reals, labels = self.images_and_labels(data)
        generator, discriminator = self.given(labels)
        fakes = generator(self.latents_like(reals, training=False), training=False)
        fake_logits = discriminator(fakes, training=False)
        values = self.discriminator_values(discriminator(reals, training=False), fake_logits)
        return self.report(generator_loss=losses.binary_crossentropy(1.0, fake_logits), **values)

    def judge(self, discriminator):
        """The discriminator as it is in training, behind an augmentation that is drawn here: a function of images."""
        augment = self.drawn_augmentation()
        return lambda images: discriminator(augment(images), training=True)

    def discriminator_values(self, real_logits, fake_logits):
        """The discriminator's loss without penalty and its accuracies, one number per example."""
        real_losses = losses.binary_crossentropy(1.0, real_logits)
        fake_losses = losses.binary_crossentropy(0.0, fake_logits)
        return {"discriminator_loss": real_losses + fake_losses, **accuracies(real_logits, fake_logits)}

    # ---- what is done now and then ---------------------------------------------------------------------------------

    def due(self, weight, interval):
        """Whether a penalty is taken in this step, and its weight if so, else 0: bool and float32 scalars."""
        is_due = self.steps_taken.value % interval == 0 if weight else tf.constant(False)
        return is_due, ops.cast(is_due, "float32") * weight * interval

    def squared_slopes(self, is_due, judge, reals):
        """`losses.squared_slope` of a judge at real images where it is due, else zeros: float32 (batch,)."""
        slopes = partial(losses.squared_slope, judge, reals)
        return tf.cond(is_due, slopes, lambda: tf.zeros(tf.shape(reals)[:1])) if self.penalty_weight else _none(reals)

    def path_lengths(self, is_due, reals, labels):
        """`losses.path_length` of fresh styles where it is due, else zeros: float32 (smaller batch,).

        Random numbers are drawn in every step, so that what is due when changes none of those of other steps.
        """
        count = ops.maximum(ops.shape(reals)[0] // self.path_shrink, 1)
        some = reals[:count]
        if not self.path_weight:
            return _none(some)
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
        return self.mean_path + _like(mean, is_due) * self.path_decay * (mean - self.mean_path)


def penalty_weight_for(image_size, batch_size):
    """The weight of the discriminator's penalty to begin with: float (Karras et al. 2020, arXiv:2006.06676).

    Slopes of images of n times the size are smaller, and of smaller batches noisier.  Runs with a half and with twice
    as much show on which side it is wrong.
    """
    return 0.0002 * image_size**2 / batch_size


def _like(tensor, is_due):
    return tf.fill(tf.shape(tensor), tf.cast(is_due, tf.float32))


def _none(images):
    return tf.zeros(tf.shape(images)[:1])
