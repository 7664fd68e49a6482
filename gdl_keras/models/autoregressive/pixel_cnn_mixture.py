"""The PixelCNN with mixtures: all 256 levels of a byte, and three channels, with a handful of numbers a pixel.

A softmax over 256 levels has an output for each and knows nothing of their order.  Here the network says where a few
logistic distributions lie and how wide they are; `logistic_mixture` says what that makes of each level.  The network
sees no part of the pixel itself: green and blue move with the channels before them by the mixture's own couplings.

Book: chapter 5, "Mixture Distributions".  Paper: Salimans et al. 2017, PixelCNN++, arXiv:1701.05517.
"""

import keras
from keras import layers

from gdl_keras import logistic_mixture
from gdl_keras.errors import InputError
from gdl_keras.layers import MaskedConv2D
from gdl_keras.models.autoregressive.pixel_cnn import gated_features, masked_features
from gdl_keras.models.autoregressive.pixels import PixelModel
from gdl_keras.models.parts.endings import refuse_ending


def build_pixel_cnn_mixture(image_shape, components=5, filters=64, blocks=5, gated=True):
    """The features of `build_pixel_cnn`, and the parameters of a mixture for each pixel.

    Args:
        image_shape: (height, width, channels).
        components: int, how many logistics.
        filters: int, even.
        blocks: int, residual blocks.
        gated: whether in two stacks, without a blind spot.

    Returns:
        `keras.Model`, images (batch, *image_shape) in [0, 1] -> float32 (batch, height, width, components * 3) of grey
        pixels, components * 10 of red, green and blue: see `logistic_mixture.mixture_of`.
    """
    images = keras.Input(image_shape, name="images")
    x = (gated_features if gated else masked_features)(images, filters, blocks)
    for _ in range(2):
        x = MaskedConv2D(filters, 1, "B", activation="relu")(x)
    outputs = components * logistic_mixture.parameters_per_component(image_shape[-1])
    return keras.Model(images, layers.Conv2D(outputs, 1, dtype="float32", name="mixture")(x), name="network")


@keras.saving.register_keras_serializable(package="gdl_keras")
class PixelCNNMixture(PixelModel):
    """Trains a network to say of each pixel, from those before it, where a mixture of logistics lies.

        loss = -1/n sum_p log P(x_p | x_0 ... x_{p-1})        over the pixels p; n numbers of an image

    Args:
        network: as `build_pixel_cnn_mixture` makes it, or another one with such outputs, which depend on earlier pixels
            and on no channel of their own.
        seed: int or None.

    Reports `loss`, nats a number of an image, and `bits_per_dim`, the same in bits, of bytes: as compressors count.

    Raises:
        InputError: the network ends in an activation, or in a number of outputs that does not go.
    """

    levels = logistic_mixture.LEVELS

    def __init__(self, network, **kwargs):
        super().__init__(network, **kwargs)
        refuse_ending(network, "PixelCNNMixture")
        outputs, channels = network.output_shape[-1], self.image_shape[-1]
        each = logistic_mixture.parameters_per_component(channels)
        if outputs % each:
            raise InputError(
                f"A logistic of {channels} channels has {each} parameters: end in a multiple, not {outputs}."
            )

    def nats(self, levels, outputs):
        mixture = logistic_mixture.mixture_of(outputs, self.image_shape[-1])
        return -logistic_mixture.log_probability(mixture, self.images_of(levels))

    def conditional_logits(self, outputs, pixels):
        mixture = logistic_mixture.mixture_of(outputs, self.image_shape[-1])
        return logistic_mixture.conditional_log_probabilities(mixture, pixels)
