"""Class numbers as vectors."""

import keras
import numpy as np

from gdl_keras.layers import OneHot


def test_vectors():
    np.testing.assert_array_equal(OneHot(4)(np.array([2, 0, 3])), np.eye(4)[[2, 0, 3]])


def test_many_classes_are_exact_in_half_precision():
    """2049 is not a float16: a class number that was rounded would land one place off."""
    vector = OneHot(3000, dtype="mixed_float16")(np.array([2049]))
    assert np.argmax(vector) == 2049


def test_round_trip():
    labels = keras.Input((), dtype="int64")
    model = keras.Model(labels, OneHot(3)(labels))
    copy = keras.Model.from_config(model.get_config())
    np.testing.assert_array_equal(copy(np.array([1])), [[0, 1, 0]])
