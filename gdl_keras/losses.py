"""Losses and log densities: pure functions of tensors.

Each returns one float32 number per example, so that averages over an epoch are exact even where the last batch is
smaller.  Densities are in nats.
"""

import math

from gdl_keras.backend import use_tensorflow

use_tensorflow()

import tensorflow as tf  # noqa: E402
from keras import ops  # noqa: E402

# Inside a root: where a gradient or an error is zero its root has no slope, and without this its slope would be NaN.
SQUARED_NORM_EPSILON = 1e-12
# Beside squared lengths of features: one of length zero has no direction, and a slope of a thousand at most.
FEATURE_EPSILON = 1e-6


def binary_crossentropy(targets, logits):
    """-t log p - (1 - t) log(1 - p) with p = sigmoid(logit), the mean over all numbers of an example.

        max(l, 0) - l t + log(1 + exp(-|l|))

    Computed without p, which would round to 0 or 1 and leave a number that is confidently wrong without a slope.

    Args:
        targets: float tensor of the shape of `logits`, or one number; in [0, 1] for a loss that is bounded below.
        logits: float tensor (batch, ...).

    Returns:
        float32 tensor (batch,), nats per number.
    """
    return _over_example(ops.mean, _crossentropy(targets, logits))


def class_crossentropy(labels, logits):
    """-log p_y with p = softmax(logits), y the right class.

    Args:
        labels: integer tensor (batch, ...).
        logits: float tensor (batch, ..., num_classes).

    Returns:
        float32 tensor (batch, ...), nats.
    """
    return tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(labels, tf.int64), _float32(logits))


def squared_error(targets, predictions):
    """(x - y)^2, the mean over all pixels of an example; float32 tensor (batch,)."""
    return _over_example(ops.mean, ops.square(_float32(targets) - _float32(predictions)))


def absolute_error(targets, predictions):
    """|x - y|, the mean over all pixels of an example; float32 tensor (batch,)."""
    return _over_example(ops.mean, ops.abs(_float32(targets) - _float32(predictions)))


def root_squared_error(targets, predictions):
    """The root of `squared_error`, per example; float32 tensor (batch,).  At zero error it is 1e-6 and its slope 0."""
    return ops.sqrt(squared_error(targets, predictions) + SQUARED_NORM_EPSILON)


def feature_distance(first, second):
    """How far apart two images are for a network that looks at both (Zhang et al. 2018, arXiv:1801.03924, equation 1).

        1/L sum_l mean_p |f_lp / |f_lp| - g_lp / |g_lp||^2,    f_lp, g_lp: what lies at place p of feature map l

    All features count alike: weights for them would have to be learnt from what people see.

    Args:
        first, second: lists of L feature maps, float tensors (batch, ..., channels).

    Returns:
        float32 tensor (batch,), from 0 to 4.
    """

    def directed(features):
        features = _float32(features)
        return features * ops.rsqrt(ops.sum(ops.square(features), axis=-1, keepdims=True) + FEATURE_EPSILON)

    apart = [ops.sum(ops.square(directed(f) - directed(g)), axis=-1, keepdims=True) for f, g in zip(first, second)]
    return sum(_over_example(ops.mean, places) for places in apart) / len(apart)


def bernoulli_negative_log_likelihood(targets, logits):
    """-log p(x) where each pixel is a coin that shows white with probability sigmoid(logit); the sum over pixels.

    For grey pixels, 0 < x < 1, this is not a normalised density (Loaiza-Ganem & Cunningham 2019); it is what the book
    and most tutorials train with, and it keeps its minimum at probabilities = x.

    Returns:
        float32 tensor (batch,), nats.
    """
    return _over_example(ops.sum, _crossentropy(targets, logits))


def gaussian_negative_log_likelihood(targets, mean, stddev):
    """-log N(x; mean, stddev^2 I), the sum over pixels, in nats; `stddev` is one number for all pixels.

    Returns:
        float32 tensor (batch,), nats.
    """
    z = (_float32(targets) - _float32(mean)) / stddev
    return _over_example(ops.sum, 0.5 * ops.square(z) + math.log(stddev) + 0.5 * math.log(2 * math.pi))


def kl_to_standard_normal(mean, log_variance):
    """KL(N(mean, diag(exp(log_variance))) || N(0, I)), in nats.

        1/2 sum_j (mean_j^2 + variance_j - log variance_j - 1)          (Kingma & Welling 2014, appendix B)

    Args:
        mean, log_variance: float tensors (batch, latent_dim).

    Returns:
        float32 tensor (batch,), nats, never negative.
    """
    mean, log_variance = _float32(mean), _float32(log_variance)
    return 0.5 * ops.sum(ops.square(mean) + ops.exp(log_variance) - log_variance - 1, axis=-1)


def normal_log_density(z, mean=0.0, log_variance=0.0):
    """log N(z; mean, diag(exp(log_variance))), summed over the last axis; float32 tensor, nats."""
    log_variance = ops.broadcast_to(ops.convert_to_tensor(log_variance, "float32"), ops.shape(z))
    scaled = ops.square(_float32(z) - mean) * ops.exp(-log_variance)
    return -0.5 * ops.sum(scaled + log_variance + math.log(2 * math.pi), axis=-1)


# ---- adversarial losses: of the scores, any real numbers, that a discriminator or critic gives -----------------------


def hinge_loss(scores, side):
    """max(0, 1 - side * score): nothing more to gain once a score is beyond 1 on its side (Lim & Ye 2017, section 2).

    Args:
        scores: float tensor (batch, ...).
        side: 1 where scores should be high, -1 where they should be low.

    Returns:
        float32 tensor (batch,).
    """
    return _over_example(ops.mean, ops.relu(1 - side * _float32(scores)))


def wasserstein_distance(real_scores, fake_scores):
    """D(real) - D(fake): its mean is the critic's estimate of the distance (Arjovsky et al. 2017, equation 2).

    Returns:
        float32 tensor (batch,), in the unit of the images' Euclidean distance where the critic's slope is 1.
    """
    return _over_example(ops.mean, _float32(real_scores)) - _over_example(ops.mean, _float32(fake_scores))


def gradient_penalty(critic, reals, fakes, mix, unit=1.0):
    """(|grad D(x)| - 1)^2 at points x between real and generated images (Gulrajani et al. 2017, equation 3).

        x = mix * real + (1 - mix) * fake,   mix ~ U(0, 1), one number per example

    Args:
        critic: callable, images -> scores, each example scored on its own.
        reals, fakes: float32 tensors (batch, ...) of one shape.
        mix: float32 tensor (batch, 1, ..., 1).
        unit: float, how long in these images a unit is in which slopes are measured: 0.5 where images lie in [0, 1] and
            slopes are those of the same images in [-1, 1], in which all papers measure.

    Returns:
        (penalties, gradient norms), both float32 tensors (batch,).
    """
    norms = unit * gradient_norm(critic, mix * reals + (1 - mix) * fakes)
    return ops.square(norms - 1), norms


def gradient_norm(critic, images):
    """|grad D(x)|, the Euclidean norm over all axes of an example; float32 tensor (batch,).

    A gradient of norm 1 over N pixels has entries near 1 / sqrt(N), and float16 ends at 6e-8.  So the critic is
    differentiated times a power of two near sqrt(N), which is divided out in float32: exact in every precision.
    """
    pixels = math.prod(images.shape[1:])
    scale = 2.0 ** round(math.log2(pixels) / 2)
    with tf.GradientTape() as tape:
        tape.watch(images)
        scores = scale * critic(images)
    gradient = tape.gradient(scores, images, unconnected_gradients=tf.UnconnectedGradients.ZERO) / scale
    return ops.sqrt(_over_example(ops.sum, ops.square(gradient)) + SQUARED_NORM_EPSILON)


def squared_slope(critic, images):
    """|grad D(x)|^2 per unit of images in [-1, 1], which are twice as long: float32 tensor (batch,).

    Half its mean over real images is the penalty R1 (Mescheder et al. 2018, equation 9).

    Args:
        critic: callable, images in [0, 1] -> scores, each example scored on its own.
        images: float32 tensor (batch, ...).
    """
    return ops.square(0.5 * gradient_norm(critic, images))


def path_length(synthesis, styles, direction):
    """How far images move as their styles do, in a random direction y of images in [-1, 1]; float32 tensor (batch,).

        sqrt(mean over layers(sum over numbers((J^T y)^2)) / pixels),    y ~ N(0, 1) a number of the image

    with J the Jacobian of the images for the styles.  Where all directions of all styles move images alike, it is the
    same everywhere (Karras et al. 2020, arXiv:1912.04958, section 3.2).

    Args:
        synthesis: callable, styles -> images in [0, 1].
        styles: float32 tensor (batch, layers, numbers).
        direction: float32 tensor of the images' shape, y.
    """
    with tf.GradientTape() as tape:
        tape.watch(styles)
        images = synthesis(styles)
    # In [0, 1] images move half as far.  The division comes last: float16 would lose small numbers.
    gradient = 2 * _float32(tape.gradient(images, styles, output_gradients=direction))
    pixels = math.prod(images.shape[1:3])
    squares = ops.mean(ops.sum(ops.square(gradient), axis=-1), axis=-1)
    return ops.sqrt(squares / pixels + SQUARED_NORM_EPSILON)


def orthogonality_penalty(kernel):
    """How far the outputs of a layer are from orthogonal to each other, however long each of them is.

        1/2 |W W^T o (1 - I)|^2 = sum over pairs i < j of (w_i . w_j)^2        (Brock et al. 2019, equation 3)

    A row w_i of W has the weights of one output.  The slope is 2 (W W^T o (1 - I)) W.

    Args:
        kernel: float tensor (..., outputs).

    Returns:
        float32 scalar, at least 0.
    """
    columns = ops.reshape(_float32(kernel), (-1, kernel.shape[-1]))
    products = ops.matmul(ops.transpose(columns), columns)
    return 0.5 * ops.sum(ops.square(products * (1 - ops.eye(kernel.shape[-1], dtype=products.dtype))))


def _crossentropy(targets, logits):
    logits = _float32(logits)
    targets = tf.broadcast_to(tf.cast(targets, logits.dtype), tf.shape(logits))
    return tf.nn.sigmoid_cross_entropy_with_logits(targets, logits)


def _over_example(reduce, values):
    return reduce(values, axis=tuple(range(1, len(values.shape))))


def _float32(tensor):
    # float16 holds 11 bits: a sum over a thousand pixels would lose the small terms.  float64 is for checks by finite
    # differences, and stays.
    return tensor if tf.is_tensor(tensor) and tensor.dtype == tf.float64 else ops.cast(tensor, "float32")
