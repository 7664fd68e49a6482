"""What engines on Keras and TensorFlow share: batches on the device, and the training function that `fit` calls."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import time

import keras
import numpy as np
import tensorflow as tf
from cases import PREPARED_BATCHES, prepared_data

COMPILE_OPTIONS = {"xla": ("jit_compile", True), "no_xla": ("jit_compile", False), "ten": ("steps_per_execution", 10)}


class TensorFlowEngine:
    """Trains through `model.train_function(iterator)`: what `fit` calls for each step, without its callbacks.

    On a GPU the batches lie in its memory, and the iterator tells which is next; with "fed" they come from the
    processor's, as `fit` gets them.

    A subclass writes `build(options)`: (compiled model, {name: network}, operations per real image), where `options`
    are those of `compile` that the race sets.

    Args:
        case: `Case`.
        policy: the dtype policy.
        options: names of settings, as in `Entry`.
    """

    def __init__(self, case, policy, options=()):
        keras.utils.set_random_seed(0)
        keras.config.set_dtype_policy(policy)
        self.case = case
        if case.device == "gpu" and not tf.config.list_physical_devices("GPU"):
            raise RuntimeError("TensorFlow finds no GPU")
        of_compile = [COMPILE_OPTIONS[name] for name in options if name in COMPILE_OPTIONS]
        self.model, self.networks, self.work = self.build(dict(of_compile))
        self.on_device = case.device == "gpu" and "fed" not in options
        self.parameters = {
            name: sum(weight.shape.num_elements() for weight in network.trainable_variables)
            for name, network in self.networks.items()
        }
        self.batches = None
        self.steps_per_call = self.model.steps_per_execution

    def data(self):
        """All batches, as `fit` wants them: images, or (images, labels)."""
        images, labels = prepared_data(self.case)
        return images if labels is None else (images, labels)

    def train(self, steps):
        """Trains for so many steps, or for the next multiple of those that run at once; returns the metrics."""
        if self.batches is None:
            self.batches = iter(self._device_batches() if self.on_device else self._host_batches())
            self.model.make_train_function()
        for _ in range(0, steps, self.steps_per_call):
            logs = self.model.train_function(self.batches)
        # A weight that the last step has moved: to read it waits for all steps.
        np.asarray(self.model.trainable_variables[-1])
        return {name: float(value) for name, value in logs.items()}

    def _host_batches(self):
        batches = tf.data.Dataset.from_tensor_slices(self.data()).repeat()
        return batches.prefetch(tf.data.AUTOTUNE) if self.case.device == "gpu" else batches

    def _device_batches(self):
        data = tf.nest.map_structure(tf.constant, self.data())
        train_step = self.model.train_step

        @tf.autograph.experimental.do_not_convert
        def on_batch(index):
            return train_step(tf.nest.map_structure(lambda array: tf.gather(array, index), data))

        self.model.train_step = on_batch
        return tf.data.Dataset.range(PREPARED_BATCHES).repeat()

    def peak(self, size=4096, rounds=5):
        """Speed of a product of two square float32 matrices, operations a second: the best of some rounds."""
        matrix = tf.random.normal((size, size))
        product = tf.function(tf.matmul)
        float(product(matrix, matrix)[0, 0])
        seconds = []
        for _ in range(rounds):
            start = time.perf_counter()
            float(product(matrix, matrix)[0, 0])
            seconds.append(time.perf_counter() - start)
        return 2 * size**3 / min(seconds)
