"""The part of a network that is there in a phase of growth, faded from what it was to what it becomes.

These are no Keras objects: a model keeps them beside the networks, whose layers they call, and saves nothing twice.
"""

import keras
import tensorflow as tf
from keras import ops

from gdl_keras.layers.doubling import enlarged
from gdl_keras.models.growing.networks import SMALLEST, called


class StagedGenerator:
    """A generator that makes images of the size of a phase.

        image = old + fade (new - old),     old: the image of the size before, each pixel doubled

    Args:
        network: `keras.Model`, of `build_generator` or with layers of the same names.
        phase: `Phase`.

    Attributes:
        trainable_variables: those that are trained in the phase.

    Call arguments:
        inputs: as the network's.
        fade: float or float32 scalar; not looked at where nothing fades.
        training: bool.

    Returns:
        float32 tensor (batch, size, size, channels), images in [0, 1], but in training, where nothing clips them.
    """

    def __init__(self, network, phase):
        levels = [phase.level - 1, phase.level] if phase.fades else [phase.level]
        self._network = keras.Model(network.input, [_layer(network, "to", level).output for level in levels])
        self._end = network.get_layer("images")
        self.trainable_variables = self._network.trainable_variables

    def __call__(self, inputs, fade, training=False):
        *old, image = tf.nest.flatten(self._network(inputs, training=training))
        if old:
            image = faded(enlarged(old[0], 2), image, fade)
        return self._end(0.5 * image + 0.5, training=training)


class StagedDiscriminator:
    """A discriminator that looks at images of the size of a phase.

        features = old + fade (new - old),      old: those of the image, made small, at the size before

    Args, attributes as in `StagedGenerator`.

    Call arguments:
        inputs: images (batch, size, size, channels) in [0, 1], or [those, labels].
        fade, training: as in `StagedGenerator`.

    Returns:
        float32 tensor (batch, 1).
    """

    def __init__(self, network, phase):
        self._entries = [_entry(network, level) for level in range(phase.level - phase.fades, phase.level + 1)]
        self._blocks = [_block(network, level) for level in range(phase.level, -1, -1)]
        parts = self._entries + self._blocks
        self.trainable_variables = [variable for part in parts for variable in part.trainable_variables]

    def __call__(self, inputs, fade, training=False):
        images, *labels = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        *old, entry = self._entries
        *blocks, end = self._blocks
        features = entry(images, training=training)
        for block in blocks:
            features = block(features, training=training)
            if old and block is blocks[0]:
                features = faded(old[0](halved(images), training=training), features, fade)
        scores = end(features, training=training)
        if labels:
            scores = ops.sum(scores * ops.one_hot(labels[0], scores.shape[-1]), axis=-1, keepdims=True)
        return scores


def shrunk(images, size):
    """Images made smaller by means of squares of pixels: float tensor (batch, size, size, channels).

    Args:
        images: float tensor (batch, larger, larger, channels); `larger` is a multiple of the size.
        size: int.
    """
    step = images.shape[1] // size
    return images if step == 1 else tf.nn.avg_pool2d(images, step, step, "VALID")


def halved(images):
    """Images of half the size."""
    return shrunk(images, images.shape[1] // 2)


def faded(old, new, fade):
    """What lies between two tensors, at 0 the old one and at 1 the new one."""
    return old + ops.cast(fade, new.dtype) * (new - old)


def levels_in(network, kind):
    """How many sizes a network has layers for that are called such as "to_4x4": int."""
    names = {layer.name for layer in network.layers}
    level = 0
    while f"{kind}_{called(SMALLEST * 2**level)}" in names:
        level += 1
    return level


def _layer(network, kind, level):
    return network.get_layer(f"{kind}_{called(SMALLEST * 2**level)}")


def _entry(network, level):
    """From an image in [0, 1] to its features, both of this level."""
    return keras.Model(_layer(network, "image", level).input, _layer(network, "from", level).output)


def _block(network, level):
    """From features of this level to those of the one below, or, from the lowest, to the scores, of all classes."""
    is_top = level + 1 == levels_in(network, "from")
    features = _layer(network, "from" if is_top else "grown", level).output
    below = _layer(network, "grown", level - 1).input[0] if level else network.get_layer("score").output
    return keras.Model(features, below)
