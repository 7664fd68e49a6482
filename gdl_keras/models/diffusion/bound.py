"""How many nats an image takes at most: diffusion as a code of a thousand small messages.

    -log p(x)  <=  KL(q(z_T | x) || N(0, I))                                          all but nothing is left of x
                 + sum_i  (SNR_{i-1} - SNR_i) / 2  E |x - denoise(z_i)|^2             from each level to the next
                 + E[-log p(x | z_0)]                                                 which bytes those were

with SNR = signal^2 / noise^2.  The middle sum is estimated at a few levels, drawn one from each of as many parts.  The
last step compares the bytes that there are, so the whole is the likelihood of bytes, not a density.

Papers: Ho et al. 2020, arXiv:2006.11239, equation 5; Kingma et al. 2021, Variational diffusion models,
arXiv:2107.00630, equations 11 to 15.
"""

import tensorflow as tf

from gdl_keras.samplers.denoising import SCHEDULES

LEVELS = 1000
# Levels of each image at which the network is asked.
DRAWS = 4
BYTES = 256


def variational_bound(model, images, noise):
    """An upper bound on -log p of images: float32 tensor (n,), nats.

    Args:
        model: a `Diffusion`.  One that knows classes is asked for any.
        images: float32 tensor (n, height, width, channels), bytes over 255.
        noise: `SampleNoise` for n samples.
    """
    times = tf.linspace(1.0 / LEVELS, 1.0, LEVELS + 1)
    signals, noises = SCHEDULES[model.schedule](times)
    x, count = model.standardized(images), images.shape[0]
    labels = None if model.num_classes is None else tf.fill((count,), model.num_classes)
    prior = _kl_to_normal(signals[-1] * x, noises[-1])
    z = signals[0] * x + noises[0] * noise.normal(0, model.image_shape)
    total = prior + byte_loss(model, images, z, signals[0], noises[0])
    for draw in range(DRAWS):
        share = (draw + noise.uniform(2 * draw + 1)) / DRAWS
        level = 1 + tf.cast(share * LEVELS, "int32")
        signal, rate, signal_before, rate_before = (
            tf.gather(values, at) for at in (level, level - 1) for values in (signals, noises)
        )
        epsilon = noise.normal(2 * draw + 2, model.image_shape)
        z = signal[:, None, None, None] * x + rate[:, None, None, None] * epsilon
        missed = tf.reduce_sum(tf.square(x - model.denoise(z, signal, rate, labels)), axis=(1, 2, 3))
        gained = tf.square(signal_before / rate_before) - tf.square(signal / rate)
        total += LEVELS / DRAWS * 0.5 * gained * missed
    return total


def byte_loss(model, images, z, signal, noise):
    """-log p(bytes | z), a softmax over all bytes of how likely z is if they were the image: float32 tensor (n,)."""
    nats = []
    for image, seen in zip(tf.unstack(images), tf.unstack(z)):
        values = tf.reshape(tf.range(BYTES, dtype="float32") / (BYTES - 1), (-1, 1, 1, 1))
        logits = -0.5 * tf.square((seen - signal * model.standardized(values)) / noise)
        number = tf.cast(tf.round(image * (BYTES - 1)), "int32")
        log_probabilities = tf.nn.log_softmax(tf.transpose(logits, (1, 2, 3, 0)))
        nats.append(-tf.reduce_sum(tf.gather(log_probabilities, number, batch_dims=3)))
    return tf.stack(nats)


def _kl_to_normal(mean, deviation):
    """KL(N(mean, deviation^2 I) || N(0, I)): float32 tensor (n,)."""
    each = tf.square(mean) + tf.square(deviation) - 1 - 2 * tf.math.log(deviation)
    return 0.5 * tf.reduce_sum(each, axis=(1, 2, 3))
