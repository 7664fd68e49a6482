"""Whether the engines do the same work: operations counted in three ways, and numbers from equal weights.

`python benchmarks/training_steps.py --check` runs it.
"""

import math

import keras
import numpy as np
import tensorflow as tf
import torch
from engines import Entry
from torch.utils.flop_counter import FlopCounterMode

TOLERANCE = 1e-4


def check(cases):
    """Prints the operations per real image, and the largest differences in numbers.

    Raises:
        AssertionError: PyTorch does not do the counted work, the numbers of weights differ, or numbers do.
    """
    differences = {}
    print(f"{'MFLOP/image':14}{'counted':>12}{'TensorFlow':>12}{'PyTorch':>12}")
    for case in cases:
        ours, pytorch = Entry("ours").make(case), Entry("pytorch").make(case)
        assert ours.parameters == pytorch.parameters == Entry("plain").make(case).parameters, case.name
        if case.name in NUMBERS:
            difference = NUMBERS[case.name](ours, pytorch)
            assert difference < TOLERANCE, f"From equal weights, numbers of {case.name} differ by {difference:.1e}"
            differences[case.name] = difference
        graph = graph_operations(ours.model, ours.data()) / case.images_per_step
        counter = FlopCounterMode(display=False)
        with counter:
            pytorch.step(*next(pytorch.data()), pytorch.autocast)
        counted = counter.get_total_flops() / case.images_per_step
        print(f"{case.name:14}{ours.work / 1e6:12,.2f}{graph / 1e6:12,.2f}{counted / 1e6:12,.2f}", flush=True)
        # The matrices of embeddings and of spectral normalisation are a matter of how they are written.
        assert math.isclose(counted, ours.work, rel_tol=1e-4), f"PyTorch's step of {case.name} does other work"
    for name, difference in differences.items():
        print(f"From equal weights, numbers of {name} differ by {difference:.1e} at most.")


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


def _autoencoder_numbers(ours, pytorch):
    """Losses of five steps of gradient descent from equal weights; the two Adams place their epsilon differently."""
    ours.model.compile(keras.optimizers.SGD(1.0))
    parameters = [*pytorch.step.encoder.parameters(), *pytorch.step.decoder.parameters()]
    pytorch.step.optimizer = torch.optim.SGD(parameters, 1.0)
    _copy(ours.networks["encoder"], pytorch.step.encoder, turned=True)
    _copy(ours.networks["decoder"], pytorch.step.decoder, turned=True)
    # Dark images: there is something to learn from the first step on.
    images = ours.data()[0] ** 4
    turned = torch.from_numpy(images[:, ::-1, ::-1].copy()).permute(0, 3, 1, 2)
    differences = []
    for _ in range(5):
        ours.model.reset_metrics()
        loss = float(ours.model.train_step(tf.constant(images))["loss"])
        differences.append(abs(loss - float(pytorch.step(turned, None, pytorch.autocast)["loss"])))
    return max(differences)


def _dcgan_numbers(ours, pytorch):
    """Outputs of both networks with equal weights, in training mode but for dropout."""
    _copy(ours.networks["generator"], pytorch.step.generator)
    _copy(ours.networks["judge"], pytorch.step.judge)
    points = np.random.default_rng(0).standard_normal((8, pytorch.case.latent_dim)).astype("float32")
    fakes = ours.networks["generator"](points, training=True)
    scores = ours.networks["judge"](fakes, training=False)
    with torch.no_grad():
        theirs = pytorch.step.generator(torch.from_numpy(points))
        their_scores = pytorch.step.judge.eval()(theirs)
        theirs = pytorch.step.images(theirs).permute(0, 2, 3, 1)
    return max(np.abs(fakes - theirs.numpy()).max(), np.abs(scores - their_scores.numpy()).max())


def _copy(network, module, turned=False):
    """Gives a PyTorch module the weights of a Keras model; `turned`: for images turned by 180 degrees."""
    with torch.no_grad():
        for weight, parameter in zip(network.trainable_variables, module.parameters(), strict=True):
            array = np.asarray(weight)
            if turned:
                array = _turned(array)
            # Convolutions keep (height, width, a, b) as (b, a, height, width), dense layers are transposed.
            array = array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))


def _turned(array):
    if array.ndim == 4:
        return array[::-1, ::-1]
    # Dense layers before and after the smallest image, 4x4 with 128 channels.
    for axis, size in enumerate(array.shape):
        if size == 4 * 4 * 128:
            shape = array.shape[:axis] + (16, 128) + array.shape[axis + 1 :]
            return np.flip(array.reshape(shape), axis).reshape(array.shape)
    return array


NUMBERS = {"autoencoder": _autoencoder_numbers, "dcgan": _dcgan_numbers}
