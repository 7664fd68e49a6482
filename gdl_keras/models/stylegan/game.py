"""The game that StyleGAN2 and StyleGAN3 play: the logistic loss, and a penalty on the discriminator now and then."""

from functools import partial

import tensorflow as tf
from keras import ops

from gdl_keras import losses
from gdl_keras.layers import warn_about_second_order
from gdl_keras.layers.settings import Setting
from gdl_keras.models.adversarial import logistic_values
from gdl_keras.models.parts.augmenting import Augmenting


class LogisticGame(Augmenting):
    """Trains generator and discriminator: for models that are `Styled`, in the list of bases before it.

        discriminator:  E[softplus(-D(real))] + E[softplus(D(G(z)))] + penalty_weight / 2 E[|grad D(real)|^2]   (R1)
        generator:      E[softplus(-D(G(z)))] + what the subclass adds

    Slopes are per unit of images in [-1, 1], as in the papers.

    A penalty is taken in one of so many steps, and then as many times as heavily, so that its mean over steps is what
    the formula says (Karras et al. 2020, arXiv:1912.04958, section 3.1).  It joins that step's gradient.  In the
    paper's code it is a step of its own, k + 1 in place of k, for which the paper corrects Adam with c = k / (k + 1):
    rate c, beta_1^c, beta_2^c.  There is nothing to correct here, and rates and betas are those that the papers give.

    One forward pass of the generator serves both steps.

    A subclass writes `drawn_beside` and, where the generator pays a penalty, `generator_penalty`.  At the end of its
    `__init__` it makes the counter `steps_taken`.

    Args:
        generator: `keras.Model`, as in `Styled`.
        discriminator: `keras.Model`, images -> logits.  A warning names layers that do not go with a gradient penalty.
        num_classes: int, of a conditional model, whose networks take labels, too.
        penalty_weight: float; 0 for no penalty.  `penalty_weight_for` says which one to begin with.
        penalty_interval: int, in one of how many steps.
        augmentation: a `layers.AdaptiveAugmentation` of all that the discriminator sees in training, or None.

    Raises:
        InputError: an argument is out of range, the networks do not fit together, or one ends in an activation that it
            must not end in.
    """

    metric_names = (
        *("discriminator_loss", "generator_loss", "discriminator_accuracy", "real_accuracy", "fake_accuracy"),
        "squared_slope",
    )

    penalty_weight = Setting("not negative", lambda value: value >= 0)
    penalty_interval = Setting("at least 1", lambda value: value >= 1)

    def __init__(self, generator, discriminator, num_classes=None, penalty_weight=10.0, penalty_interval=16, **kwargs):
        super().__init__(generator, **kwargs)
        warn_about_second_order(discriminator)
        self.check_judge(discriminator)
        self.discriminator = discriminator
        self.num_classes = num_classes
        self.penalty_weight, self.penalty_interval = penalty_weight, penalty_interval

    @property
    def learns_from(self):
        """The columns of the data that `train_step` gets."""
        return ("images",) if self.num_classes is None else ("images", "labels")

    def train_step(self, data):
        reals, labels = self.images_and_labels(data)
        _, discriminator = self.given(labels)
        self.count_images(reals)
        beside = self.drawn_beside(reals)
        generator_tape = tf.GradientTape()
        with generator_tape:
            style, styles = self.drawn_styles(reals, labels)
            fakes = self.synthesis([styles, beside], training=True)

        # Where there is augmentation, the discriminator sees nothing else, in either player's turn.
        judge_reals, judge_fakes, judge_again = (self.judge(discriminator) for _ in range(3))
        is_due, weight = self.due(self.penalty_weight / 2, self.penalty_interval)
        with tf.GradientTape() as tape:
            real_logits = judge_reals(reals)
            fake_logits = judge_fakes(ops.stop_gradient(fakes))
            values = logistic_values(real_logits, fake_logits)
            slopes = self.squared_slopes(is_due, judge_reals, reals)
            discriminator_loss = ops.mean(values["discriminator_loss"]) + weight * ops.mean(slopes)
        self.minimize(tape, discriminator_loss, self.discriminator_optimizer, self.discriminator.trainable_variables)
        values["squared_slope"] = slopes, like(slopes, is_due)

        with generator_tape:
            generator_losses = losses.binary_crossentropy(1.0, judge_again(fakes))
            penalty, penalised = self.generator_penalty(reals, labels)
            generator_loss = ops.mean(generator_losses) + penalty
        self.minimize(generator_tape, generator_loss, self.generator_optimizer, self.generator.trainable_variables)

        self.follow_styles(style)
        self.move_average(self.generator_optimizer)
        self.steps_taken.assign_add(1)
        values |= penalised | self.follow_scores(real_logits)
        kimg = ops.cast(self.images_seen.value, "float32") / 1000
        return self.report(generator_loss=generator_losses, kimg=kimg, **values)

    def test_step(self, data):
        reals, labels = self.images_and_labels(data)
        generator, discriminator = self.given(labels)
        fakes = generator(self.latents_like(reals, training=False), training=False)
        fake_logits = discriminator(fakes, training=False)
        values = logistic_values(discriminator(reals, training=False), fake_logits)
        return self.report(generator_loss=losses.binary_crossentropy(1.0, fake_logits), **values)

    def judge(self, discriminator):
        """The discriminator as it is in training, behind an augmentation that is drawn here: a function of images."""
        augment = self.drawn_augmentation()
        return lambda images: discriminator(augment(images), training=True)

    # ---- what a subclass decides -------------------------------------------------------------------------------------

    def drawn_beside(self, images):
        """What the synthesis network takes beside styles in a training step, for as many images."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its synthesis takes beside styles.")

    def generator_penalty(self, reals, labels):
        """What is added to the generator's loss, and what is reported of it: (float32 scalar, {name: values})."""
        return 0.0, {}

    # ---- what is done now and then -----------------------------------------------------------------------------------

    def due(self, weight, interval):
        """Whether a penalty is taken in this step, and its weight if so, else 0: bool and float32 scalars."""
        is_due = self.steps_taken.value % interval == 0 if weight else tf.constant(False)
        return is_due, ops.cast(is_due, "float32") * weight * interval

    def squared_slopes(self, is_due, judge, reals):
        """`losses.squared_slope` of a judge at real images where it is due, else zeros: float32 (batch,)."""
        slopes = partial(losses.squared_slope, judge, reals)
        return tf.cond(is_due, slopes, lambda: tf.zeros(tf.shape(reals)[:1])) if self.penalty_weight else none_of(reals)


def like(tensor, is_due):
    """How much each value of a tensor counts in a report: 1 where it was due, else 0."""
    return tf.fill(tf.shape(tensor), tf.cast(is_due, tf.float32))


def none_of(images):
    """A zero for each image."""
    return tf.zeros(tf.shape(images)[:1])
