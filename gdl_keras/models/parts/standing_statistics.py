"""Statistics of batch normalisation for another kind of inputs than those that they were followed on."""

from contextlib import contextmanager

import keras
import numpy as np

from gdl_keras.layers import FusedBatchNormalization


def keep_statistics_of(network, batches):
    """Counts mean and variance anew, as if all batches were one, in the place of the moving averages.

    Nothing else of the network moves, and it may be frozen.

    Args:
        network: `keras.Model`.
        batches: iterable of at least one batch, as the network is called with; all of one size.
    """
    normalizations = [layer for layer in network._flatten_layers() if isinstance(layer, FusedBatchNormalization)]
    means, variances = ([[] for _ in normalizations] for _ in range(2))
    for batch in batches:
        with _showing_the_batch(normalizations), keras.StatelessScope() as scope:
            network(batch, training=True)
        for number, layer in enumerate(normalizations):
            means[number].append(np.asarray(scope.get_current_value(layer.moving_mean)))
            variances[number].append(np.asarray(scope.get_current_value(layer.moving_variance)))
    for layer, of_batches, within in zip(normalizations, means, variances):
        layer.moving_mean.assign(np.mean(of_batches, axis=0))
        layer.moving_variance.assign(np.mean(within, axis=0) + np.var(of_batches, axis=0))


@contextmanager
def _showing_the_batch(normalizations):
    """Within it the moving averages of a pass in training are the statistics of its batch."""
    before = [(layer, layer.momentum, layer.trainable) for layer in normalizations]
    try:
        for layer in normalizations:
            layer.momentum, layer.trainable = 0.0, True
        yield
    finally:
        for layer, momentum, trainable in before:
            layer.momentum, layer.trainable = momentum, trainable
