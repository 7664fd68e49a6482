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
from tests.test_every_model import every_base, every_model


def columns(case):
    data = case.data()
    return data if isinstance(data, tuple) else (data,)


def wrong_data(case, model):
    """{a part of the sentence: columns that are refused with it}."""
    first, *rest = columns(case)
    wrong = {"a batch of its own": (first[0], *rest)} if model.example_shape else {}
    if model.learns_from[0] == "images":
        wrong["divide by 255"] = (first * 255, *rest)
        wrong["map them"] = (2 * first - 1, *rest)
        wrong["images of shape"] = (first[..., 0], *rest)
    if model.learns_from[0] in ("images", "points"):
        wrong["NaN"] = (np.where(first > np.median(first), np.nan, first), *rest)
    if model.learns_from[0] == "tokens":
        wrong["vocabulary"] = (first + model.vocabulary_size, *rest)
        wrong["integers"] = (first + 0.5, *rest)
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


@every_base
def test_what_is_wrong_in_a_stream_is_refused(case):
    model = harness.build(case)
    before = harness.weights(model)
    for sentence, given in wrong_data(case, model).items():
        if len({len(column) for column in given}) > 1:
            continue  # no data set can be made of these
        with pytest.raises(InputError, match=sentence):
            model.fit(tf.data.Dataset.from_tensor_slices(given).batch(8), verbose=0)
        batches = (tuple(column[start : start + 8] for column in given) for start in (0, 8))
        with pytest.raises(InputError, match=sentence):
            model.fit(batches, verbose=0)
    harness.assert_same(harness.weights(model), before)


@every_model
def test_a_batch_at_a_time_and_arrays_in_double_precision(case):
    """Keras hands `train_on_batch` over with a place for weights, and `tf.data` as it is: here float64."""
    given = columns(case)
    learnt = []
    for floats in ("float32", "float64"):
        model = harness.build(case)
        cast = [column.astype(floats) if column.dtype.kind == "f" else column for column in given]
        model.fit(tf.data.Dataset.from_tensor_slices(tuple(cast)).batch(8).repeat(), steps_per_epoch=2, verbose=0)
        learnt.append(harness.weights(model))
    harness.assert_same(*learnt)
    for results in (model.train_on_batch(*given, return_dict=True), model.test_on_batch(*given, return_dict=True)):
        assert np.isfinite(list(results.values())).all()


@every_model
def test_evaluation_looks_but_changes_nothing(case):
    """The random numbers of training go on as if nobody had looked."""
    models = [harness.build(case) for _ in range(2)]
    with pytest.raises(InputError):
        models[0].fit(np.full((4, 3, 3), np.nan))
    for model in models:
        model.train_on_batch(*columns(case))
    harness.assert_same(*map(harness.weights, models))


def test_every_column_that_a_model_learns_from_is_known():
    from gdl_keras.models.parts.examples import INPUTS
    from tests.cases import CASES

    assert {name for case in CASES for name in harness.build(case).learns_from} <= {*INPUTS, "labels"}
    assert keras.config.floatx() == "float32"
