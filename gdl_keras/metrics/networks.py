"""Fixed networks that look at images: built in float32, compiled once, run in batches."""

import hashlib
from contextlib import contextmanager

import numpy as np

from gdl_keras.backend import full_float32

BATCH_SIZE = 256


@contextmanager
def in_float32():
    """Networks that are built within compute in float32, whatever precision the run trains in."""
    import keras

    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


def in_batches(network, outputs, batch_size=BATCH_SIZE, prepare=np.asarray):
    """A function that computes some tensors of a network for any number of images.

    Args:
        network: `keras.Model` of one input, images (batch, height, width, channels).
        outputs: list of its tensors.
        batch_size: images at a time; bounds memory.
        prepare: function, a batch of images as given -> as the network takes them.

    Returns:
        function, array of n images -> list of float32 arrays (n, ...).
    """
    import keras
    import tensorflow as tf

    with in_float32():
        part = keras.Model(network.inputs, outputs)
    signature = [tf.TensorSpec((None, *network.input_shape[1:]), tf.float32)]
    compute = tf.function(lambda images: part(images, training=False), input_signature=signature)

    @full_float32()
    def compute_all(images):
        starts = range(0, max(1, len(images)), batch_size)
        batches = [compute(np.asarray(prepare(images[start : start + batch_size]), "float32")) for start in starts]
        return [np.concatenate(values) for values in zip(*batches)]

    return compute_all


def weights_digest(network):
    """SHA-256 of all weights of a network, as little-endian float32 numbers in their order: hexadecimal str."""
    digest = hashlib.sha256()
    for weight in network.get_weights():
        digest.update(np.ascontiguousarray(weight, "<f4").tobytes())
    return digest.hexdigest()
