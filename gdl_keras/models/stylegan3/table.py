"""What each layer of StyleGAN3's generator may hold: how many pixels a side, how many channels, up to which frequency.

A layer is a picture that is continuous; its pixels are samples of it.  Frequencies are in periods per image, rates in
samples per image.  From layer to layer the highest frequency grows by the same factor, up to what the image can hold.
"""

import math
from dataclasses import dataclass

from gdl_keras.errors import InputError

# Where the first layer's frequencies end, and beyond what none is left.
FIRST_CUTOFF = 2.0
FIRST_STOPBAND = 2**2.1
# The last layer's stop-band by its cut-off.
LAST_STOPBAND = 2**0.3


@dataclass(frozen=True)
class LayerShape:
    """What a layer puts out.

    Attributes:
        size: int, pixels a side, those beyond the edge of the image included.
        channels: int.
        rate: int, samples per image.
        cutoff: float, up to which frequency it holds all.
        half_width: float, by how much higher the frequencies are of which it holds none.
        is_critical: bool, whether its frequencies reach the limit of its rate, without room between.
    """

    size: int
    channels: int
    rate: int
    cutoff: float
    half_width: float
    is_critical: bool


def layer_table(
    image_size, image_channels=3, num_layers=14, num_critical=2, channel_base=32768, channel_max=512, margin=10
):
    """The layers of the synthesis network, the one that makes the image last (Karras et al. 2021, section 3.2).

        cutoff_i   = 2 (image_size / 4)^e_i,       e_i = min(i / (num_layers - num_critical), 1)
        stopband_i = 2^2.1 (2^0.3 image_size / 2 / 2^2.1)^e_i
        rate_i     = the next power of 2 from min(2 stopband_i, image_size) on
        channels_i = min(channel_base / (2 cutoff_i), channel_max)

    Args:
        image_size: int, a power of 2 from 16 on.
        image_channels: int.
        num_layers: int, without the last.
        num_critical: int, how many layers at the end hold as much as their rate allows.
        channel_base, channel_max: int.
        margin: int, pixels beyond each edge of all but the last two layers, so that no layer learns where an edge is.

    Returns:
        list of num_layers + 1 `LayerShape`.

    Raises:
        InputError: the size is none of these, or all layers are critical.
    """
    if image_size < 16 or image_size & (image_size - 1):
        raise InputError(f"StyleGAN3 makes images whose size is a power of 2 from 16 on, and not {image_size}.")
    if not 0 <= num_critical < num_layers:
        raise InputError(f"Of {num_layers} layers at most {num_layers - 1} are critical, not {num_critical}.")
    last_cutoff = image_size / 2
    last_stopband = last_cutoff * LAST_STOPBAND
    layers = []
    for number in range(num_layers + 1):
        share = min(number / (num_layers - num_critical), 1)
        cutoff = FIRST_CUTOFF * (last_cutoff / FIRST_CUTOFF) ** share
        stopband = FIRST_STOPBAND * (last_stopband / FIRST_STOPBAND) ** share
        rate = 2 ** math.ceil(math.log2(min(2 * stopband, image_size)))
        channels = round(min(channel_base / (2 * cutoff), channel_max))
        layers.append(
            LayerShape(
                size=rate + 2 * margin if number < num_layers - 1 else image_size,
                channels=channels if number < num_layers else image_channels,
                rate=rate,
                cutoff=cutoff,
                half_width=max(stopband, rate / 2) - cutoff,
                is_critical=number >= num_layers - num_critical,
            )
        )
    return layers
