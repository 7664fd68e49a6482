"""SAGAN: a hinge GAN whose networks look at the whole image at once.

A convolution sees its neighbourhood; that both sleeves of a shirt are equally long takes many of them.  Self-attention
lets each place read from all others (`layers.SelfAttention2D`).  It trains because every kernel of both networks is
divided by its largest singular value, and because the discriminator learns at four times the generator's rate: two
optimizers, given to `compile`.  Labels come into the generator as gains and biases of its batch normalisation, into
the discriminator by projection.

Papers: Zhang et al. 2019, Self-attention generative adversarial networks, arXiv:1805.08318; Heusel et al. 2017, GANs
trained by a two time-scale update rule, arXiv:1706.08500; Miyato & Koyama 2018, cGANs with projection discriminator,
arXiv:1802.05637.
"""

import math

import keras
import numpy as np
from keras import layers, ops

from gdl_keras.errors import InputError
from gdl_keras.layers import (
    ConditionalBatchNormalization,
    FusedBatchNormalization,
    SelfAttention2D,
    SpectralNormalization,
)
from gdl_keras.models.hinge_gan import HingeGAN
from gdl_keras.models.parts.labels import label_input
from gdl_keras.models.parts.sizes import reduced_size

# Images are halved until a side is about this long, and the widths of layers double up to so many times the narrowest.
SMALLEST_SIDE, WIDEST = 4, 16
MOMENTUM, EPSILON = 0.9, 1e-5


def build_generator(
    image_shape, num_classes, latent_dim=128, channels=64, multipliers=None, attention_size=None, spectral=True
):
    """A dense layer makes a small image, and each residual block doubles it.

    Args:
        image_shape: (height, width, channels); sides that halve to 4 or a little more, such as powers of two from 16.
        num_classes: int.
        latent_dim: int, numbers per latent point.
        channels: int, the narrowest width.
        multipliers: how many times as wide each block is, from the smallest image to the largest; by default twice as
            wide for each halving, up to 16 times.
        attention_size: int, the height of the image at which attention stands, such as 32; None for no attention.
        spectral: whether every kernel is divided by its largest singular value.

    Returns:
        `keras.Model`, [float (batch, latent_dim), int labels (batch,)] -> images (batch, *image_shape), float32 in
        [0, 1].  For (128, 128, 3), 1000 classes and attention at 32, 42,078,852 weights that are trained.

    Raises:
        InputError: the image cannot be halved that often, or has never that height.
    """
    multipliers = multipliers_for(image_shape, multipliers)
    latents = keras.Input((latent_dim,), name="latents")
    labels, vectors = label_input(num_classes)
    images = enlarge(
        latents, [vectors] * len(multipliers), image_shape, channels, multipliers, attention_size, spectral
    )
    return keras.Model([latents, labels], images, name="generator")


def build_discriminator(
    image_shape,
    num_classes,
    channels=64,
    multipliers=None,
    attention_size=None,
    spectral=True,
    initializer="glorot_uniform",
):
    """Residual blocks halve the image, features are summed over places; labels come in by projection.

        score = <w, h> + b + <e_label, h>                                    (Miyato & Koyama 2018, equation 3)

    Args:
        image_shape, num_classes, channels, attention_size, spectral: as in `build_generator`.
        multipliers: as in `build_generator`, too; the discriminator takes them from the last to the first, and ends
            with one more block of the widest.
        initializer: of the kernels.

    Returns:
        `keras.Model`, [images (batch, *image_shape) in [0, 1], int labels (batch,)] -> scores, float32 (batch, 1).

    Raises:
        InputError: as in `build_generator`.
    """
    widths = [channels * multiplier for multiplier in reversed(multipliers_for(image_shape, multipliers))]
    check_attention(attention_size, [image_shape[0] >> halvings for halvings in range(1, len(widths) + 1)])
    options = {"kernel_initializer": initializer}
    wrap = SpectralNormalization if spectral else lambda layer: layer
    images = keras.Input(image_shape, name="images")
    labels, vectors = label_input(num_classes)
    x = layers.Rescaling(2.0, offset=-1.0)(images)
    for number, width in enumerate(widths):
        x = _halved(x, width, wrap, options, is_first=number == 0)
        if x.shape[1] == attention_size:
            x = SelfAttention2D(spectral, **options)(x)
    x = layers.ReLU()(_kept(x, wrap, options))
    features = ops.sum(ops.cast(x, "float32"), axis=(1, 2))
    scores = wrap(layers.Dense(1, dtype=keras.config.floatx(), name="score", **options))(features)
    embedding = wrap(layers.Dense(widths[-1], use_bias=False, name="class_directions", **options))(vectors)
    projection = layers.Dot(axes=1, dtype=keras.config.floatx())([features, embedding])
    return keras.Model(
        [images, labels], layers.Add(dtype=keras.config.floatx())([scores, projection]), name="discriminator"
    )


def multipliers_for(image_shape, multipliers=None):
    """How many times the narrowest width each block has, from the smallest image to the largest: tuple of ints.

    Raises:
        InputError: the image cannot be halved that often, or is too small to be halved at all.
    """
    if multipliers is None:
        halvings = int(math.log2(min(image_shape[:2]) / SMALLEST_SIDE)) if min(image_shape[:2]) >= SMALLEST_SIDE else 0
        multipliers = [min(WIDEST, 2**power) for power in reversed(range(halvings))]
    if not multipliers:
        raise InputError(f"An image of {image_shape[0]}x{image_shape[1]} is too small for these networks.")
    reduced_size(image_shape, multipliers)
    return tuple(multipliers)


def enlarge(
    points,
    vectors,
    image_shape,
    channels,
    multipliers,
    attention_size,
    spectral,
    initializer="glorot_uniform",
    told=None,
):
    """The generator's body: an image of points, each block told what to make by its vectors.

    Args:
        points: tensor (batch, size), what the first dense layer gets.
        vectors: a tensor (batch, size) for each block.
        image_shape, channels, multipliers, attention_size, spectral: as in `build_generator`.
        initializer: of the kernels of dense layers and convolutions.
        told: further arguments of `ConditionalBatchNormalization`.

    Returns:
        images (batch, *image_shape), float32 in [0, 1].
    """
    height, width = reduced_size(image_shape, multipliers)
    check_attention(attention_size, [height << doublings for doublings in range(len(multipliers))])
    options = {"kernel_initializer": initializer}
    told = {"momentum": MOMENTUM, "epsilon": EPSILON, **(told or {})}
    wrap = SpectralNormalization if spectral else lambda layer: layer
    x = wrap(layers.Dense(height * width * channels * multipliers[0], **options))(points)
    x = layers.Reshape((height, width, channels * multipliers[0]))(x)
    for vector, multiplier in zip(vectors, multipliers, strict=True):
        if x.shape[1] == attention_size:
            x = SelfAttention2D(spectral, **options)(x)
        x = _doubled(x, vector, channels * multiplier, wrap, options, told)
    x = layers.ReLU()(FusedBatchNormalization(momentum=MOMENTUM, epsilon=EPSILON)(x))
    x = wrap(layers.Conv2D(image_shape[-1], 3, padding="same", **options))(x)
    x = layers.Activation("tanh", dtype=keras.config.floatx())(x)
    return layers.Rescaling(0.5, offset=0.5, dtype=keras.config.floatx(), name="images")(x)


def check_attention(size, heights):
    """Raises InputError unless `size` is None or the height of an image that there is between two blocks."""
    if size is not None and size not in heights:
        raise InputError(
            f"attention_size is None or one of the heights between two blocks, {', '.join(map(str, sorted(heights)))}, "
            f"not {size}."
        )


def _doubled(x, vectors, filters, wrap, options, told):
    def normalised(x):
        return layers.ReLU()(ConditionalBatchNormalization(**told)([x, vectors]))

    # One pixel at a time, so before the image is doubled: the same numbers for a quarter of the work.
    shortcut = layers.UpSampling2D(2)(wrap(layers.Conv2D(filters, 1, **options))(x))
    x = wrap(layers.Conv2D(filters, 3, padding="same", **options))(layers.UpSampling2D(2)(normalised(x)))
    x = wrap(layers.Conv2D(filters, 3, padding="same", **options))(normalised(x))
    return layers.Add()([x, shortcut])


def _halved(x, filters, wrap, options, is_first):
    # For the same reason the mean of 2x2 pixels is taken first.
    shortcut = wrap(layers.Conv2D(filters, 1, **options))(layers.AveragePooling2D(2)(x))
    x = _twice_convolved(x, filters, wrap, options, is_first)
    return layers.Add()([layers.AveragePooling2D(2)(x), shortcut])


def _kept(x, wrap, options):
    return layers.Add()([_twice_convolved(x, x.shape[-1], wrap, options), x])


def _twice_convolved(x, filters, wrap, options, is_first=False):
    x = x if is_first else layers.ReLU()(x)
    x = layers.ReLU()(wrap(layers.Conv2D(filters, 3, padding="same", **options))(x))
    return wrap(layers.Conv2D(filters, 3, padding="same", **options))(x)


@keras.saving.register_keras_serializable(package="gdl_keras")
class SAGAN(HingeGAN):
    """The hinge GAN of `hinge_gan.py`, algorithm and arguments, with the networks above, and a look at their attention.

    The paper's model is compiled with Adam(4e-4, beta_1=0, beta_2=0.9) for the discriminator and Adam(1e-4, ...) for
    the generator, and has no average (`ema_decay=None`).
    """

    def attention_maps(self, latents, labels, places):
        """Where the generator looks from some places of its images.

        Args:
            latents: array (n, latent_dim).
            labels: int array (n,).
            places: list of (row, column), pixels of the images.

        Returns:
            float32 array (n, len(places), rows, columns): the share that comes from each of the places that are read
            from, evenly spread over the image.  The shares of a place sum to 1.

        Raises:
            InputError: the generator has no attention, or a place lies outside the image.
        """
        network = self.averaged_network
        attention = next((layer for layer in network.layers if isinstance(layer, SelfAttention2D)), None)
        if attention is None:
            raise InputError(f"The generator of this {type(self).__name__} has no attention to look at.")
        height, width = network.outputs[0].shape[1:3]
        rows, columns = attention.input.shape[1:3]
        if not all(0 <= row < height and 0 <= column < width for row, column in places):
            raise InputError(f"Places are (row, column) within an image of {height}x{width}, not {places}.")
        features = keras.Model(network.inputs, attention.input)([np.asarray(latents), np.asarray(labels)])
        shares = np.asarray(attention.shares(features))
        asked = [row * rows // height * columns + column * columns // width for row, column in places]
        step = 2 if attention.pooled else 1
        return shares[:, asked].reshape(len(shares), len(places), -(-rows // step), -(-columns // step))
