"""GPT: a transformer that reads a text and says of each token what may come after it.

    x = embedding(tokens) + positions,   x = block(x), several times,   logits = W x + b

A block lets each place look at all places before it (`layers/causal_attention.py`), so that what decides the next token
need not fit into a state, as a recurrent network's has to.  All places are learnt from at once.  In writing, the keys
and values of what was read are kept, and each token passes through the network once.

**Length.**  `max_length` counts the tokens that are read, the mark of the beginning included: a window of L + 1 tokens,
the last of which is only foreseen, takes L + 1 of them.  *Learned* positions are a table with a vector for each, and no
more: longer texts are refused.  *Rotary* positions turn queries and keys by their places; a text may have any length,
and a token looks back at the `max_length` - 1 before it in every block.

Book: chapter 9, "GPT".  Papers: Radford et al. 2018, Improving language understanding by generative pre-training, and
2019, Language models are unsupervised multitask learners; Vaswani et al. 2017, Attention is all you need,
arXiv:1706.03762; Su et al. 2021, RoFormer, arXiv:2104.09864; Press & Wolf 2017, Using the output embedding to improve
language models, arXiv:1608.05859, for weights that are tied.
"""

import keras
import numpy as np
from keras import layers
from keras.initializers import RandomNormal

from gdl_keras.errors import InputError, check_one_of
from gdl_keras.layers import LearnedPositions, TokenNormalization, TransformerBlock
from gdl_keras.models.autoregressive import stepping
from gdl_keras.models.autoregressive.language import LanguageModel
from gdl_keras.models.parts.endings import in_float32

POSITIONS = ("learned", "rotary")


def build_gpt(
    vocabulary_size,
    max_length,
    embedding_dim=256,
    num_blocks=1,
    num_heads=2,
    key_dim=256,
    feed_forward_dim=256,
    dropout=0.1,
    norm="post",
    positions="learned",
    tie_weights=False,
    activation="relu",
):
    """An embedding, blocks of attention one above the other, and a logit for each token.

    Args:
        vocabulary_size: int.
        max_length: int, how many tokens are read at once, the mark of the beginning included.
        embedding_dim: int, numbers that stand for a token.
        num_blocks: int.
        num_heads, key_dim, feed_forward_dim, dropout, norm, activation: as in `layers.TransformerBlock`.
        positions: "learned" or "rotary".
        tie_weights: whether the logits are scalar products with the tokens' embeddings; otherwise a layer gives them.

    Returns:
        `keras.Model`, int tokens (batch, length) -> logits, float32 (batch, length, vocabulary_size).  5,809,168
        weights for the book's 10,000 tokens and `max_length` 80.

    Raises:
        InputError: an argument is out of range.
    """
    check_one_of("positions", positions, POSITIONS)
    sizes = {"max_length": max_length, "num_blocks": num_blocks, "num_heads": num_heads, "key_dim": key_dim}
    for name, size in sizes.items():
        if size < 1:
            raise InputError(f"{name} is at least 1, not {size}.")
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    embedding = layers.ReversibleEmbedding(
        vocabulary_size,
        embedding_dim,
        embeddings_initializer=RandomNormal(stddev=0.02),
        reverse_dtype="float32",
        name="embedding",
    )
    x = embedding(tokens)
    if positions == "learned":
        x = LearnedPositions(max_length, name="positions")(x)
    for number in range(1, num_blocks + 1):
        x = TransformerBlock(
            num_heads,
            key_dim,
            feed_forward_dim,
            dropout,
            norm,
            activation,
            rotary=positions == "rotary",
            window=max_length if positions == "rotary" else None,
            # Each block adds two parts to a sum, which begins no larger for many blocks than for one.
            output_stddev=0.02 / (2 * num_blocks) ** 0.5,
            name=f"block_{number}",
        )(x)
    if norm == "pre":
        x = TokenNormalization(epsilon=1e-5, name="norm")(x)
    if tie_weights:
        return keras.Model(tokens, in_float32(embedding(x, reverse=True)), name="network")
    logits = layers.Dense(
        vocabulary_size, kernel_initializer=RandomNormal(stddev=0.02), dtype="float32", name="logits"
    )(x)
    return keras.Model(tokens, logits, name="network")


@keras.saving.register_keras_serializable(package="gdl_keras")
class GPT(LanguageModel):
    """Trains a transformer to foresee each token from those before it.

    It writes with a cache: a token passes through the network once, and its keys and values are kept for those that
    come later.

    Args:
        network: as `build_gpt` makes it, or any chain of layers in which `TransformerBlock`s are all that looks at
            other places; where no layer is called "logits", they are those of the tied "embedding".
        vocabulary, one_text, seed: as in `LanguageModel`.
        length: int, how many tokens a text has unless it is told otherwise; by default as many as there are learned
            positions, or 200.

    Raises:
        InputError: `length` is more than there are learned positions.
    """

    def __init__(self, network, vocabulary, length=None, one_text=False, **kwargs):
        super().__init__(network, vocabulary, length or positions_of(network) or 200, one_text, **kwargs)
        self.check_length(self.length)

    @property
    def max_length(self):
        """int, the longest text that it reads; None where any length goes."""
        return positions_of(self.network)

    @property
    def blocks(self):
        """The `TransformerBlock`s, from the first to the last."""
        return [layer for layer in self.network.layers if isinstance(layer, TransformerBlock)]

    def check_length(self, length):
        """Raises InputError where a text of `length` tokens is longer than there are positions."""
        if self.max_length is not None and length > self.max_length:
            raise InputError(
                f"A text of {length} tokens, its beginning included, is too long: this model has learnt "
                f"{self.max_length} positions.  Give a length of at most {self.max_length} and a beginning that is no "
                "longer, or train with rotary positions, which go on for ever."
            )

    def before(self, tokens):
        read = super().before(tokens)
        self.check_length(read.shape[1] or 0)
        return read

    def initial_state(self, count, length):
        self.check_length(length)
        return stepping.initial_states(self.network, count, length)

    def step(self, token, place, state):
        x, state = stepping.step(self.network, token, place, state)
        if "logits" not in [layer.name for layer in self.network.layers]:
            x = self.network.get_layer("embedding")(x, reverse=True)
        return x, state

    def attention(self, text):
        """What each token of a text was foreseen from: float32 array (blocks, heads, n, n).

        Row t is of the token at place t, or rather of the moment before it: column 0 says how much was taken from the
        mark of the beginning, column s from the token at place s - 1.  Rows sum to 1, and are 0 after the diagonal.

        Args:
            text: str, or its tokens, int array (n,).

        Raises:
            InputError: it is longer than there are positions.
        """
        x, scores = self.before(self.to_tokens([text])), []
        for layer in self.network.layers[1:]:
            if isinstance(layer, TransformerBlock):
                scores.append(layer.scores(x)[0])
            x = layer(x)
        return np.stack(scores)


def positions_of(network):
    """How many learned positions a network has: int, or None where any length goes."""
    sizes = [layer.max_length for layer in network.layers if isinstance(layer, LearnedPositions)]
    return min(sizes, default=None)
