"""What must be the same on all replicas before an optimizer moves: overflow, and clipping.

Keras looks at each replica's part of the gradient alone, and sums the parts afterwards.
"""

import keras
import tensorflow as tf

from gdl_keras.models.parts.accumulation import inner_optimizer

# Of values that are all the same but for rounding, no differences are made.
SMALLEST_VARIANCE = 1e-8


def overflow_everywhere(gradients, optimizer):
    """NaN on all replicas where those of any of them overflowed float16, so that all of them skip the step.

    Keras asks the first replica alone whether they did: another one's infinity would reach the weights.
    """
    if not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return gradients
    finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(tensor)) for tensor in _known(gradients)])
    spoiler = sum_over_replicas(tf.where(finite, 0.0, float("nan")))
    return [None if tensor is None else tensor + spoiler for tensor in map(_tensor, gradients)]


def clipped_over_replicas(gradients, optimizer):
    """Clips the sum over replicas as the optimizer says, in equal parts, so that N devices take the step of one.

        clip(sum of the replicas' gradients) / replicas

    Parts that Keras clips one by one and then sums would add up to as much as replicas times the bound.
    """
    inner = inner_optimizer(optimizer)
    if not (inner.clipnorm or inner.global_clipnorm or inner.clipvalue):
        return gradients
    # The bound is for gradients without the loss scale.
    scale = 1.0 if inner is optimizer else tf.cast(optimizer.dynamic_scale, tf.float32)
    known = [sum_over_replicas(tensor) / scale for tensor in _known(gradients)]
    share = scale / tf.distribute.get_strategy().num_replicas_in_sync
    clipped = iter([tensor * share for tensor in inner._clip_gradients(known)])
    return [None if gradient is None else next(clipped) for gradient in gradients]


def sum_over_replicas(tensor):
    """The sum of what each replica has in this place: a tensor of the same shape, equal on all of them."""
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, tensor)


def mean_over_replicas(values, counts):
    """The mean of those values that count, of all replicas' parts of a batch, for `TapeModel.minimize`.

        replicas * sum(values * counts) / sum over replicas(sum(counts))

    A mean of each replica's own would let a value count for more where fewer others lie beside it.

    Args:
        values, counts: float tensors of one shape; counts are 0 or 1.
    """
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    total = tf.reduce_sum(counts)
    total = sum_over_replicas(total) if replicas > 1 else total
    return replicas * tf.reduce_sum(values * counts) / tf.maximum(total, 1.0)


def standardised_over_replicas(values, counts):
    """Values brought to mean 0 and variance 1 over those that count, of all replicas' parts of a batch.

        (values - mean) / sqrt(variance + 1e-8)         and 0 where nothing counts

    Args:
        values, counts: float tensors of one shape; counts are 0 or 1.

    Returns:
        float tensor of that shape.
    """
    replicas = tf.distribute.get_strategy().num_replicas_in_sync

    def mean(numbers):
        sums = tf.stack([tf.reduce_sum(numbers * counts), tf.reduce_sum(counts)])
        total, count = tf.unstack(sum_over_replicas(sums) if replicas > 1 else sums)
        return total / tf.maximum(count, 1.0)

    apart = counts * (values - mean(values))
    return apart / tf.sqrt(mean(tf.square(apart)) + SMALLEST_VARIANCE)


def _tensor(gradient):
    return None if gradient is None else tf.convert_to_tensor(gradient)


def _known(gradients):
    return [tensor for tensor in map(_tensor, gradients) if tensor is not None]
