"""Copies of networks: what one was like, while the other is trained on."""

import keras


def copied(network):
    """A network of its own with the same layers and the same weights: `keras.Model`.

    Args:
        network: `keras.Model`, functional or sequential.
    """
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    return copy


def frozen_copy(network):
    """The same, which no optimizer trains."""
    copy = copied(network)
    freeze(copy)
    return copy


def freeze(network):
    """No optimizer trains it from now on."""
    # One by one: a layer that was frozen before does not hand it on to those inside it, which are new.
    for layer in network._flatten_layers():
        layer.trainable = False
