"""The Fréchet distance while a model trains: the right number in the right epoch, and training none the wiser."""

import csv

import keras
import numpy as np
import pytest

from gdl_keras import data
from gdl_keras.errors import InputError
from gdl_keras.metrics import Evaluation, JudgeExtractor, frechet_distance
from gdl_keras.metrics.samples import choose, generated_images
from gdl_keras.training.callbacks import Recorder
from tests import cases
from tests.harness import assert_same, weights


@pytest.fixture(scope="module")
def judge():
    return JudgeExtractor("fashion")


@pytest.fixture(scope="module")
def garments():
    return data.load("fashion_mini", "test", image_size=8)


def test_every_second_epoch_has_a_distance(judge, garments, tmp_path):
    history = []
    callbacks = [Evaluation(2, garments, judge, n=50), Recorder(tmp_path, history)]
    logs = cases.vae().fit(cases.images(), epochs=5, verbose=0, callbacks=callbacks).history
    assert [line["epoch"] for line in history if "frechet_classifier_distance" in line] == [2, 4]
    with open(tmp_path / "history.csv", newline="") as file:
        written = [line["frechet_classifier_distance"] for line in csv.DictReader(file)]
    assert [bool(value) for value in written] == [False, True, False, True, False]
    assert [float(value) for value in written if value] == logs["frechet_classifier_distance"]


def test_it_is_the_distance_of_the_models_images_from_the_held_out_ones(judge, garments):
    model = cases.vae()
    history = model.fit(cases.images(), verbose=0, callbacks=[Evaluation(1, garments, judge, n=600, seed=3)]).history
    reals = garments.images(choose(1000, 600, seed=3))
    samples = np.concatenate(list(generated_images(model, 600, seed=3)))
    assert samples.shape == reals.shape
    assert history["frechet_classifier_distance"] == [pytest.approx(frechet_distance(reals, samples, judge), rel=1e-6)]


def test_training_goes_on_as_if_it_were_not_there(judge, garments):
    """The model draws noise in every step, and the data is shuffled."""
    results = []
    for callbacks in ([], [Evaluation(1, garments, judge, n=20)]):
        keras.utils.set_random_seed(1)
        model = cases.vae()
        model.fit(cases.images(), batch_size=8, epochs=3, verbose=0, callbacks=callbacks)
        results.append(weights(model))
    assert_same(*results)


def test_held_out_images_are_looked_at_once(judge, garments):
    class Counting:
        kind = "classifier"
        seen = []

        def __call__(self, images):
            self.seen.append(len(images))
            return judge(images)

    extractor = Counting()
    cases.vae().fit(cases.images(), epochs=3, verbose=0, callbacks=[Evaluation(1, garments, extractor, n=30)])
    assert extractor.seen == [30] * 4


def test_a_conditional_model_is_asked_for_the_classes_of_the_held_out_images(judge, garments):
    model = cases.cgan(num_classes=10)
    asked = []
    generate = model.generate
    model.generate = lambda n, **options: asked.append(options["labels"]) or generate(n, **options)
    x, labels = cases.labelled_images()
    model.fit(x, labels, verbose=0, callbacks=[Evaluation(1, garments, judge, n=40)])
    np.testing.assert_array_equal(asked[0], garments.labels[choose(1000, 40)])


def test_bad_arguments_are_refused(judge, garments):
    for every, n in ((0, 100), (1, 1)):
        with pytest.raises(InputError, match="every is at least 1 and n at least 2"):
            Evaluation(every, garments, judge, n=n)
