"""The DCGAN: a GAN made of convolutions.

The generator doubles an image from a single point up to full size by transposed convolutions, the discriminator halves
it back to one number, and batch normalisation in both keeps the two in a range where they can learn from each other.

Book: chapter 4, "Deep Convolutional GAN (DCGAN)".  Papers: Radford et al. 2016, Unsupervised representation learning
with deep convolutional generative adversarial networks, arXiv:1511.06434; Odena et al. 2016, Deconvolution and
checkerboard artifacts, Distill, for the other way to double an image.
"""

import keras
from keras import layers

from gdl_keras.errors import check_one_of
from gdl_keras.layers import DoublingConv2DTranspose, FusedBatchNormalization, HalvingConv2D, ReplicaDropout
from gdl_keras.models.gan import GAN
from gdl_keras.models.parts.sizes import reduced_size

LEAK = 0.2
MOMENTUM = 0.9


def build_generator(image_shape, latent_dim=100, filters=(512, 256, 128, 64), upsampling="transposed"):
    """A latent point as an image of 1x1 pixels, enlarged step by step.

    Args:
        image_shape: (height, width, channels); height and width multiples of 2 ** len(filters).
        latent_dim: int, numbers per latent point.
        filters: channels at each size, from the smallest on.
        upsampling: "transposed": transposed convolutions of 4x4 with stride 2, as in the book;
            "resize": each pixel is repeated, then a convolution of 3x3.  Where the kernels of a transposed convolution
            overlap they can leave a checkerboard, which this way cannot.

    Returns:
        `keras.Model`, float (batch, latent_dim) -> images (batch, *image_shape), float32 in [0, 1].  3,576,576 weights
        for the book's (64, 64, 1).

    Raises:
        InputError: the image cannot be halved that often, or `upsampling` is unknown.
    """
    latents = keras.Input((latent_dim,), name="latents")
    images = enlarge(latents, image_shape, filters, upsampling, use_bias=False)
    return keras.Model(latents, images, name="generator")


def build_discriminator(image_shape, filters=(64, 128, 256, 512), dropout=0.3):
    """Strided convolutions, each halving the image, then one that covers what is left.

    Args:
        image_shape: as in `build_generator`.
        filters: channels after each convolution.
        dropout: float, the share of activations that are left out in training.

    Returns:
        `keras.Model`, images (batch, *image_shape) in [0, 1] -> logits, float32 (batch, 1).  2,765,312 weights for the
        book's (64, 64, 1).

    Raises:
        InputError: the image cannot be halved that often.
    """
    smallest = reduced_size(image_shape, filters)
    images = keras.Input(image_shape, name="images")
    x = layers.Rescaling(2.0, offset=-1.0)(images)
    for index, width in enumerate(filters):
        x = HalvingConv2D(width, 4, strides=2, padding="same", use_bias=False)(x)
        if index > 0:
            x = FusedBatchNormalization(momentum=MOMENTUM)(x)
        x = layers.LeakyReLU(LEAK)(x)
        x = ReplicaDropout(dropout)(x)
    x = layers.Conv2D(1, smallest, use_bias=False, dtype=keras.config.floatx(), name="logit")(x)
    return keras.Model(images, layers.Flatten(dtype=keras.config.floatx())(x), name="discriminator")


def enlarge(points, image_shape, filters, upsampling="transposed", use_bias=True):
    """The generator's body: images, float32 in [0, 1], out of vectors (batch, size); `use_bias`: of the last layer."""
    check_one_of("upsampling", upsampling, ("transposed", "resize"))
    smallest = reduced_size(image_shape, filters)
    x = layers.Reshape((1, 1, points.shape[-1]))(points)
    x = layers.Conv2DTranspose(filters[0], smallest, use_bias=False)(x)
    x = _normalize_and_activate(x)
    for width in filters[1:]:
        x = _normalize_and_activate(_double(x, width, upsampling, use_bias=False))
    x = _double(x, image_shape[-1], upsampling, use_bias)
    x = layers.Activation("tanh", dtype=keras.config.floatx())(x)
    return layers.Rescaling(0.5, offset=0.5, dtype=keras.config.floatx(), name="images")(x)


def _double(x, width, upsampling, use_bias):
    if upsampling == "transposed":
        return DoublingConv2DTranspose(width, 4, strides=2, padding="same", use_bias=use_bias)(x)
    x = layers.UpSampling2D(2, interpolation="nearest")(x)
    return layers.Conv2D(width, 3, padding="same", use_bias=use_bias)(x)


def _normalize_and_activate(x):
    return layers.LeakyReLU(LEAK)(FusedBatchNormalization(momentum=MOMENTUM)(x))


@keras.saving.register_keras_serializable(package="gdl_keras")
class DCGAN(GAN):
    """The GAN of `gan.py`, algorithm and arguments, with the DCGAN's settings.

    Real and generated images pass the discriminator one after the other: in one batch, its normalisation would give
    away which is which.  The default differs: soft labels that stay in [0, 1].
    """

    def __init__(self, generator, discriminator, label_noise="smooth", noise=0.1, **kwargs):
        super().__init__(generator, discriminator, label_noise, noise, **kwargs)
