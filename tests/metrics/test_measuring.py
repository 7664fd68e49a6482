"""All metrics of a model at once, on models whose images are known."""

import numpy as np
import pytest

from gdl_keras import data
from gdl_keras.errors import InputError
from gdl_keras.metrics import JudgeExtractor, frechet_distance, measure, psnr, ssim
from gdl_keras.metrics.samples import choose, generated_images, labels_like
from gdl_keras.metrics.summary import KEPT, PAIRS, Summary
from tests import cases


@pytest.fixture(scope="module")
def judge():
    return JudgeExtractor("fashion")


@pytest.fixture(scope="module")
def garments():
    """(training, test) images of 32x32."""
    return tuple(data.load("fashion_mini", split, image_size=32) for split in ("train", "test"))


class Copier:
    """Draws images of a data set, those after the first `skip`; with classes, of the class that is asked for."""

    def __init__(self, images, skip=0, num_classes=None):
        self.images, self.skip, self.num_classes = images, skip, num_classes

    def has_class_labels(self):
        return True

    def generate(self, n, seed, labels=None):
        rng = np.random.default_rng(seed)
        if labels is None:
            return self.images.images(rng.permutation(np.arange(self.skip, self.images.num_images))[:n])
        return self.images.images([rng.choice(np.flatnonzero(self.images.labels == label)) for label in labels])


def test_real_images_in_place_of_samples_come_near_the_floor(judge, garments):
    """Of 20 draws of 400 images each the Fréchet distance had a standard deviation of 14 percent."""
    train, test = garments
    metrics = measure(Copier(train), judge, train, test, 400)
    assert list(metrics) == [
        *("frechet_classifier_distance", "kernel_classifier_distance", "classifier_score"),
        *("precision", "recall", "density", "coverage", "ms_ssim"),
    ]
    for name, metric in metrics.items():
        assert metric["value"] == pytest.approx(metric["floor"]["value"], rel=0.3, abs=0.03), name


def test_a_metric_says_how_it_was_measured(judge, garments):
    train, test = garments
    metrics = measure(Copier(train), judge, train, test, 30)
    assert metrics["frechet_classifier_distance"]["images"] == 30
    assert metrics["kernel_classifier_distance"]["blocks"] == 10
    assert (metrics["recall"]["k"], metrics["coverage"]["k"]) == (3, 5)
    assert (metrics["ms_ssim"]["pairs"], metrics["ms_ssim"]["filter_size"]) == (15, 11)
    assert len(metrics["ms_ssim"]["power_factors"]) == 2


def test_the_distance_is_that_of_the_samples_and_the_floor_that_of_training_images(judge, garments):
    train, test = garments
    model = Copier(train, skip=3000)
    metric = measure(model, judge, train, test, 300, seed=5)["frechet_classifier_distance"]
    reals = test.images(choose(1000, 300, seed=5))
    samples = np.concatenate(list(generated_images(model, 300, seed=5)))
    substitutes = train.images(choose(6000, 300, seed=5))
    assert metric["value"] == pytest.approx(frechet_distance(reals, samples, judge), rel=1e-6)
    assert metric["floor"]["value"] == pytest.approx(frechet_distance(reals, substitutes, judge), rel=1e-6)


def test_a_model_that_gives_what_is_asked_for_is_as_right_as_the_judge(judge, garments):
    train, test = garments
    metrics = measure(Copier(test, num_classes=10), judge, train, test, 500)
    share = metrics["share_as_asked"]
    assert share["value"] == pytest.approx(share["floor"]["value"], abs=5 * share["standard_error"])
    right = judge.features_and_probabilities(test.images(choose(1000, 500)))[1].argmax(axis=1)
    assert share["floor"]["value"] == (right == test.labels[choose(1000, 500)]).mean()
    assert metrics["smallest_diversity"]["floor"]["value"] > 0.5


def test_one_picture_for_each_class_is_right_and_not_diverse(judge, garments):
    class OnePicture(Copier):
        def generate(self, n, seed, labels):
            return super().generate(10, 0, np.arange(10))[labels]

    metrics = measure(OnePicture(garments[1], num_classes=10), judge, *garments, 100)
    assert metrics["smallest_diversity"]["value"] == pytest.approx(0, abs=1e-9)
    assert metrics["recall"]["value"] < 0.2


def test_labels_come_in_the_proportions_of_the_held_out_images(garments):
    indices = choose(1000, 300)
    labels = labels_like(Copier(None, num_classes=10), garments[1], indices, 900)
    np.testing.assert_array_equal(np.bincount(labels), 3 * np.bincount(garments[1].labels[indices]))
    assert labels_like(cases.vae(), garments[1], indices, 900) is None


def test_labels_that_the_data_has_not_are_missed(judge, garments):
    for num_classes in (3, 11):
        with pytest.raises(InputError, match=f"{num_classes} classes, and fashion_mini has 10"):
            measure(Copier(None, num_classes=num_classes), judge, *garments, 100)
    with pytest.raises(InputError, match="2 attributes, and fashion_mini has 0"):
        labels_like(cases.cgan(2, attributes=True), garments[1], choose(10, 10), 10)


def test_batches_of_samples_differ_and_the_seed_decides_them():
    model = cases.vae()
    first, second, other = (np.concatenate(list(generated_images(model, 1100, seed))) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, second)
    assert len(first) == 1100
    assert len(np.unique(first.reshape(1100, -1), axis=0)) == 1100
    assert len(np.unique(np.concatenate([first, other]).reshape(2200, -1), axis=0)) == 2200


def test_memory_stops_growing(judge, garments):
    """Twelve thousand images leave the features of ten thousand behind, and the moments of all."""

    class Fast:
        def features_and_probabilities(self, images):
            flat = images[:, :2, :2, 0].reshape(len(images), 4)
            return flat, np.full((len(images), 2), 0.5, "float32")

    batches = [np.random.default_rng(seed).uniform(size=(1000, 8, 8, 1)).astype("float32") for seed in range(12)]
    summary = Summary(iter(batches), Fast())
    assert (len(summary.features), len(summary.probabilities), len(summary.similarities)) == (KEPT, KEPT, PAIRS)
    flat = Fast().features_and_probabilities(np.concatenate(batches))[0].astype("float64")
    assert summary.moments.count == 12_000
    np.testing.assert_allclose(summary.moments.covariance, np.cov(flat.T), rtol=1e-9, atol=1e-12)


def test_models_that_reconstruct_get_psnr_and_ssim(judge):
    train, test = (data.load("fashion_mini", split, image_size=8) for split in ("train", "test"))
    model = cases.autoencoder()
    metrics = measure(model, judge, train, test, 30)
    originals = test.images(choose(1000, 30))
    copies = model.predict(originals, verbose=0)
    for name, expected in (("psnr", psnr(originals, copies)), ("ssim", ssim(originals, copies))):
        metric = metrics[f"reconstruction_{name}"]
        assert metric["value"] == pytest.approx(expected.mean(), rel=1e-6)
        assert metric["standard_error"] == pytest.approx(expected.std(ddof=1) / np.sqrt(30), rel=1e-6)
        assert metric["floor"] is None
    assert "nats" not in metrics


def test_a_vae_trained_on_the_bound_gets_nats_and_bits(judge):
    """`evaluate` draws other noise: in an untrained model's wide clouds that moves the mean of 200 images little."""
    train, test = (data.load("fashion_mini", split, image_size=8) for split in ("train", "test"))
    originals = test.images(choose(1000, 200))
    for options, offset in (({}, 0), ({"likelihood": "gaussian", "pixel_stddev": 0.5}, np.log2(255))):
        model = cases.vae(**options)
        metrics = measure(model, judge, train, test, 200)
        loss = model.evaluate(originals, verbose=0, return_dict=True)["loss"]
        assert metrics["nats"]["value"] == pytest.approx(loss, rel=0.01)
        assert metrics["nats"]["likelihood"] == metrics["bits_per_dim"]["likelihood"] == model.likelihood
        bits = metrics["nats"]["value"] / (8 * 8 * np.log(2)) + offset
        assert metrics["bits_per_dim"]["value"] == pytest.approx(bits)
        assert metrics["bits_per_dim"]["standard_error"] == pytest.approx(
            metrics["nats"]["standard_error"] / (8 * 8 * np.log(2))
        )


@pytest.mark.parametrize("options", [{"beta": 2.0}, {"weighting": "book"}])
def test_a_vae_that_was_trained_on_something_else_gets_no_nats(judge, options):
    train, test = (data.load("fashion_mini", split, image_size=8) for split in ("train", "test"))
    metrics = measure(cases.vae(**options), judge, train, test, 20)
    assert "reconstruction_psnr" in metrics
    assert "nats" not in metrics
