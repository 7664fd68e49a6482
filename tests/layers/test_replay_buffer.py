"""The buffer of chains: what is picked, what begins anew, and what is kept."""

import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.layers import ReplayBuffer


def numbered(size=50, **options):
    """A buffer in which chain number i lies at i + 10, where no noise does."""
    buffer = ReplayBuffer((2,), size, **{"seed": 1, **options})
    buffer.chains.assign(np.repeat(np.arange(size)[:, None] + 10.0, 2, axis=1))
    return buffer


def test_chains_begin_as_uniform_noise():
    chains = ReplayBuffer((3, 4), 500, reach=2.0, seed=1).chains.numpy()
    assert chains.shape == (500, 3, 4)
    assert -2 <= chains.min() < -1.99 and 1.99 < chains.max() <= 2
    assert abs(chains.mean()) < 0.06 and chains.std() == pytest.approx(2 / 3**0.5, rel=0.02)
    np.testing.assert_array_equal(chains, ReplayBuffer((3, 4), 500, reach=2.0, seed=1).chains.numpy())
    assert not np.array_equal(chains, ReplayBuffer((3, 4), 500, reach=2.0, seed=2).chains.numpy())


def test_no_chain_is_picked_twice_and_all_are_picked_alike_often():
    buffer, often = numbered(fresh=0.0), np.zeros(50)
    for _ in range(200):
        places, samples = buffer.pick(20)
        assert len(set(places.numpy())) == 20
        np.testing.assert_array_equal(samples.numpy()[:, 0], places.numpy() + 10)
        often[places.numpy()] += 1
    assert often.sum() == 4000 and abs(often - 80).max() < 5 * np.sqrt(200 * 0.4 * 0.6)


@pytest.mark.parametrize("fresh", [0.0, 0.05, 0.5, 1.0])
def test_the_share_of_fresh_noise(fresh):
    buffer = numbered(fresh=fresh, reach=3.0)
    pick = tf.function(lambda: buffer.pick(50)[1])
    samples = np.concatenate([pick().numpy() for _ in range(100)])
    is_fresh = samples[:, 0] < 10
    assert abs(is_fresh.sum() - 5000 * fresh) <= 4.5 * np.sqrt(5000 * fresh * (1 - fresh))
    if fresh:
        noise = samples[is_fresh]
        assert np.abs(noise).max() <= 3 and noise.std() == pytest.approx(3 / 3**0.5, rel=0.1)
        assert len(np.unique(noise)) > 0.99 * noise.size


def test_the_share_may_be_annealed_after_it_was_traced():
    buffer = numbered(fresh=0.0)
    pick = tf.function(lambda: buffer.pick(50)[1])
    assert (pick().numpy() >= 10).all()
    buffer.fresh = 1.0
    assert (pick().numpy() < 10).all()


def test_chains_are_put_back_where_they_were():
    buffer = numbered(fresh=0.0)
    places, samples = buffer.pick(7)
    buffer.keep(places, samples + 100)
    chains, picked = buffer.chains.numpy()[:, 0], np.isin(np.arange(50), places.numpy())
    np.testing.assert_array_equal(chains, np.arange(50) + 10 + 100 * picked)


def test_replicas_pick_different_chains_and_hold_the_same_buffer(two_replicas):
    with two_replicas.scope():
        buffer = numbered(20, fresh=0.0)

    @tf.function
    def step():
        places, samples = buffer.pick(8)
        buffer.keep(places, samples + 100)
        return places

    picked = two_replicas.experimental_local_results(two_replicas.run(step))
    first, second = (set(places.numpy()) for places in picked)
    assert len(first) == len(second) == 8 and not first & second
    copies = [np.asarray(copy) for copy in two_replicas.experimental_local_results(buffer.chains.value)]
    np.testing.assert_array_equal(*copies)
    assert (copies[0][:, 0] >= 100).sum() == 16


def test_it_is_saved_with_its_chains_and_random_numbers():
    buffer = numbered(fresh=0.3)
    copy = ReplayBuffer.from_config(buffer.get_config())
    assert copy.get_config() == buffer.get_config()
    assert [weight.path for weight in buffer.weights] == [weight.path for weight in copy.weights]


def test_bad_settings_are_refused():
    for wrong in ({"size": 0}, {"reach": 0.0}, {"fresh": 1.5}, {"fresh": -0.1}):
        with pytest.raises(InputError):
            ReplayBuffer((2,), **wrong)


def test_more_than_there_are_is_all_of_them():
    places, samples = numbered(6, fresh=0.0).pick(10)
    assert sorted(places.numpy()) == list(range(6)) and samples.shape == (6, 2)
