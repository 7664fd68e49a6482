"""The PixelCNN: a network that says of each pixel what it may be, having seen those above it and to its left.

    p(x) = prod_i p(x_i | x_0 ... x_{i-1})

All factors come out of one pass over a whole image, because its convolutions are masked: none of them looks at the
pixel itself or at what comes later.  Images are made one pixel after the other.

Masked squares, one above the other, leave a blind spot: pixels above and to the right that are near, and that no path
leads from.  The gated network has none.  One of its stacks looks at all rows above, the other one at its own row and,
through the first, at these.

Book: chapter 5, "PixelCNN".  Papers: van den Oord et al. 2016, Pixel recurrent neural networks, arXiv:1601.06759; van
den Oord et al. 2016, Conditional image generation with PixelCNN decoders, arXiv:1606.05328, for the gated one.
"""

import keras
import tensorflow as tf
from keras import layers

from gdl_keras import losses
from gdl_keras.errors import InputError
from gdl_keras.layers import Gate, MaskedConv2D, RowAbove, UpperConv2D
from gdl_keras.models.autoregressive.levels import check_levels
from gdl_keras.models.autoregressive.pixels import PixelModel
from gdl_keras.models.parts.endings import refuse_ending


def build_pixel_cnn(image_shape, levels=4, filters=128, blocks=5, gated=False):
    """A masked convolution, residual blocks of them, and a logit for each level of each channel.

    Args:
        image_shape: (height, width, channels).
        levels: int, 2 to 256, how many each number of an image may have.
        filters: int, a multiple of 2 * channels.
        blocks: int, residual blocks.
        gated: whether in two stacks, without a blind spot.

    Returns:
        `keras.Model`, images (batch, *image_shape) in [0, 1] -> logits, float32 (batch, height, width,
        levels * channels); number i is of channel i % channels.  307,460 weights for the book's (16, 16, 1), 4 levels.

    Raises:
        InputError: an argument is out of range.
    """
    check_levels(levels)
    channels = image_shape[-1]
    images = keras.Input(image_shape, name="images")
    features = gated_features if gated else masked_features
    x = features(images, filters, blocks, channels)
    for _ in range(2):
        x = MaskedConv2D(filters, 1, "B", channels, activation="relu")(x)
    logits = MaskedConv2D(levels * channels, 1, "B", channels, dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name="network")


def masked_features(images, filters, blocks, channels=1):
    """One stack: a masked convolution of 7x7, then residual blocks of 1x1, masked 3x3 and 1x1."""
    x = MaskedConv2D(filters, 7, "A", channels, activation="relu")(images)
    for _ in range(blocks):
        y = MaskedConv2D(filters // 2, 1, "B", channels, activation="relu")(x)
        y = MaskedConv2D(filters // 2, 3, "B", channels, activation="relu")(y)
        y = MaskedConv2D(filters, 1, "B", channels, activation="relu")(y)
        x = layers.Add()([x, y])
    return x


def gated_features(images, filters, blocks, channels=1):
    """Two stacks: `above` looks at all rows above, `beside` at its own row and at what `above` made of the others."""
    above, beside = images, images
    for number in range(blocks + 1):
        size, mask = (7, "A") if number == 0 else (3, "B")
        seen_above = UpperConv2D(2 * filters, (size // 2 + 1, size))(above)
        seen_beside = MaskedConv2D(2 * filters, (1, size), mask, channels)(beside)
        seen = layers.Add()([seen_beside, layers.Conv2D(2 * filters, 1)(RowAbove()(seen_above))])
        y = MaskedConv2D(filters, 1, "B", channels)(Gate()(seen))
        beside = y if number == 0 else layers.Add()([beside, y])
        above = Gate()(seen_above)
    return beside


@keras.saving.register_keras_serializable(package="gdl_keras")
class PixelCNN(PixelModel):
    """Trains a network to foresee the level of each pixel from the pixels before it.

        loss = -1/n sum_i log p(x_i | x_0 ... x_{i-1})        over the n numbers of an image

    Args:
        network: as `build_pixel_cnn` makes it, or another one with such outputs whose logits of channel c depend on
            earlier pixels, and on the channels before c of their own.
        seed: int or None.

    Reports `loss`, nats a number of an image, and `bits_per_dim`, the same in bits.  Both are of as many levels as the
    network has: those of 4 levels do not compare with those of 256, which there is much more to say of.

    Raises:
        InputError: the network ends in an activation, or in a number of logits that does not go.
    """

    def __init__(self, network, **kwargs):
        super().__init__(network, **kwargs)
        refuse_ending(network, "PixelCNN", compared=True)
        outputs, channels = network.output_shape[-1], self.image_shape[-1]
        if outputs % channels:
            raise InputError(f"{outputs} logits cannot be dealt out among {channels} channels: end in a multiple.")
        self.levels = outputs // channels
        check_levels(self.levels)

    def nats(self, levels, outputs):
        return tf.reduce_sum(losses.class_crossentropy(levels, self.conditional_logits(outputs, None)), axis=-1)

    def conditional_logits(self, outputs, pixels):
        logits = tf.reshape(outputs, (*tf.unstack(tf.shape(outputs)[:-1]), self.levels, self.image_shape[-1]))
        return tf.cast(tf.linalg.matrix_transpose(logits), tf.float32)
