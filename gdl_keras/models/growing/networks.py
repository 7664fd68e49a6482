"""The networks of ProGAN: grown, with what they have grown out of.

A generator has a layer that makes an image of its features at every size, a discriminator one that makes features of an
image.  In the grown network only the largest counts; while it grows, `stages.py` takes the part that is there already.
It knows the layers by these names, of size 8: "to_8x8" ends in an image in [-1, 1]; "image_8x8" takes one in [0, 1],
"from_8x8" gives its features, "grown_8x8" those that the larger sizes are to be put in the place of.
"""

import math

import keras
from keras import layers

from gdl_keras.errors import InputError
from gdl_keras.layers import (
    ClipOutsideTraining,
    Doubling2D,
    EqualizedConv2D,
    EqualizedDense,
    MinibatchDeviation,
    PixelNormalization,
    Resampling2D,
    ZeroCurvatureLeakyReLU,
)
from gdl_keras.models.parts.labels import label_input

SMALLEST = 4
LEAK = 0.2
# Of what is resized: binomial coefficients, which take out the pattern that doubling pixels leaves.
BLUR = (1, 2, 1)


def build_generator(image_shape, num_classes=None, latent_dim=512, channel_base=16384, channel_max=512):
    """A latent point becomes features of 4x4, and pixels are doubled, with two convolutions after each doubling.

    Args:
        image_shape: (size, size, channels); the size a power of two, 8 or more.
        num_classes: int or None; the network then takes [latent points, labels].
        latent_dim: int, numbers per latent point, which is brought to a sphere first.
        channel_base, channel_max: ints: features of size x size have min(channel_base // size, channel_max) channels.

    Returns:
        `keras.Model`, float (batch, latent_dim) or [that, int (batch,)] -> images (batch, *image_shape), float32, in
        [0, 1] but in training, where nothing clips them.  23,079,115 weights for (1024, 1024, 3).

    Raises:
        InputError: the image is not square, or its size no power of two.
    """
    inputs = latents = keras.Input((latent_dim,), name="latents")
    x = PixelNormalization()(latents)
    if num_classes is not None:
        labels, vectors = label_input(num_classes)
        inputs = [latents, labels]
        # As long as the latent point, so that both count alike.
        x = layers.Concatenate()([x, PixelNormalization()(EqualizedDense(latent_dim, gain=1.0)(vectors))])
    image = None
    for size in sizes_of(image_shape):
        width = channels(size, channel_base, channel_max)
        if size == SMALLEST:
            # A convolution of 4x4 on a single pixel with zeros round it: each output reads what 16 weights could.
            x = EqualizedDense(SMALLEST**2 * width, gain=math.sqrt(2) / SMALLEST, use_bias=False)(x)
            x = ChannelBias()(layers.Reshape((SMALLEST, SMALLEST, width))(x))
            x = PixelNormalization()(layers.LeakyReLU(LEAK)(x))
        else:
            x = _normalized_convolution(Doubling2D()(x), width)
        x = _normalized_convolution(x, width)
        image = grown_image(x, image_shape[-1], image)
    return keras.Model(inputs, ending(image), name="generator")


def grown_image(x, colours, smaller=None):
    """The image, about in [-1, 1], of features x, in the place of that of the size before, `smaller`."""
    name = f"to_{called(x.shape[1])}"
    image = EqualizedConv2D(colours, 1, gain=1.0, dtype=keras.config.floatx(), name=name)(x)
    return image if smaller is None else InPlaceOf()([image, Doubling2D()(smaller)])


def ending(image):
    """The image in [0, 1], clipped but in training."""
    image = layers.Rescaling(0.5, offset=0.5, dtype=keras.config.floatx())(image)
    return ClipOutsideTraining(dtype=keras.config.floatx(), name="images")(image)


def build_discriminator(
    image_shape, num_classes=None, channel_base=16384, channel_max=512, group_size=4, filtered=False
):
    """Two convolutions at every size, then the mean of each four pixels; at 4x4 how much the batch differs is added.

    Args:
        image_shape, num_classes, channel_base, channel_max: as in `build_generator`.
        group_size: int, of how many images the deviation is taken.
        filtered: whether features are blurred before a size is halved, and rectified after it.

    Returns:
        `keras.Model`, images (batch, *image_shape) in [0, 1], or [those, int labels (batch,)], -> scores, float32
        (batch, 1).  With labels there is a score for each class, and the label says which.  23,087,249 weights for
        (1024, 1024, 3).

    Raises:
        InputError: the image is not square, or its size no power of two.
    """
    inputs = images = keras.Input(image_shape, name="images")
    if num_classes is not None:
        labels, vectors = label_input(num_classes)
        inputs = [images, labels]
    x = None
    for size in reversed(sizes_of(image_shape)):
        width = channels(size, channel_base, channel_max)
        if x is not None:
            images = layers.AveragePooling2D(2)(images)
        entry = layers.Rescaling(2.0, offset=-1.0, name=f"image_{called(size)}")(images)
        entry = ZeroCurvatureLeakyReLU(LEAK, name=f"from_{called(size)}")(EqualizedConv2D(width, 1)(entry))
        x = entry if x is None else InPlaceOf(name=f"grown_{called(size)}")([x, entry])
        if size > SMALLEST:
            x, smaller = _convolution(x, width), channels(size // 2, channel_base, channel_max)
            x = _filtered_and_halved(x, smaller) if filtered else layers.AveragePooling2D(2)(_convolution(x, smaller))
    x = _convolution(MinibatchDeviation(group_size)(x), width)
    x = ZeroCurvatureLeakyReLU(LEAK)(EqualizedDense(width)(layers.Flatten()(x)))
    score = EqualizedDense(num_classes or 1, gain=1.0, dtype=keras.config.floatx(), name="score")(x)
    if num_classes is not None:
        score = layers.Dot(axes=1, dtype=keras.config.floatx())([score, vectors])
    return keras.Model(inputs, score, name="discriminator")


def channels(size, channel_base, channel_max):
    """How many channels features of size x size have: int."""
    return min(channel_base // size, channel_max)


def sizes_of(image_shape):
    """The sizes from 4 to that of the image: list of int; raises InputError where they do not lead there."""
    height, width, _ = image_shape
    count = round(math.log2(max(height, 1) / SMALLEST))
    if height != width or height != SMALLEST * 2**count or count < 1:
        raise InputError(
            f"Images grow by doubling from {SMALLEST}x{SMALLEST}, and {height}x{width} is no such size: choose 8, 16, "
            "32 ... pixels a side."
        )
    return [SMALLEST * 2**level for level in range(count + 1)]


def called(size):
    """How layers of a size are called: "8x8"."""
    return f"{size}x{size}"


def _normalized_convolution(x, width):
    return PixelNormalization()(layers.LeakyReLU(LEAK)(EqualizedConv2D(width, 3)(x)))


def _convolution(x, width):
    return ZeroCurvatureLeakyReLU(LEAK)(EqualizedConv2D(width, 3)(x))


def _filtered_and_halved(x, width):
    return ZeroCurvatureLeakyReLU(LEAK)(EqualizedConv2D(width, 3, resize="halve")(Resampling2D(taps=BLUR)(x)))


@keras.saving.register_keras_serializable(package="gdl_keras")
class InPlaceOf(layers.Layer):
    """Of [what is there now, what it has grown out of], the former; the latter stays in the network."""

    def call(self, inputs):
        return inputs[0]

    def compute_output_shape(self, input_shape):
        return input_shape[0]


@keras.saving.register_keras_serializable(package="gdl_keras")
class ChannelBias(layers.Layer):
    """Adds a number to each channel, the same at all places."""

    def build(self, input_shape):
        self.bias = self.add_weight((input_shape[-1],), "zeros", name="bias")

    def call(self, inputs):
        return inputs + self.bias
