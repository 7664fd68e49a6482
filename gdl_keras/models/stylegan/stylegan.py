"""StyleGAN: the generator of ProGAN, told by a style in every layer what to make of a constant.

A latent point is no longer what the image grows out of: a mapping network makes a style of it, and every layer, once
its features are brought to scale, is told by the style how large and how bright each of them is to be.  So coarse
layers take pose and shape from it, fine ones colour and texture.  What is left to chance comes from noise, a number for
each place.  The rest is ProGAN's, growth included.

What brings features to scale image by image has left traces, blobs that look like drops of water, for which StyleGAN2
does it otherwise.

Paper: Karras et al. 2019, A style-based generator architecture for generative adversarial networks, arXiv:1812.04948.
Book: chapter 10, "StyleGAN".
"""

from functools import partial

import keras
import tensorflow as tf
from keras import layers, ops

from gdl_keras import losses
from gdl_keras.layers import (
    AdaptiveInstanceNormalization,
    Constant,
    EqualizedConv2D,
    NoiseInjection,
    Resampling2D,
)
from gdl_keras.layers.settings import Annealed
from gdl_keras.models.adversarial import logistic_values
from gdl_keras.models.growing import networks as growing
from gdl_keras.models.growing.base import GrowingModel
from gdl_keras.models.stylegan.base import StyleModel, labelled
from gdl_keras.models.stylegan.mapping import build_mapping
from gdl_keras.models.stylegan.networks import fixed_noise, joined


def build_generator(
    image_shape,
    num_classes=None,
    latent_dim=512,
    style_dim=512,
    mapping_layers=8,
    channel_base=16384,
    channel_max=512,
    mapping_rate=0.01,
):
    """A mapping network, its style said to every layer of a synthesis network, and noise that is always the same.

    Args:
        image_shape: (size, size, channels); the size a power of two, 8 or more.
        num_classes: int or None; the network then takes [latent points, labels].
        latent_dim, style_dim: ints, numbers of a latent point and of a style.
        mapping_layers: int.
        channel_base, channel_max: ints: features of size x size have min(channel_base // size, channel_max) channels.
        mapping_rate: float, by how much the mapping network learns more slowly than the other layers.

    Returns:
        `keras.Model`, float (batch, latent_dim) or [that, int (batch,)] -> images (batch, *image_shape), float32, in
        [0, 1] but in training, where nothing clips them.  It has layers "mapping", "noise" and "synthesis".  26,219,627
        trainable weights for (1024, 1024, 3).

    Raises:
        InputError: the image is not square, or its size no power of two.
    """
    mapping = build_mapping(latent_dim, style_dim, mapping_layers, num_classes, learning_rate_multiplier=mapping_rate)
    synthesis = build_synthesis(image_shape, style_dim, channel_base, channel_max)
    return joined(mapping, synthesis, fixed_noise(synthesis))


def build_synthesis(image_shape, style_dim=512, channel_base=16384, channel_max=512):
    """From a learnt constant of 4x4 on, two layers at each size, and an image of the features of each size.

    Args:
        image_shape, style_dim, channel_base, channel_max: as in `build_generator`.

    Returns:
        `keras.Model`, [styles (batch, layers, style_dim), noise (batch, numbers)] -> images, float32 (batch,
        *image_shape), as in `build_generator`.  Layers are numbered from the smallest size on.
    """
    sizes = growing.sizes_of(image_shape)
    styles = keras.Input((2 * len(sizes), style_dim), name="styles")
    noise = keras.Input((2 * sum(size**2 for size in sizes),), name="noise")
    told, used, image = iter(ops.unstack(styles, 2 * len(sizes), axis=1)), 0, None
    x = None
    for size in sizes:
        width = growing.channels(size, channel_base, channel_max)
        for is_second in (False, True):
            if x is None:
                x = Constant((size, size, width), initializer="ones", name="constant")(styles)
            elif is_second:
                x = EqualizedConv2D(width, 3, use_bias=False)(x)
            else:
                x = EqualizedConv2D(width, 3, resize="double", use_bias=False)(x)
                x = Resampling2D(taps=growing.BLUR)(x)
            x = growing.ChannelBias()(NoiseInjection(used, by_channel=True)([x, noise]))
            x = AdaptiveInstanceNormalization()([layers.LeakyReLU(growing.LEAK)(x), next(told)])
            used += size**2
        image = growing.grown_image(x, image_shape[-1], image)
    return keras.Model([styles, noise], growing.ending(image), name="synthesis")


# It looks at images of each size as ProGAN's does, but that resizing goes through a filter.
build_discriminator = partial(growing.build_discriminator, filtered=True)


@keras.saving.register_keras_serializable(package="gdl_keras")
class StyleGAN(GrowingModel, StyleModel):
    """Trains a growing GAN whose layers are told styles, on the logistic loss with a penalty on slopes.

        discriminator:  E[softplus(-D(real))] + E[softplus(D(G(z)))] + penalty_weight / 2 E[|grad D(real)|^2]   (R1)
        generator:      E[softplus(-D(G(z)))]

    One forward pass of the generator serves both steps.  Real and generated images pass the discriminator one after the
    other: in one batch, how much it differs would give away which is which.  Slopes are per unit of pixel values in
    [-1, 1], at the size that is learnt.  Layers of larger sizes are told no second style.

    Args:
        generator, discriminator: `keras.Model`s, of `build_generator` and `build_discriminator`.
        penalty_weight: float; it may be annealed.
        first_size: int, the size that training begins with.
        style_decay: float in [0, 1), how much of itself the average of styles keeps in each step; it may be annealed.
        num_classes, stable_kimg, transition_kimg, reset_optimizers, ema_half_life, ema_ramp, latents, seed: as in
            `GrowingModel`.
        mixing: as in `StyleModel`.

    Raises:
        InputError: an argument is out of range, or the networks do not fit together, or cannot grow.
    """

    metric_names = (
        *("discriminator_loss", "generator_loss", "discriminator_accuracy", "real_accuracy", "fake_accuracy"),
        "squared_slope",
    )

    built_by = "models.stylegan.stylegan.build_generator"

    penalty_weight = Annealed("not negative", lambda value: value >= 0)

    def __init__(self, generator, discriminator, penalty_weight=10.0, first_size=8, style_decay=0.995, **kwargs):
        super().__init__(generator, discriminator, first_size=first_size, style_decay=style_decay, **kwargs)
        self.penalty_weight = penalty_weight

    def train_step(self, data):
        images, labels = self.images_and_labels(data)
        fade, reals = self.fade, self.as_learnt(images)
        _, discriminator = self.given(labels)
        noise = self.drawn_noise(reals)
        generator_tape = tf.GradientTape()
        with generator_tape:
            style, styles = self.drawn_styles(reals, labels)
            fakes = self.made_of(styles, noise, training=True)

        with tf.GradientTape() as tape:
            judge = partial(discriminator, training=True)
            values = logistic_values(judge(reals), judge(ops.stop_gradient(fakes)))
            slopes = losses.squared_slope(judge, reals)
            discriminator_loss = ops.mean(values["discriminator_loss"]) + self.penalty_weight / 2 * ops.mean(slopes)
        self.minimize_discriminator(tape, discriminator_loss)

        with generator_tape:
            generator_losses = losses.binary_crossentropy(1.0, judge(fakes))
            generator_loss = ops.mean(generator_losses)
        self.count_images(reals)
        self.minimize_generator(generator_tape, generator_loss)
        self.follow_styles(style)
        return self.report(generator_loss=generator_losses, squared_slope=slopes, **values, **self.clock(fade))

    def test_step(self, data):
        images, labels = self.images_and_labels(data)
        generator, discriminator = self.given(labels)
        fake_logits = discriminator(generator(self.latents_like(images, training=False)))
        values = logistic_values(discriminator(self.as_learnt(images)), fake_logits)
        return self.report(generator_loss=losses.binary_crossentropy(1.0, fake_logits), **values)

    # ---- what grows is the synthesis network -------------------------------------------------------------------------

    def grown_in(self, generator):
        return generator.get_layer("synthesis")

    @property
    def generator_variables(self):
        return self.generator.get_layer("mapping").trainable_variables + super().generator_variables

    @property
    def layers_at_work(self):
        return 2 * (self.phase.level + 1)

    def given(self, labels):
        _, discriminator = super().given(labels)

        def generator(latents):
            styles = self.in_all_layers(labelled(self.generator.get_layer("mapping"), labels)(latents))
            return self.made_of(styles, self.generator.get_layer("noise")(styles))

        return generator, discriminator

    def made_of(self, styles, noise, training=False):
        """The generator's images of styles and noise, of the size of the phase."""
        return self._staged[0]([styles, noise], self.fade, training)

    def averaged_synthesis(self, inputs):
        return self.of_full_size(self._averaged(inputs, self.fade, training=True))

    # From styles on, and not of the latent points at once.
    decode = StyleModel.decode
