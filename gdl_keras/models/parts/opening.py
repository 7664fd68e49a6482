"""Networks opened: the feature maps on the way to what they give, and the last layer by itself.

These are no Keras objects: a model keeps them beside the network, whose layers they call, and saves nothing twice.
"""

import keras
import tensorflow as tf

from gdl_keras.errors import InputError


class WithMaps:
    """A network that gives its feature maps, too: what each of its layers with a kernel reads, but for the first.

    Args:
        network: functional `keras.Model` of one output.

    Attributes:
        count: int, how many maps there are.

    Call arguments:
        inputs, training: as the network's.

    Returns:
        (what the network gives, list of `count` tensors (batch, height, width, channels)).
    """

    def __init__(self, network):
        with_kernel = (layer for layer in network.layers if hasattr(getattr(layer, "layer", layer), "kernel"))
        read = {id(layer.input): layer.input for layer in with_kernel if len(layer.input.shape) == 4}
        maps = list(read.values())[1:]
        self.count = len(maps)
        self._network = keras.Model(network.input, [network.outputs[0], *maps])

    def __call__(self, inputs, training=False):
        # A list of one output Keras gives as that output.
        output, *maps = tf.nest.flatten(self._network(inputs, training=training))
        return output, maps


class SplitAtLast:
    """A network in two parts: `body`, and `end`, which is its last layer with a kernel and what follows that.

    Args:
        network: functional `keras.Model` of one output.

    Attributes:
        body, end: `keras.Model`s; `end(body(inputs))` is what the network gives.
        kernel: `keras.Variable`, of the last layer.

    Raises:
        InputError: no layer has a kernel, or something leads past the last one.
    """

    def __init__(self, network):
        last = next((layer for layer in reversed(network.layers) if hasattr(layer, "kernel")), None)
        try:
            self.body, self.end = keras.Model(network.input, last.input), keras.Model(last.input, network.outputs[0])
        except (AttributeError, ValueError) as error:
            raise InputError(
                f"{network.name} does not end in one layer with a kernel that all goes through: let it end in a "
                "convolution or a dense layer."
            ) from error
        self.kernel = last.kernel
