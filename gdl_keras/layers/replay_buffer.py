"""Chains of samples that training goes on with, step after step.

Papers: Tieleman 2008, Training restricted Boltzmann machines using approximations to the likelihood gradient, for
chains that persist; Du & Mordatch 2019, Implicit generation and modeling with energy-based models, arXiv:1903.08689,
for the share that begins anew.
"""

import keras
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.layers.seeds import SeedGenerator
from gdl_keras.layers.settings import Adjustable, Annealed


@keras.saving.register_keras_serializable(package="gdl_keras")
class ReplayBuffer(Adjustable, keras.layers.Layer):
    """Where a sampler's chains have got to: state that is saved with the model, so that they go on after a stop.

    `pick` takes some chains at random, no chain twice, and replaces a share of them by noise; `keep` puts them back
    where they were taken from.  At the beginning all of them are noise.

    Args:
        shape: tuple of ints, of one sample.
        size: int, how many chains.
        fresh: float in [0, 1], how probably a chain that is picked begins anew; it may be annealed.
        reach: float; noise is uniform in [-reach, reach).
        seed: int or None.

    Raises:
        InputError: an argument is out of range.
    """

    fresh = Annealed("a number in [0, 1]", lambda value: 0 <= value <= 1)

    def __init__(self, shape, size=8192, fresh=0.05, reach=1.0, seed=None, **kwargs):
        super().__init__(**{"autocast": False, **kwargs})
        if size < 1 or reach <= 0:
            raise InputError(f"A buffer has at least 1 chain and a reach above 0, not {size} and {reach}.")
        self.shape, self.size, self.fresh, self.reach, self.seed = tuple(shape), size, fresh, reach, seed
        self.seed_generator = SeedGenerator(seed)
        # Replicas must not pick the same chain, so all of them shuffle alike: this one gives all the same seeds.
        self.order_seed_generator = keras.random.SeedGenerator(None if seed is None else seed + 1)
        self.chains = self.add_weight(
            shape=(size, *self.shape),
            initializer=keras.initializers.RandomUniform(-reach, reach, seed),
            trainable=False,
            dtype="float32",
            name="chains",
        )
        self.built = True

    def pick(self, count):
        """Some of the chains.

        Args:
            count: int or int tensor, how many; no more than there are.

        Returns:
            (places, samples): int32 tensor (count,), the numbers of the chains, for `keep`; and float32 tensor
            (count, *shape), where each of them is, or for some of them noise.
        """
        # A shuffle that XLA can compile, which `stateless_shuffle` is not.
        order = tf.argsort(tf.random.stateless_uniform((self.size,), self._order_seed()))
        places = self._of_this_replica(order)[:count]
        samples = tf.gather(self.chains.value, places)
        seeds = tf.random.experimental.stateless_split(self.seed_generator.next(), 2)
        is_fresh = tf.random.stateless_uniform(tf.shape(places), seeds[0]) < self.fresh
        noise = tf.random.stateless_uniform(tf.shape(samples), seeds[1], -self.reach, self.reach)
        return places, tf.where(tf.reshape(is_fresh, (-1, *[1] * len(self.shape))), noise, samples)

    def keep(self, places, samples):
        """Puts chains back, where they are now: int32 tensor (count,) and float32 tensor (count, *shape)."""
        if tf.distribute.get_strategy().num_replicas_in_sync > 1:
            replica = tf.distribute.get_replica_context()
            places, samples = (replica.all_gather(tensor, axis=0) for tensor in (places, samples))
        self.chains.assign(tf.tensor_scatter_nd_update(self.chains.value, places[:, None], samples))

    def get_config(self):
        names = ("shape", "size", "reach", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}, "fresh": float(self.fresh)}

    def _order_seed(self):
        return tf.cast(self.order_seed_generator.next(), tf.int32)

    def _of_this_replica(self, order):
        replica = tf.distribute.get_replica_context()
        if replica is None or replica.num_replicas_in_sync == 1:
            return order
        return order[replica.replica_id_in_sync_group :: replica.num_replicas_in_sync]
