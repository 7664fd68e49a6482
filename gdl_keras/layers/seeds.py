"""Random numbers that differ between replicas and are the same in every run."""

import keras
import tensorflow as tf


class SeedGenerator(keras.random.SeedGenerator):
    """A `keras.random.SeedGenerator` whose seeds differ from replica to replica.

    Keras keeps one state that every replica of a `tf.distribute` strategy reads, so that two devices draw the same
    noise and learn from half of it.  Here each seed is a function of (seed, how many were drawn before, replica).

    Pass it wherever Keras takes a `seed`: `keras.random.normal(shape, seed=generator)`.
    """

    def next(self, ordered=True):
        seed = tf.cast(super().next(ordered), tf.int32)
        context = tf.distribute.get_replica_context()
        replica = 0 if context is None else context.replica_id_in_sync_group
        return tf.random.experimental.stateless_fold_in(seed, replica)
