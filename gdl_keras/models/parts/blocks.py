"""Many training steps in one call, on data that lies on the GPU.

A fast card has done a step before Python has asked for the next one.  Here the examples lie on the card as they are
stored, a byte a pixel, and one call takes a block of steps: each gathers its batch there, by numbers of examples that
come in the very order of `Table.batches`, and brings it into the form that networks take.  What Keras' loop, callbacks
and progress bar do happens once a block.
"""

import math
from functools import partial

import numpy as np
import tensorflow as tf

from gdl_keras.backend import on_gpu
from gdl_keras.models.parts.xla import CompiledByXLA

# Steps a call.  The last block of an epoch is shorter.
STEPS = 20
# Larger data stays in the computer's memory, and comes batch by batch.
LARGEST = 2**30


class LearnsInBlocks(CompiledByXLA):
    """A `keras.Model` whose `fit` takes a block of steps a call where a GPU holds the data."""

    _blocks = None
    # What was compiled for the last table, {form of its columns: function}: the next one may have the same.
    _takes_blocks = {}

    def in_blocks(self, table, steps_per_epoch, joined, first_epoch):
        """The stream that `fit` gets in the place of the table's batches, up to `leave_blocks`.

        Args:
            table: a `Table`.
            steps_per_epoch: int, steps of the model in an epoch.
            joined: int, batches of the table that a step gets as one.
            first_epoch: int, from 0 on.
        """
        self._blocks = Blocks(self, table, steps_per_epoch, joined)
        self.steps_per_execution = STEPS
        return self._blocks.stream(first_epoch)

    def leave_blocks(self):
        """At the end of `fit`."""
        if self._blocks is not None:
            self._blocks = self.train_function = None
            self.steps_per_execution = 1

    def trace_anew(self):
        # What was compiled for the last table outlives its `fit`, and knows the settings of that time.
        self._takes_blocks = {}
        super().trace_anew()

    def make_train_function(self, force=False):
        if self._blocks is None:
            super().make_train_function(force)
        else:
            # Keras asks for it as soon as its loop knows the steps of a call; those of validation are single ones.
            self.steps_per_execution = 1
            columns = self._blocks.columns
            form = tuple((column.dtype, column.divisor) for column in columns)
            if force or form not in self._takes_blocks:
                anew = partial(takes_blocks, self, columns)
                self._takes_blocks = {form: self.with_a_way_out(anew(), anew)}
            self.train_function = self._blocks.train_function(self._takes_blocks[form])


class Blocks:
    """A table's columns on the device, and the blocks of an endless stream of its batches.

    Args:
        model: a `TapeModel`, compiled.
        table: a `Table`.
        steps_per_epoch: int, how many steps of the model an epoch has.
        joined: int, batches that a step gets as one.
    """

    def __init__(self, model, table, steps_per_epoch, joined):
        self.columns = [table.column(name) for name in model.learns_from]
        self.stored = [tf.constant(column.values[:]) for column in self.columns]
        self.steps_per_epoch = steps_per_epoch
        self.joined = joined
        self._order = table.order()

    def stream(self, first_epoch):
        """An endless `tf.data.Dataset` of blocks: numbers of examples, int32 (STEPS, batch), and how many steps."""
        per_epoch = math.ceil(self.steps_per_epoch / STEPS)

        def numbers(block):
            epoch, part = divmod(int(block), per_epoch)
            count = min(STEPS, self.steps_per_epoch - part * STEPS)
            first = (epoch * self.steps_per_epoch + part * STEPS) * self.joined
            batches = [self._order.indices(first + batch) for batch in range(count * self.joined)]
            rows = np.concatenate(batches).reshape(count, -1)
            filled = np.zeros((STEPS, rows.shape[1]), "int32")
            filled[:count] = rows
            return filled, np.int32(count)

        def load(block):
            filled, count = tf.numpy_function(numbers, [block], [tf.int32, tf.int32], stateful=False)
            return tf.ensure_shape(filled, (STEPS, self.joined * self._order.batch_size)), tf.ensure_shape(count, ())

        blocks = tf.data.Dataset.range(first_epoch * per_epoch, np.iinfo(np.int64).max).map(load)
        return blocks.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)).prefetch(2)

    def train_function(self, take):
        """What Keras calls with its iterator, which takes the steps of a block and answers with what they report."""
        return lambda iterator: take(self.stored, *next(iterator))


def takes_blocks(model, columns):
    """What takes a block of steps: a function of (what is stored, numbers of examples, how many steps), compiled.

    It answers with what the steps report, {name: scalar}.

    Args:
        model: a `TapeModel`.
        columns: list of `Column`, of the form that what is stored has.
    """

    @tf.function(jit_compile=model.jit_compile, reduce_retracing=True)
    def take(stored, numbers, count):
        reported = []

        def step(done):
            batch = [column.tensor(tf.gather(values, numbers[done])) for column, values in zip(columns, stored)]
            reported[:] = model.train_step(tuple(batch) if len(batch) > 1 else batch[0])
            return done + 1

        tf.while_loop(lambda done: done < count, step, [tf.constant(0)], parallel_iterations=1)
        return {name: model.reported(name) for name in reported}

    return take


def lies_on_device(model, table):
    """Whether a model learns from a table by blocks: on one GPU that the columns fit on, which XLA compiles for."""
    if not (on_gpu() and model.jit_compile) or tf.distribute.has_strategy() or model.steps_per_execution > 1:
        return False
    values = [table.column(name).values for name in model.learns_from]
    size = sum(math.prod(array.shape) * array.dtype.itemsize for array in values)
    return size <= LARGEST and all(array.dtype.kind in "biuf" for array in values)
