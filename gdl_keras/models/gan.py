"""The generative adversarial network: a forger and a detective.

The generator turns noise into images, the discriminator learns to tell them from real ones, and the generator learns to
be taken for real.  Here both are a few dense layers, self-normalising by their activation (SELU), which show the idea
and its main trouble: the generator may find a few images that pass and make no others.

Papers: Goodfellow et al. 2014, Generative adversarial nets, arXiv:1406.2661; Klambauer et al. 2017, Self-normalizing
neural networks, arXiv:1706.02515; Salimans et al. 2016, Improved techniques for training GANs, arXiv:1606.03498, for
soft labels.  Book: chapter 4.  The dense networks follow Géron, Hands-on machine learning, chapter 17.
"""

import math

import keras
import tensorflow as tf
from keras import layers, ops

from gdl_keras import losses
from gdl_keras.layers.settings import Annealed, Setting
from gdl_keras.models.adversarial import AdversarialModel, accuracies

LABEL_NOISES = ("none", "smooth", "one_sided", "flip", "book")


def build_generator(image_shape, latent_dim=30, widths=(100, 150)):
    """Dense SELU layers, then a sigmoid for each pixel.

    Args:
        image_shape: (height, width, channels).
        latent_dim: int, numbers per latent point.
        widths: units of each hidden layer.

    Returns:
        `keras.Model`, float (batch, latent_dim) -> images (batch, *image_shape), float32 in [0, 1].  136,634 weights
        for (28, 28, 1).
    """
    latents = keras.Input((latent_dim,), name="latents")
    x = selu_layers(latents, widths)
    x = layers.Dense(math.prod(image_shape), activation="sigmoid", dtype=keras.config.floatx())(x)
    return keras.Model(latents, layers.Reshape(image_shape, dtype=keras.config.floatx())(x), name="generator")


def build_discriminator(image_shape, widths=(150, 100)):
    """Dense SELU layers, then one number: the logit of being real.

    Returns:
        `keras.Model`, images (batch, *image_shape) in [0, 1] -> float32 (batch, 1).  132,951 weights for (28, 28, 1).
    """
    images = keras.Input(image_shape, name="images")
    x = selu_layers(layers.Flatten()(images), widths)
    return keras.Model(images, layers.Dense(1, dtype=keras.config.floatx(), name="logit")(x), name="discriminator")


def selu_layers(x, widths):
    """Dense layers whose outputs keep mean 0 and variance 1 however many there are (Klambauer et al. 2017, theorem 1).

    This takes SELU and weights drawn with variance 1 / inputs, and no normalisation.
    """
    for width in widths:
        x = layers.Dense(width, activation="selu", kernel_initializer="lecun_normal")(x)
    return x


@keras.saving.register_keras_serializable(package="gdl_keras")
class GAN(AdversarialModel):
    """Trains a generator and a discriminator on the binary cross-entropy of telling real from generated.

        discriminator:  1/2 E[-log D(real)] + 1/2 E[-log(1 - D(G(z)))]
        generator:      E[-log D(G(z))]                                     (Goodfellow et al. 2014, section 3)

    One forward pass of the generator serves both steps.  The discriminator learns first, and the generator from the
    discriminator as it then is.

    Args:
        generator: `keras.Model`, latent points -> images in [0, 1].
        discriminator: `keras.Model`, images -> logits.
        label_noise: what the discriminator is told in place of 1 for real and 0 for generated, so that it does not get
            too sure of itself.
            "none": 1 and 0.
            "smooth": uniform in [1 - noise, 1] and in [0, noise].
            "one_sided": 1 - noise and 0 (Salimans et al. 2016, section 3.4).
            "flip": 1 and 0, each swapped with probability `noise`.
            "book": uniform in [1, 1 + noise] and in [-noise, 0], as the book's code has it: outside [0, 1] the
            cross-entropy has no lower bound, and the loss turns negative while training runs away.
        noise: float in [0, 1], how much; it may be annealed.
        latents, ema_decay, seed: as in `AdversarialModel`.

    Raises:
        InputError: an argument is out of range, the networks do not fit together, or one ends in an activation that it
            must not end in.
    """

    metric_names = ("discriminator_loss", "generator_loss", "discriminator_accuracy", "real_accuracy", "fake_accuracy")

    label_noise = Setting(LABEL_NOISES)
    noise = Annealed("a number in [0, 1]", lambda value: 0 <= value <= 1)

    def __init__(self, generator, discriminator, label_noise="none", noise=0.1, **kwargs):
        super().__init__(generator, **kwargs)
        self.check_judge(discriminator)
        self.discriminator = discriminator
        self.label_noise = label_noise
        self.noise = noise

    def train_step(self, data):
        reals, _ = self.images_and_labels(data)
        generator_tape = tf.GradientTape()
        with generator_tape:
            fakes = self.generator(self.latents_like(reals), training=True)

        with tf.GradientTape() as tape:
            real_logits = self.discriminator(reals, training=True)
            fake_logits = self.discriminator(ops.stop_gradient(fakes), training=True)
            values = self.discriminator_values(real_logits, fake_logits, *self.targets(real_logits))
            discriminator_loss = ops.mean(values["discriminator_loss"])
        self.minimize(tape, discriminator_loss, self.discriminator_optimizer, self.discriminator.trainable_variables)

        with generator_tape, self.untouched():
            generator_losses = losses.binary_crossentropy(1.0, self.discriminator(fakes, training=True))
            generator_loss = ops.mean(generator_losses)
        self.minimize(generator_tape, generator_loss, self.generator_optimizer, self.generator.trainable_variables)
        self.move_average(self.generator_optimizer)
        return self.report(generator_loss=generator_losses, **values)

    def test_step(self, data):
        reals, _ = self.images_and_labels(data)
        fakes = self.generator(self.latents_like(reals, training=False), training=False)
        fake_logits = self.discriminator(fakes, training=False)
        values = self.discriminator_values(self.discriminator(reals, training=False), fake_logits, 1.0, 0.0)
        return self.report(generator_loss=losses.binary_crossentropy(1.0, fake_logits), **values)

    def targets(self, logits):
        """What the discriminator is to say of real and of generated images, label noise included.

        Returns:
            two float32 tensors of the shape of `logits`.
        """
        uniform = keras.random.uniform((2, *ops.shape(logits)), seed=self.seed_generator)
        return noisy_targets(self.label_noise, self.noise, uniform[0], uniform[1])

    def discriminator_values(self, real_logits, fake_logits, real_targets, fake_targets):
        """The discriminator's loss and accuracies, one number per example."""
        real_losses = losses.binary_crossentropy(real_targets, real_logits)
        fake_losses = losses.binary_crossentropy(fake_targets, fake_logits)
        return {"discriminator_loss": 0.5 * (real_losses + fake_losses), **accuracies(real_logits, fake_logits)}


def noisy_targets(label_noise, noise, real_uniform, fake_uniform):
    """Targets for real and for generated images out of numbers uniform in [0, 1); see `GAN` for the kinds of noise.

    Returns:
        two float tensors, one for real and one for generated images; in [0, 1] unless `label_noise` is "book".
    """
    ones, zeros = ops.ones_like(real_uniform), ops.zeros_like(fake_uniform)
    if label_noise == "smooth":
        return ones - noise * real_uniform, noise * fake_uniform
    if label_noise == "one_sided":
        return ones - noise, zeros
    if label_noise == "flip":
        return ops.cast(real_uniform >= noise, ones.dtype), ops.cast(fake_uniform < noise, zeros.dtype)
    if label_noise == "book":
        return ones + noise * real_uniform, -noise * fake_uniform
    return ones, zeros
