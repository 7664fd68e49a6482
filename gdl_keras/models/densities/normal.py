"""Normal distributions in any number of dimensions, by numbers that may be any real numbers at all.

A covariance matrix must stay symmetric and positive, which a step of gradient ascent knows nothing of.  So it is
written as L L^T, and L as something that cannot go wrong:

    L = diag(exp(log_scale)) (I + what stands below the diagonal)
"""

import math

import numpy as np
import tensorflow as tf


def lower_factor(log_scale, below):
    """L: float32 tensor (..., d, d), lower triangular, positive on its diagonal.

    Args:
        log_scale: tensor (..., d).
        below: tensor (..., d (d - 1) / 2), row by row.
    """
    dimensions = log_scale.shape[-1]
    places = np.zeros((below.shape[-1], dimensions, dimensions), "float32")
    places[np.arange(len(places)), *np.tril_indices(dimensions, -1)] = 1
    unit = np.eye(dimensions, dtype="float32") + tf.tensordot(below, places, 1)
    return tf.exp(log_scale)[..., None] * unit


def log_scale_and_below(covariance):
    """What `lower_factor` makes the factor of a covariance matrix out of: float64 arrays (d,) and (d (d - 1) / 2,).

    Raises:
        numpy.linalg.LinAlgError: the matrix is not positive.
    """
    factor = np.linalg.cholesky(np.asarray(covariance, "float64"))
    scale = np.diag(factor)
    return np.log(scale), (factor / scale[:, None])[np.tril_indices(len(scale), -1)]


def normal_log_density(points, mean, log_scale, below):
    """log N(x; mean, L L^T), of each of several normal distributions.

    Args:
        points: float32 tensor (n, d).
        mean, log_scale: tensors (k, d).
        below: tensor (k, d (d - 1) / 2).

    Returns:
        float32 tensor (n, k), nats.
    """
    away = tf.transpose(points) - mean[..., None]
    standard = tf.linalg.triangular_solve(lower_factor(log_scale, below), away)
    height = -tf.reduce_sum(log_scale, axis=-1) - 0.5 * log_scale.shape[-1] * math.log(2 * math.pi)
    return tf.transpose(height[:, None] - 0.5 * tf.reduce_sum(tf.square(standard), axis=1))
