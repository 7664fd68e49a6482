"""The network of an `ImageTransformer`: what stands in an image is read token by token, and the next one foreseen."""

import keras
from keras import layers
from keras.initializers import RandomNormal

from gdl_keras.errors import InputError
from gdl_keras.layers import GridPositions, TokenNormalization, TransformerBlock


def build_image_transformer(
    grid,
    vocabulary_size,
    num_starts=1,
    embedding_dim=128,
    num_blocks=4,
    num_heads=4,
    feed_forward_dim=None,
    dropout=0.0,
    norm="pre",
    activation="gelu",
    positions="learned",
    logits_of_starts=False,
):
    """An embedding, positions in a grid, blocks of attention one above the other, and a logit for each token.

    Args:
        grid: (height, width), or (height, width, channels) where several tokens stand in a place.
        vocabulary_size: int, how many tokens there are to write.
        num_starts: int, how many there are to read first, one for each class.
        embedding_dim: int, numbers that stand for a token; a multiple of `num_heads`.
        num_blocks: int.
        num_heads, dropout, norm, activation: as in `layers.TransformerBlock`.
        feed_forward_dim: int, the width of a block's inner layer, by default four times `embedding_dim`.
        positions: "learned", "fixed" or "sines", as in `layers.GridPositions`.
        logits_of_starts: whether there are logits of what is only read, too, of which none is ever used.

    Returns:
        `keras.Model`, int tokens (batch, length), starts counted on from `vocabulary_size` -> logits, float32 (batch,
        length, vocabulary_size), or with those of the starts.

    Raises:
        InputError: an argument is out of range.
    """
    sizes = {"num_starts": num_starts, "num_blocks": num_blocks, "num_heads": num_heads}
    for name, size in {**sizes, "vocabulary_size": vocabulary_size}.items():
        if size < 1:
            raise InputError(f"{name} is at least 1, not {size}.")
    if embedding_dim % num_heads:
        raise InputError(f"embedding_dim, {embedding_dim}, is no multiple of {num_heads} heads.")
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = layers.Embedding(
        vocabulary_size + num_starts,
        embedding_dim,
        embeddings_initializer=RandomNormal(stddev=0.02),
        name="embedding",
    )(tokens)
    x = GridPositions(*grid, kind=positions, name="positions")(x)
    for number in range(1, num_blocks + 1):
        x = TransformerBlock(
            num_heads,
            embedding_dim // num_heads,
            feed_forward_dim or 4 * embedding_dim,
            dropout,
            norm,
            activation,
            # Each block adds two parts to a sum, which begins no larger for many blocks than for one.
            output_stddev=0.02 / (2 * num_blocks) ** 0.5,
            name=f"block_{number}",
        )(x)
    if norm == "pre":
        x = TokenNormalization(epsilon=1e-5, name="norm")(x)
    outputs = vocabulary_size + num_starts * logits_of_starts
    logits = layers.Dense(outputs, kernel_initializer=RandomNormal(stddev=0.02), dtype="float32", name="logits")(x)
    return keras.Model(tokens, logits, name="network")


def grid_of(network):
    """How the tokens of a network lie: (height, width, channels).

    Raises:
        InputError: it has no `GridPositions`.
    """
    for layer in network.layers:
        if isinstance(layer, GridPositions):
            return layer.height, layer.width, layer.channels
    raise InputError("The network has no GridPositions, which say how the tokens of an image lie.")
