"""The networks of codecs: images to a grid of vectors, each for a patch of pixels, and back."""

from functools import partial

import keras
from keras import layers

from gdl_keras.layers import DoublingConv2DTranspose, HalvingConv2D
from gdl_keras.models.parts.endings import in_float32
from gdl_keras.models.parts.sizes import reduced_size

# Channels within a residual block, as a share of those around it.
NARROWING = 2
# He's start keeps numbers as large as they are from layer to layer.  With Keras's own they shrink before ReLUs, all
# vectors begin close to 0, and one code is the nearest to all of them.
convolution = partial(layers.Conv2D, padding="same", kernel_initializer="he_normal")
halving = partial(HalvingConv2D, kernel_size=4, strides=2, padding="same", kernel_initializer="he_normal")
doubling = partial(DoublingConv2DTranspose, kernel_size=4, strides=2, padding="same")


def build_codec_encoder(image_shape, code_dim=64, filters=(64, 128), residual_blocks=2):
    """Convolutions of 4x4 that halve the image, then residual blocks (van den Oord et al. 2017, section 4.1).

    Args:
        image_shape: (height, width, channels); height and width multiples of 2 ** len(filters).
        code_dim: int, numbers of a vector.
        filters: channels after each halving.
        residual_blocks: int.

    Returns:
        `keras.Model`, images (batch, *image_shape) in [0, 1] -> float32 (batch, height, width, code_dim), a vector for
        each patch of 2 ** len(filters) pixels a side.

    Raises:
        InputError: the image cannot be halved that often.
    """
    reduced_size(image_shape, filters)
    images = keras.Input(image_shape, name="images")
    x = layers.Rescaling(2.0, offset=-1.0)(images)
    for width in filters:
        x = halving(width, activation="relu")(x)
    x = convolution(filters[-1], 3)(x)
    for _ in range(residual_blocks):
        x = residual_block(x, filters[-1])
    vectors = layers.Conv2D(code_dim, 1, dtype="float32", name="vectors")(layers.ReLU()(x))
    return keras.Model(images, vectors, name="encoder")


def build_codec_decoder(image_shape, code_dim=64, filters=(64, 128), residual_blocks=2):
    """The encoder backwards: residual blocks, then transposed convolutions that double the image.

    Args as in `build_codec_encoder`.

    Returns:
        `keras.Model`, float (batch, height, width, code_dim) -> float32 (batch, *image_shape), a logit for each number.
    """
    vectors = keras.Input((*reduced_size(image_shape, filters), code_dim), name="vectors")
    x = convolution(filters[-1], 3)(vectors)
    for _ in range(residual_blocks):
        x = residual_block(x, filters[-1])
    x = layers.ReLU()(x)
    for width in reversed(filters[:-1]):
        x = doubling(width, activation="relu")(x)
    x = doubling(image_shape[-1], name="logits")(x)
    return keras.Model(vectors, in_float32(x), name="decoder")


def residual_block(x, filters):
    """x + W2 relu(W1 relu(x)), W1 of 3x3 to half the channels, W2 of 1x1 back."""
    y = convolution(filters // NARROWING, 3, activation="relu")(layers.ReLU()(x))
    return layers.Add()([x, layers.Conv2D(filters, 1)(y)])


def build_notebook_encoder(image_shape, code_dim=64, filters=256, halvings=2):
    """That of the notebooks `vqvae` and `VQGAN` of DaiDaiLoh's *ExemplaryNotebooks*: convolutions of 3x3 and averages.

    Args:
        image_shape: (height, width, channels), multiples of 2 ** halvings.
        code_dim, filters: ints.
        halvings: int, 2 in `vqvae`, 3 in `VQGAN`.

    Returns:
        `keras.Model` as that of `build_codec_encoder`.  With the decoder and 512 codes of 64 numbers, 1,522,435 weights
        for (32, 32, 3) and two halvings, 2,702,595 for three.
    """
    reduced_size(image_shape, range(halvings))
    images = keras.Input(image_shape, name="images")
    x, small = images, images
    for _ in range(halvings):
        x = layers.LeakyReLU(0.01)(layers.Conv2D(filters, 3, padding="same")(x))
        x, small = layers.AveragePooling2D(2)(x), layers.AveragePooling2D(2)(small)
    x = layers.Conv2D(code_dim, 3, padding="same")(x)
    x = layers.Add(dtype="float32", name="vectors")([x, layers.Conv2D(code_dim, 1, use_bias=False)(small)])
    return keras.Model(images, x, name="encoder")


def build_notebook_decoder(image_shape, code_dim=64, filters=256, halvings=2):
    """Its counterpart, whose numbers are the image; they have no bound.  Args as in `build_notebook_encoder`."""
    vectors = keras.Input((*reduced_size(image_shape, range(halvings)), code_dim), name="vectors")
    x = vectors
    for _ in range(halvings):
        x = layers.LeakyReLU(0.01)(layers.Conv2D(filters, 3, padding="same")(x))
        x = layers.UpSampling2D(2, interpolation="bilinear")(x)
    x = layers.LeakyReLU(0.01)(layers.Conv2D(image_shape[-1], 3, padding="same")(x))
    return keras.Model(vectors, in_float32(x), name="decoder")
