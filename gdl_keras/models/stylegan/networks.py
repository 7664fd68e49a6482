"""The networks of StyleGAN2: a generator whose image grows as a sum of images, and a residual discriminator.

Paper: Karras et al. 2020, Analyzing and improving the image quality of StyleGAN, arXiv:1912.04958.
"""

import keras
from keras import layers, ops

from gdl_keras.errors import InputError
from gdl_keras.layers import (
    Constant,
    EqualizedConv2D,
    EqualizedDense,
    MinibatchDeviation,
    ModulatedConv2D,
    NoiseInjection,
    Resampling2D,
    ZeroCurvatureLeakyReLU,
)
from gdl_keras.models.parts.labels import label_input
from gdl_keras.models.stylegan.mapping import LEAK, build_mapping, embedded, mapped

SMALLEST = 4
ROOT = 2**0.5
# What goes round an image so that it comes out halved of a filter of 4 taps and a convolution of 3x3 with stride 2.
BEFORE_HALVING = (2, 2)


def build_generator(
    image_shape,
    latent_dim=512,
    num_classes=None,
    style_dim=512,
    mapping_layers=8,
    channel_base=32768,
    channel_max=512,
    attributes=False,
):
    """A mapping network, its style said to every layer of a synthesis network, and noise that is always the same.

    Args:
        image_shape: (size, size, channels), size a power of 2 from 8 on.
        latent_dim, style_dim: int, numbers of a latent point and of a style.
        num_classes: int, classes or attributes; None for neither.
        mapping_layers: int.
        channel_base, channel_max: int; at a size there are channel_base // size channels, but at most so many.
        attributes: whether labels are rows of attributes.

    Returns:
        `keras.Model`, latent points (batch, latent_dim), or [points, labels], -> images, float32 (batch, *image_shape),
        for the most part in [0, 1].  It has layers "mapping", "noise" and "synthesis".  30,370,060 trainable weights
        for (1024, 1024, 3).

    Raises:
        InputError: there is no network for images of that shape.
    """
    mapping = build_mapping(latent_dim, style_dim, mapping_layers, num_classes, attributes)
    synthesis = build_synthesis(image_shape, style_dim, channel_base, channel_max)
    return joined(mapping, synthesis, fixed_noise(synthesis))


def fixed_noise(synthesis):
    """A layer that has noise for a synthesis network, the same for every image and always."""
    return Constant(synthesis.inputs[1].shape[1:], False, dtype=keras.config.floatx(), name="noise")


def joined(mapping, synthesis, beside):
    """A mapping network, its style said to every layer of a synthesis network: `keras.Model`, named "generator".

    Args:
        mapping: `keras.Model`, latent points, or [points, labels], -> (batch, style_dim).
        synthesis: `keras.Model`, [styles (batch, layers, style_dim), what stands beside] -> images.
        beside: `keras.layers.Layer`, which makes that of the style.
    """
    inputs = [keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name) for tensor in mapping.inputs]
    inputs = inputs if len(inputs) > 1 else inputs[0]
    style = mapping(inputs)
    numbers = beside(style)
    style = layers.RepeatVector(synthesis.inputs[0].shape[1], dtype=keras.config.floatx())(style)
    return keras.Model(inputs, synthesis([style, numbers]), name="generator")


def build_synthesis(image_shape, style_dim=512, channel_base=32768, channel_max=512):
    """From a learnt constant of 4x4 on, each size has two convolutions, and adds an image to the one so far, enlarged.

    Args:
        image_shape, style_dim, channel_base, channel_max: as in `build_generator`.

    Returns:
        `keras.Model`, [styles (batch, layers, style_dim), noise (batch, numbers)] -> images, float32 (batch,
        *image_shape).  Layers that a style is said to are numbered from the smallest size on; that of an image reads
        the same style as the convolution after it.
    """
    sizes = sizes_to(image_shape)
    styles = keras.Input((2 * len(sizes), style_dim), name="styles")
    noise = keras.Input((sum(size**2 * (1 if size == SMALLEST else 2) for size in sizes),), name="noise")

    x = Constant((SMALLEST, SMALLEST, min(channel_base // SMALLEST, channel_max)), name="constant")(styles)
    told = ops.unstack(styles, 2 * len(sizes), axis=1)
    image, layer, used = None, 0, 0
    for size in sizes:
        for up in (1,) if size == SMALLEST else (2, 1):
            name = f"convolution_{size}" + "_up" * (up == 2)
            filters = min(channel_base // size, channel_max)
            x = ModulatedConv2D(filters, up=up, gain=ROOT, name=name)([x, read(told[layer], x)])
            x = ZeroCurvatureLeakyReLU(LEAK)(NoiseInjection(used)([x, noise]))
            layer, used = layer + 1, used + size**2
        rgb = ModulatedConv2D(image_shape[-1], 1, demodulate=False, dtype=keras.config.floatx(), name=f"image_{size}")
        part = rgb([x, read(told[layer], x)])
        float32 = {"dtype": keras.config.floatx()}
        image = part if image is None else layers.Add(**float32)([Resampling2D(2, **float32)(image), part])
    images = layers.Rescaling(0.5, offset=0.5, dtype=keras.config.floatx(), name="images")(image)
    return keras.Model([styles, noise], images, name="synthesis")


def read(style, x):
    """A style as a factor for each channel of x, all near 1 at the start: float32 (batch, channels)."""
    options = {"gain": 1.0, "bias_initializer": "ones", "dtype": keras.config.floatx()}
    return EqualizedDense(x.shape[-1], **options)(style)


def build_discriminator(
    image_shape,
    num_classes=None,
    mapping_layers=8,
    channel_base=32768,
    channel_max=512,
    group_size=4,
    attributes=False,
):
    """Residual blocks that halve the image, both ways of each scaled such that the variance stays.

    A label comes in by projection: the score is the product of the last features with what a mapping network makes of
    the label, over the root of their number (Miyato & Koyama 2018, arXiv:1802.05637; Karras et al. 2020,
    arXiv:2006.06676).

    Args:
        image_shape, num_classes, mapping_layers, channel_base, channel_max, attributes: as in `build_generator`.
        group_size: int, images in a group of `MinibatchDeviation`.

    Returns:
        `keras.Model`, images (batch, *image_shape) in [0, 1], or [images, labels], -> scores, float32 (batch, 1).
        29,012,513 weights for (1024, 1024, 3).

    Raises:
        InputError: there is no network for images of that shape.
    """
    sizes = sizes_to(image_shape)
    images = keras.Input(image_shape, name="images")
    x = layers.Rescaling(2.0, offset=-1.0)(images)
    x = leaky(EqualizedConv2D(min(channel_base // sizes[-1], channel_max), 1, name="first")(x))
    for size in reversed(sizes[1:]):
        x = halved(x, min(channel_base // (size // 2), channel_max))

    channels = x.shape[-1]
    x = leaky(EqualizedConv2D(channels, 3)(MinibatchDeviation(group_size)(x)))
    x = leaky(EqualizedDense(channels)(layers.Flatten()(x)))
    float32 = {"dtype": keras.config.floatx()}
    if num_classes is None:
        return keras.Model(images, EqualizedDense(1, gain=1.0, name="score", **float32)(x), name="discriminator")

    labels, vectors = label_input(num_classes, attributes)
    features = EqualizedDense(channels, gain=1.0, name="score", **float32)(x)
    wanted = mapped(embedded(vectors, channels), channels, mapping_layers, 0.01)
    scores = layers.Rescaling(channels**-0.5, **float32)(layers.Dot(axes=1, **float32)([features, wanted]))
    return keras.Model([images, labels], scores, name="discriminator")


def halved(x, filters):
    """Two convolutions of 3x3, the second with stride 2 behind a filter, and past them one of 1x1."""
    shortcut = EqualizedConv2D(filters, 1, use_bias=False, gain=1 / ROOT)(Resampling2D(down=2)(x))
    x = leaky(EqualizedConv2D(x.shape[-1], 3)(x))
    x = Resampling2D(padding=BEFORE_HALVING)(x)
    # Of He's gain, the root of 2, half the variance is left, as of the shortcut.
    x = leaky(EqualizedConv2D(filters, 3, strides=2, padding="valid", gain=1.0)(x))
    return layers.Add()([x, shortcut])


def leaky(x):
    """The leaky rectifier, which costs a gradient penalty nothing."""
    return ZeroCurvatureLeakyReLU(LEAK)(x)


def sizes_to(image_shape):
    """4, 8, 16 ... up to the images' size: list of int.

    Raises:
        InputError: images are not square, or their size is no power of 2 from 8 on.
    """
    height, width, _ = image_shape
    sizes = [SMALLEST * 2**step for step in range(30) if SMALLEST * 2**step <= height]
    if height != width or height < 2 * SMALLEST or sizes[-1] != height:
        raise InputError(
            f"StyleGANs make square images whose size is a power of 2 from {2 * SMALLEST} on, such as 64x64, and not "
            f"{height}x{width}."
        )
    return sizes
