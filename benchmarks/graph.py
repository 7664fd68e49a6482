"""Floating-point operations of convolutions and matrix products, counted in TensorFlow's graph of a training step."""

import math

import tensorflow as tf


def graph_operations(model, data):
    """Operations of convolutions and dense layers in TensorFlow's graph of `train_step` on the first of the batches."""
    batch = tf.nest.map_structure(lambda array: tf.TensorSpec(array.shape[1:], array.dtype), data)
    graph = tf.function(model.train_step).get_concrete_function(batch).graph
    waiting = [*graph.control_outputs, *(tensor.op for tensor in graph.outputs)]
    # What nothing depends on is not run.
    seen = set()
    while waiting:
        operation = waiting.pop()
        if operation not in seen:
            seen.add(operation)
            waiting += [*operation.control_inputs, *(tensor.op for tensor in operation.inputs)]
    return sum(_operations(operation) for operation in seen)


def _operations(operation):
    inputs, output = operation.inputs, operation.outputs[0] if operation.outputs else None
    if operation.type == "Conv2D":
        return 2 * math.prod(output.shape[:-1]) * math.prod(inputs[1].shape)
    if operation.type == "Conv2DBackpropInput":
        return 2 * math.prod(inputs[2].shape[:-1]) * math.prod(inputs[1].shape)
    if operation.type == "Conv2DBackpropFilter":
        return 2 * math.prod(inputs[2].shape[:-1]) * math.prod(output.shape)
    if operation.type == "MatMul":
        inner = inputs[0].shape[0 if operation.get_attr("transpose_a") else 1]
        return 2 * math.prod(output.shape) * inner
    return 0
