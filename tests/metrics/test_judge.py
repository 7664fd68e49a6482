"""The judges: as accurate as they say, and their measures say what they should."""

import numpy as np
import pytest

from gdl_keras import data
from gdl_keras.errors import InputError
from gdl_keras.metrics import Judge
from gdl_keras.metrics.judge import WEIGHTS, caution


@pytest.fixture(scope="module")
def judge():
    return Judge("fashion")


@pytest.fixture(scope="module")
def garments():
    """The 1,000 test images of `fashion_mini`, which are among the test images of `fashion`."""
    return data.load("fashion_mini", "test", image_size=32)


def test_accuracy_is_what_it_says_within_the_error_of_a_thousand_images(judge, garments):
    """Five standard errors of a share of about 0.92 of 1,000 are 0.043."""
    share = judge.share_as_asked(garments.images(slice(None)), garments.labels)
    assert judge.test_accuracy >= 0.92
    assert abs(share - judge.test_accuracy) < 0.043


def test_the_twin_for_emoji_is_as_accurate_as_it_says():
    emoji = data.load("emoji", "test", image_size=32)
    twin = Judge("emoji")
    assert twin.share_as_asked(emoji.images(slice(None)), emoji.labels) == pytest.approx(twin.test_accuracy, abs=1e-3)


def test_copies_have_no_diversity_and_real_images_have_some(judge, garments):
    images = garments.images(slice(None))
    real = judge.diversity(images, garments.labels)
    copies = judge.diversity(np.repeat(images[:10], 5, axis=0), np.repeat(np.arange(10), 5))
    assert (real > 0).all()
    np.testing.assert_allclose(copies, 0, atol=1e-6)
    by_hand = judge.features(images[garments.labels == 3]).astype("float64")
    centred = by_hand - by_hand.mean(axis=0)
    assert real[3] == pytest.approx((centred**2).sum() / (len(by_hand) - 1))


def test_weights_are_small_and_load_without_pickle():
    for path in WEIGHTS.glob("*.npz"):
        assert path.stat().st_size < 1_500_000
        with np.load(path, allow_pickle=False) as stored:
            assert all(stored[name].dtype == np.float16 for name in stored)


def test_what_it_cannot_judge_is_explained(judge):
    with pytest.raises(InputError, match="shape"):
        judge.classes(np.zeros((1, 28, 28, 1), "float32"))
    with pytest.raises(InputError, match="Did you mean fashion"):
        Judge("fashon")


def test_real_images_are_as_diverse_as_real_images(judge, garments):
    """The report compares each class with its like: in most, half the images vary as much as the other half."""
    images, labels = garments.images(slice(None)), garments.labels
    report = judge.report(images[::2], labels[::2], images[1::2], labels[1::2])
    assert list(report["diversity"]) == garments.class_names
    assert np.median(list(report["diversity"].values())) == pytest.approx(1, abs=0.1)
    assert report["share_as_asked"] == judge.share_as_asked(images[::2], labels[::2])
    assert report["share_as_asked_real"] == judge.share_as_asked(images[1::2], labels[1::2])


def test_a_share_ranks_where_the_judge_is_good_and_the_share_lower_than_that_of_real_images():
    assert caution(0.887, 0.922, 1000, 1000) is None
    told = "The judge is right about 63 % of real images: shares near or above that rank nothing."
    assert caution(0.61, 0.634, 900, 175) == caution(0.3, 0.634, 900, 175) == told
    for share in (0.91, 0.922, 0.99):
        assert "right about 92 % of real images" in caution(share, 0.922, 1000, 1000)


def test_a_report_says_where_it_ranks_nothing(judge, garments, capsys):
    """Of emoji the judge knows 63 %; of garments 92 %, which a tenth of wrong labels stays clear of."""
    images, labels = garments.images(slice(None)), garments.labels
    wrong = np.where(np.arange(1000) % 10, labels, (labels + 1) % 10)
    assert judge.report(images, wrong, images, labels)["share_as_asked"] < 0.85
    assert capsys.readouterr().err == ""
    judge.report(images, labels, images, labels)
    assert "right about 92 % of real images" in capsys.readouterr().err
    emoji = data.load("emoji", "test", image_size=32)
    pictures = emoji.images(slice(None))
    Judge("emoji").report(pictures, emoji.labels, pictures, emoji.labels)
    assert "right about 63 % of real images: shares near or above that rank nothing" in capsys.readouterr().err
