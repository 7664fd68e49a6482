"""Counts of whole numbers against Python's own."""

from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.layers import Counts


def int64(values):
    return tf.constant(values, tf.int64)


def test_counts_and_ranges_are_those_of_a_dict():
    rng = np.random.default_rng(0)
    counts, seen = Counts(60), Counter()
    for _ in range(5):
        numbers = rng.integers(0, 50, 30)
        before = set(seen)
        new = np.asarray(counts.add(int64(numbers)))
        seen.update(numbers.tolist())
        assert new.tolist() == sorted(set(seen) - before)
    low = rng.integers(-5, 55, (7, 4))
    high = low + rng.integers(0, 9, (7, 4))
    totals, different = counts.between(int64(low), int64(high))
    for index in np.ndindex(low.shape):
        inside = {number: count for number, count in seen.items() if low[index] <= number < high[index]}
        assert int(totals[index]) == sum(inside.values())
        assert int(different[index]) == len(inside)


def test_nothing_counted_and_nothing_to_count():
    counts = Counts(3)
    assert [int(number) for number in counts.between(int64(0), int64(2**62))] == [0, 0]
    assert counts.add(int64([])).shape == (0,)
    assert np.asarray(counts.add(int64([2**62, 2**62]))).tolist() == [2**62]
    assert [int(number) for number in counts.between(int64(2**62), int64(2**62 + 1))] == [2, 1]


def test_too_many_different_numbers_are_refused_and_as_many_as_there_is_room_for_are_not():
    counts = Counts(4)
    counts.add(int64([5, 5, 6, 7, 8]))
    assert np.asarray(counts.add(int64([8, 5]))).tolist() == []
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="no room for more than 4 different numbers: give a larger"
    ):
        counts.add(int64([9]))


def test_it_is_saved_in_no_more_room_than_it_takes(tmp_path):
    for capacity in (100, 1_000_000):
        layer = Counts(capacity, name="counts")
        layer.add(int64([3, 1, 4, 1, 5]))
        model = Holder(layer)
        model.save_weights(tmp_path / "kept.weights.h5")
        assert (tmp_path / "kept.weights.h5").stat().st_size < 50_000
        other = Holder(Counts.from_config(layer.get_config()))
        other.load_weights(tmp_path / "kept.weights.h5")
        for own, copied in zip(layer.weights, other.layer.weights):
            np.testing.assert_array_equal(np.asarray(own), np.asarray(copied))
    with pytest.raises(ValueError, match="could not be loaded"):
        Holder(Counts(2, name="counts")).load_weights(tmp_path / "kept.weights.h5")


class Holder(keras.Model):
    """A model of one layer."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.built = True
