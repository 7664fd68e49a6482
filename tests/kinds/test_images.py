"""Images as a kind: their files, and all metrics of a model at once, on models whose images are known."""

import numpy as np
import pytest
from PIL import Image

from gdl_keras import data
from gdl_keras.errors import InputError
from gdl_keras.kinds import kind
from gdl_keras.kinds.base import generated, halves
from gdl_keras.kinds.images import KEPT, PAIRS, Summary, compare, compare_moments
from gdl_keras.metrics import JudgeExtractor, extrapolated_frechet_distance, frechet_distance, psnr, ssim
from gdl_keras.models.parts.conditions import Classes, Unconditional
from tests import cases

pytestmark = pytest.mark.eager
IMAGES = kind("images")


@pytest.fixture(scope="module")
def judge():
    return JudgeExtractor("fashion")


@pytest.fixture(scope="module")
def garments():
    """(training, test) images of 32x32."""
    return tuple(data.load("fashion_mini", split, image_size=32) for split in ("train", "test"))


class Copier:
    """Draws images of a data set; with classes, of the class that is asked for."""

    likelihood_is = None

    def __init__(self, images, num_classes=None):
        self.images = images
        self.conditions = Classes(num_classes) if num_classes else Unconditional()

    def generate(self, n, seed, first=0, labels=None):
        rng = np.random.default_rng([seed, first])
        if labels is None:
            return self.images.images(rng.permutation(self.images.num_images)[:n])
        return self.images.images([rng.choice(np.flatnonzero(self.images.labels == label)) for label in labels])


def measure(model, garments, n, seed=0):
    return IMAGES.measure(model, None, garments[1], n, seed)["metrics"]


# ---- what images are, and their files ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros((2, 8, 8), "float32"), "height, width, 1 or 3"),
        (np.zeros((2, 8, 8, 2), "float32"), "height, width, 1 or 3"),
        (np.zeros((2, 8, 8, 1), "uint8"), "finite floats"),
        (np.full((2, 8, 8, 1), np.nan), "finite floats"),
        (np.full((2, 8, 8, 1), 1.5), r"lie in \[0, 1\], and these in \[1.5, 1.5\]"),
        ([["a text"]], "height, width, 1 or 3"),
    ],
)
def test_what_is_no_image_is_told(samples, words, tmp_path):
    with pytest.raises(InputError, match=words):
        IMAGES.check(samples)
    with pytest.raises(InputError, match=words):
        IMAGES.write(samples, tmp_path / "samples.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("channels", [1, 3])
def test_a_folder_of_pictures_is_a_data_set_again(tmp_path, channels):
    images = np.random.default_rng(0).integers(0, 256, (12, 8, 8, channels)).astype("float32") / 255
    IMAGES.write(images, tmp_path / "new")
    assert sorted(path.name for path in (tmp_path / "new").iterdir())[::11] == ["0000.png", "0011.png"]
    for number, image in enumerate(images):
        pixels = np.asarray(Image.open(tmp_path / "new" / f"{number:04d}.png")).reshape(image.shape)
        np.testing.assert_array_equal(pixels, np.rint(image * 255))


def test_a_folder_is_not_written_over(tmp_path):
    images = np.zeros((2, 8, 8, 1), "float32")
    (tmp_path / "empty").mkdir()
    IMAGES.write(images, tmp_path / "empty")
    assert len(list((tmp_path / "empty").iterdir())) == 2
    for path in (tmp_path / "empty", tmp_path):
        with pytest.raises(InputError, match="not an empty folder"):
            IMAGES.write(images, path)


def test_a_page_is_a_grid(tmp_path):
    IMAGES.write_sheet(np.zeros((6, 8, 8, 1), "float32"), 3, tmp_path / "page.png")
    assert Image.open(tmp_path / "page.png").size == (12 * (3 * 9 - 1), 12 * (2 * 9 - 1))


# ---- how good they are ---------------------------------------------------------------------------------------------


def test_real_images_in_place_of_samples_come_near_the_floor(garments):
    """Of 20 draws of 400 images each the Fréchet distance had a standard deviation of 14 percent."""
    metrics = measure(Copier(garments[0]), garments, 400)
    assert list(metrics) == [
        *("frechet_classifier_distance_extrapolated", "kernel_classifier_distance", "classifier_score"),
        *("precision", "recall", "density", "coverage", "ms_ssim"),
    ]
    assert metrics.pop("frechet_classifier_distance_extrapolated")["value"] == pytest.approx(0, abs=2)
    for name, metric in metrics.items():
        assert metric["value"] == pytest.approx(metric["floor"]["value"], rel=0.3, abs=0.05), name


def test_the_floor_is_one_half_of_the_held_out_images_against_the_other(judge, garments):
    """Disjoint, as many as the samples, and the samples are compared with the same ones."""
    _, test = garments
    first, second = halves(1000, 300, seed=5)
    assert len(first) == len(second) == 300 and not set(first) & set(second)
    model = Copier(garments[0])
    result = IMAGES.measure(model, None, test, 300, 5)
    assert result["held_out"] == result["floor"] == {"split": "test", "images": 300, "identity": test.identity}
    reals, others = (judge(test.images(half)) for half in (first, second))
    samples = judge(np.concatenate(list(generated(model, 300, seed=5))))
    metric = result["metrics"]["frechet_classifier_distance_extrapolated"]
    assert metric["value"] == pytest.approx(extrapolated_frechet_distance(reals, samples), rel=1e-5)
    assert metric["floor"]["value"] == pytest.approx(extrapolated_frechet_distance(reals, others), rel=1e-5)


def test_no_more_than_half_is_compared_with(garments):
    for n, expected in ((500, 500), (501, 500), (5, 5)):
        first, second = halves(1000, n)
        assert len(first) == len(second) == expected
    assert [len(half) for half in halves(7, 100)] == [3, 3]
    assert IMAGES.most(garments[1]) == 500


class Plain:
    """An extractor of so many features that are the first pixels."""

    def __init__(self, number):
        self.number = number

    def features_and_probabilities(self, images):
        return images.reshape(len(images), -1)[:, : self.number], np.full((len(images), 2), 0.5, "float32")


@pytest.mark.parametrize(("features", "name"), [(4, "distance"), (5, "distance_extrapolated"), (21, None)])
def test_few_images_a_feature_have_no_plain_frechet_distance(features, name):
    """Forty images: ten, eight, not quite two for each feature."""
    rng = np.random.default_rng(0)
    first, second = (Summary([rng.uniform(size=(40, 8, 8, 1)).astype("float32")], Plain(features)) for _ in "12")
    metrics = compare_moments(second, first)
    assert list(metrics) == ([name] if name else [])
    if name == "distance":
        assert metrics[name]["value"] == pytest.approx(frechet_distance(first.features, second.features), rel=1e-6)


def test_a_metric_says_how_it_was_measured(garments):
    metrics = measure(Copier(garments[0]), garments, 200)
    assert metrics["frechet_classifier_distance_extrapolated"]["images"] == 200
    assert metrics["kernel_classifier_distance"]["blocks"] == 10
    assert (metrics["recall"]["k"], metrics["coverage"]["k"]) == (3, 5)
    assert (metrics["ms_ssim"]["pairs"], metrics["ms_ssim"]["filter_size"]) == (100, 11)
    assert len(metrics["ms_ssim"]["power_factors"]) == 2
    assert metrics["recall"]["better"] == "larger"


@pytest.mark.parametrize("word", ["classifier", "inception"])
@pytest.mark.parametrize("features", [4, 5])
def test_every_metric_has_a_direction(word, features):
    images = np.random.default_rng(0).uniform(size=(40, 8, 8, 1)).astype("float32")
    summary = Summary([images], Plain(features))
    assert {*compare(summary, summary, word)} <= {*IMAGES.better}


def test_a_model_that_gives_what_is_asked_for_is_as_right_as_the_judge(judge, garments):
    _, test = garments
    metrics = measure(Copier(test, num_classes=10), garments, 500)
    share = metrics["share_as_asked"]
    assert share["value"] == pytest.approx(share["floor"]["value"], abs=5 * share["standard_error"])
    _, second = halves(1000, 500)
    right = judge.features_and_probabilities(test.images(second))[1].argmax(axis=1)
    assert share["floor"]["value"] == (right == test.labels[second]).mean()
    assert metrics["smallest_diversity"]["floor"]["value"] > 0.5


def test_one_picture_for_each_class_is_right_and_not_diverse(garments):
    class OnePicture(Copier):
        def generate(self, n, seed, first, labels):
            return super().generate(10, 0, 0, np.arange(10))[labels]

    metrics = measure(OnePicture(garments[1], num_classes=10), garments, 100)
    assert metrics["smallest_diversity"]["value"] == pytest.approx(0, abs=1e-9)
    assert metrics["recall"]["value"] < 0.2


def test_labels_that_the_data_has_not_are_missed(garments):
    for num_classes in (3, 11):
        with pytest.raises(InputError, match=f"{num_classes} classes, and fashion_mini has 10"):
            measure(Copier(None, num_classes=num_classes), garments, 100)


def test_a_model_that_has_diverged_is_not_measured(garments):
    class Diverged(Copier):
        def generate(self, n, seed, first):
            return np.full((n, 32, 32, 1), np.nan, "float32")

    with pytest.raises(InputError, match="has it diverged"):
        measure(Diverged(None), garments, 40)


def test_parts_of_the_samples_differ_and_the_seed_decides_them():
    model = cases.vae()
    first, second, other = (np.concatenate(list(generated(model, 1100, seed))) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, model.generate(1100, seed=0), atol=1e-6)
    assert len(np.unique(np.concatenate([first, other]).reshape(2200, -1), axis=0)) == 2200


def test_memory_stops_growing():
    """Twelve thousand images leave the features of ten thousand behind, and the moments of all."""
    batches = [np.random.default_rng(seed).uniform(size=(1000, 8, 8, 1)).astype("float32") for seed in range(12)]
    summary = Summary(iter(batches), Plain(4))
    assert (len(summary.features), len(summary.probabilities), len(summary.similarities)) == (KEPT, KEPT, PAIRS)
    flat = Plain(4).features_and_probabilities(np.concatenate(batches))[0].astype("float64")
    assert summary.moments.count == 12_000
    np.testing.assert_allclose(summary.moments.covariance, np.cov(flat.T), rtol=1e-9, atol=1e-12)


def small_test_images():
    return data.load("fashion_mini", "test", image_size=8)


def test_models_that_reconstruct_get_psnr_and_ssim_of_both_halves():
    model, test = cases.autoencoder(), small_test_images()
    metrics = IMAGES.measure(model, None, test, 30)["metrics"]
    originals = test.images(np.concatenate(halves(1000, 30)))
    copies = model.predict(originals, verbose=0)
    for name, expected in (("psnr", psnr(originals, copies)), ("ssim", ssim(originals, copies))):
        metric = metrics[f"reconstruction_{name}"]
        assert metric["value"] == pytest.approx(expected.mean(), rel=1e-6)
        assert metric["standard_error"] == pytest.approx(expected.std(ddof=1) / np.sqrt(60), rel=1e-6)
        assert metric["floor"] is None
    assert "nats" not in metrics


def test_images_that_come_back_exactly_have_a_finite_psnr():
    class Mirror(Copier):
        def encode(self, images):
            return images

        def predict(self, images, verbose):
            return images

    test = small_test_images()
    psnr_metric = IMAGES.measure(Mirror(test), None, test, 30)["metrics"]["reconstruction_psnr"]
    assert psnr_metric["value"] == pytest.approx(20 * np.log10(510))
    assert psnr_metric["standard_error"] == pytest.approx(0, abs=1e-9)


def test_a_vae_trained_on_the_bound_gets_nats_and_bits():
    """`evaluate` draws other noise: in an untrained model's wide clouds that moves the mean of 400 images little."""
    test = small_test_images()
    originals = test.images(np.concatenate(halves(1000, 200)))
    for options, offset in (({}, 0), ({"likelihood": "gaussian", "pixel_stddev": 0.5}, np.log2(255))):
        model = cases.vae(**options)
        metrics = IMAGES.measure(model, None, test, 200)["metrics"]
        loss = model.evaluate(originals, verbose=0, return_dict=True)["loss"]
        assert metrics["nats"]["value"] == pytest.approx(loss, rel=0.01)
        assert metrics["nats"]["likelihood"] == metrics["bits_per_dim"]["likelihood"] == model.likelihood
        assert metrics["nats"]["better"] == "smaller (a bound on -log p)"
        bits = metrics["nats"]["value"] / (8 * 8 * np.log(2)) + offset
        assert metrics["bits_per_dim"]["value"] == pytest.approx(bits)
        assert metrics["bits_per_dim"]["standard_error"] == pytest.approx(
            metrics["nats"]["standard_error"] / (8 * 8 * np.log(2))
        )


@pytest.mark.full
def test_nats_follow_the_seed_and_are_the_same_from_call_to_call():
    model, test = cases.vae(), small_test_images()
    first, second, other = (IMAGES.measure(model, None, test, 500, seed)["metrics"] for seed in (1, 1, 2))
    assert first == second
    assert first["nats"]["value"] != other["nats"]["value"]
    both = test.images(np.concatenate(halves(1000, 500, seed=1)))
    losses = model.negative_log_likelihood(both, 1)
    assert first["nats"]["value"] == pytest.approx(losses.mean(), rel=1e-6)


@pytest.mark.parametrize("options", [{"beta": 2.0}, {"weighting": "book"}])
def test_a_vae_that_was_trained_on_something_else_gets_no_nats(options):
    metrics = IMAGES.measure(cases.vae(**options), None, small_test_images(), 20)["metrics"]
    assert "reconstruction_psnr" in metrics
    assert "nats" not in metrics
