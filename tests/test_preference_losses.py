"""Losses of preferences against closed forms, tables by hand, and sums in loops."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit

from gdl_keras.preference_losses import bradley_terry, clipped_objective, direct_preference, generalised_advantages


def slopes(function, *values):
    """The values of a function and its gradients: (array, [array])."""
    tensors = [tf.constant(value, tf.float32) for value in values]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        result = function(*tensors)
    return result.numpy(), [gradient.numpy() for gradient in tape.gradient(result, tensors)]


def test_bradley_and_terrys_loss_and_its_slopes():
    chosen, rejected = [0.5, 2.0, -3.0, 7.0], [0.5, -1.0, 4.0, 6.9]
    loss, (to_chosen, to_rejected) = slopes(bradley_terry, chosen, rejected)
    p = expit(np.subtract(chosen, rejected))
    np.testing.assert_allclose(loss, -np.log(p), rtol=1e-6)
    np.testing.assert_allclose(to_chosen, -(1 - p), rtol=1e-5)
    np.testing.assert_allclose(to_rejected, 1 - p, rtol=1e-5)


def test_who_is_certain_and_wrong_pays_the_difference():
    loss, (to_chosen, _) = slopes(bradley_terry, [-500.0, 500.0], [500.0, -500.0])
    np.testing.assert_allclose(loss, [1000, 0])
    np.testing.assert_allclose(to_chosen, [-1, 0])


def test_direct_preference_is_bradley_and_terry_on_what_the_policy_has_become():
    chosen, rejected, beta = np.array([-3.0, -20.0]), np.array([-4.0, -18.0]), 0.3
    reference_chosen, reference_rejected = np.array([-3.5, -20.0]), np.array([-3.0, -25.0])
    loss, (to_chosen, to_rejected, *_) = slopes(
        lambda *values: direct_preference(*values, beta), chosen, rejected, reference_chosen, reference_rejected
    )
    p = expit(beta * (chosen - reference_chosen) - beta * (rejected - reference_rejected))
    np.testing.assert_allclose(loss, -np.log(p), rtol=1e-6)
    # Rafailov et al. 2023, section 4: beta times how wrong the rewards are.
    np.testing.assert_allclose(to_chosen, -beta * (1 - p), rtol=1e-5)
    np.testing.assert_allclose(to_rejected, beta * (1 - p), rtol=1e-5)
    same = direct_preference(chosen, rejected, chosen, rejected, beta)
    np.testing.assert_allclose(same, np.log(2), rtol=1e-6)


@pytest.mark.parametrize(
    ("ratio", "advantage", "objective", "slope"),
    [
        (1.0, 2.0, 2.0, 2.0),
        (1.1, 2.0, 2.2, 2.2),
        (1.5, 2.0, 2.4, 0.0),  # has gained enough
        (0.5, 2.0, 1.0, 1.0),  # has lost, and may come back
        (1.0, -2.0, -2.0, -2.0),
        (0.9, -2.0, -1.8, -1.8),
        (0.5, -2.0, -1.6, 0.0),  # has been given up enough
        (1.5, -2.0, -3.0, -3.0),  # has become likelier, and may come back
        (1.5, 0.0, 0.0, 0.0),
    ],
)
def test_the_clipped_objective_and_its_slope_in_the_logarithm_by_hand(ratio, advantage, objective, slope):
    before = np.log(0.2)
    values, (gradient, *_) = slopes(
        lambda now: clipped_objective(now, before, advantage, clip=0.2), [before + np.log(ratio)]
    )
    np.testing.assert_allclose(values, [objective], rtol=1e-5)
    np.testing.assert_allclose(gradient, [slope], rtol=1e-5)


def test_advantages_by_hand():
    """Three actions with discount 1/2 and trace 1/2: a surprise counts a quarter one action earlier."""
    rewards, values, counts = [[1.0, 0.0, 4.0]], [[2.0, 1.0, 3.0]], np.ones((1, 3))
    surprises = [1 + 0.5 * 1 - 2, 0 + 0.5 * 3 - 1, 4 - 3]
    expected = [-0.5 + 0.5 / 4 + 1 / 16, 0.5 + 1 / 4, 1.0]
    assert surprises == [-0.5, 0.5, 1.0]
    np.testing.assert_allclose(advantages(rewards, values, counts, 0.5, 0.5), [expected], rtol=1e-6)


def test_advantages_where_texts_begin_late_and_end_early():
    rewards = [[9.0, 9.0, 1.0, 2.0, 9.0], [9.0, 3.0, 0.0, 0.0, 5.0]]
    values = [[7.0, 7.0, 0.5, 1.0, 7.0], [7.0, 1.0, 1.0, 1.0, 1.0]]
    counts = [[0, 0, 1, 1, 0], [0, 1, 1, 1, 1]]
    expected = [[0, 0, (1 + 1 - 0.5) + (2 - 1), 2 - 1, 0], [0, 7, 4, 4, 4]]
    np.testing.assert_allclose(advantages(rewards, values, counts, 1.0, 1.0), expected, rtol=1e-6)


@pytest.mark.parametrize(("discount", "trace"), [(1.0, 0.95), (0.9, 0.8), (0.9, 0.0), (0.0, 0.5), (0.9, 1.0)])
def test_advantages_are_the_sums_of_their_definition(discount, trace):
    """Of all k, the k-step estimates weighted by (1 - trace) trace^(k - 1): Schulman et al. 2016, equation 16."""
    rng = np.random.default_rng(0)
    rewards, values = rng.normal(size=(2, 5, 7))
    starts, ends = [0, 0, 2, 3, 6], [7, 4, 7, 5, 7]
    expected = np.zeros((5, 7))
    for row, (start, end) in enumerate(zip(starts, ends)):
        for t in range(start, end):
            estimates = []
            for k in range(1, end - t + 1):
                rest = values[row, t + k] if t + k < end else 0.0
                brought = sum(discount**n * rewards[row, t + n] for n in range(k))
                estimates.append(brought + discount**k * rest - values[row, t])
            # What reaches past the end is what the longest one says.
            shares = [(1 - trace) * trace ** (k - 1) for k in range(1, len(estimates))]
            expected[row, t] = np.dot([*shares, trace ** (len(estimates) - 1)], estimates)
    counts = [[start <= place < end for place in range(7)] for start, end in zip(starts, ends)]
    np.testing.assert_allclose(advantages(rewards, values, counts, discount, trace), expected, atol=1e-5)


def advantages(rewards, values, counts, discount, trace):
    arrays = (tf.constant(np.asarray(array, "float32")) for array in (rewards, values, counts))
    return generalised_advantages(*arrays, discount, trace).numpy()
