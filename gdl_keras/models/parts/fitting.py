"""Networks that are put together: each knows its shapes, and what one gives is what the next one takes.

Asked when a model is built, so that networks of a reader's own do not fail in the middle of the first step.
"""

from itertools import pairwise

import keras

from gdl_keras.errors import InputError
from gdl_keras.models.parts.endings import is_loading


def check_chain(model_name, outputs=("one tensor",), **networks):
    """Raises InputError unless networks fit together.

    Args:
        model_name: str, whose networks they are.
        outputs: what each but the last one puts out, names.
        networks: `keras.Model`s by the names of the model's arguments, in the order in which they follow each other.
    """
    if is_loading():
        return
    for role, network in networks.items():
        check_known(model_name, role, network)
    for (giver, one), (taker, other) in pairwise(networks.items()):
        given, taken = _shapes(one, "outputs"), _shapes(other, "inputs")
        if not given or not taken:
            continue  # a subclass of `keras.Model` has no such lists
        if len(given) != len(outputs):
            raise InputError(
                f"The {giver} of {model_name} puts out {' and '.join(outputs)}, and this one has {len(given)} "
                f"output{'s' * (len(given) > 1)}: build it so, keras.Model(inputs, outputs)."
            )
        if not all(_fits(shape, taken[0]) for shape in given):
            raise InputError(
                f"The {giver} of {model_name} gives {_shown(given[0])}, and its {taker} takes {_shown(taken[0])}: "
                "build both for the same size."
            )


def check_known(model_name, role, network):
    """Raises InputError unless it is a `keras.Model` that knows its shapes."""
    if not isinstance(network, keras.Model):
        raise InputError(f"The {role} of {model_name} is a keras.Model, not a {type(network).__name__}.")
    if not network.built:
        raise InputError(f"The {role} of {model_name} does not know its shapes: let it begin with keras.Input(...).")


def check_logits(model_name, role, network):
    """Raises InputError unless a network gives a number for each of two classes or more."""
    if is_loading():
        return
    check_known(model_name, role, network)
    for shape in _shapes(network, "outputs")[:1]:
        if len(shape) != 1:
            raise InputError(
                f"The {role} of {model_name} gives {_shown(shape)}, and should give (n, classes), a number for each "
                "class: put keras.layers.Flatten() before its last layer."
            )
        if shape[0] == 1:
            raise InputError(
                f"The {role} of {model_name} gives one number, and should give one for each of two classes or more."
            )


def _shapes(network, which):
    return [tuple(tensor.shape[1:]) for tensor in getattr(network, which, None) or []]


def _fits(one, other):
    return len(one) == len(other) and all(a == b or None in (a, b) for a, b in zip(one, other))


def _shown(shape):
    return str(("n", *shape)).replace("None", "any").replace("'", "")
