"""The networks of the ViT-VQGAN: transformers that read an image's patches and write them.

Every patch sees all others from the first block on, where a convolution sees its neighbours.  The last layer of the
encoder brings a patch down to few numbers, and codes are compared by their angle, `VectorQuantizer(8192, 32,
distance="cosine")`: in 256 numbers the paper's codebook made use of 4 % of its codes, in 32 of 96 %.

Papers: Yu et al. 2022, Vector-quantized image modeling with improved VQGAN, arXiv:2110.04627, sections 3.1 and 3.2;
Dosovitskiy et al. 2021, An image is worth 16x16 words, arXiv:2010.11929, for patches.
"""

import keras
from keras import layers

from gdl_keras.errors import InputError
from gdl_keras.layers import GridPositions, TokenNormalization, TransformerBlock
from gdl_keras.layers.place_dense import PlaceDense
from gdl_keras.models.parts.endings import in_float32


def build_vit_encoder(
    image_shape, patch_size=8, code_dim=32, dim=512, num_blocks=8, num_heads=8, feed_forward_dim=2048
):
    """Patches that do not overlap become vectors, which see each other in transformer blocks and end as small ones.

    Positions are fixed sines and cosines; blocks normalise before they read, and have a hyperbolic tangent within.

    Args:
        image_shape: (height, width, channels); height and width multiples of `patch_size`.
        patch_size: int, pixels of a patch's side.
        code_dim: int, numbers of a vector that becomes a code.
        dim: int, numbers of a vector in the transformer; a multiple of 4 and of `num_heads`.
        num_blocks, num_heads, feed_forward_dim: ints.

    Returns:
        `keras.Model`, images (batch, *image_shape) in [0, 1] -> float32 (batch, height / patch_size,
        width / patch_size, code_dim).

    Raises:
        InputError: the image is not made of such patches, or the vector not of such heads.
    """
    height, width = _grid(image_shape, patch_size)
    images = keras.Input(image_shape, name="images")
    x = layers.Rescaling(2.0, offset=-1.0)(images)
    x = layers.Conv2D(dim, patch_size, strides=patch_size, name="patches")(x)
    x = layers.Reshape((height * width, dim))(x)
    x = _transformed(x, (height, width), num_blocks, num_heads, feed_forward_dim)
    x = PlaceDense(code_dim, dtype="float32", name="vectors")(x)
    return keras.Model(images, layers.Reshape((height, width, code_dim), dtype="float32")(x), name="encoder")


def build_vit_decoder(
    image_shape, patch_size=8, code_dim=32, dim=512, num_blocks=8, num_heads=8, feed_forward_dim=2048
):
    """The encoder backwards: a dense layer widens the vectors, and after the blocks each becomes a patch.

    Args, errors as in `build_vit_encoder`.

    Returns:
        `keras.Model`, float (batch, height / patch_size, width / patch_size, code_dim) -> float32
        (batch, *image_shape), a logit for each number.
    """
    height, width = _grid(image_shape, patch_size)
    vectors = keras.Input((height, width, code_dim), name="vectors")
    x = layers.Reshape((height * width, code_dim))(vectors)
    x = PlaceDense(dim, name="widened")(x)
    x = _transformed(x, (height, width), num_blocks, num_heads, feed_forward_dim)
    x = layers.Reshape((height, width, dim))(x)
    x = layers.Conv2DTranspose(image_shape[-1], patch_size, strides=patch_size, name="logits")(x)
    return keras.Model(vectors, in_float32(x), name="decoder")


def _transformed(x, grid, num_blocks, num_heads, feed_forward_dim):
    dim = x.shape[-1]
    if dim % num_heads:
        raise InputError(f"Vectors of {dim} numbers cannot be dealt out among {num_heads} heads.")
    x = GridPositions(*grid, kind="sines", name="positions")(x)
    for number in range(num_blocks):
        x = TransformerBlock(
            num_heads,
            dim // num_heads,
            feed_forward_dim,
            norm="pre",
            activation="tanh",
            causal=False,
            name=f"block_{number + 1}",
        )(x)
    return TokenNormalization(epsilon=1e-5, name="norm")(x)


def _grid(image_shape, patch_size):
    height, width, _ = image_shape
    if height % patch_size or width % patch_size:
        raise InputError(f"An image of {height}x{width} is not made of patches of {patch_size}x{patch_size}.")
    return height // patch_size, width // patch_size
