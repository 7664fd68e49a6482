"""ProGAN: a GAN that learns images of 4x4 pixels first, then of 8x8, and so on.

What an image is like at large is learnt while it is small, in a fraction of the time; each doubling adds to both
networks the layers for the detail, which are faded in so that nothing that was learnt is upset.  The rest keeps two
large networks in balance: weights that all learn at one rate, features of length 1 in the generator, and a
discriminator that sees how much a batch differs.

Paper: Karras et al. 2018, Progressive growing of GANs for improved quality, stability, and variation, arXiv:1710.10196.
Book: chapter 10, "ProGAN".
"""

import keras
import tensorflow as tf
from keras import ops

from gdl_keras import losses
from gdl_keras.layers.settings import Annealed
from gdl_keras.models.growing.base import GrowingModel


@keras.saving.register_keras_serializable(package="gdl_keras")
class ProGAN(GrowingModel):
    """Trains a growing GAN on the Wasserstein loss with gradient penalty.

        discriminator:  E[D(G(z))] - E[D(real)] + penalty_weight E[(|grad D(x)| - 1)^2] + drift_weight E[D(real)^2]
        generator:      -E[D(G(z))]                                         (Karras et al. 2018, appendix A.1)

    One forward pass of the generator serves both steps.  Real and generated images pass the discriminator one after the
    other: in one batch, how much it differs would give away which is which.  Slopes and distances are per unit of pixel
    values in [-1, 1], at the size that is learnt.

    Args:
        generator, discriminator: `keras.Model`s, of `growing.networks`.
        penalty_weight, drift_weight: floats; they may be annealed.  The latter keeps the scores near 0, which the
            difference of their means would let drift.
        num_classes, stable_kimg, transition_kimg, first_size, reset_optimizers, ema_half_life, ema_ramp, latents, seed:
            as in `GrowingModel`.

    Raises:
        InputError: an argument is out of range, or the networks do not fit together, or cannot grow.
    """

    metric_names = ("wasserstein_distance", "gradient_penalty", "gradient_norm", "discriminator_loss", "generator_loss")

    penalty_weight = Annealed("not negative", lambda value: value >= 0)
    drift_weight = Annealed("not negative", lambda value: value >= 0)

    def __init__(self, generator, discriminator, penalty_weight=10.0, drift_weight=0.001, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        self.penalty_weight = penalty_weight
        self.drift_weight = drift_weight

    def train_step(self, data):
        images, labels = self.images_and_labels(data)
        fade, reals = self.fade, self.as_learnt(images)
        generator, discriminator = self.given(labels)
        generator_tape = tf.GradientTape()
        with generator_tape:
            fakes = generator(self.latents_like(reals), training=True)

        with tf.GradientTape() as tape:
            real_scores = discriminator(reals, training=True)
            distances = losses.wasserstein_distance(real_scores, discriminator(ops.stop_gradient(fakes), training=True))
            penalties, norms = self.penalty(discriminator, reals, ops.stop_gradient(fakes))
            drifts = ops.mean(ops.square(real_scores), axis=-1)
            discriminator_losses = -distances + self.penalty_weight * penalties + self.drift_weight * drifts
            discriminator_loss = ops.mean(discriminator_losses)
        self.minimize_discriminator(tape, discriminator_loss)

        with generator_tape:
            fake_scores = discriminator(fakes, training=True)
            generator_loss = -ops.mean(fake_scores)
        self.count_images(reals)
        self.minimize_generator(generator_tape, generator_loss)
        return self.report(
            wasserstein_distance=distances,
            gradient_penalty=penalties,
            gradient_norm=norms,
            discriminator_loss=discriminator_losses,
            generator_loss=-fake_scores,
            **self.clock(fade),
        )

    def test_step(self, data):
        images, labels = self.images_and_labels(data)
        generator, discriminator = self.given(labels)
        fake_scores = discriminator(generator(self.latents_like(images, training=False)))
        distances = losses.wasserstein_distance(discriminator(self.as_learnt(images)), fake_scores)
        return self.report(wasserstein_distance=distances, generator_loss=-fake_scores)

    def penalty(self, discriminator, reals, fakes):
        """(gradient penalties, gradient norms), each float32 (batch,)."""
        mix = keras.random.uniform((ops.shape(reals)[0], 1, 1, 1), seed=self.seed_generator)
        return losses.gradient_penalty(discriminator, reals, fakes, mix, unit=0.5)
