"""Gradients of gradients: finite differences in float64, for every critic, and for layers of Keras."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from gdl_keras import losses
from gdl_keras.layers import SpectralNormalization, warn_about_second_order
from gdl_keras.models import cgan, hinge_gan, wgan_gp


@pytest.fixture(autouse=True)
def float64():
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")


def small(*middle):
    """A critic of two convolutions with a layer between them."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, padding="same", activation="softplus"),
            *middle,
            layers.Conv2D(3, 3, padding="same", activation="softplus"),
            layers.Flatten(),
            layers.Dense(1),
        ],
        name="critic",
    )


def spectral():
    return SpectralNormalization(layers.Conv2D(4, 3, padding="same", activation="softplus"))


def relative_error(critic, *labels):
    """Of the penalty's gradient with respect to all weights, along a random direction, to central differences."""
    rng = np.random.default_rng(0)
    reals, fakes = (tf.constant(rng.uniform(size=(3, 8, 8, 1))) for _ in range(2))
    mix = tf.constant(rng.uniform(size=(3, 1, 1, 1)))
    weights = critic.trainable_variables
    start = [np.asarray(w) for w in weights]
    direction = [rng.normal(size=w.shape) for w in weights]

    def score(images):
        return critic([images, *labels] if labels else images, training=False)

    def penalty():
        return tf.reduce_mean(losses.gradient_penalty(score, reals, fakes, mix)[0])

    def penalty_at(distance):
        for weight, value, step in zip(weights, start, direction):
            weight.assign(value + distance * step)
        return float(penalty())

    with tf.GradientTape() as tape:
        loss = penalty()
    gradients = tape.gradient(loss, [w.value for w in weights], unconnected_gradients=tf.UnconnectedGradients.ZERO)
    computed = sum(float(tf.reduce_sum(g * d)) for g, d in zip(gradients, direction))
    distance = 1e-6
    measured = (penalty_at(distance) - penalty_at(-distance)) / (2 * distance)
    return abs(computed - measured) / abs(measured)


def converged(critic):
    """Spectral normalisation takes its two vectors for constants, which is exact where they are the singular ones."""
    for layer in critic.layers:
        if isinstance(layer, SpectralNormalization):
            kernel = np.asarray(layer.layer.kernel)
            layer.vector.assign(np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]))[2][:1].T)
    return critic


CRITICS = {
    "wgan_gp": lambda: (wgan_gp.build_critic((8, 8, 1), (4, 4)),),
    "cgan": lambda: (cgan.build_critic((8, 8, 1), 3, (4, 4)), tf.constant([0, 2, 1], "int64")),
    "cgan, attributes": lambda: (
        cgan.build_critic((8, 8, 1), 2, (4, 4), attributes=True),
        tf.constant([[0.0, 1], [1, 1], [0, 0]], "float64"),
    ),
    "residual": lambda: (hinge_gan.build_discriminator((8, 8, 1), filters=4, units=4, spectral=False),),
    "residual, spectral": lambda: (converged(hinge_gan.build_discriminator((8, 8, 1), filters=4, units=4)),),
    "spectral normalization in place of another": lambda: (converged(small(spectral())),),
    "nearest up-sampling, pooling": lambda: (small(layers.UpSampling2D(2), layers.AveragePooling2D(2)),),
}


@pytest.mark.parametrize("name", CRITICS)
def test_penalty_has_the_right_gradient_and_no_warning(name):
    critic, *labels = CRITICS[name]()
    assert relative_error(critic, *labels) < 1e-5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_about_second_order(critic)


WRONG = {
    "LayerNormalization": lambda: layers.LayerNormalization(name="culprit"),
    "GroupNormalization": lambda: layers.GroupNormalization(2, name="culprit"),
    "BatchNormalization": lambda: layers.BatchNormalization(name="culprit"),
    "UpSampling2D": lambda: layers.UpSampling2D(2, interpolation="bilinear", name="culprit"),
    "Resizing": lambda: layers.Resizing(16, 16, name="culprit"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("nested", [False, True], ids=["direct", "nested"])
def test_critic_of_the_wrong_layers_is_warned_of_by_name(name, nested):
    layer = WRONG[name]()
    critic = small(keras.Sequential([layer]) if nested else layer)
    with pytest.warns(UserWarning, match=f"'culprit' \\({name}\\).*[Uu]se "):
        warn_about_second_order(critic)


def test_the_check_finds_the_fault_of_keras_layer_normalization():
    """The control: what the warning is about is real.  If this fails, Keras has mended it."""
    assert relative_error(small(layers.LayerNormalization())) > 1e-3


def test_warning_comes_when_the_model_is_made():
    keras.config.set_floatx("float32")  # which models insist on
    keras.config.set_dtype_policy("float32")
    with pytest.warns(UserWarning, match="culprit"):
        wgan_gp.WGANGP(wgan_gp.build_generator((8, 8, 1), 2, (4, 4)), small(layers.LayerNormalization(name="culprit")))
