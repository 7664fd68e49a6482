"""What engines on Keras and TensorFlow share: batches on the device, and the training function that `fit` calls."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import time

import keras
import tensorflow as tf
from cases import prepared_data

STEPS_PER_EXECUTION = 10


class TensorFlowEngine:
    """Trains through `model.train_function(iterator)`: what `fit` calls for each step, without its callbacks.

    A subclass writes `build(xla, steps_per_execution)`: (compiled model, {name: network}, operations per real image).

    Args:
        case: `Case`.
        policy: the dtype policy.
        options: names of settings, as in `Entry`.
    """

    def __init__(self, case, policy, options=()):
        keras.utils.set_random_seed(0)
        keras.config.set_dtype_policy(policy)
        self.case = case
        steps_per_execution = STEPS_PER_EXECUTION if "ten" in options else 1
        self.model, self.networks, self.work = self.build("xla" in options, steps_per_execution)
        self.parameters = {
            name: sum(weight.shape.num_elements() for weight in network.trainable_variables)
            for name, network in self.networks.items()
        }
        self.batches = None

    def data(self):
        """All batches, as `fit` wants them: images, or (images, labels)."""
        images, labels = prepared_data(self.case)
        return images if labels is None else (images, labels)

    def train(self, steps):
        """Trains for so many steps, or for the next multiple of those that run at once; returns the metrics."""
        if self.batches is None:
            self.model.make_train_function()
            self.batches = iter(tf.data.Dataset.from_tensor_slices(self.data()).repeat())
        for _ in range(0, steps, self.model.steps_per_execution):
            logs = self.model.train_function(self.batches)
        return {name: float(value) for name, value in logs.items()}

    def peak(self, size=4096, rounds=5):
        """Speed of a product of two square float32 matrices, operations a second: the best of some rounds."""
        matrix = tf.random.normal((size, size))
        product = tf.function(tf.matmul)
        product(matrix, matrix)
        seconds = []
        for _ in range(rounds):
            start = time.perf_counter()
            product(matrix, matrix).numpy()
            seconds.append(time.perf_counter() - start)
        return 2 * size**3 / min(seconds)
