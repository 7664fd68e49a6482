"""Mixtures of logistic distributions over the levels of pixels, cut into one piece for each level.

A level is a number on a scale, which a softmax over 256 levels does not know: it must learn of each on its own.  Here a
few bell curves, each with a place and a width, share out the line, and a level gets what lies between its borders:

    P(v) = sum_k pi_k [ s((v + 1/255 - m_k) / w_k) - s((v - 1/255 - m_k) / w_k) ]      s the sigmoid, v in [-1, 1]

The lowest level gets all below it as well, and the highest one all above, so that the sum over all levels is 1.  The
channels of a pixel share one choice of k, and the means of green and blue move with the channels before them:

    m_green = a + b red            m_blue = c + d red + e green

Paper: Salimans et al. 2017, PixelCNN++, arXiv:1701.05517, sections 2.1 and 2.2.
"""

from typing import NamedTuple

from gdl_keras.backend import use_tensorflow

use_tensorflow()

from keras import ops  # noqa: E402

LEVELS = 256
# Half of the distance between levels, which lie in [-1, 1].
HALF = 1 / (LEVELS - 1)
# Of narrower bells nearly all lies within one level, of wider ones nearly nothing within any.
LOG_SCALES = -7.0, 7.0


class Mixture(NamedTuple):
    """The parameters of mixtures of k logistics, for pixels of so many channels.

    Attributes:
        log_weights: (..., k), log pi, which sum to 1.
        means: (..., channels, k), before channels are coupled.
        log_scales: (..., channels, k), from -7 to 7.
        couplings: (..., channels * (channels - 1) / 2, k), in [-1, 1]: green on red, blue on red, blue on green.
    """

    log_weights: object
    means: object
    log_scales: object
    couplings: object


def parameters_per_component(channels):
    """How many numbers a network gives for each logistic of a mixture: 3 for grey pixels, 10 for red, green, blue."""
    return 1 + 2 * channels + channels * (channels - 1) // 2


def mixture_of(outputs, channels):
    """The `Mixture` that a network's outputs mean: float tensor (..., k * parameters_per_component(channels))."""
    components = outputs.shape[-1] // parameters_per_component(channels)
    outputs = ops.cast(outputs, "float32")
    outputs = ops.reshape(outputs, (*ops.shape(outputs)[:-1], -1, components))
    means, scales = outputs[..., 1 : 1 + channels, :], outputs[..., 1 + channels : 1 + 2 * channels, :]
    return Mixture(
        ops.log_softmax(outputs[..., 0, :], axis=-1),
        means,
        ops.clip(scales, *LOG_SCALES),
        ops.tanh(outputs[..., 1 + 2 * channels :, :]),
    )


def log_probability(mixture, images):
    """log P of pixels, all their channels together: float32 tensor (...).

    Args:
        mixture: a `Mixture`.
        images: float tensor (..., channels), levels / 255.
    """
    joint = mixture.log_weights + ops.sum(_of_channels(mixture, images), axis=-2)
    return ops.logsumexp(joint, axis=-1)


def conditional_log_probabilities(mixture, images):
    """log P of each level of each channel, given the channels before it: float32 tensor (..., channels, 256).

        P(green | red) = sum_k P(k | red) P(green | red, k),       P(k | red) ~ pi_k P(red | k)

    Args:
        mixture: a `Mixture`.
        images: float tensor (..., channels), levels / 255; channel c is not looked at by those up to c.
    """
    of_channels = _of_channels(mixture, images)
    before = ops.cumsum(ops.concatenate([ops.zeros_like(of_channels[..., :1, :]), of_channels[..., :-1, :]], -2), -2)
    log_weights = ops.log_softmax(mixture.log_weights[..., None, :] + before, axis=-1)
    values = 2 * ops.arange(LEVELS, dtype="float32") / (LEVELS - 1) - 1
    means = _coupled_means(mixture, 2 * images - 1)
    of_levels = level_log_probabilities(values[:, None], means[..., None, :], mixture.log_scales[..., None, :])
    return ops.logsumexp(log_weights[..., None, :] + of_levels, axis=-1)


def level_log_probabilities(values, means, log_scales):
    """log of the piece of a logistic that belongs to a level, each number for itself: float32 tensor.

        s(b) - s(a) = s(b) s(-a) (1 - exp(a - b)),       a and b the level's borders on the bell's own scale

    A product, so that its logarithm is exact where both sigmoids round to the same number.

    Args:
        values: float tensor, levels in [-1, 1].
        means, log_scales: float tensors that broadcast against them.
    """
    values = ops.convert_to_tensor(values, "float32")
    inverse = ops.exp(-log_scales)
    upper, lower = (values + HALF - means) * inverse, (values - HALF - means) * inverse
    below, above = ops.log_sigmoid(upper), ops.log_sigmoid(-lower)
    inside = ops.log(-ops.expm1(-2 * HALF * inverse))
    is_lowest, is_highest = values < HALF - 1, values > 1 - HALF
    return ops.where(is_lowest, below, ops.where(is_highest, above, below + above + inside))


def _of_channels(mixture, images):
    """log P of each channel under each logistic, given the channels before it: (..., channels, k)."""
    values = 2 * ops.cast(images, "float32") - 1
    return level_log_probabilities(values[..., None], _coupled_means(mixture, values), mixture.log_scales)


def _coupled_means(mixture, values):
    means, number = [], 0
    for channel in range(values.shape[-1]):
        mean = mixture.means[..., channel, :]
        for earlier in range(channel):
            mean = mean + mixture.couplings[..., number, :] * values[..., earlier, None]
            number += 1
        means.append(mean)
    return ops.stack(means, axis=-2)
