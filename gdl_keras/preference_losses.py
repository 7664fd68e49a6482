"""Losses of what learns from preferences: pure functions of tensors.

A person is not asked how good a text is, but which of two is better: that is quicker said, and two people mean the same
by it.  A number for each text then follows from the model that Bradley and Terry had of tournaments: how often one wins
against the other depends on the difference of their strengths alone.

Papers: Bradley & Terry 1952, Rank analysis of incomplete block designs; Christiano et al. 2017, Deep reinforcement
learning from human preferences, arXiv:1706.03741; Ouyang et al. 2022, Training language models to follow instructions
with human feedback, arXiv:2203.02155; Rafailov et al. 2023, Direct preference optimization, arXiv:2305.18290; Schulman
et al. 2016, High-dimensional continuous control using generalized advantage estimation, arXiv:1506.02438, and 2017,
Proximal policy optimization algorithms, arXiv:1707.06347.
"""

from gdl_keras.backend import use_tensorflow

use_tensorflow()

from keras import ops  # noqa: E402


def bradley_terry(chosen, rejected):
    """-log p(the chosen one wins) with p = sigmoid(r_chosen - r_rejected).

    Its slope is -(1 - p) for the chosen one and 1 - p for the other (Christiano et al. 2017, equation 1; Ouyang et al.
    2022, equation 1).

    Args:
        chosen, rejected: float tensors (batch,), how good each is.

    Returns:
        float tensor (batch,), nats.
    """
    return ops.softplus(rejected - chosen)


def direct_preference(chosen, rejected, reference_chosen, reference_rejected, beta):
    """Bradley & Terry's loss of the rewards that a policy says by what it has become.

        r(x) = beta log(pi(x) / pi_ref(x))                                       (Rafailov et al. 2023, equation 7)

    For the policy that is best under a reward, r(x) is that reward but for a constant, which all texts of one beginning
    share: whoever learns this loss needs no reward model.

    Args:
        chosen, rejected: float tensors (batch,), log-probabilities of the continuations under the policy.
        reference_chosen, reference_rejected: the same under the reference.
        beta: float, what a nat from the reference costs.

    Returns:
        float tensor (batch,), nats.
    """
    return bradley_terry(beta * (chosen - reference_chosen), beta * (rejected - reference_rejected))


def clipped_objective(log_probabilities, before, advantages, clip):
    """What a policy gains by other probabilities than those that it acted with; to be maximised.

        min(ratio A, clip(ratio, 1 - clip, 1 + clip) A),   ratio = pi(a) / pi_before(a)

    Past the bound there is no slope that leads further away, and always one that leads back (Schulman et al. 2017,
    equation 7).

    Args:
        log_probabilities, before: float tensors of one shape, of what was done.
        advantages: float tensor of that shape, how much better it was than expected.
        clip: float, how far a ratio from 1 still pays.

    Returns:
        float tensor of that shape.
    """
    ratios = ops.exp(log_probabilities - before)
    return ops.minimum(ratios * advantages, ops.clip(ratios, 1 - clip, 1 + clip) * advantages)


def generalised_advantages(rewards, values, counts, discount, trace):
    """How much better each action was than expected (Schulman et al. 2016, equation 16).

        A_t = sum_{s >= t} (discount trace)^(s - t) delta_s,     delta_s = r_s + discount V_{s + 1} - V_s

    With `trace` 1 the rewards that followed are summed up, which is right and noisy; with 0 the critic's word is taken
    for all that comes later.  Behind the last action nothing is expected, V = 0.  A + V is what V should have been.

    Args:
        rewards: float tensor (batch, length), what each action brought.
        values: float tensor (batch, length), what was expected before it.
        counts: float tensor (batch, length), 1 for actions and 0 for what stands before and behind them.
        discount, trace: floats in [0, 1].

    Returns:
        float tensor (batch, length), 0 where nothing counts.
    """
    expected = ops.pad((counts * values)[:, 1:], ((0, 0), (0, 1)))
    surprises = counts * (rewards + discount * expected - values)
    places = ops.arange(rewards.shape[1])
    distances = places - places[:, None]  # s - t in row t and column s
    weights = ops.power(ops.cast(discount * trace, rewards.dtype), ops.cast(ops.maximum(distances, 0), rewards.dtype))
    weights = ops.where(distances >= 0, weights, 0.0)
    return counts * ops.matmul(surprises, ops.transpose(weights))
