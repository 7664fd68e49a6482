"""Copies of networks have weights of their own."""

import keras
import numpy as np
import pytest

from gdl_keras.models.parts.copies import copied, frozen_copy
from tests import cases
from tests.models.autoregressive.test_gpt import random_tokens

NETWORKS = pytest.mark.parametrize("options", [{}, cases.DEEPER], ids=["as the book's", "deeper and tied"])


@NETWORKS
def test_a_copy_says_the_same_until_one_of_them_learns(options):
    network, tokens = cases.gpt(**options).network, random_tokens((2, 7))
    copies = copied(network), frozen_copy(network)
    said = network(tokens).numpy()
    for copy in copies:
        np.testing.assert_array_equal(copy(tokens), said)
    for weight in network.weights:
        weight.assign(weight + 0.1 * np.random.default_rng(0).normal(size=weight.shape))
    assert not np.array_equal(network(tokens), said)
    for copy in copies:
        np.testing.assert_array_equal(copy(tokens), said)


@NETWORKS
def test_a_frozen_copy_has_nothing_to_train_and_leaves_the_other_as_it_was(options):
    network = cases.gpt(**options).network
    trained = [weight.path for weight in network.trainable_weights]
    frozen = frozen_copy(network)
    for copy in (frozen, frozen_copy(frozen), frozen_copy(keras.Model.from_config(frozen.get_config()))):
        assert copy.trainable_weights == []
        assert not any(weight.trainable for weight in copy.weights)
    assert [weight.path for weight in network.trainable_weights] == trained
    assert [weight.path for weight in copied(network).trainable_weights] == trained
