"""The Wasserstein GAN with gradient penalty: a critic instead of a judge.

A discriminator that tells real from generated perfectly teaches nothing: its loss is flat.  A critic gives each image
any number it likes, as long as its slope is at most 1, and the difference of its mean over real and over generated
images then measures how far one lot must be moved to become the other.  That distance has a slope everywhere, it falls
as the images get better, and a penalty on the critic's gradient keeps the slope near 1.

Book: chapter 4, "Wasserstein GAN with Gradient Penalty (WGAN-GP)".  Papers: Arjovsky et al. 2017, Wasserstein GAN,
arXiv:1701.07875; Gulrajani et al. 2017, Improved training of Wasserstein GANs, arXiv:1704.00028.
"""

from functools import partial

import keras
import tensorflow as tf
from keras import layers, ops

from gdl_keras import losses
from gdl_keras.errors import InputError, check_one_of
from gdl_keras.layers import HalvingConv2D, ReplicaDropout, ZeroCurvatureLeakyReLU, warn_about_second_order
from gdl_keras.layers.settings import Annealed
from gdl_keras.models.adversarial import AdversarialModel
from gdl_keras.models.dcgan import LEAK, enlarge
from gdl_keras.models.parts.sizes import reduced_size


def build_generator(image_shape, latent_dim=128, filters=(512, 256, 128, 64), upsampling="transposed"):
    """The DCGAN's generator, with a bias in the last layer.

    Args, errors as in `dcgan.build_generator`.

    Returns:
        `keras.Model`, float (batch, latent_dim) -> images (batch, *image_shape), float32 in [0, 1].  3,808,003 weights
        for the book's (64, 64, 3).
    """
    latents = keras.Input((latent_dim,), name="latents")
    return keras.Model(latents, enlarge(latents, image_shape, filters, upsampling), name="generator")


def build_critic(image_shape, filters=(64, 128, 256, 512), dropout=0.3):
    """Strided convolutions, each halving the image, then one that covers what is left.

    No batch normalisation: the penalty is on the gradient of each example by itself (Gulrajani et al. 2017, section 4).

    Args:
        image_shape: (height, width, channels); height and width multiples of 2 ** len(filters).
        filters: channels after each convolution.
        dropout: float, the share of activations that are left out in training.

    Returns:
        `keras.Model`, images (batch, *image_shape) in [0, 1] -> scores, float32 (batch, 1).  2,764,737 weights for the
        book's (64, 64, 3).

    Raises:
        InputError: the image cannot be halved that often.
    """
    images = keras.Input(image_shape, name="images")
    x = layers.Rescaling(2.0, offset=-1.0)(images)
    return keras.Model(images, score(x, filters, dropout), name="critic")


def score(x, filters, dropout):
    """The critic's body: float32 (batch, 1) out of images, or out of images with further channels."""
    smallest = reduced_size(x.shape[1:], filters)
    for index, width in enumerate(filters):
        x = HalvingConv2D(width, 4, strides=2, padding="same")(x)
        x = ZeroCurvatureLeakyReLU(LEAK)(x)
        if index > 0:
            x = ReplicaDropout(dropout)(x)
    x = layers.Conv2D(1, smallest, dtype=keras.config.floatx(), name="score")(x)
    return layers.Flatten(dtype=keras.config.floatx())(x)


@keras.saving.register_keras_serializable(package="gdl_keras")
class WGANGP(AdversarialModel):
    """Trains a critic to measure the distance between real and generated images, and a generator to make it small.

        critic:     E[D(G(z))] - E[D(real)] + penalty_weight * E[(|grad D(x)| - 1)^2]
        generator:  -E[D(G(z))]                                        (Gulrajani et al. 2017, algorithm 1)

    A training step is `critic_steps` steps of the critic, each with real images and noise of its own, then one of the
    generator.  The batch that `train_step` is given is dealt out among the critic's steps, and the generator makes as
    many images as one of them had.  On one of our data sets `fit` asks for `critic_steps` batches at a time, so that
    the data's batch size counts images in a step of the critic; from other data give `critic_steps` times as many.

    Distances and slopes are per unit of pixel values in [-1, 1], as in paper and book.

    Args:
        generator: `keras.Model`, latent points -> images in [0, 1].
        critic: `keras.Model`, images -> scores.  A warning names layers that do not go with a gradient penalty.
        critic_steps: int, steps of the critic for each of the generator.
        penalty_weight: float, weight of the gradient penalty; it may be annealed.
        variant: "paper", or "book" for three things that the book's code does otherwise: the mixing weights of the
            penalty are normal instead of uniform, the critic drops out in the penalty and in the generator's step too,
            and all its steps see the same real images.
        latents, ema_decay, seed: as in `AdversarialModel`.

    Raises:
        InputError: an argument is out of range, the networks do not fit together, or one ends in an activation that it
            must not end in.
    """

    judge_name = "critic"
    trained_networks = ("critic", "generator")
    metric_names = ("wasserstein_distance", "gradient_penalty", "gradient_norm", "critic_loss", "generator_loss")

    penalty_weight = Annealed("not negative", lambda value: value >= 0)

    def __init__(self, generator, critic, critic_steps=3, penalty_weight=10.0, variant="paper", **kwargs):
        super().__init__(generator, **kwargs)
        if critic_steps < 1:
            raise InputError(f"critic_steps is at least 1, not {critic_steps}.")
        check_one_of("variant", variant, ("paper", "book"))
        warn_about_second_order(critic)
        self.check_judge(critic)
        self.critic = critic
        self.critic_steps = critic_steps
        self.penalty_weight = penalty_weight
        self.variant = variant
        self.batches_per_step = critic_steps if variant == "paper" else 1
        self.drops_out_throughout = variant == "book"

    def train_step(self, data):
        for reals, labels in self.critic_batches(*self.images_and_labels(data)):
            generator, critic = self.given(labels)
            latents = self.latents_like(reals)
            with self.untouched():
                fakes = generator(latents, training=True)
            with tf.GradientTape() as tape:
                real_scores, fake_scores = self.scores(reals, fakes, labels)
                distances = losses.wasserstein_distance(real_scores, fake_scores)
                penalties, norms = self.penalty(critic, reals, fakes)
                critic_losses = -distances + self.penalty_weight * penalties
                critic_loss = ops.mean(critic_losses)
            self.minimize(tape, critic_loss, self.critic_optimizer, self.critic.trainable_variables)

        latents = self.latents_like(reals)
        with tf.GradientTape() as tape:
            fakes = generator(latents, training=True)
            with self.untouched():
                fake_scores = critic(fakes, training=self.drops_out_throughout)
            generator_loss = -ops.mean(fake_scores)
        self.minimize(tape, generator_loss, self.generator_optimizer, self.generator.trainable_variables)
        self.move_average(self.generator_optimizer)
        return self.report(
            wasserstein_distance=distances,
            gradient_penalty=penalties,
            gradient_norm=norms,
            critic_loss=critic_losses,
            generator_loss=-fake_scores,
        )

    def test_step(self, data):
        reals, labels = self.images_and_labels(data)
        generator, critic = self.given(labels)
        fake_scores = critic(generator(self.latents_like(reals, training=False), training=False), training=False)
        distances = losses.wasserstein_distance(critic(reals, training=False), fake_scores)
        return self.report(wasserstein_distance=distances, generator_loss=-fake_scores)

    def critic_batches(self, images, labels=None):
        """What each step of the critic sees: pairs (images, labels), as many as there are steps.

        Equal parts of the batch, none of them twice, where it has at least one image a step.
        """
        if self.variant == "book":
            return [(images, labels)] * self.critic_steps
        size = ops.shape(images)[0]
        part = ops.maximum(size // self.critic_steps, 1)
        starts = [(step * part) % size for step in range(self.critic_steps)]
        return [tuple(None if t is None else t[start : start + part] for t in (images, labels)) for start in starts]

    def scores(self, reals, fakes, labels):
        """The critic's scores of real and of generated images, float32 (batch, 1) each, in training.

        A critic scores each image by itself, so both lots go in one batch, which is quicker than one after the other.
        """
        _, critic = self.given(None if labels is None else ops.concatenate([labels, labels]))
        return tf.split(critic(ops.concatenate([reals, fakes]), training=True), 2)

    def penalty(self, critic, reals, fakes):
        """(gradient penalties, gradient norms), each float32 (batch,).

        The slope is that of the whole critic: dropout is left out.
        """
        critic = partial(critic, training=self.drops_out_throughout)
        return losses.gradient_penalty(critic, reals, fakes, self.mixing_weights(reals), self.unit)

    @property
    def unit(self):
        """How long the unit of slopes and distances is in the numbers that the generator makes."""
        return 0.5 if self.makes == "images" else 1.0  # images in [0, 1] are [-1, 1] at half the length

    def mixing_weights(self, images):
        """A number in [0, 1) for each example: float32 tensor (batch, 1, ..., 1)."""
        draw = keras.random.normal if self.variant == "book" else keras.random.uniform
        return draw((ops.shape(images)[0],) + (1,) * (len(images.shape) - 1), seed=self.seed_generator)
