"""Projection: the style whose image is nearest to a given one, found by descent.

An image that the generator made has such a style; how near one comes to an image that it did not make says what the
generator can make at all.  (Karras et al. 2020, arXiv:1912.04958, appendix D, with a distance that needs no network.)
"""

import math

import keras
import numpy as np
import tensorflow as tf

from gdl_keras.errors import InputError, check_whole
from gdl_keras.layers.upfirdn2d import TAPS, low_pass, upfirdn2d

# Of so many points the one with the nearest image is where the descent begins.
POINTS = 200
# Up to which share of the steps the rate rises, and over which it falls at the end; over which noise falls.
RISE, FALL, NOISY = 0.05, 0.25, 0.75
# Images are compared as they are and smaller and smaller, down to this size.
SMALLEST = 4


def project(model, images, labels=None, *, steps=300, learning_rate=0.1, noise=0.05, every_layer=False, seed=0):
    """Styles whose images are near to given ones, and those images.

        minimise  sum over sizes(mean squared error)    by Adam, from the nearest of some random styles on

    At first styles are shaken by noise, as far as they lie apart times `noise`, which falls to nothing.

    Args:
        model: a `StyleModel`; its average makes the images.
        images: float array (n, *image_shape) in [0, 1].
        labels: of a conditional model, array of length n.
        steps: int.
        learning_rate: float, the highest; it rises at the start and falls at the end.
        noise: float.
        every_layer: whether each layer has a style of its own, which reaches further, and to images that no latent
            point has.
        seed: int, of the noise.

    Returns:
        (styles (n, layers, style_dim), images (n, *image_shape)), float32 arrays.

    Raises:
        InputError: the images are not of the model's size.
    """
    check_whole("How many steps a projection takes", steps, 1)
    images = tf.convert_to_tensor(images, "float32")
    wanted = model.synthesis.outputs[0].shape[1:]
    if images.shape[1:] != wanted:
        raise InputError(
            f"The model makes images of {tuple(wanted)}, and those to project are {tuple(images.shape[1:])}."
        )
    targets = at_all_sizes(images)
    start, spread = nearest_styles(model, targets, labels)
    styles = tf.Variable(start if every_layer else start[:, :1])
    optimizer = keras.optimizers.Adam(learning_rate, beta_1=0.9, beta_2=0.999)
    optimizer.build([styles])

    @tf.function
    def step(number, share, rate):
        optimizer.learning_rate = rate
        shaken = tf.random.stateless_normal(tf.shape(styles), tf.stack([seed, number]))
        shaken *= noise * spread * tf.maximum(0.0, 1 - share / NOISY) ** 2
        with tf.GradientTape() as tape:
            made = model.unclipped_images_of(as_layers(styles + shaken, model.num_layers))
            # What is cut off makes no error where the target was, and keeps its slope where it does.
            made += tf.stop_gradient(tf.clip_by_value(made, 0.0, 1.0) - made)
            loss = tf.reduce_sum((at_all_sizes(made) - targets) ** 2)
        optimizer.apply_gradients([(tape.gradient(loss, styles), styles)])

    for number in range(steps):
        share = number / steps
        rate = learning_rate * min(1.0, (share + 1 / steps) / RISE) * fall(share)
        step(tf.constant(number), tf.constant(share, tf.float32), tf.constant(rate, tf.float32))
    found = as_layers(styles, model.num_layers)
    return np.asarray(found), np.asarray(model.images_of(found))


def nearest_styles(model, targets, labels=None):
    """For each image the one of `POINTS` random styles, of its label, whose image is nearest to it.

    Args:
        model, labels: as in `project`.
        targets: tensor (n, numbers), images as `at_all_sizes` has them.

    Returns:
        float32 array (n, layers, style_dim), and how far styles lie apart, the root of their mean square.
    """
    latents = model.sample_latents(POINTS, seed=0)
    kinds, of_kind = [None], np.zeros(len(targets), int)
    if labels is not None:
        kinds, of_kind = np.unique(np.asarray(labels), axis=0, return_inverse=True)
    nearest, variances = np.zeros((len(targets), model.num_layers, model.style_dim), "float32"), []
    for number, kind in enumerate(kinds):
        given = {} if kind is None else {"labels": np.repeat(kind[None], POINTS, axis=0)}
        styles = np.asarray(model.styles_of(latents, **given))
        made = np.asarray(at_all_sizes(tf.constant(model.generate(latents=latents, **given))))
        variances.append(styles[:, 0].var(axis=0).mean())
        for index in np.flatnonzero(of_kind == number):
            nearest[index] = styles[np.argmin(np.sum((made - targets[index]) ** 2, axis=1))]
    return nearest, np.sqrt(np.mean(variances))


def as_layers(styles, num_layers):
    """Styles (n, 1 or layers, style_dim) as those of all layers: (n, layers, style_dim)."""
    return tf.broadcast_to(styles, (tf.shape(styles)[0], num_layers, styles.shape[-1]))


def at_all_sizes(images):
    """The images, the same halved, halved again and so on, such that squared distances are sums of mean squared errors.

    Returns:
        float32 tensor (n, numbers).
    """
    parts = []
    while True:
        numbers = math.prod(images.shape[1:])
        parts.append(tf.reshape(images, (-1, numbers)) / numbers**0.5)
        if images.shape[1] <= SMALLEST:
            return tf.concat(parts, axis=1)
        images = upfirdn2d(images, low_pass(TAPS), down=2)


def fall(share):
    """The factor of the rate at a share of the steps: 1, and over the last ones a cosine down to 0."""
    return 0.5 - 0.5 * np.cos(np.pi * min(1.0, (1 - share) / FALL))
