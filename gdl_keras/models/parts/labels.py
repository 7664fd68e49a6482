"""How labels come into a network: as vectors, and as further channels of an image."""

import keras
from keras import layers

from gdl_keras.layers import OneHot


def label_input(num_classes, attributes=False):
    """(input of labels, the labels as vectors (batch, num_classes))."""
    if attributes:
        labels = keras.Input((num_classes,), name="labels")
        return labels, labels
    labels = keras.Input((), dtype="int64", name="labels")
    return labels, OneHot(num_classes)(labels)


def with_label_planes(x, vectors):
    """Images with one more channel for each number of the vectors, every pixel of it that number."""
    height, width, _ = x.shape[1:]
    planes = layers.RepeatVector(height * width)(vectors)
    planes = layers.Reshape((height, width, vectors.shape[-1]))(planes)
    return layers.Concatenate()([x, planes])
