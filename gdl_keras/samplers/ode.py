"""Ordinary differential equations, d state / dt = slope(t, state), followed from one time to another.

With steps of one size, by the classic methods of Runge and Kutta; or with steps that an estimate of their own error
makes as long as a tolerance allows (Dormand & Prince 1980, A family of embedded Runge-Kutta formulae).

A state is a tensor (batch, ...), or a tuple of tensors with one batch between them.
"""

from gdl_keras.backend import use_tensorflow
from gdl_keras.errors import InputError

use_tensorflow()

import tensorflow as tf  # noqa: E402

# Butcher tableaus: when and where each slope of a step is taken, and how much of each the step is made of.
FIXED_STEP_METHODS = {
    "euler": ((0.0,), ((),), (1.0,)),
    "midpoint": ((0.0, 1 / 2), ((), (1 / 2,)), (0.0, 1.0)),
    "heun": ((0.0, 1.0), ((), (1.0,)), (1 / 2, 1 / 2)),
    "rk4": ((0.0, 1 / 2, 1 / 2, 1.0), ((), (1 / 2,), (0.0, 1 / 2), (0.0, 0.0, 1.0)), (1 / 6, 1 / 3, 1 / 3, 1 / 6)),
}
DORMAND_PRINCE_TIMES = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
DORMAND_PRINCE_PLACES = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
# The step of order 5 minus that of order 4: an estimate of the error of the latter.
DORMAND_PRINCE_ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
# Of the step that the estimate proposes so much is taken, and no more than these times the last one.
SAFETY, SMALLEST_FACTOR, LARGEST_FACTOR = 0.9, 0.2, 5.0
FIRST_STEP = 0.05  # as a share of the whole way
MOST_STEPS = 1000


def integrate(slope, state, start, end, steps, method="rk4"):
    """Follows an equation in `steps` equal steps.

    Args:
        slope: function (time, state) -> d state / dt, like `state`; time is a scalar tensor.
        state: where it begins.
        start, end: floats, the times; `end` may be the earlier one.
        steps: int.
        method: "euler" (its error shrinks with the step's length h), "midpoint" or "heun" (with h^2), "rk4" (with h^4).

    Returns:
        the state at `end`.

    Raises:
        InputError: `steps` is below 1, or the method is unknown.
    """
    if method not in FIXED_STEP_METHODS:
        raise InputError(f"The method is one of {', '.join(FIXED_STEP_METHODS)}, not {method!r}.")
    if steps < 1:
        raise InputError(f"An equation is followed in at least 1 step, not {steps}.")
    times, places, shares = FIXED_STEP_METHODS[method]
    first = tf.constant(start, _dtype(state))
    length = tf.constant((end - start) / steps, _dtype(state))

    def take(step, state):
        now = first + tf.cast(step, length.dtype) * length
        return step + 1, _moved(state, _slopes(slope, now, state, length, times, places), shares, length)

    # Said in so many words: where Keras traces a step of training, no `for` becomes a loop of TensorFlow's.
    return tf.while_loop(lambda step, _: step < steps, take, (0, state), maximum_iterations=steps)[1]


def integrate_adaptively(
    slope, state, start, end, relative_tolerance=1e-5, absolute_tolerance=1e-5, most_steps=MOST_STEPS
):
    """Follows an equation in steps that are as long as their estimated error allows, by Dormand & Prince's 5(4).

    Every example of a batch has steps of its own, so that where it ends does not depend on what else is in the batch.
    A step is taken where the root mean square, over all numbers of the example, of

        error / (absolute_tolerance + relative_tolerance * max(|before|, |after|))

    is at most 1; else a shorter one is tried.

    Args:
        slope: function (time, state) -> d state / dt, like `state`; time is a tensor (batch,), one for each example.
        state: where it begins.
        start, end: floats, the times; `end` may be the earlier one.
        relative_tolerance, absolute_tolerance: floats above 0.
        most_steps: int; an example that needs more, taken or not, ends as NaN.

    Returns:
        (the state at `end`; how often each example needed the slope, int32 tensor (batch,)).

    Raises:
        InputError: a tolerance is not above 0.
    """
    if not (relative_tolerance > 0 and absolute_tolerance > 0):
        raise InputError(f"Tolerances are above 0, not {relative_tolerance} and {absolute_tolerance}.")
    batch, dtype = tf.shape(tf.nest.flatten(state)[0])[:1], _dtype(state)
    end = tf.fill(batch, tf.constant(end, dtype))
    now = tf.fill(batch, tf.constant(start, dtype))

    def is_on_the_way(now, length, state, known, evaluations):
        return tf.reduce_any(now != end)

    def step(now, length, state, known, evaluations):
        is_last = tf.abs(length) >= tf.abs(end - now)
        length = tf.where(is_last, end - now, length)
        slopes = _slopes(slope, now, state, length, DORMAND_PRINCE_TIMES, DORMAND_PRINCE_PLACES, [known])
        # The last slope is taken where the step ends: it is the first one of the next step.
        reached = _moved(state, slopes, DORMAND_PRINCE_PLACES[-1], length)
        error = tf.nest.map_structure(tf.subtract, _moved(state, slopes, DORMAND_PRINCE_ERROR, length), state)
        size = _relative_size(error, state, reached, relative_tolerance, absolute_tolerance)
        is_taken = size <= 1
        evaluations += tf.where(now != end, len(slopes) - 1, 0)
        now = tf.where(is_taken, tf.where(is_last, end, now + length), now)
        state, known = (_where(is_taken, new, old) for new, old in ((reached, state), (slopes[-1], known)))
        return now, length * _factor(size), state, known, evaluations

    known = slope(now, state)
    begun = (now, FIRST_STEP * (end - now), state, known, tf.ones(batch, tf.int32))
    now, _, state, _, evaluations = tf.while_loop(is_on_the_way, step, begun, maximum_iterations=most_steps)
    nothing = tf.nest.map_structure(lambda part: tf.fill(tf.shape(part), tf.constant(float("nan"), dtype)), state)
    return _where(now == end, state, nothing), evaluations


def _slopes(slope, now, state, length, times, places, known=()):
    """The slopes of one step, of which the first ones may be known: list of states."""
    slopes = list(known)
    for time, place in list(zip(times, places))[len(slopes) :]:
        slopes.append(slope(now + time * length, _moved(state, slopes, place, length)))
    return slopes


def _moved(state, slopes, shares, length):
    """state + length * sum of share * slope; `length` is a scalar, or a tensor (batch,)."""
    used = [(share, slope) for share, slope in zip(shares, slopes) if share]

    def part_moved(part, *parts):
        return part + _beside(length, part) * sum(share * slope for (share, _), slope in zip(used, parts))

    return tf.nest.map_structure(part_moved, state, *[slope for _, slope in used]) if used else state


def _relative_size(error, before, after, relative_tolerance, absolute_tolerance):
    """How large the error of each example is, in units of what is allowed: tensor (batch,)."""
    squares = []
    for wrong, old, new in zip(*map(tf.nest.flatten, (error, before, after))):
        allowed = absolute_tolerance + relative_tolerance * tf.maximum(tf.abs(old), tf.abs(new))
        squares.append(tf.reshape(tf.square(wrong / allowed), (tf.shape(wrong)[0], -1)))
    return tf.stop_gradient(tf.sqrt(tf.reduce_mean(tf.concat(squares, axis=1), axis=1)))


def _factor(size):
    """How much longer the next step is to be, so that its error is what is allowed: it grows with the fifth power."""
    wanted = SAFETY * tf.maximum(size, 1e-10) ** -0.2
    # An error that is no number comes of a step that was much too long.
    wanted = tf.where(tf.math.is_finite(wanted), wanted, SMALLEST_FACTOR)
    return tf.clip_by_value(wanted, SMALLEST_FACTOR, LARGEST_FACTOR)


def _where(condition, new, old):
    """Of each example one state or the other; `condition` is a tensor (batch,)."""
    return tf.nest.map_structure(lambda a, b: tf.where(_beside(condition, a), a, b), new, old)


def _beside(numbers, part):
    """One number an example, (batch,), as (batch, 1, ...), so that it goes with a part (batch, ...); scalars as are."""
    return tf.reshape(numbers, (-1, *[1] * (len(part.shape) - 1))) if len(numbers.shape) else numbers


def _dtype(state):
    return tf.nest.flatten(state)[0].dtype
