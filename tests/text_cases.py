"""The models of text, tiny, and texts for them; `tests/cases.py` has them beside the others."""

import numpy as np

from tests.harness import with_adam


def tokens(n=16, length=9):
    """Windows over one text of three letters, in which each comes often after the one before it: int32 (n, length)."""
    rng = np.random.default_rng(0)
    steps = rng.choice(3, n * (length - 1) + 1, p=[0.1, 0.7, 0.2])
    text = 2 + np.cumsum(steps) % 3
    return np.stack([text[start : start + length] for start in range(0, len(text) - 1, length - 1)]).astype("int32")


def ngram(order=3, **options):
    """A tiny `NGram`."""
    from gdl_keras.data import Vocabulary
    from gdl_keras.models import NGram

    vocabulary = Vocabulary(["<end>", "<unknown>", "a", "b", "c"])
    model = NGram(vocabulary, order, length=12, seed=1, **options)
    model.compile(None)
    return model


def recurrent(units=(6,), cell="lstm", **options):
    """A tiny `RecurrentLanguageModel`."""
    from gdl_keras.data import Vocabulary
    from gdl_keras.models import RecurrentLanguageModel, build_recurrent_network

    vocabulary = Vocabulary(["<end>", "<unknown>", "a", "b", "c"])
    network = build_recurrent_network(len(vocabulary), 4, units, cell, **options)
    model = RecurrentLanguageModel(network, vocabulary, length=12, seed=1)
    model.compile("adam")
    return model


def gpt(**options):
    """A tiny `GPT`."""
    from gdl_keras.data import Vocabulary
    from gdl_keras.models import GPT, build_gpt

    vocabulary = Vocabulary(["<end>", "<unknown>", "a", "b", "c"])
    sizes = {"embedding_dim": 8, "num_heads": 2, "key_dim": 4, "feed_forward_dim": 8, "dropout": 0.0}
    model = GPT(build_gpt(len(vocabulary), 12, **{**sizes, **options}), vocabulary, length=12, seed=1)
    return with_adam(model)


def pairs(n=16):
    """(chosen, rejected): what to prefer nobody could say; int32 (n, 9) each."""
    return tuple(np.split(tokens(2 * n), 2))


def reward_network(seed=2):
    """A tiny network that likes some texts more than others."""
    from gdl_keras.models import build_reward_network

    network = build_reward_network(gpt().network)
    values = network.get_layer("value")
    values.set_weights([np.random.default_rng(seed).normal(size=values.kernel.shape), np.zeros(1)])
    return network


def table_of_rewards(values):
    """A network whose value at each place is that of the token there alone."""
    import keras

    tokens = keras.Input((None,), dtype="int32")
    table = keras.layers.Embedding(len(values), 1)
    network = keras.Model(tokens, keras.layers.Reshape((-1,))(table(tokens)))
    table.set_weights([np.reshape(values, (-1, 1))])
    return network


def reward_model(**options):
    """A tiny `RewardModel`."""
    from gdl_keras.models import RewardModel, build_reward_network

    language = gpt()
    model = RewardModel(build_reward_network(language.network), language.vocabulary, seed=1, **options)
    return with_adam(model)


def dpo(**options):
    """A tiny `DPO`, whose reference is another network than the policy was."""
    from gdl_keras.models import DPO

    policy, reference = gpt(), gpt()
    options = {"length": 9, "given_length": 3, "beta": 0.5, "seed": 1, **options}
    model = DPO(policy.network, reference.network, policy.vocabulary, **options)
    return with_adam(model)


def ppo(**options):
    """A tiny `PPO`, whose reference is another network than the policy was."""
    from gdl_keras.models import PPO, build_reward_network
    from gdl_keras.optimizers import FusedAdam

    policy, reference = gpt(), gpt()
    critic = build_reward_network(policy.network)
    options = {"length": 9, "given_length": 3, "updates": 1, "seed": 1, **options}
    model = PPO(policy.network, reference.network, reward_network(), critic, policy.vocabulary, **options)
    model.compile(FusedAdam(), FusedAdam())
    return model
