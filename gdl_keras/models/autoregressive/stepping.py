"""One token more through a transformer: what its blocks have made of the tokens before is kept, and not made again."""

from gdl_keras.layers import GridPositions, LearnedPositions, TransformerBlock


def initial_states(network, count, length):
    """What a network's blocks remember before the first token: a list of pairs of tensors, one a block.

    Args:
        network: `keras.Model`, a chain of layers in which `TransformerBlock`s are all that looks at other places.
        count: int, how many sequences are written at once.
        length: int, how many tokens they will have.
    """
    return [layer.initial_state(count, length) for layer in network.layers if isinstance(layer, TransformerBlock)]


def step(network, token, place, states):
    """What the last layer gives for one token more of each sequence, and the new states.

    Args:
        network: as in `initial_states`.
        token: int tensor (batch,).
        place: int tensor, how many tokens were read before.
        states: as `initial_states` gives them, or as they were given here for the place before.

    Returns:
        float tensor (batch, outputs), list of pairs of tensors.
    """
    x, states, new_states = token, iter(states), []
    for layer in network.layers[1:]:
        if isinstance(layer, TransformerBlock):
            x, new = layer.step(x, place, next(states))
            new_states.append(new)
        elif isinstance(layer, (LearnedPositions, GridPositions)):
            x = layer.step(x, place)
        else:
            x = layer(x)
    return x, new_states
