"""Our leaky rectifier: that of Keras, without the pass of zeros in a gradient penalty."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras import losses
from gdl_keras.layers import ZeroCurvatureLeakyReLU


def critic_with(activation):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(4, 4, strides=2, padding="same"),
            activation(0.2),
            keras.layers.Conv2D(4, 4, strides=2, padding="same"),
            activation(0.2),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )


def penalty_gradients(critic):
    images = tf.random.stateless_normal((5, 8, 8, 1), seed=(0, 1))
    with tf.GradientTape() as tape:
        penalty = tf.reduce_mean(losses.gradient_penalty(critic, images, images, tf.ones((5, 1, 1, 1)))[0])
    # Biases have no part in the slope: Keras' layer says 0, ours None.
    variables = [variable.value for variable in critic.trainable_variables]
    return tape.gradient(penalty, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_value_and_slope_are_those_of_the_formula(dtype):
    x = tf.constant([-3.0, -0.5, 0.5, 2.0], dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = ZeroCurvatureLeakyReLU(0.25, dtype=dtype)(x)
    np.testing.assert_array_equal(y, [-0.75, -0.125, 0.5, 2.0])
    np.testing.assert_array_equal(tape.gradient(y, x), [0.25, 0.25, 1.0, 1.0])


def test_a_gradient_penalty_has_the_gradient_that_it_has_with_keras():
    ours, theirs = (penalty_gradients(critic_with(layer)) for layer in (ZeroCurvatureLeakyReLU, keras.layers.LeakyReLU))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_nothing_goes_back_through_the_forward_pass():
    """Of two convolutions, the penalty's gradient needs two gradients of kernels; with zeros passed back, four."""

    def convolutions(activation):
        critic = critic_with(activation)
        graph = tf.function(lambda: penalty_gradients(critic)).get_concrete_function().graph
        reachable, waiting = set(), [tensor.op for tensor in graph.outputs]
        while waiting:
            operation = waiting.pop()
            if operation not in reachable:
                reachable.add(operation)
                waiting += [tensor.op for tensor in operation.inputs]
        return sum(operation.type == "Conv2DBackpropFilter" for operation in reachable)

    assert convolutions(ZeroCurvatureLeakyReLU) == 2
    assert convolutions(keras.layers.LeakyReLU) > 2


def test_saved_and_loaded():
    layer = ZeroCurvatureLeakyReLU(0.1)
    assert ZeroCurvatureLeakyReLU.from_config(layer.get_config()).get_config() == layer.get_config()
