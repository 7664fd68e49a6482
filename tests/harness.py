"""What every model of the project must do, checked in one place.

A model joins by a `ModelCase` in `tests/cases.py`; `tests/test_every_model.py` puts each case through the plain checks,
and `tests/test_every_combination.py` one case of each base class through all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import keras
import numpy as np
import pytest
import tensorflow as tf

POLICIES = ("float32", "mixed_float16", "mixed_bfloat16")


@dataclass(eq=False)
class ModelCase:
    """How to make a tiny model and data for it.  What is asked of it follows from what it is: `is_a`, `conditions`.

    Attributes:
        name: shown in the test's name.
        build: () -> compiled model with a fixed seed; called afresh for each model that a check needs.
        data: () -> array (n, ...) or a tuple of them that `fit` takes; 16 examples are enough.
        draws_noise: whether training does; where not, two replicas must equal one device.
        stands_for_its_base: whether it goes through every precision policy, replica count and resumed run as well, for
            all models of its base class; one case of each base class does.
        variant: a further setting of a model that has a case already: checked in the long tests only.
        still: how the paths of trainable weights end that no loss depends on, such as the bias of a critic's score.
    """

    name: str
    build: Callable
    data: Callable
    draws_noise: bool = True
    stands_for_its_base: bool = False
    variant: bool = False
    still: tuple = ()

    def __str__(self):
        return self.name


def long(*values, when=True):
    """Parameters of a test, in the long tests alone where `when` is true."""
    return pytest.param(*values, marks=[pytest.mark.full] if when else [])


def with_adam(model):
    """The model, compiled with the Adam whose step is traced in half the time of Keras's.

    Those of `cgan` and `lstm`, which stand for their bases, are Keras's own.
    """
    from gdl_keras.optimizers import FusedAdam

    model.compile(FusedAdam())
    return model


def dataset(case, batch_size=8):
    """The case's data as batches, in a fixed order, for ever."""
    return tf.data.Dataset.from_tensor_slices(case.data()).batch(batch_size, drop_remainder=True).repeat()


def examples(case):
    """The case's data without what goes along with it: array (n, ...)."""
    data = case.data()
    return data[0] if isinstance(data, tuple) else data


def train(case, model, epochs, **options):
    """Fits for two steps an epoch; returns {name: [a number an epoch]}."""
    return model.fit(dataset(case), epochs=epochs, steps_per_epoch=2, verbose=0, shuffle=False, **options).history


def many_steps(model, array, steps):
    """Trains on one batch, over and over."""
    batches = tf.data.Dataset.from_tensors(array).repeat()
    model.fit(batches, steps_per_epoch=steps, verbose=0, shuffle=False)


def build(case):
    """The case's model, made from the same seeds each time."""
    keras.utils.set_random_seed(0)
    return case.build()


@cache
def untouched(case):
    """The case's model as it is built, one for all checks that neither train it nor set anything in it."""
    return build(case)


def weights(model):
    """All numbers that decide what the model does next: weights, optimizers, random numbers."""
    values = [np.asarray(v) for v in model.variables]
    values += [np.asarray(v) for optimizer in model.optimizers.values() for v in optimizer.variables]
    return values + [np.asarray(g.state) for g in model._all_seed_generators()]


def conditions(model, n):
    """What `generate` needs of a conditional model: keyword arguments for `n` samples."""
    return model.conditions.in_turn(n) if hasattr(model, "conditions") else {}


def sample(model, n, **options):
    """`n` samples, of a conditional model all classes in turn; of a model that makes nothing, none."""
    return model.generate(n, **conditions(model, n), **options) if hasattr(model, "generate") else np.zeros(0)


def assert_same(first, second):
    """Both lists of arrays are equal, bit for bit."""
    assert len(first) == len(second)
    for a, b in zip(first, second):
        np.testing.assert_array_equal(a, b)


def assert_finite(history):
    """Every number of a history is finite."""
    assert history
    for name, values in history.items():
        assert np.isfinite(values).all(), f"{name}: {values}"
