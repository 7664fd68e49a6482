"""The conditional GAN: say what to make.

The label goes into both networks.  The generator gets it beside the latent point, the critic as further channels of the
image, so that it can find fault with an image that does not show what the label says.  A latent point then stands for
what labels do not say: the same point gives the same pose under every label.

Book: chapter 4, "Conditional GAN (CGAN)".  Paper: Mirza & Osindero 2014, Conditional generative adversarial nets,
arXiv:1411.1784; trained as a WGAN-GP, as in the book.
"""

import keras
from keras import layers

from gdl_keras.models.dcgan import enlarge
from gdl_keras.models.parts.labels import label_input, with_label_planes
from gdl_keras.models.wgan_gp import WGANGP, score


def build_generator(
    image_shape,
    num_classes,
    latent_dim=32,
    filters=(128, 128, 128, 64),
    upsampling="transposed",
    attributes=False,
):
    """The WGAN-GP's generator on latent point and label side by side.

    Args:
        num_classes: int, how many classes, or how many attributes.
        attributes: labels are rows of attributes, any number of them true at once, instead of one class number.
        image_shape, latent_dim, filters, upsampling: as in `dcgan.build_generator`.

    Returns:
        `keras.Model`, [float (batch, latent_dim), labels] -> images (batch, *image_shape), float32 in [0, 1].  Labels
        are integers (batch,), or floats (batch, num_classes) in [0, 1].  729,859 weights for the book's (64, 64, 3)
        and 2 classes.

    Raises:
        InputError: the image cannot be halved that often, or `upsampling` is unknown.
    """
    latents = keras.Input((latent_dim,), name="latents")
    labels, vectors = label_input(num_classes, attributes)
    points = layers.Concatenate()([latents, vectors])
    return keras.Model([latents, labels], enlarge(points, image_shape, filters, upsampling), name="generator")


def build_critic(image_shape, num_classes, filters=(64, 128, 128, 128), dropout=0.3, attributes=False):
    """The WGAN-GP's critic on an image with one more channel per class or attribute, filled with the label's number.

    Args as in `build_generator` above and in `wgan_gp.build_critic`.

    Returns:
        `keras.Model`, [images (batch, *image_shape) in [0, 1], labels] -> scores, float32 (batch, 1).  662,977 weights
        for the book's (64, 64, 3) and 2 classes.

    Raises:
        InputError: the image cannot be halved that often.
    """
    images = keras.Input(image_shape, name="images")
    labels, vectors = label_input(num_classes, attributes)
    x = with_label_planes(layers.Rescaling(2.0, offset=-1.0)(images), vectors)
    return keras.Model([images, labels], score(x, filters, dropout), name="critic")


@keras.saving.register_keras_serializable(package="gdl_keras")
class CGAN(WGANGP):
    """The WGAN-GP of `wgan_gp.py`, algorithm and arguments, with labels for both networks.

    `fit` takes images with class numbers, int64 (n,), or with attributes (n, num_classes); `generate` takes `labels`.

    Args:
        generator: `keras.Model`, [latent points, labels] -> images in [0, 1].
        critic: `keras.Model`, [images, labels] -> scores.
        num_classes: int, how many classes or attributes.
    """

    learns_from = ("images", "labels")

    def __init__(self, generator, critic, num_classes, **kwargs):
        super().__init__(generator, critic, **kwargs)
        self.num_classes = num_classes
