"""The VQGAN: a VQ-VAE whose images a discriminator and a perceptual loss keep sharp.

The squared error asks for the mean of all images that would go with the codes, which is blurred.  A discriminator that
looks at patches asks for what is sharp, and a network's features for what looks alike; so fewer codes will do.

    codec:          |x - G(q)|^2 + quantisation + perceptual_weight P(x, G(q)) - w E[D(G(q))]
    discriminator:  E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(q)))]

    w = adversarial_weight min(|grad_L (error + perceptual)| / (|grad_L E[D]| + 1e-4), 1e4),   L the last kernel of G

Users of the paper's code report that everything goes wild once the discriminator begins.  Here it learns from the first
step on, and is heard from `start_step` on, when it knows something; and w is reported.

Papers: Esser et al. 2021, Taming transformers for high-resolution image synthesis, arXiv:2012.09841, section 3.1; Isola
et al. 2017, Image-to-image translation with conditional adversarial networks, arXiv:1611.07004, section 3.2.2, for
patches; Larsen et al. 2016, Autoencoding beyond pixels using a learned similarity metric, arXiv:1512.09300, for the
discriminator's features as a measure of likeness.
"""

import math
from types import SimpleNamespace

import keras
import tensorflow as tf
from keras import layers, ops

from gdl_keras import losses
from gdl_keras.errors import InputError
from gdl_keras.layers import HalvingConv2D, SpectralNormalization, ZeroCurvatureLeakyReLU
from gdl_keras.layers.settings import Annealed, Setting
from gdl_keras.models.adversarial import accuracies
from gdl_keras.models.base import inputs_of
from gdl_keras.models.parts.copies import frozen_copy
from gdl_keras.models.parts.endings import FINAL_ACTIVATIONS, in_float32, refuse_ending
from gdl_keras.models.parts.fitting import check_chain, check_known
from gdl_keras.models.parts.opening import SplitAtLast, WithMaps
from gdl_keras.models.parts.replicas import sum_over_replicas
from gdl_keras.models.parts.sizes import reduced_size
from gdl_keras.models.parts.weights import refuse_weights, weights_of
from gdl_keras.models.quantised.vqvae import VQVAE

# Of the weight between the two sides (Esser et al. 2021, equation 7, and their code for the bound).
EPSILON, LARGEST = 1e-4, 1e4
LEAK = 0.2


def build_patch_discriminator(image_shape, filters=(64, 128), spectral=True):
    """Convolutions of 4x4 that halve the image, then one that gives each place a score of the patch it has seen.

    Args:
        image_shape: (height, width, channels); height and width multiples of 2 ** len(filters).
        filters: channels after each halving; with two of them a patch is 18 pixels wide, with three 38, with four 78.
        spectral: whether every kernel is divided by its largest singular value.

    Returns:
        `keras.Model`, images (batch, *image_shape) in [0, 1] -> scores, float32 (batch, height, width, 1), of patches
        2 ** len(filters) pixels apart.

    Raises:
        InputError: the image cannot be halved that often.
    """
    reduced_size(image_shape, filters)
    wrap = SpectralNormalization if spectral else lambda layer: layer
    images = keras.Input(image_shape, name="images")
    x = layers.Rescaling(2.0, offset=-1.0)(images)
    for width in filters:
        x = wrap(HalvingConv2D(width, 4, strides=2, padding="same"))(x)
        x = ZeroCurvatureLeakyReLU(LEAK)(x)
    scores = wrap(layers.Conv2D(1, 3, padding="same", dtype=keras.config.floatx(), name="score"))(x)
    return keras.Model(images, scores, name="discriminator")


def build_notebook_discriminator(image_shape, filters=256):
    """That of the notebook `VQGAN` of DaiDaiLoh's *ExemplaryNotebooks*: nine convolutions in three residual groups.

    Its scores, `filters` of them for each place, come out of a leaky rectifier: to be sure of a fake it has to reach
    -5 before that.

    Args:
        image_shape: (height, width, channels), multiples of 4.
        filters: int.

    Returns:
        `keras.Model`, images (batch, *image_shape) in [0, 1] -> scores, float32 (batch, height / 4, width / 4,
        filters).  4,860,416 weights for images of three channels.
    """
    reduced_size(image_shape, range(2))
    images = x = keras.Input(image_shape, name="images")
    for group in range(3):
        if group:
            x = layers.AveragePooling2D(2)(x)
        before = layers.Conv2D(filters, 1)(x)
        for number in range(3):
            x = layers.Conv2D(filters, 3, padding="same")(x)
            x = layers.LeakyReLU(LEAK)(x) if number < 2 else layers.Add()([x, before])
        x = layers.LeakyReLU(LEAK)(x)
    return keras.Model(images, in_float32(x), name="discriminator")


@keras.saving.register_keras_serializable(package="gdl_keras")
class VQGAN(VQVAE):
    """Trains a codec and a discriminator against each other, both from each batch.

    Real and reconstructed images pass the discriminator as one batch, once, and that serves both sides; so it must not
    hold batch normalisation.  The discriminator's score of an image is the mean of those of its patches.

    `compile` takes `codec_optimizer` and `discriminator_optimizer`; the codec is encoder, decoder and, where it is
    learnt by a loss, the codebook.  `frozen` gives the codec alone, a `VQVAE`.

    Args:
        encoder, decoder, quantizer, final_activation: as in `VQVAE`.
        discriminator: `keras.Model`, images -> scores (batch, ...), any numbers.
        reconstruction: "squared" or "absolute", the error of images in [-1, 1], a mean over their numbers.
        perceptual: what the perceptual loss compares: "discriminator", its feature maps; a `keras.Model` that gives a
            list of feature maps of images in [0, 1], of which a frozen copy is kept (`metrics/feature_maps.py` builds
            such); or None for no such loss.
        perceptual_weight: float, not negative.
        adversarial_weight: float, not negative, what the weight that balances the two sides is multiplied by.
        start_step: int, how many steps the codec takes before it hears of the discriminator.
        penalty_weight: float; half of it times |grad D(x)|^2 is what a slope at a real image costs, per unit of images
            in [-1, 1] (R1, as in `HingeGAN`).  0 for no penalty.
        seed: int or None.

    Raises:
        InputError: an argument is out of range, or the networks do not fit together.
    """

    metric_names = (
        *VQVAE.metric_names,
        "perceptual_loss",
        "adversarial_loss",
        "adversarial_weight",
        "discriminator_loss",
        "discriminator_accuracy",
        "real_accuracy",
        "fake_accuracy",
    )
    trained_networks = ("codec", "discriminator")
    weighs_examples = False

    reconstruction = Setting(("squared", "absolute"))
    perceptual_weight = Annealed("not negative", lambda value: value >= 0)
    adversarial_weight = Annealed("not negative", lambda value: value >= 0)
    start_step = Setting("a number of steps, not negative", lambda value: value >= 0)
    penalty_weight = Setting("not negative", lambda value: value >= 0)

    def __init__(
        self,
        encoder,
        decoder,
        quantizer,
        discriminator,
        final_activation="sigmoid",
        reconstruction="squared",
        perceptual="discriminator",
        perceptual_weight=1.0,
        adversarial_weight=0.75,
        start_step=0,
        penalty_weight=0.0,
        **kwargs,
    ):
        super().__init__(encoder, decoder, quantizer, final_activation, **kwargs)
        check_chain("VQGAN", decoder=decoder, discriminator=discriminator)
        refuse_ending(discriminator, "VQGAN")
        self.discriminator = discriminator
        self.reconstruction = reconstruction
        self.perceptual = self._looking(perceptual)
        self.perceptual_weight = perceptual_weight
        self.adversarial_weight = adversarial_weight
        self.start_step = start_step
        self.penalty_weight = penalty_weight
        self._judge = WithMaps(discriminator)
        self._decoder = SplitAtLast(decoder)
        if perceptual == "discriminator" and not self._judge.count:
            raise InputError(
                "The discriminator has no feature maps: give VQGAN one of convolutions, or perceptual=None."
            )

    def _looking(self, perceptual):
        if perceptual is None or perceptual == "discriminator":
            return perceptual
        if isinstance(perceptual, str):
            raise InputError(f'perceptual is "discriminator", a network or None, not {perceptual!r}.')
        check_known("VQGAN", "perceptual network", perceptual)
        check_chain("VQGAN", decoder=self.decoder, **{"perceptual network": perceptual})
        return frozen_copy(perceptual)

    @property
    def codec(self):
        """What the codec's optimizer trains, `trainable_variables`: all but the discriminator's."""
        parts = (self.encoder, self.decoder, self.quantizer)
        return SimpleNamespace(trainable_variables=[v for part in parts for v in part.trainable_variables])

    # ---- training ------------------------------------------------------------------------------------------------

    def train_step(self, data):
        images = self._images_of(data)
        with tf.GradientTape() as codec_tape:
            vectors, codes, quantisation = self.quantizer(self.encoder(images, training=True), training=True)
            features = self._decoder.body(vectors, training=True)
            # This one knows the last layer alone, so that its gradients go back no further.
            with tf.GradientTape(persistent=True) as last_tape:
                outputs = self._decoder.end(features, training=True)

        with tf.GradientTape(persistent=True) as tape:
            tape.watch(outputs)
            values = self.values(images, outputs, training=True)
            likeness = self.likeness_losses(values)
            discriminator_loss = ops.mean(values["discriminator_loss"])
            if self.penalty_weight:
                discriminator_loss += self.penalty_weight / 2 * ops.mean(losses.squared_slope(self._scores_of, images))

        # What the two sides want of the images goes back through the last layer, to be weighed, and only their sum
        # through the rest of the codec.
        pulls = [self._pull(tape, side, outputs) for side in (likeness, values["adversarial_loss"])]
        weight = self.weight_of_adversary(*[self._last_gradient(last_tape, outputs, pull) for pull in pulls])
        # Before the adversary is heard it may say anything, even what is no number.
        pull = ops.stop_gradient(pulls[0] + tf.math.multiply_no_nan(pulls[1], weight))
        with codec_tape:
            codec_loss = ops.sum(pull * outputs) / self._unit(outputs) + ops.mean(quantisation)
        self.minimize(codec_tape, codec_loss, self.codec_optimizer, self.codec.trainable_variables)
        self.minimize(tape, discriminator_loss, self.discriminator_optimizer, self.discriminator.trainable_variables)
        return self._reported(images, outputs, quantisation, codes, adversarial_weight=weight, **values)

    def test_step(self, data):
        images = self._images_of(data)
        vectors, codes, quantisation = self.quantizer(self.encoder(images, training=False), training=False)
        outputs = self.decoder(vectors, training=False)
        return self._reported(images, outputs, quantisation, codes, **self.values(images, outputs, training=False))

    def values(self, images, outputs, training):
        """Losses of each image and the discriminator's accuracies, from what the decoder puts out: {name: tensor}."""
        both = ops.concatenate([images, FINAL_ACTIVATIONS[self.final_activation](outputs)])
        scores, maps = self._judge(both, training=training)
        real_scores, fake_scores = tf.split(scores, 2)
        return {
            "reconstruction_loss": self.reconstruction_losses(images, outputs),
            "perceptual_loss": self.perceptual_losses(both, maps),
            "adversarial_loss": -_mean_of_patches(fake_scores),
            "discriminator_loss": losses.hinge_loss(real_scores, 1) + losses.hinge_loss(fake_scores, -1),
            **accuracies(real_scores, fake_scores),
        }

    def reconstruction_losses(self, images, outputs):
        """float32 tensor (batch,)."""
        if self.reconstruction == "squared":
            return self.errors(images, outputs)
        return 2 * losses.absolute_error(images, FINAL_ACTIVATIONS[self.final_activation](outputs))

    def perceptual_losses(self, both, maps):
        """How far apart the two are for a network that looks at them: float32 tensor (batch,).

        Args:
            both: images, and what they have become, float tensor (2 batch, *image_shape).
            maps: the discriminator's feature maps of them.
        """
        if self.perceptual is None:
            return tf.zeros(tf.shape(both)[:1] // 2)
        if self.perceptual != "discriminator":
            maps = tf.nest.flatten(self.perceptual(both, training=False))
        return losses.feature_distance(*zip(*[tf.split(features, 2) for features in maps]))

    def likeness_losses(self, values):
        """What an image pays for not being what it was: float32 tensor (batch,)."""
        return values["reconstruction_loss"] + self.perceptual_weight * values["perceptual_loss"]

    def weight_of_adversary(self, likeness_gradient, adversarial_gradient):
        """What the adversarial loss is multiplied by: float32 scalar.

        Args:
            likeness_gradient, adversarial_gradient: of the mean of either with respect to the decoder's last kernel.
        """
        ratio = tf.norm(likeness_gradient) / (tf.norm(adversarial_gradient) + EPSILON)
        is_heard = self.codec_optimizer.iterations >= self.start_step
        return tf.where(is_heard, self.adversarial_weight * ops.clip(ratio, 0, LARGEST), 0.0)

    # ---- parts of a step -----------------------------------------------------------------------------------------

    def _images_of(self, data):
        if weights_of(data) is not None:
            refuse_weights(self)
        return inputs_of(data)

    def _scores_of(self, images):
        return _mean_of_patches(self.discriminator(images, training=False))

    def _pull(self, tape, values, outputs):
        """The gradient of the mean of `values` with respect to the decoder's outputs, times `_unit`."""
        return tape.gradient(values, outputs, output_gradients=tf.fill(tf.shape(values), _scale(outputs)))

    def _last_gradient(self, last_tape, outputs, pull):
        """The gradient with respect to the decoder's last kernel that such a pull is, the same on all replicas."""
        gradient = last_tape.gradient(outputs, self._decoder.kernel, output_gradients=pull) / self._unit(outputs)
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        return sum_over_replicas(gradient) / replicas if replicas > 1 else gradient

    def _unit(self, outputs):
        return _scale(outputs) * ops.cast(ops.shape(outputs)[0], "float32")

    def _reported(self, images, outputs, quantisation, codes, **values):
        loss = self.likeness_losses(values) + quantisation
        return self.report_on(self.errors(images, outputs), quantisation, codes, None, loss=loss, **values)


def _mean_of_patches(scores):
    return ops.mean(scores, axis=tuple(range(1, len(scores.shape))))


def _scale(images):
    # As in `losses.gradient_norm`: gradients for single pixels, of an image by itself, that float16 can hold.
    return 2.0 ** round(math.log2(math.prod(images.shape[1:])) / 2)
