"""A dense layer for what stands at each of many places: that of Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.layers.place_dense import PlaceDense

SHAPES = pytest.mark.parametrize("shape", [(5, 3), (2, 4, 3), (2, 2, 3, 3)])


def pair(shape, **options):
    ours, theirs = (layer(6, bias_initializer="ones", **options) for layer in (PlaceDense, keras.layers.Dense))
    for layer in (ours, theirs):
        layer.build(shape)
    theirs.set_weights(ours.get_weights())
    return ours, theirs


@SHAPES
@pytest.mark.parametrize("options", [{}, {"activation": "relu"}, {"use_bias": False}, {"dtype": "mixed_bfloat16"}])
def test_value_and_gradients_are_those_of_keras(shape, options):
    x, found = tf.random.stateless_normal(shape, (1, 2)), []
    for layer in pair(shape, **options):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            loss = tf.reduce_sum(tf.sin(tf.cast(y, tf.float32)))
        slopes = tape.gradient(loss, [x, *(weight.value for weight in layer.trainable_variables)])
        found.append([np.asarray(tensor, "float32") for tensor in (y, *slopes)])
    tolerance = 3e-2 if "dtype" in options else 1e-5
    for mine, other in zip(*found, strict=True):
        assert mine.shape == other.shape
        np.testing.assert_allclose(mine, other, rtol=tolerance, atol=tolerance)


@SHAPES
def test_shapes_are_known_as_far_as_those_of_what_it_reads(shape):
    for known in (shape[1:], (*(None for _ in shape[2:]), 3)):
        layer = PlaceDense(6)
        assert layer(keras.Input(known)).shape == (None, *known[:-1], 6)
        traced = tf.function(layer.call).get_concrete_function(tf.TensorSpec((None, *known)))
        assert traced.structured_outputs.shape.as_list() == [None, *known[:-1], 6]


def test_the_bias_directly_follows_the_product():
    """What TensorFlow joins to one kernel."""
    layer, _ = pair((2, 4, 3))
    graph = tf.function(layer.call).get_concrete_function(tf.TensorSpec((None, None, 3))).graph
    (addition,) = [operation for operation in graph.get_operations() if operation.type in ("BiasAdd", "AddV2")]
    assert (addition.type, addition.inputs[0].op.type) == ("BiasAdd", "MatMul")
