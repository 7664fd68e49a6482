"""N devices take the step that one would, also where gradients are clipped."""

from contextlib import nullcontext

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.models.base import TapeModel, inputs_of
from gdl_keras.models.parts.replicas import mean_over_replicas, standardised_over_replicas

# The two halves of the batch pull in directions at right angles, each of length 4.
TARGETS = np.array([[4.0, 0.0], [4.0, 0.0], [0.0, 4.0], [0.0, 4.0]], "float32")


class Follower(TapeModel):
    """Two weights whose gradient is minus the mean of the batch."""

    learns_from = ("targets",)

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.position = self.add_weight(shape=(2,), initializer="zeros", name="position")

    def train_step(self, data):
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(tf.reduce_sum(inputs_of(data) * self.position, axis=1))
        self.minimize(tape, loss, self.optimizer, [self.position])
        return self.report(loss=loss)


def moved(strategy, policy="float32", **clipping):
    keras.config.set_dtype_policy(policy)
    with strategy.scope() if strategy else nullcontext():
        model = Follower()
        model.compile(keras.optimizers.SGD(1.0, **clipping))
    if policy == "mixed_float16":
        model.optimizer.dynamic_scale.assign(8.0)
    model.fit(tf.data.Dataset.from_tensors(TARGETS).repeat(), steps_per_epoch=1, verbose=0)
    return np.asarray(model.position.value)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
@pytest.mark.parametrize(
    ("clipping", "expected"),
    [
        ({}, [2, 2]),
        ({"clipnorm": 1.0}, [0.5**0.5, 0.5**0.5]),
        ({"global_clipnorm": 1.0}, [0.5**0.5, 0.5**0.5]),
        ({"clipvalue": 1.5}, [1.5, 1.5]),
        ({"clipnorm": 100.0}, [2, 2]),
    ],
    ids=str,
)
def test_the_sum_over_replicas_is_clipped_not_each_part(clipping, expected, policy, two_replicas):
    for strategy in (None, two_replicas):
        np.testing.assert_allclose(moved(strategy, policy, **clipping), expected, rtol=1e-5)


class CountingFollower(Follower):
    """Takes no notice of the last target, so that in one half of the batch twice as many count as in the other."""

    def train_step(self, data):
        targets = inputs_of(data)
        counts = tf.cast(tf.reduce_any(targets != TARGETS[-1], axis=1), "float32")
        with tf.GradientTape() as tape:
            loss = mean_over_replicas(-tf.reduce_sum(targets * self.position, axis=1), counts)
        self.minimize(tape, loss, self.optimizer, [self.position])
        return self.report(loss=loss)


def test_each_value_that_counts_counts_alike_on_all_replicas(two_replicas):
    targets = TARGETS.copy()
    targets[2] = [0, 2]
    for strategy in (None, two_replicas):
        with strategy.scope() if strategy else nullcontext():
            model = CountingFollower()
            model.compile(keras.optimizers.SGD(1.0))
        model.fit(tf.data.Dataset.from_tensors(targets).repeat(), steps_per_epoch=1, verbose=0)
        np.testing.assert_allclose(model.position, [8 / 3, 2 / 3], rtol=1e-5)


def test_values_are_standardised_over_those_that_count_on_all_replicas(two_replicas):
    values = np.random.default_rng(0).normal(3, 2, (4, 5)).astype("float32")
    counts = np.array([[1, 1, 1, 0, 0], [1, 0, 1, 1, 1], [0, 0, 0, 0, 0], [0, 0, 1, 0, 0]], "float32")
    expected = counts * (values - values[counts > 0].mean()) / values[counts > 0].std()
    np.testing.assert_allclose(standardised_over_replicas(values, counts), expected, atol=1e-5)

    halves = [
        two_replicas.experimental_distribute_values_from_function(
            lambda context, array=array: tf.constant(np.split(array, 2)[context.replica_id_in_sync_group])
        )
        for array in (values, counts)
    ]
    on_two = tf.function(lambda *parts: two_replicas.run(standardised_over_replicas, parts))(*halves)
    parts = two_replicas.experimental_local_results(on_two)
    np.testing.assert_allclose(np.concatenate(parts), expected, atol=1e-5)


def test_values_that_are_all_the_same_are_no_better_or_worse_than_one_another():
    same = standardised_over_replicas(np.full((2, 3), 0.1, "float32"), np.ones((2, 3), "float32"))
    np.testing.assert_allclose(same, np.zeros((2, 3)), atol=1e-3)
