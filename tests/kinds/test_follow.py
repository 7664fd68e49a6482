"""A distance while a model trains: the right number in the right epoch, and training none the wiser."""

import csv

import keras
import numpy as np
import pytest

from gdl_keras import data
from gdl_keras.errors import InputError
from gdl_keras.kinds import kind
from gdl_keras.kinds.base import generated
from gdl_keras.metrics import JudgeExtractor, frechet_distance
from gdl_keras.metrics.kernel import squared_mean_discrepancy
from gdl_keras.models import Autoencoder, build_decoder, build_encoder
from gdl_keras.training.callbacks import Recorder
from tests import cases
from tests.harness import assert_same, weights

pytestmark = pytest.mark.eager


@pytest.fixture(scope="module")
def judge():
    return JudgeExtractor("fashion")


@pytest.fixture(scope="module")
def garments():
    return data.load("fashion_mini", "test", image_size=8)


def follow(every, garments, **options):
    return kind("images").follow(every, garments, **options)


def test_every_second_epoch_has_a_distance(garments, tmp_path):
    history = []
    callbacks = [follow(2, garments, n=50), Recorder(tmp_path, history)]
    logs = cases.vae().fit(cases.images(), epochs=5, verbose=0, callbacks=callbacks).history
    assert [line["epoch"] for line in history if "kernel_classifier_distance" in line] == [2, 4]
    with open(tmp_path / "history.csv", newline="") as file:
        written = [line["kernel_classifier_distance"] for line in csv.DictReader(file)]
    assert [bool(value) for value in written] == [False, True, False, True, False]
    assert [float(value) for value in written if value] == logs["kernel_classifier_distance"]


@pytest.mark.parametrize(("n", "name"), [(960, "frechet"), (959, "kernel")])
def test_it_is_the_distance_of_the_models_images_from_the_held_out_ones(judge, garments, n, name):
    """From ten images a feature on the Fréchet distance, of fewer the kernel distance, which has no bias."""
    model = cases.vae()
    history = model.fit(cases.images(), verbose=0, callbacks=[follow(1, garments, n=n, seed=3)]).history
    reals = judge(garments.images(np.random.default_rng(3).permutation(1000)[:n]))
    samples = judge(np.concatenate(list(generated(model, n, seed=3))))
    distance = {"frechet": frechet_distance, "kernel": squared_mean_discrepancy}[name]
    assert history[f"{name}_classifier_distance"] == [pytest.approx(distance(reals, samples), rel=1e-5)]


def test_training_goes_on_as_if_it_were_not_there(garments):
    """The model draws noise in every step, and the data is shuffled."""
    results = []
    for callbacks in ([], [follow(1, garments, n=20)]):
        keras.utils.set_random_seed(1)
        model = cases.vae()
        model.fit(cases.images(), batch_size=8, epochs=3, verbose=0, callbacks=callbacks)
        results.append(weights(model))
    assert_same(*results)


def test_held_out_images_are_looked_at_once(judge, garments):
    seen = []
    callback = follow(1, garments, n=30)
    callback.extractor = lambda images: seen.append(len(images)) or judge(images)
    callback.extractor.kind = "classifier"
    cases.vae().fit(cases.images(), epochs=3, verbose=0, callbacks=[callback])
    assert seen == [30] * 4


def test_a_conditional_model_is_asked_for_the_classes_of_the_held_out_images(garments):
    model = cases.cgan(num_classes=10)
    asked = []
    generate = model.generate
    model.generate = lambda n, **options: asked.append(options["labels"]) or generate(n, **options)
    x, labels = cases.labelled_images()
    model.fit(x, labels, verbose=0, callbacks=[follow(1, garments, n=40)])
    np.testing.assert_array_equal(asked[0], garments.labels[np.random.default_rng(0).permutation(1000)[:40]])


def test_what_it_takes_to_repeat_the_numbers_is_told(judge, garments):
    assert follow(2, garments, n=40, seed=3).settings == {
        "every": 2,
        "n": 40,
        "seed": 3,
        "extractor": {"name": "fashion", "weights_sha256": judge.sha256},
        "held_out": {"split": "test", "identity": garments.identity},
    }


def test_bad_arguments_are_refused(garments):
    for every, n in ((0, 100), (1, 1)):
        with pytest.raises(InputError, match="every is at least 1 and n at least 2"):
            follow(every, garments, n=n)


def test_a_model_that_makes_nothing_is_refused_before_training(garments):
    model = cases.classifier()
    x, labels = cases.labelled_images()
    with pytest.raises(InputError, match="Classifier generates no images to evaluate: leave --every away"):
        model.fit(x, labels, verbose=0, callbacks=[follow(1, garments, n=40)])


def test_colour_images_that_emoji_does_not_know_are_followed_in_lite0(capsys):
    """And a run that began with other features goes on with those."""
    pixels = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3)).astype(np.uint8)
    photos = data.from_arrays(images=pixels, labels=np.arange(12) % 2, split="test")
    callback = follow(1, photos, n=12)
    assert "taken in the features lite0, which have not learnt from this data" in " ".join(
        capsys.readouterr().err.split()
    )
    model = Autoencoder(build_encoder((16, 16, 3), 2, (4,)), build_decoder((16, 16, 3), 2, (4,)))
    callback.set_model(model)
    callback.on_train_begin()
    ((name, value),) = callback.numbers().items()
    both = photos.rows("images", callback.chosen), model.generate(12, seed=0)
    reals, samples = (callback.extractor(images) for images in both)
    assert name == "kernel_lite0_distance"
    assert value == pytest.approx(squared_mean_discrepancy(reals, samples), rel=1e-4)
    before = {**callback.settings, "extractor": {"name": "emoji", "weights_sha256": "0"}}
    again = follow(1, photos, n=12, **kind("images").follow_options(before))
    assert again.settings["extractor"]["name"] == "emoji"
