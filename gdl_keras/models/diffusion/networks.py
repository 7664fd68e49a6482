"""The networks of diffusion and flow matching: what a noisy image and its level of noise become.

Both are U-Nets (Ronneberger et al. 2015, arXiv:1505.04597): halve the image, look at it at each size, double it again,
and at each size see what was there on the way down.
"""

import keras
from keras import layers

from gdl_keras.errors import InputError
from gdl_keras.layers import FromPatches, ModulatedNormalization, NoiseEmbedding, OneHot, ToPatches
from gdl_keras.models.parts.sizes import reduced_size

EMBEDDING = 32


def build_unet(image_shape, filters=(32, 64, 96, 128), blocks=2, num_classes=None):
    """The book's U-Net; how much noise there is enters as further channels of the image.

    Args:
        image_shape: (height, width, channels).
        filters: channels at each size, the smallest size last.
        blocks: int, residual blocks at each size, and again on the way up.
        num_classes: int or None; with it labels enter, too, as channels, and label `num_classes` says: any.

    Returns:
        `keras.Model`, [images (batch, *image_shape), levels (batch,) in [0, 1]], and labels (batch,) where there are
        classes -> float32 (batch, *image_shape), zeros before training.  1,953,507 weights for the book's (64, 64, 3).

    Raises:
        InputError: the image cannot be halved that often.
    """
    height, width, channels = image_shape
    inputs, embedding = _inputs(image_shape, filters, num_classes, NoiseEmbedding(EMBEDDING // 2))
    x = layers.Conv2D(filters[0], 1)(inputs[0])
    planes = layers.Reshape((1, 1, embedding.shape[-1]))(embedding)
    x = layers.Concatenate()([x, layers.UpSampling2D((height, width), interpolation="nearest")(planes)])
    skips = []
    for size in filters[:-1]:
        for _ in range(blocks):
            x = _book_block(x, size)
            skips.append(x)
        x = layers.AveragePooling2D(2)(x)
    for _ in range(blocks):
        x = _book_block(x, filters[-1])
    for size in reversed(filters[:-1]):
        x = layers.UpSampling2D(2, interpolation="bilinear")(x)
        for _ in range(blocks):
            x = _book_block(layers.Concatenate()([x, skips.pop()]), size)
    x = layers.Conv2D(channels, 1, kernel_initializer="zeros", dtype=keras.config.floatx(), name="outputs")(x)
    return keras.Model(inputs, x, name="unet")


def build_quick_unet(
    image_shape, filters=(16, 32, 64), blocks=1, patch=1, num_classes=None, units=128, with_guess=False
):
    """A U-Net for a processor: the level of noise scales and shifts every block, and ways meet in sums.

    What was there on the way down is added on the way up, where the book's network puts it beside: the convolutions
    behind, at the largest size, then take a third of the channels.

    Args:
        image_shape, filters, blocks, num_classes: as in `build_unet`.
        patch: int; squares of so many pixels a side are taken for one pixel.
        with_guess: whether it is shown, beside the image, what another sees behind the noise, as many channels again.
        units: int, size of the vectors that tell the blocks how much noise there is.

    Returns, raises as `build_unet`.
    """
    embed = NoiseEmbedding(EMBEDDING // 2, 0.02, 2.0, of="logit")
    seen_shape = (*image_shape[:2], image_shape[2] * (2 if with_guess else 1))
    inputs, embedding = _inputs(seen_shape, filters, num_classes, embed, patch)
    x = layers.Conv2D(filters[0], 3, padding="same")(ToPatches(patch)(inputs[0]))
    skips = []
    for smaller in filters[1:]:
        for _ in range(blocks):
            x = _quick_block(x, embedding, units)
        skips.append(x)
        x = layers.Conv2D(smaller, 1)(layers.AveragePooling2D(2)(x))
    for _ in range(blocks + 1):
        x = _quick_block(x, embedding, units)
    for size in reversed(filters[:-1]):
        x = layers.Add()([layers.UpSampling2D(2)(layers.Conv2D(size, 1)(x)), skips.pop()])
        for _ in range(blocks):
            x = _quick_block(x, embedding, units)
    x = layers.Activation("relu")(x)
    numbers = image_shape[-1] * patch**2
    x = layers.Conv2D(numbers, 3, padding="same", kernel_initializer="zeros", dtype=keras.config.floatx())(x)
    return keras.Model(inputs, FromPatches(patch, dtype=keras.config.floatx())(x), name="quick_unet")


def _inputs(image_shape, filters, num_classes, embed, patch=1):
    """(the inputs of a network, the vector (batch, size) of all that is not the image)."""
    if patch < 1 or image_shape[0] % patch or image_shape[1] % patch:
        raise InputError(f"An image of {image_shape[0]}x{image_shape[1]} is not made of squares of {patch} pixels.")
    reduced_size((image_shape[0] // patch, image_shape[1] // patch, image_shape[2]), filters[1:])
    inputs = [keras.Input(image_shape, name="images"), keras.Input((), dtype="float32", name="levels")]
    embedding = embed(inputs[1])
    if num_classes is not None:
        inputs.append(keras.Input((), dtype="int64", name="labels"))
        embedding = layers.Concatenate()([embedding, OneHot(num_classes + 1)(inputs[2])])
    return inputs, embedding


def _book_block(x, size):
    skipped = x if x.shape[-1] == size else layers.Conv2D(size, 1)(x)
    x = layers.BatchNormalization(center=False, scale=False)(x)
    x = layers.Conv2D(size, 3, padding="same", activation="swish")(x)
    x = layers.Conv2D(size, 3, padding="same")(x)
    return layers.Add()([x, skipped])


def _quick_block(x, embedding, units):
    size = x.shape[-1]
    # Of each block its own: the slopes of one for all would be summed in an order that is not always the same.
    vector = layers.Dense(units, activation="silu")(embedding)
    y = layers.Conv2D(size, 3, padding="same")(layers.Activation("relu")(x))
    y = layers.Activation("relu")(ModulatedNormalization()([y, vector]))
    # Small at first, so that a deep network begins as a shallow one.
    small = keras.initializers.VarianceScaling(0.01)
    return layers.Add()([x, layers.Conv2D(size, 3, padding="same", kernel_initializer=small)(y)])
