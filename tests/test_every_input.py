"""Each model of the project refuses what it cannot learn from, and takes all forms of what it can.

What is wrong for a model follows from the columns that it learns from.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.models.parts.conditions import Attributes
from tests import harness
from tests.test_every_model import every_class_at_length, every_model, of_bases

pytestmark = pytest.mark.eager


def columns(case):
    data = case.data()
    return data if isinstance(data, tuple) else (data,)


def wrong_data(case, model):
    """{a part of the sentence: columns that are refused with it}."""
    first, *rest = columns(case)
    wrong = {"a batch of its own": (first[0], *rest)} if model.example_shape else {}
    if model.learns_from[0] == "images":
        wrong["divide by 255"] = (first * 255, *rest)
        if getattr(model, "final_activation", None) != "linear":  # which learns any numbers but bytes
            wrong["map them"] = (2 * first - 1, *rest)
        wrong["images of shape"] = (first[..., 0], *rest)
    if model.learns_from[0] in ("images", "points"):
        wrong["NaN"] = (np.where(first > np.median(first), np.nan, first), *rest)
    if model.learns_from[0] in ("tokens", "chosen"):
        wrong["vocabulary"] = (first + model.vocabulary_size, *rest)
        wrong["integers"] = (first + 0.5, *rest)
    if model.learns_from[0] == "codes":
        wrong["encode images with that codec"] = (first + model.vocabulary_size, *rest)
        wrong["Codes are integers"] = (first + 0.5, *rest)
    if "labels" in model.learns_from:
        labels = rest[0]
        wrong["give both"] = (first,)
        wrong["16 images and 15 labels"] = (first, labels[:15])
        wrong["these have shape"] = (first, np.zeros((16, model.num_classes + 1)))
        if not isinstance(model.labels_are, Attributes):
            wrong["numbered from 0"] = (first, labels + model.num_classes)
            wrong["no integers"] = (first, labels + 0.5)
    return wrong


@every_model
def test_what_is_wrong_is_refused_before_anything_is_learnt(case):
    model = harness.build(case)
    before = harness.weights(model)
    wrong = wrong_data(case, model)
    assert wrong
    for sentence, given in wrong.items():
        for call in (model.fit, model.evaluate, model.train_on_batch, model.test_on_batch):
            with pytest.raises(InputError, match=sentence):
                call(*given)
        with pytest.raises(InputError, match=sentence):
            model.fit(*columns(case), validation_data=given)
    harness.assert_same(harness.weights(model), before)


@of_bases("mixture", "lstm")
def test_what_is_wrong_in_a_stream_is_refused(case):
    model = harness.build(case)
    before = [np.asarray(weight) for weight in model.trainable_weights]
    for sentence, given in wrong_data(case, model).items():
        if sentence == "a batch of its own" or len({len(column) for column in given}) > 1:
            continue  # no data set can be made of these
        with pytest.raises(InputError, match=sentence):
            model.fit(tf.data.Dataset.from_tensor_slices(given).batch(8), verbose=0)
        batches = (tuple(column[start : start + 8] for column in given) for start in (0, 8))
        with pytest.raises(InputError, match=sentence):
            model.fit(batches, verbose=0)
    harness.assert_same([np.asarray(weight) for weight in model.trainable_weights], before)


def in_precision(case, floats):
    """The case's data as `tf.data`, which Keras leaves in the precision that it has."""
    given = tuple(column.astype(floats) if column.dtype.kind == "f" else column for column in columns(case))
    return tf.data.Dataset.from_tensor_slices(given).batch(8)


@every_class_at_length
def test_a_batch_at_a_time_and_double_precision(case):
    model = harness.build(case)
    histories = [model.fit(in_precision(case, "float64"), verbose=0).history]
    for call in (model.train_on_batch, model.test_on_batch):
        histories.append(call(*columns(case), return_dict=True))
    for history in histories:
        assert np.isfinite([np.ravel(value)[0] for value in history.values()]).all()


@of_bases("vae")
def test_double_precision_teaches_what_single_does(case):
    models = [harness.build(case) for _ in range(2)]
    for model, floats in zip(models, ("float32", "float64")):
        model.fit(in_precision(case, floats), verbose=0)
    harness.assert_same(*map(harness.weights, models))


def test_every_column_that_a_model_learns_from_is_known():
    from gdl_keras.models.parts.examples import INPUTS
    from tests.cases import CASES

    classes = [case for case in CASES if not case.variant]
    assert {name for case in classes for name in harness.untouched(case).learns_from} <= {*INPUTS, "labels"}
    assert keras.config.floatx() == "float32"
