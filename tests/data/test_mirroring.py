"""Mirror images as further examples."""

import numpy as np
import pytest

from gdl_keras import data
from gdl_keras.data.columns import Column
from gdl_keras.data.images import ImageData


@pytest.fixture
def photos():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 3), np.uint8)
    columns = {"images": Column(pixels, "float32", 255), "labels": Column(np.arange(5))}
    return ImageData(columns, name="photos", split="train", source="here", identity="five", kind="images", batch_size=5)


def test_each_image_comes_once_as_it_is_and_once_turned_round_with_the_same_label(photos):
    both = photos.mirrored()
    assert both.num_images == 10 and both.image_shape == photos.image_shape
    np.testing.assert_array_equal(both.images(slice(0, 5)), photos.images(slice(0, 5)))
    np.testing.assert_array_equal(both.images(slice(5, 10)), np.flip(photos.images(slice(0, 5)), axis=2))
    np.testing.assert_array_equal(both.labels, [0, 1, 2, 3, 4] * 2)


def test_batches_and_parts_of_them_hold_both_kinds(photos):
    both = photos.mirrored()
    seen = [
        (image.tobytes(), int(label))
        for batch in both.batches(repeat=False, labels=True)
        for image, label in zip(*map(np.array, batch))
    ]
    expected = [(image.tobytes(), number % 5) for number, image in enumerate(both.images(slice(None)))]
    assert sorted(seen) == sorted(expected)
    np.testing.assert_array_equal(both.only([7, 1]).images(slice(None)), both.images(np.array([7, 1])))


def test_they_are_another_data_set_and_say_so(photos):
    assert photos.mirrored().identity != photos.identity
    assert photos.mirrored().source == "here, and their mirror images"


def test_the_setting_is_about_training_alone():
    from gdl_keras.training import ImageConfig

    train = data.load("fashion_mini", "train", image_size=8)
    assert ImageConfig(mirror=True).prepared(train).num_images == 2 * train.num_images
    assert ImageConfig().prepared(train) is train
