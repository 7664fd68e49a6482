"""The hinge GAN: a conditional GAN of residual blocks that trains steadily.

The discriminator stops learning from an image once its score is beyond 1 on the right side, so that it never runs far
ahead.  A penalty keeps it flat where real images lie (or spectral normalisation bounds its slope everywhere), and the
images shown are those of an average of the generator over time.  Sizes change by plain resizing, away from the
convolutions, which leaves no checkerboard.

Papers: Lim & Ye 2017, Geometric GAN, arXiv:1705.02894, for the hinge; Mescheder et al. 2018, Which training methods for
GANs do actually converge?, arXiv:1801.04406, for the penalty; Miyato et al. 2018, arXiv:1802.05957, for spectral
normalisation; Miyato & Koyama 2018, cGANs with projection discriminator, arXiv:1802.05637; Brock et al. 2019, Large
scale GAN training for high fidelity natural image synthesis, arXiv:1809.11096.
"""

import math
from functools import partial

import keras
import tensorflow as tf
from keras import layers, ops
from keras.initializers import RandomNormal

from gdl_keras import losses
from gdl_keras.errors import check_one_of
from gdl_keras.layers import SpectralNormalization
from gdl_keras.layers.settings import Setting
from gdl_keras.models.adversarial import AdversarialModel, accuracies
from gdl_keras.models.parts.labels import label_input, with_label_planes
from gdl_keras.models.parts.sizes import reduced_size

# The image is halved and doubled this often; its smallest version has this many channels.
HALVINGS = 2
SMALLEST_CHANNELS = 16


def build_generator(image_shape, num_classes=None, latent_dim=64, filters=64, units=128, label_dim=8):
    """Dense layers make a small image, residual blocks and bilinear resizing make it large.

    Args:
        image_shape: (height, width, channels); height and width multiples of 4.
        num_classes: int, or None for a generator without labels.
        latent_dim: int, numbers per latent point.
        filters, units: width of the residual blocks and of the dense layers.
        label_dim: int, numbers that stand for a label.

    Returns:
        `keras.Model`, [float (batch, latent_dim), int labels (batch,)], or the first alone, -> images
        (batch, *image_shape), float32 in [0, 1].  For (28, 28, 1), 309,355 weights with 10 classes and 301,979 without.

    Raises:
        InputError: height or width is not a multiple of 4.
    """
    smallest = (*reduced_size(image_shape, range(HALVINGS)), SMALLEST_CHANNELS)
    inputs = latents = keras.Input((latent_dim,), name="latents")
    points = latents
    if num_classes is not None:
        labels, vectors = label_input(num_classes)
        inputs = [latents, labels]
        # As large as the latent numbers: with Dense's own small start, labels would hardly count beside them.
        embedding = layers.Dense(label_dim, use_bias=False, kernel_initializer=RandomNormal(stddev=1.0))(vectors)
        points = layers.Concatenate()([latents, embedding])

    x = points
    for width in (units, units, math.prod(smallest)):
        x = layers.LeakyReLU(0.01)(layers.Dense(width)(x))
    x = layers.Add()([x, layers.Dense(math.prod(smallest), use_bias=False)(points)])
    x = layers.Reshape(smallest)(x)

    x = residual_block(x, filters)
    for width in (filters, image_shape[-1]):
        x = layers.UpSampling2D(2, interpolation="bilinear")(x)
        x = residual_block(x, width, last_activation=width == filters)
    x = layers.Activation("tanh", dtype=keras.config.floatx())(x)
    images = layers.Rescaling(0.5, offset=0.5, dtype=keras.config.floatx(), name="images")(x)
    return keras.Model(inputs, images, name="generator")


def build_discriminator(
    image_shape, num_classes=None, filters=64, units=128, label_dim=8, spectral=True, conditioning="projection"
):
    """Residual blocks and averaging make the image small, dense layers make it one number.

    Args:
        image_shape, num_classes, filters, units, label_dim: as in `build_generator`.
        spectral: whether every kernel is divided by its largest singular value.
        conditioning: how the label comes in.  "projection": its embedding's dot product with the last features is
            added to the score (Miyato & Koyama 2018, equation 3); "planes": its embedding fills further channels of the
            image.

    Returns:
        `keras.Model`, [images (batch, *image_shape) in [0, 1], int labels (batch,)], or the first alone, -> scores,
        float32 (batch, 1).  For (28, 28, 1) without spectral normalisation, 250,481 weights with 10 classes as planes
        and 245,281 without classes.

    Raises:
        InputError: height or width is not a multiple of 4, or `conditioning` is unknown.
    """
    reduced_size(image_shape, range(HALVINGS))
    check_one_of("conditioning", conditioning, ("projection", "planes"))
    wrap = SpectralNormalization if spectral else lambda layer: layer
    inputs = images = keras.Input(image_shape, name="images")
    x = layers.Rescaling(2.0, offset=-1.0)(images)
    vectors = None
    if num_classes is not None:
        labels, vectors = label_input(num_classes)
        inputs = [images, labels]
    if vectors is not None and conditioning == "planes":
        x = with_label_planes(x, wrap(layers.Dense(label_dim, use_bias=False))(vectors))

    x = residual_block(x, filters, wrap)
    x = residual_block(layers.AveragePooling2D(2)(x), filters, wrap)
    x = residual_block(layers.AveragePooling2D(2)(x), SMALLEST_CHANNELS, wrap)
    x = layers.Flatten()(x)
    for _ in range(2):
        x = layers.LeakyReLU(0.1)(wrap(layers.Dense(units))(x))
    scores = wrap(layers.Dense(1, dtype=keras.config.floatx(), name="score"))(x)
    if vectors is not None and conditioning == "projection":
        embedding = wrap(layers.Dense(units, use_bias=False))(vectors)
        scores = layers.Add(dtype=keras.config.floatx())(
            [scores, layers.Dot(axes=1, dtype=keras.config.floatx())([x, embedding])]
        )
    return keras.Model(inputs, scores, name="discriminator")


def residual_block(x, filters, wrap=lambda layer: layer, last_activation=True):
    """Two convolutions of 3x3, and past them one of 1x1 (He et al. 2016, arXiv:1512.03385); `wrap` goes round each."""
    shortcut = wrap(layers.Conv2D(filters, 1, use_bias=False))(x)
    x = layers.LeakyReLU(0.01)(wrap(layers.Conv2D(filters, 3, padding="same"))(x))
    x = wrap(layers.Conv2D(filters, 3, padding="same"))(x)
    if last_activation:
        x = layers.LeakyReLU(0.01)(x)
    return layers.Add()([x, shortcut])


@keras.saving.register_keras_serializable(package="gdl_keras")
class HingeGAN(AdversarialModel):
    """Trains a conditional generator and discriminator on the hinge loss.

        discriminator:  E[max(0, 1 - D(real, label))] + E[max(0, 1 + D(G(z, label), label))]
                        + penalty_weight / 2 * E[|grad D(real, label)|^2]    (R1; Mescheder et al. 2018, equation 9)
        generator:      -E[D(G(z, label), label)]                            (Lim & Ye 2017, section 2)

    The slope is per unit of images in [-1, 1].  A discriminator that is flat where real images lie has nothing to push
    the generator about with once it makes such images, so that it does not run from one kind of them to the next.  It
    may be taken in one of so many steps, and then as many times as heavily (Karras et al. 2020, arXiv:1912.04958,
    section 3.1).

    One forward pass of the generator serves both steps.  Real and generated images pass the discriminator as one batch,
    which takes one power iteration a step, so it must not hold batch normalisation.

    `fit` takes images with class numbers, int64 (n,); `generate` takes `labels`.  The notebook's model is: a
    discriminator with `spectral=False, conditioning="planes"`, here `generator_loss="hinge", latents="uniform",
    ema_decay=None`, and Adam(1e-3) for both networks.

    Args:
        generator: `keras.Model`, [latent points, labels] -> images in [0, 1].
        discriminator: `keras.Model`, [images, labels] -> scores.
        num_classes: int.
        generator_loss: "linear", as above; "hinge": E[max(0, 1 - D(G(z, label), label))], which stops teaching the
            generator where it is already ahead.
        penalty_weight: float; 0 for no penalty.
        penalty_interval: int, in one of how many steps of the discriminator's optimizer it is taken.
        latents, ema_decay, seed: as in `AdversarialModel`.

    Raises:
        InputError: an argument is out of range, the networks do not fit together, or one ends in an activation that it
            must not end in.
    """

    learns_from = ("images", "labels")
    metric_names = ("discriminator_loss", "generator_loss", "discriminator_accuracy", "real_accuracy", "fake_accuracy")

    generator_loss = Setting(("linear", "hinge"))
    penalty_weight = Setting("not negative", lambda value: value >= 0)
    penalty_interval = Setting("at least 1", lambda value: value >= 1)

    def __init__(
        self,
        generator,
        discriminator,
        num_classes,
        generator_loss="linear",
        penalty_weight=0.0,
        penalty_interval=1,
        ema_decay=0.999,
        **kwargs,
    ):
        super().__init__(generator, ema_decay=ema_decay, **kwargs)
        self.check_judge(discriminator)
        self.discriminator = discriminator
        self.num_classes = num_classes
        self.generator_loss = generator_loss
        self.penalty_weight, self.penalty_interval = penalty_weight, penalty_interval

    def train_step(self, data):
        reals, labels = self.images_and_labels(data)
        generator, discriminator = self.given(labels)
        latents = self.latents_like(reals)
        generator_tape = tf.GradientTape()
        with generator_tape:
            fakes = generator(latents, training=True)

        with tf.GradientTape() as tape:
            real_scores, fake_scores = self.scores(reals, ops.stop_gradient(fakes), labels, training=True)
            values = self.discriminator_values(real_scores, fake_scores)
            discriminator_loss = ops.mean(values["discriminator_loss"])
            if self.penalty_weight:
                discriminator_loss += self.penalty(discriminator, reals)
        self.minimize(tape, discriminator_loss, self.discriminator_optimizer, self.discriminator.trainable_variables)

        with generator_tape, self.untouched():
            generator_losses = self.generator_losses(discriminator(fakes, training=False))
            generator_loss = ops.mean(generator_losses) + self.generator_penalty()
        self.minimize(generator_tape, generator_loss, self.generator_optimizer, self.generator.trainable_variables)
        self.move_average(self.generator_optimizer)
        return self.report(generator_loss=generator_losses, **values)

    def test_step(self, data):
        reals, labels = self.images_and_labels(data)
        generator, _ = self.given(labels)
        fakes = generator(self.latents_like(reals, training=False), training=False)
        real_scores, fake_scores = self.scores(reals, fakes, labels, training=False)
        values = self.discriminator_values(real_scores, fake_scores)
        return self.report(generator_loss=self.generator_losses(fake_scores), **values)

    def scores(self, reals, fakes, labels, training):
        """The discriminator's scores of real and of generated images, in one pass: two float32 tensors (batch, 1)."""
        _, discriminator = self.given(ops.concatenate([labels, labels]))
        scores = discriminator(ops.concatenate([reals, fakes]), training=training)
        size = ops.shape(reals)[0]
        return scores[:size], scores[size:]

    def penalty(self, discriminator, reals):
        """The penalty where it is due, as many times as heavily as there are steps between, else 0: float32 scalar."""

        def penalty():
            return self.penalty_weight / 2 * ops.mean(self.squared_slopes(discriminator, reals))

        if self.penalty_interval == 1:
            return penalty()
        is_due = self.discriminator_optimizer.iterations.value % self.penalty_interval == 0
        return self.penalty_interval * tf.cond(is_due, penalty, lambda: tf.constant(0.0))

    def squared_slopes(self, discriminator, reals):
        """|grad D(real)|^2 per unit of images in [-1, 1], which are twice as long: float32 tensor (batch,)."""
        return losses.squared_slope(partial(discriminator, training=False), reals)

    def discriminator_values(self, real_scores, fake_scores):
        """The discriminator's loss and accuracies, one number per example."""
        discriminator_losses = losses.hinge_loss(real_scores, 1) + losses.hinge_loss(fake_scores, -1)
        return {"discriminator_loss": discriminator_losses, **accuracies(real_scores, fake_scores)}

    def generator_penalty(self):
        """What the generator pays for its weights, whatever it makes: float32 scalar."""
        return 0.0

    def generator_losses(self, fake_scores):
        """float32 tensor (batch,)."""
        if self.generator_loss == "hinge":
            return losses.hinge_loss(fake_scores, 1)
        return -ops.mean(fake_scores, axis=-1)
