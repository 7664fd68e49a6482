"""GELU in training: the value and slope of Keras's, wherever it runs."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.layers.gelu import gelu

X = np.concatenate([np.linspace(-12, 12, 4001), [-1e4, -0.0, 0.0, 1e-30, 1e4]]).astype("float32")


def value_and_slope(function, x=X, dtype="float32"):
    x = tf.constant(x, dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    slope = tape.gradient(y, x, output_gradients=tf.cast(tf.linspace(-2.0, 2.0, len(X)), dtype))
    assert (y.dtype, slope.dtype) == (x.dtype, x.dtype)
    return np.asarray(y, "float64"), np.asarray(slope, "float64")


def trained(x):
    return gelu(x, training=True)


def test_the_value_is_that_of_the_definition():
    expected = [x * 0.5 * math.erfc(-x / math.sqrt(2)) for x in X.astype("float64")]
    np.testing.assert_allclose(value_and_slope(trained)[0], expected, rtol=2e-7, atol=1e-6)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("bfloat16", 2e-2), ("float16", 2e-3)])
def test_value_and_slope_are_those_of_keras(dtype, tolerance):
    ours = value_and_slope(trained, dtype=dtype)
    theirs = value_and_slope(lambda x: keras.activations.gelu(x, approximate=False))
    for mine, other in zip(ours, theirs):
        np.testing.assert_allclose(mine, other, rtol=tolerance, atol=tolerance)


def test_outside_training_it_is_keras_to_the_bit():
    for mine, other in zip(value_and_slope(gelu), value_and_slope(lambda x: keras.activations.gelu(x, False))):
        np.testing.assert_array_equal(mine, other)


def test_the_slope_is_right_in_float64_differences():
    x, step = X[:4001].astype("float64"), 1e-6
    exact = np.array([0.5 * math.erfc(-v / math.sqrt(2)) * v for v in np.concatenate([x + step, x - step])])
    difference = (exact[:4001] - exact[4001:]) / (2 * step) * np.linspace(-2, 2, len(X))[:4001]
    np.testing.assert_allclose(value_and_slope(trained)[1][:4001], difference, atol=2e-6)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_it_works_within_a_compiled_step(jit_compile):
    eager = value_and_slope(trained)
    compiled = tf.function(lambda x: trained(x) * 2, jit_compile=jit_compile)
    np.testing.assert_allclose(value_and_slope(compiled), np.multiply(eager, 2), rtol=1e-6, atol=1e-6)


def test_its_slope_has_a_slope():
    x = tf.constant(X[:4001])
    second = []
    for function in (trained, lambda x: keras.activations.gelu(x, approximate=False)):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = function(x)
            slope = inner.gradient(y, x)
        second.append(outer.gradient(slope, x))
    np.testing.assert_allclose(*second, atol=1e-5)


def test_a_graph_has_it_as_two_compiled_operations():
    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = trained(x)
        return tape.gradient(y, x)

    calls = [o for o in step.get_concrete_function(tf.constant(X)).graph.get_operations() if "Call" in o.type]
    assert [operation.get_attr("_XlaMustCompile") for operation in calls] == [True, True]


def test_where_there_is_a_gpu_the_whole_step_is_compiled_not_it(monkeypatch):
    monkeypatch.setattr("gdl_keras.layers.gelu.on_gpu", lambda: True)
    graph = tf.function(trained).get_concrete_function(tf.constant(X)).graph
    assert not [operation for operation in graph.get_operations() if "Call" in operation.type]
