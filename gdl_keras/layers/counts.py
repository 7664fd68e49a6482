"""Exact counts of whole numbers, as many as there are different ones."""

import keras
import numpy as np
import tensorflow as tf

FREE = np.iinfo(np.int64).max  # stands in the places that no number has taken yet


@keras.saving.register_keras_serializable(package="gdl_keras")
class Counts(keras.layers.Layer):
    """How often each whole number was seen.

    The numbers stand in ascending order, and beside each how often it and all before it were seen.  How many were seen
    in a range, and how many different ones, is then known from the two ends of the range.

    Args:
        capacity: int, the most different numbers that there is room for, 16 bytes each.  A file of the layer is as
            large as what it holds.
    """

    def __init__(self, capacity, **kwargs):
        super().__init__(**kwargs)
        self.capacity = capacity
        # Replicas that add the same have the same.
        kept = {"dtype": "int64", "trainable": False, "aggregation": "only_first_replica"}
        self.numbers = self.add_weight((capacity,), keras.initializers.Constant(FREE), name="numbers", **kept)
        self.totals = self.add_weight((capacity + 1,), "zeros", name="totals", **kept)
        self.built = True

    def add(self, numbers):
        """Counts each of these once more.

        Args:
            numbers: int64 tensor (n,), none negative.

        Returns:
            int64 tensor (m,), those that were never counted before, each once, ascending.

        Raises:
            tf.errors.InvalidArgumentError: there is no room for so many different ones.
        """
        known, totals = tf.convert_to_tensor(self.numbers), tf.convert_to_tensor(self.totals)
        used = tf.searchsorted(known, [tf.constant(FREE)])[0]
        both = tf.concat([known[:used], numbers], axis=0)
        before = tf.concat([totals[1 : used + 1] - totals[:used], tf.zeros_like(numbers)], axis=0)
        more = tf.concat([tf.zeros_like(known[:used]), tf.ones_like(numbers)], axis=0)

        order = tf.argsort(both)
        both, before, more = tf.gather(both, order), tf.gather(before, order), tf.gather(more, order)
        is_first = tf.concat([tf.ones_like(both[:1], tf.bool), both[1:] != both[:-1]], axis=0)
        group = tf.cumsum(tf.cast(is_first, tf.int32)) - 1
        both = tf.boolean_mask(both, is_first)
        before, more = tf.math.segment_sum(before, group), tf.math.segment_sum(more, group)
        self._keep(both, before + more)
        return tf.boolean_mask(both, before == 0)

    def between(self, low, high):
        """Of the numbers from `low` up to, and without, `high`: how often they were seen, and how many there are.

        Args:
            low, high: int64 tensors of one shape.

        Returns:
            two int64 tensors of that shape.
        """
        start, end = self._place(low), self._place(high)
        totals = tf.convert_to_tensor(self.totals)
        return tf.gather(totals, end) - tf.gather(totals, start), end - start

    def _keep(self, numbers, counts):
        free = self.capacity - tf.size(numbers)
        message = f"There is no room for more than {self.capacity:,} different numbers: give a larger capacity."
        tf.debugging.assert_non_negative(free, message)
        totals = tf.cumsum(tf.concat([tf.zeros([1], tf.int64), counts], axis=0))
        numbers = tf.pad(numbers, [[0, free]], constant_values=FREE)
        totals = tf.concat([totals, tf.fill([free], totals[-1])], axis=0)
        self.numbers.assign(tf.ensure_shape(numbers, [self.capacity]))
        self.totals.assign(tf.ensure_shape(totals, [self.capacity + 1]))

    def _place(self, values):
        places = tf.searchsorted(tf.convert_to_tensor(self.numbers), tf.reshape(values, [-1]), out_type=tf.int64)
        return tf.reshape(places, tf.shape(values))

    def get_config(self):
        return {**super().get_config(), "capacity": self.capacity}

    def save_own_variables(self, store):
        numbers, totals = np.asarray(self.numbers), np.asarray(self.totals)
        used = np.searchsorted(numbers, FREE)
        store["numbers"], store["totals"] = numbers[:used], totals[: used + 1]

    def load_own_variables(self, store):
        numbers, totals = np.asarray(store["numbers"]), np.asarray(store["totals"])
        free = self.capacity - len(numbers)
        self.numbers.assign(np.pad(numbers, (0, free), constant_values=FREE))
        self.totals.assign(np.pad(totals, (0, free), mode="edge"))
