"""How networks end: in logits, float32, and the sigmoid or softmax stands outside, where losses can do without it.

A loss that sees probabilities must clip them, and where one is clipped, a confidently wrong answer has no slope.  And a
loss that takes logits and sees probabilities never sees a confident answer.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

import keras
import numpy as np
from keras import layers, ops

from gdl_keras.errors import InputError, check_one_of

# What makes an image of what a decoder puts out.
FINAL_ACTIVATIONS = {"sigmoid": ops.sigmoid, "linear": lambda outputs: outputs}

INFINITY = float("inf")
# What activations keep numbers within.
RANGES = {
    "sigmoid": (0, 1),
    "hard_sigmoid": (0, 1),
    "sparse_sigmoid": (0, 1),
    "softmax": (0, 1),
    "sparsemax": (0, 1),
    "tanh": (-1, 1),
    "hard_tanh": (-1, 1),
    "softsign": (-1, 1),
    "relu": (0, INFINITY),
    "relu6": (0, 6),
    "softplus": (0, INFINITY),
    "exponential": (0, INFINITY),
    "log_sigmoid": (-INFINITY, 0),
    "log_softmax": (-INFINITY, 0),
}
# Scores that stay nearer to 0 than this on one side, sigmoid(4) = 0.98, say nothing with confidence.
CONFIDENT = 4.0

# What a function whose name says nothing is asked; it is bounded if the outer two of a side make no difference.
ASKED = (-1e4, -1e3, -1.0, 0.0, 1.0, 1e3, 1e4)

# Layers and operations that move and repeat numbers, or take means of them: what bounded them before still does.
PASS_ON = {
    *("Reshape", "Flatten", "Permute", "Transpose", "Squeeze", "ExpandDims", "RepeatVector", "Mean"),
    *("Cropping2D", "ZeroPadding2D", "UpSampling2D"),
    *("AveragePooling2D", "MaxPooling2D", "GlobalAveragePooling2D", "GlobalMaxPooling2D"),
    *("Activation", "Identity", "Cast", "Dropout", "SpatialDropout2D"),
}

_loads = ContextVar("loads", default=False)


@contextmanager
def as_saved():
    """Within it no ending is refused: a file loads whatever its networks end in."""
    token = _loads.set(True)
    try:
        yield
    finally:
        _loads.reset(token)


def is_loading():
    """Whether a model is being built out of a file."""
    return _loads.get()


def in_float32(x):
    """`x` as float32, whatever the precision of the layers before it: a network's output."""
    return layers.Activation("linear", dtype="float32", name="logits_float32")(x)


@dataclass
class Ending:
    """What bounds the numbers that a network puts out.

    Attributes:
        activation: the name of its last activation, "linear" where there is none.
        layer: the layer or the operation that has it.
        inputs: the tensors which that gets.
        low, high: what the numbers lie between; None where nobody can tell.
    """

    activation: str
    layer: object
    inputs: list
    low: float | None = None
    high: float | None = None


def ending(network):
    """The last activation that there is on the way to a network's output: an `Ending`."""
    return _ending_of(network.outputs[0])


def _ending_of(tensor):
    layer, node, index = tensor._keras_history
    if isinstance(layer, keras.Model) and getattr(layer, "outputs", None):
        return _ending_of(layer.outputs[index])
    name, inputs = _activation(layer), layer._inbound_nodes[node].input_tensors
    if name in RANGES:
        return Ending(name, layer, inputs, *RANGES[name])
    inner = getattr(layer, "layer", layer)  # of a wrapper, such as spectral normalisation
    if name != "linear" and inputs:
        return Ending(name, layer, inputs, *_bounds(getattr(inner, "activation", None), tensor.shape))
    if not inputs:
        return Ending(name, layer, inputs)
    if type(layer).__name__ in PASS_ON:
        return _ending_of(inputs[0])
    if isinstance(layer, layers.Rescaling):
        return _rescaled(_ending_of(inputs[0]), layer)
    if hasattr(inner, "kernel"):
        return Ending(name, layer, inputs, -INFINITY, INFINITY)
    bounds = _bounds(layer, inputs[0].shape) if len(inputs) == 1 and not getattr(layer, "weights", None) else ()
    return Ending(type(layer).__name__ if bounds else name, layer, inputs, *bounds)


def _activation(layer):
    layer = getattr(layer, "layer", layer)
    if getattr(layer, "negative_slope", 0):
        return "leaky_relu"
    activation = getattr(layer, "activation", None) or getattr(layer, "function", None) or layer  # a Lambda's function
    name = getattr(activation, "__name__", type(activation).__name__)
    own = {known.replace("_", ""): known for known in RANGES}.get(name.replace("_", "").lower())
    return own or (name if hasattr(layer, "activation") else "linear")


def _bounds(function, shape):
    """(low, high) of a function that stays between two numbers whatever it gets; () where it does not seem to."""
    shape = (1, *(size or 4 for size in shape[1:]))
    try:
        answers = [ops.convert_to_numpy(function(np.full(shape, number, "float32"))) for number in ASKED]
    except Exception:  # it is the reader's, and may fail in any way
        return ()
    low, high = float(np.min(answers)), float(np.max(answers))
    ends = [(answers[0], answers[1]), (answers[-1], answers[-2])]
    is_bounded = low < high and all(np.allclose(far, near, atol=0.01 * (high - low)) for far, near in ends)
    return (low, high) if is_bounded else ()


def _rescaled(end, layer):
    if end.low is None or np.size(layer.scale) > 1 or np.size(layer.offset) > 1:
        return replace(end, low=None, high=None)
    scale, offset = (float(np.squeeze(number)) for number in (layer.scale, layer.offset))
    low, high = sorted(bound * scale + offset for bound in (end.low, end.high))
    return replace(end, low=low, high=high)


def refuse_ending(network, model_name, compared=False):
    """Raises InputError where a network that should give logits ends in an activation that bounds them.

    Args:
        network: `keras.Model`.
        model_name: str, who wants logits.
        compared: whether only their differences count, as under a softmax.
    """
    end = ending(network)
    if _loads.get() or end.low is None:
        return
    is_wide = end.high - end.low >= 2 * CONFIDENT if compared else min(-end.low, end.high) >= CONFIDENT
    if not is_wide:
        between = "" if end.activation in RANGES else f" between {end.low:g} and {end.high:g}"
        raise InputError(
            f"{network.name} ends in a {end.activation}{between}, and {model_name} wants logits, any numbers: leave "
            "that activation away.  What the loss needs of it is computed with the loss, which then has a slope "
            "everywhere."
        )


def refuse_range(generator, model_name):
    """Raises InputError where a generator's images do not lie in [0, 1]."""
    end = ending(generator)
    if _loads.get() or end.low is None or (end.low >= 0 and end.high <= 1):
        return
    how, way_out = f"in a {end.activation}", "let it end in a sigmoid"
    if end.activation == "linear":
        how = "without an activation"
    elif end.high - end.low < INFINITY:
        scale = 1 / (end.high - end.low)
        how += f", which makes numbers from {end.low:g} to {end.high:g}"
        way_out = f"put keras.layers.Rescaling({scale:g}, offset={-end.low * scale:g}) behind it"
    raise InputError(f"{generator.name} ends {how}, and images of {model_name} are in [0, 1]: {way_out}.")


def check_final_activation(decoder, final_activation, of_logits):
    """Raises InputError where a decoder, what comes after it and the loss do not go together.

    Args:
        decoder: `keras.Model`.
        final_activation: "sigmoid" or "linear", what comes after it.
        of_logits: whether the loss is a cross-entropy, which takes logits.
    """
    check_one_of("final_activation", final_activation, FINAL_ACTIVATIONS)
    if final_activation == "sigmoid":
        refuse_ending(decoder, 'final_activation="sigmoid"')
    elif of_logits:
        raise InputError(
            'The cross-entropy takes logits, whose sigmoid is the image: use final_activation="sigmoid", '
            "or mean_squared_error (gaussian) with a linear end."
        )


def with_final_activation(config):
    """A model's configuration with its final activation outside of the decoder, whose last layer it is in old files."""
    if "final_activation" in config:
        return config
    name = "sigmoid" if ending(config["decoder"]).activation == "sigmoid" else "linear"
    return {**config, "decoder": without_ending(config["decoder"], "sigmoid"), "final_activation": name}


def without_ending(network, activation):
    """The network without that as its last activation, for files of older versions.

    Args:
        network: `keras.Model`; one that ends in something else stays as it is.
        activation: "sigmoid", "softmax" ...
    """
    end = ending(network)
    if end.activation != activation:
        return network
    layer = getattr(end.layer, "layer", end.layer)
    if not hasattr(layer, "activation"):
        return keras.Model(network.inputs, in_float32(end.inputs[0]), name=network.name)
    layer.activation = keras.activations.linear
    return network
