"""Our layer normalisation: that of Keras, its gradient included."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.layers import TokenNormalization

TOLERANCE = {"float64": 1e-10, "float32": 1e-4, "mixed_float16": 2e-2}


def value_and_gradients(layer, x):
    layer.build(x.shape)
    for weight, start in zip(layer.trainable_variables, (1.0, 0.0)):
        weight.assign(start + np.linspace(-0.5, 0.5, x.shape[-1]))
    x = tf.constant(x, layer.compute_dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
        loss = tf.reduce_sum(tf.sin(tf.cast(y, tf.float64)))
    slopes = tape.gradient(loss, [x, *(weight.value for weight in layer.trainable_variables)])
    return [np.asarray(tensor, "float64") for tensor in (y, *slopes)], y.dtype


@pytest.mark.parametrize("policy", TOLERANCE)
@pytest.mark.parametrize("shape", [(3, 4, 6), (5, 6)])
def test_value_and_gradients_are_those_of_keras(policy, shape):
    x = np.random.default_rng(0).normal(1.0, 2.0, shape)
    (ours, dtype), (theirs, their_dtype) = (
        value_and_gradients(layer(epsilon=1e-5, dtype=policy), x)
        for layer in (TokenNormalization, keras.layers.LayerNormalization)
    )
    assert dtype == their_dtype
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.shape == other.shape
        np.testing.assert_allclose(mine, other, atol=TOLERANCE[policy], rtol=TOLERANCE[policy])


def test_the_gradient_is_the_slope_of_the_value():
    rng = np.random.default_rng(1)
    layer, x, direction = TokenNormalization(dtype="float64"), rng.normal(size=(2, 3, 5)), rng.normal(size=(2, 3, 5))
    (_, slope, *_), _ = value_and_gradients(layer, x)

    def loss(step):
        return np.sin(layer(tf.constant(x + step * direction))).sum()

    finite = (loss(1e-5) - loss(-1e-5)) / 2e-5
    np.testing.assert_allclose((slope * direction).sum(), finite, rtol=1e-6)
