"""Proximal policy optimisation: a language model that learns from what is said of the texts that it writes.

It writes; a reward model says at the end of each text how good it was; a critic, who foresaw at every token how good it
would be, says which tokens were better than expected; and these become likelier, a little at a time, as the same texts
tell less and less of what the policy would write now.  Each token costs what it is further from the reference:

    r_t = -kl_weight (log pi(x_t) - log pi_ref(x_t)),     and the reward model's number at the last one

Without that the policy finds what the reward model mistakes for good.

Book: chapter 9, "From GPT to ChatGPT".  Papers: Schulman et al. 2017, Proximal policy optimization algorithms,
arXiv:1707.06347; Ziegler et al. 2019, Fine-tuning language models from human preferences, arXiv:1909.08593; Stiennon et
al. 2020, Learning to summarize from human feedback, arXiv:2009.01325; Ouyang et al. 2022, arXiv:2203.02155.
"""

import keras
import tensorflow as tf
from keras import ops

from gdl_keras.errors import InputError
from gdl_keras.layers.settings import Annealed, Setting
from gdl_keras.models.autoregressive.gpt import positions_of
from gdl_keras.models.autoregressive.reward_model import final_values
from gdl_keras.models.autoregressive.tuned import TunedGPT
from gdl_keras.models.parts.copies import frozen_copy
from gdl_keras.models.parts.replicas import mean_over_replicas, standardised_over_replicas
from gdl_keras.preference_losses import clipped_objective, generalised_advantages
from gdl_keras.samplers.next_token import read_and_write
from gdl_keras.samplers.noise import DrawnNoise


@keras.saving.register_keras_serializable(package="gdl_keras")
class PPO(TunedGPT):
    """Trains a policy to write what a reward network likes, and a critic to foresee how much it will.

    Of each row that it is given to learn from it reads the beginning alone.  Held-out rows are read whole: `val_loss`
    and `val_perplexity` say, as of a `GPT`, how well the policy still knows the language.

    Args:
        network, reference, vocabulary, one_text, seed: as in `TunedGPT`.
        reward: `keras.Model`, as `build_reward_network` makes it; the model keeps a copy that nothing trains.
        critic: `keras.Model` of the same form, which is trained.
        length: int, how many tokens a text has, also while training.
        given_length: int, how many of them are the beginnings of rows.
        kl_weight: float, what a nat from the reference costs, in rewards; it may be annealed.
        clip: float, how far from 1 the ratio of probabilities after and before still pays; it may be annealed.
        discount, trace: floats in [0, 1], as in `preference_losses.generalised_advantages`.
        updates: int, how many steps are taken with the same texts.

    Raises:
        InputError: as in `TunedGPT`, or an argument is out of range.

    Reports `reward`, what the reward network says; `kl`, nats a text from the reference; `value_error`, the critic's
    squared error; `clipped`, the share of tokens whose ratio is past the bound in the last update; and `entropy`, nats
    a token, of the policy.
    """

    trained_networks = ("network", "critic")
    metric_names = ("reward", "kl", "value_error", "clipped", "entropy", "loss", "perplexity")

    kl_weight = Annealed("not negative", lambda value: value >= 0)
    clip = Annealed("larger than 0", lambda value: value > 0)
    discount = Setting("a number in [0, 1]", lambda value: 0 <= value <= 1)
    trace = Setting("a number in [0, 1]", lambda value: 0 <= value <= 1)
    updates = Setting("at least 1", lambda value: value >= 1)

    def __init__(
        self,
        network,
        reference,
        reward,
        critic,
        vocabulary,
        length=None,
        one_text=False,
        given_length=0,
        kl_weight=0.1,
        clip=0.2,
        discount=1.0,
        trace=0.95,
        updates=4,
        **kwargs,
    ):
        super().__init__(network, reference, vocabulary, length, one_text, given_length, **kwargs)
        if (positions := positions_of(reward)) is not None and positions <= self.length:
            raise InputError(
                f"The reward network has {positions} positions, one of them for the mark of the beginning, and texts "
                f"have {self.length} tokens: give a length of at most {positions - 1}."
            )
        self.reward = frozen_copy(reward)
        self.critic = critic
        self.kl_weight = kl_weight
        self.clip = clip
        self.discount = discount
        self.trace = trace
        self.updates = updates

    def train_step(self, data):
        texts = self.write_on(self._tokens_of(data))
        written = self.written(texts)
        scores = self.scores(texts)
        before = self.log_probabilities(self.network, texts)
        divergences = before - self.log_probabilities(self.reference, texts)

        rewards = self.at_the_end(scores, texts) - self.kl_weight * divergences
        values = self.values(texts)
        advantages = generalised_advantages(rewards, values, written, self.discount, self.trace)
        returns = values + advantages
        advantages = standardised_over_replicas(advantages, written)

        for _ in range(self.updates):
            with tf.GradientTape() as tape:
                now = self.log_probabilities(self.network, texts)
                gains = clipped_objective(now, before, advantages, self.clip)
                loss = -mean_over_replicas(gains, written)
            self.minimize(tape, loss, self.network_optimizer, self.network.trainable_variables)

            with tf.GradientTape() as tape:
                errors = ops.square(self.values(texts) - returns)
                critic_loss = mean_over_replicas(errors, written)
            self.minimize(tape, critic_loss, self.critic_optimizer, self.critic.trainable_variables)

        past_bound = ops.abs(ops.exp(now - before) - 1) > self.clip
        return self.report(
            reward=scores,
            kl=tf.reduce_sum(written * divergences, axis=1),
            value_error=(errors, written),
            clipped=(tf.cast(past_bound, tf.float32), written),
            entropy=(-before, written),
        )

    def write_on(self, rows):
        """Texts of the policy that begin as rows do, filled up with <end> where they are over.

        Args:
            rows: int tensor (batch, at least given_length).

        Returns:
            int32 tensor (batch, length).
        """
        count, given, length = tf.shape(rows)[0], self.given_length, self.length
        if (rows.shape[1] or given) < given:
            raise InputError(f"given_length is {given}, and these rows have {rows.shape[1]} tokens: give longer ones.")

        @tf.function  # makes a loop of it, which is not made of what a training step calls
        def write(tokens, uniform):
            state = self.initial_state(tf.shape(tokens)[0], length)
            return read_and_write(self.read, state, tokens, given, DrawnNoise(uniform))

        tokens = tf.ensure_shape(tf.pad(rows[:, :given], [[0, 0], [0, length - given]]), (None, length))
        texts = write(tokens, keras.random.uniform((count, length), seed=self.seed_generator))
        is_over = tf.range(length) >= self.lengths(texts)[:, None]
        return tf.where(is_over, self.vocabulary.end, texts)

    def scores(self, texts):
        """What the reward network says of texts: float32 tensor (batch,)."""
        return final_values(self.reward, texts, self.lengths(texts), self.vocabulary)

    def at_the_end(self, scores, texts):
        """The scores, each at the last token of its text, and 0 elsewhere: float32 tensor (batch, length)."""
        return scores[:, None] * tf.one_hot(self.lengths(texts) - 1, self.length)

    def values(self, texts):
        """What the critic expects before each token is written: float32 tensor (batch, length)."""
        return self.critic(self.before(texts), training=False)
