"""The recurrent language model: a network that reads token after token and remembers what it needs in a state.

    h_t = cell(embedding(x_t), h_{t-1})        logits of x_{t+1} = W h_t + b

The cell is the same at every place, so that a text may have any length; what decides the next token has to fit into the
state.  An LSTM carries a second state along its cells that is only added to and forgotten from, which lets slopes
survive many steps; a GRU does with one.

Book: chapter 5, "Long Short-Term Memory Network".  Papers: Hochreiter & Schmidhuber 1997, Long short-term memory,
Neural Computation 9; Cho et al. 2014, arXiv:1406.1078, for the GRU; Mikolov et al. 2010, Recurrent neural network based
language model.
"""

import keras
from keras import layers

from gdl_keras.errors import InputError, check_one_of
from gdl_keras.layers import ReplicaDropout
from gdl_keras.models.autoregressive.language import LanguageModel

CELLS = {"lstm": layers.LSTM, "gru": layers.GRU}


def build_recurrent_network(vocabulary_size, embedding_dim=100, units=(128,), cell="lstm", dropout=0.0):
    """An embedding, recurrent layers one above the other, and a logit for each token.

    Args:
        vocabulary_size: int.
        embedding_dim: int, numbers that stand for a token.
        units: tuple of ints, the width of each recurrent layer.
        cell: "lstm" or "gru".
        dropout: float in [0, 1), the share of numbers that is left out in training before each layer but the first.

    Returns:
        `keras.Model`, int tokens (batch, length) -> logits, float32 (batch, length, vocabulary_size).  2,407,248
        weights for the book's 10,000 tokens.

    Raises:
        InputError: an argument is out of range.
    """
    check_one_of("cell", cell, CELLS)
    if not units:
        raise InputError("units has a width for each recurrent layer: at least one, such as (128,).")
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = layers.Embedding(vocabulary_size, embedding_dim, name="embedding")(tokens)
    for number, width in enumerate(units, start=1):
        x = CELLS[cell](width, return_sequences=True, name=f"{cell}_{number}")(x)
        if dropout:
            x = ReplicaDropout(dropout)(x)
    logits = layers.Dense(vocabulary_size, dtype="float32", name="logits")(x)
    return keras.Model(tokens, logits, name="network")


@keras.saving.register_keras_serializable(package="gdl_keras")
class RecurrentLanguageModel(LanguageModel):
    """Trains a recurrent network to foresee each token from those before it.

    It writes by carrying the state from token to token: one step of each cell a token, however long the text is.

    Args:
        network: as `build_recurrent_network` makes it, or any chain of layers in which recurrent ones, with
            `return_sequences=True`, are all that looks at other places.
        vocabulary, length, one_text, seed: as in `LanguageModel`.
    """

    def initial_state(self, count, length):
        return [layer.cell.get_initial_state(count) for layer in self.recurrent_layers]

    def step(self, token, place, state):
        x, states = token, iter(state)
        new_states = []
        for layer in self.network.layers[1:]:
            if isinstance(layer, layers.RNN):
                x, new = layer.cell(x, next(states), training=False)
                new_states.append(new)
            else:
                x = layer(x)
        return x, new_states

    @property
    def recurrent_layers(self):
        """The layers that have a state, from the first to the last."""
        return [layer for layer in self.network.layers if isinstance(layer, layers.RNN)]
