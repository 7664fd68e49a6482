"""Gives PyTorch's modules the weights of Keras' networks."""

import numpy as np
import torch


def copy_weights(network, module, turned=None):
    """Gives a PyTorch module the weights of a Keras model or layer.

    Args:
        network, module: whose weights come in the same order.
        turned: (places, channels) of the smallest image, for images turned by 180 degrees; or None.
    """
    copy_each(network.trainable_variables, module.parameters(), turned)


def copy_each(weights, parameters, turned=None):
    """The same of single weights."""
    with torch.no_grad():
        for weight, parameter in zip(weights, parameters, strict=True):
            array = np.asarray(weight)
            if turned:
                array = _turned(array, *turned)
            parameter.copy_(as_in_pytorch(array))


def as_in_pytorch(array):
    """A kernel of Keras as PyTorch has it: convolutions keep (height, width, a, b) as (b, a, height, width)."""
    array = array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T
    return torch.from_numpy(np.ascontiguousarray(array))


def _turned(array, places, channels):
    if array.ndim == 4:
        return array[::-1, ::-1]
    # Dense layers before and after the smallest image.
    for axis, size in enumerate(array.shape):
        if size == places * channels:
            shape = array.shape[:axis] + (places, channels) + array.shape[axis + 1 :]
            return np.flip(array.reshape(shape), axis).reshape(array.shape)
    return array


def stir(variables, stddev=0.05):
    """Random numbers in the place of weights that begin as zeros, so that nothing is lost in a product with them."""
    generator = np.random.default_rng(0)
    for variable in variables:
        if not np.any(np.asarray(variable)):
            variable.assign(stddev * generator.standard_normal(variable.shape))
