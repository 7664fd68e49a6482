"""How networks end in what has no telling name: it is asked for very small and very large numbers."""

import pytest
import tensorflow as tf
from keras import layers, ops
from keras.layers import Dense, Flatten, Reshape

from gdl_keras.errors import InputError
from gdl_keras.models import GAN
from tests.models.parts.test_endings import functional, judge, network, painter


class Halved(layers.Layer):
    def call(self, x):
        return 0.5 * ops.tanh(x)


def own_sigmoid(x):
    return 1 / (1 + ops.exp(-x))


# What does not say by its name that it is bounded.
BOUNDED = {
    "a Lambda between 0 and 1": lambda: network((8,), Dense(1), layers.Lambda(lambda x: tf.sigmoid(x))),
    "a own_sigmoid between 0 and 1": lambda: network((8,), Dense(1, activation=own_sigmoid)),
    "a Halved between -0.5 and 0.5": lambda: network((8,), Dense(4), Halved(), Reshape((2, 2)), Flatten()),
    "a Clip between -1 and 1": lambda: functional(Dense(1), lambda x: ops.clip(x, -1, 1)),
}
WIDE = {
    "ten times tanh": lambda x: 10 * tf.tanh(x),
    "any number": lambda x: x - 1,
    "one side alone": lambda x: tf.nn.elu(x),
    "always the same": lambda x: 0 * x,
    "cannot be asked": lambda x: x["no"],
}


@pytest.mark.parametrize("case", BOUNDED)
def test_what_is_bounded_is_found_by_asking(case):
    with pytest.raises(InputError, match=f"ends in {case}, and GAN wants logits"):
        GAN(painter(), judge(BOUNDED[case]()))


@pytest.mark.parametrize("case", WIDE)
def test_what_is_not_bounded_is_no_fault(case):
    GAN(painter(), judge(network((8,), Dense(1), layers.Lambda(WIDE[case], (1,)))))
