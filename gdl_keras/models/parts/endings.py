"""How networks end: in logits, float32, and the sigmoid or softmax stands outside, where losses can do without it.

A loss that sees probabilities must clip them, and where one is clipped, a confidently wrong answer has no slope.
"""

import keras
from keras import layers, ops

from gdl_keras.errors import InputError, check_one_of

# What makes an image of what a decoder puts out.
FINAL_ACTIVATIONS = {"sigmoid": ops.sigmoid, "linear": lambda outputs: outputs}

# What changes the shape alone, so that the activation stands before it.
_SHAPES = (layers.Reshape, layers.Flatten, layers.Permute, layers.Cropping2D)


def in_float32(x):
    """`x` as float32, whatever the precision of the layers before it: a network's output."""
    return layers.Activation("linear", dtype="float32", name="logits_float32")(x)


def ending(network):
    """The activation that a network ends in, such as "sigmoid", "softmax" or "linear": str."""
    layer = network.outputs[0]._keras_history.operation
    while isinstance(layer, _SHAPES):
        layer = layer.input._keras_history.operation
    if isinstance(layer, keras.Model):
        return ending(layer)
    if isinstance(layer, layers.Softmax):
        return "softmax"
    return getattr(getattr(layer, "activation", None), "__name__", "linear")


def refuse_ending(network, activation, model_name):
    """Raises InputError where a network that should give logits ends in an activation."""
    if ending(network) == activation:
        raise InputError(
            f"{network.name} ends in a {activation}, and {model_name} wants logits: leave the activation of its last "
            f"layer away.  The {activation} is computed with the loss, which then has a slope everywhere."
        )


def check_final_activation(decoder, final_activation, of_logits):
    """Raises InputError where a decoder, what comes after it and the loss do not go together.

    Args:
        decoder: `keras.Model`.
        final_activation: "sigmoid" or "linear", what comes after it.
        of_logits: whether the loss is a cross-entropy, which takes logits.
    """
    check_one_of("final_activation", final_activation, FINAL_ACTIVATIONS)
    if final_activation == "sigmoid":
        refuse_ending(decoder, "sigmoid", 'final_activation="sigmoid"')
    elif of_logits:
        raise InputError(
            'The cross-entropy takes logits, whose sigmoid is the image: use final_activation="sigmoid", '
            "or mean_squared_error (gaussian) with a linear end."
        )


def with_final_activation(config):
    """A model's configuration with its final activation outside of the decoder, whose last layer it is in old files."""
    if "final_activation" in config:
        return config
    decoder, name = without_ending(config["decoder"])
    return {**config, "decoder": decoder, "final_activation": name}


def without_ending(network):
    """(the network without the layer of its last activation, the name of that), for files of older versions.

    Args:
        network: `keras.Model`; one that ends in "linear" stays as it is.
    """
    name, last = ending(network), network.layers[-1]
    if name == "linear" or not isinstance(last, (layers.Activation, layers.Softmax)):
        return network, name
    return keras.Model(network.inputs, in_float32(last.input), name=network.name), name
