"""The generator of StyleGAN3: layers that treat their pixels as samples of a picture that is defined everywhere.

What is moved by a third of a pixel before the layers, or in the variant R turned by any angle, comes out moved or
turned by as much.  Detail then sticks to things, not to the grid.

Paper: Karras et al. 2021, Alias-free generative adversarial networks, arXiv:2106.12423.
"""

import keras
from keras import layers, ops

from gdl_keras.errors import InputError
from gdl_keras.layers import ClipOutsideTraining, Constant, ModulatedConv2D
from gdl_keras.models.stylegan.mapping import build_mapping
from gdl_keras.models.stylegan.networks import joined, read
from gdl_keras.models.stylegan3.filtered_leaky_relu import FilteredLeakyReLU
from gdl_keras.models.stylegan3.filters import kaiser_filter, radial_filter
from gdl_keras.models.stylegan3.fourier_input import FourierInput
from gdl_keras.models.stylegan3.magnitude import MagnitudeNormalization
from gdl_keras.models.stylegan3.table import layer_table

# Taps of a filter for each pixel that it makes of one, or one of.
TAPS = 6
# What the last layer's numbers are multiplied by, so that they begin as an image's.
OUTPUT_SCALE = 0.25


def build_generator(
    image_shape,
    latent_dim=512,
    num_classes=None,
    style_dim=512,
    mapping_layers=2,
    attributes=False,
    **synthesis,
):
    """A mapping network, its style said to every layer of a synthesis network, and the transform of no motion.

    Args:
        image_shape: (size, size, channels), size a power of 2 from 16 on.
        latent_dim, style_dim: int, numbers of a latent point and of a style.
        num_classes: int, classes or attributes; None for neither.
        mapping_layers: int.
        attributes: whether labels are rows of attributes.
        synthesis: keywords of `build_synthesis`.

    Returns:
        `keras.Model`, latent points (batch, latent_dim), or [points, labels], -> images, float32 (batch, *image_shape)
        in [0, 1], in training for the most part.  It has layers "mapping", "transforms" and "synthesis".  22,313,167
        trainable weights for (1024, 1024, 3), and 15,093,151 with `rotation`.

    Raises:
        InputError: there is no network for images of that shape.
    """
    mapping = build_mapping(latent_dim, style_dim, mapping_layers, num_classes, attributes)
    unmoved = Constant((3, 3), False, "identity", dtype=keras.config.floatx(), name="transforms")
    generator = joined(mapping, build_synthesis(image_shape, style_dim, **synthesis), unmoved)
    images = ClipOutsideTraining(dtype=keras.config.floatx(), name="clipped")(generator.output)
    return keras.Model(generator.input, images, name="generator")


def build_synthesis(
    image_shape,
    style_dim=512,
    rotation=False,
    num_layers=14,
    num_critical=2,
    channel_base=None,
    channel_max=None,
    margin=10,
    oversampling=2,
    magnitude_decay=0.999,
    seed=None,
):
    """From waves to an image: convolutions, each behind a style, and rectifiers that are filtered.

    Args:
        image_shape: (size, size, channels), size a power of 2 from 16 on.
        style_dim: int, numbers of a style.
        rotation: whether turned waves make a turned image (the paper's R): convolutions of 1x1, filters that are the
            same in all directions, and twice the channels.  Else only moved ones make a moved image (T).
        num_layers, num_critical, margin: as in `layer_table`.
        channel_base, channel_max: as in `layer_table`; by default 32,768 and 512, with `rotation` twice these.
        oversampling: int, how many times as fine as the finer side of a layer its rectifier works.
        magnitude_decay: float in [0, 1), how much of itself a layer's running mean of squares keeps in each step; the
            paper's halves in 20,000 images, 0.5^(batch size / 20,000).
        seed: int or None, of the waves.

    Returns:
        `keras.Model`, [styles (batch, num_layers + 2, style_dim), transforms (batch, 3, 3)] -> images, float32 (batch,
        *image_shape), for the most part in [0, 1].  Transforms are as in `FourierInput`; the identity for none.

    Raises:
        InputError: there is no network for images of that shape.
    """
    height, width, channels = image_shape
    if height != width:
        raise InputError(f"StyleGAN3 makes square images, not {height}x{width}.")
    base, most = (65536, 1024) if rotation else (32768, 512)
    table = layer_table(height, channels, num_layers, num_critical, channel_base or base, channel_max or most, margin)
    styles = keras.Input((num_layers + 2, style_dim), name="styles")
    transforms = keras.Input((3, 3), name="transforms")
    first_style, *told = ops.unstack(styles, num_layers + 2, axis=1)

    first = table[0]
    x = FourierInput(first.channels, first.size, first.rate, first.cutoff, seed)([first_style, transforms])
    for before, after, style in zip([first, *table], table[:-1], told):
        size = 1 if rotation else 3
        x = MagnitudeNormalization(magnitude_decay)(x)
        # Zeros that the convolution meets, and what it makes of them, lie in the margin.
        x = layers.ZeroPadding2D(size // 2)(x) if size > 1 else x
        x = ModulatedConv2D(after.channels, size)([x, read(style, x)])
        x = FilteredLeakyReLU(**nonlinearity(before, after, size, oversampling, rotation))(x)
    x = MagnitudeNormalization(magnitude_decay, dtype=keras.config.floatx())(x)
    x = ModulatedConv2D(channels, 1, demodulate=False, dtype=keras.config.floatx())([x, read(told[-1], x)])
    images = layers.Rescaling(OUTPUT_SCALE / 2, offset=0.5, dtype=keras.config.floatx(), name="images")(x)
    return keras.Model([styles, transforms], images, name="synthesis")


def nonlinearity(before, after, kernel_size, oversampling=2, radial=False):
    """The arguments of the `FilteredLeakyReLU` that goes behind a convolution from one layer of the table to another.

    Args:
        before, after: `LayerShape`.
        kernel_size: int, of the convolution, whose outcome has `kernel_size` - 1 pixels more a side than `before`.
        oversampling: int, how many times as fine as the finer of the two it works.
        radial: whether the filter behind it is the same in all directions; a critical layer's is not.
    """
    rate = max(before.rate, after.rate) * oversampling
    up, down = rate // before.rate, rate // after.rate
    up_taps, down_taps = (TAPS * factor if factor > 1 else 1 for factor in (up, down))
    design = radial_filter if radial and not after.is_critical else kaiser_filter
    # What is left over on both sides together, so that the outcome has the size that the table says.
    total = (after.size - 1) * down + 1 - (before.size + kernel_size - 1) * up + up_taps + down_taps - 2
    first = (total + up) // 2
    return {
        "up": up,
        "down": down,
        "up_taps": kaiser_filter(up_taps, before.cutoff, 2 * before.half_width, rate),
        "down_taps": design(down_taps, after.cutoff, 2 * after.half_width, rate),
        "padding": (first, total - first),
    }
