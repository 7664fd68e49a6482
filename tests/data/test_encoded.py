"""Codes of a first stage: worked out once, kept, never those of another model or other data."""

import keras
import numpy as np
import pytest

from gdl_keras.data import from_arrays, home
from gdl_keras.data.encoding import encoded
from gdl_keras.errors import InputError


class Encoder:
    """Multiplies the pixels of an image by a matrix; counts the images that it was given."""

    def __init__(self, matrix):
        self.weights = [matrix, np.float32(3)]
        self.seen = 0

    def encode(self, images, scale=1):
        self.seen += len(images)
        return images.reshape(len(images), -1) @ self.weights[0] * scale


MATRIX = np.random.default_rng(1).random((16, 3), np.float32)
PIXELS = np.random.default_rng(0).integers(0, 256, (10, 4, 4), np.uint8)


def images(pixels=PIXELS, **settings):
    return from_arrays(images=pixels, labels=np.arange(10) % 3, batch_size=4, **settings)


def stores():
    return sorted((home() / "prepared").iterdir())


def test_codes_stand_beside_what_they_encode():
    first = encoded(images(), Encoder(MATRIX), batch_size=3)
    by_hand = (PIXELS.reshape(10, 16).astype(np.float32) / np.float32(255)) @ MATRIX
    np.testing.assert_allclose(first.rows("latents", slice(None)), by_hand, rtol=1e-6)
    codes, labels = next(iter(first.batches(columns=("latents", "labels"))))
    order = np.random.default_rng([0, 0]).permutation(10)[:4]
    np.testing.assert_allclose(codes, by_hand[order], rtol=1e-6)
    assert labels.numpy().tolist() == (order % 3).tolist() and first.image_shape == (4, 4, 1)
    assert first.identity != images().identity
    assert isinstance(first.columns["latents"].values, np.memmap)


def test_a_second_time_they_are_read():
    encoder = Encoder(MATRIX)
    first = encoded(images(), encoder)
    again = encoded(images(), Encoder(MATRIX.copy()))
    second = encoded(images(), encoder)
    assert encoder.seen == 10 and len(stores()) == 1
    assert first.identity == second.identity == again.identity
    np.testing.assert_array_equal(first.rows("latents", slice(None)), second.rows("latents", slice(None)))


def test_other_weights_data_columns_or_options_are_other_codes():
    changed = PIXELS.copy()
    changed[9, 3, 3] ^= 1
    other = MATRIX.copy()
    other[0, 0] += 1e-3
    made = [
        encoded(images(), Encoder(MATRIX)),
        encoded(images(), Encoder(other)),
        encoded(images(changed), Encoder(MATRIX)),
        encoded(images(), Encoder(MATRIX), scale=2),
        encoded(images(), Encoder(MATRIX), into="codes"),
        encoded(images(split="test"), Encoder(MATRIX)),
        encoded(images().only(np.arange(10)[::-1]), Encoder(MATRIX)),
        encoded(images().with_columns(images=np.zeros((10, 4, 4), np.float32)), Encoder(MATRIX)),
    ]
    assert len(stores()) == len({table.identity for table in made}) == 8
    assert list(made[4].columns) == ["images", "labels", "codes"]


@pytest.mark.parametrize("file, cut", [("codes.npy", 100), ("meta.json", 10)])
def test_damaged_codes_are_noticed_and_made_again(file, cut, capsys):
    before = np.array(encoded(images(), Encoder(MATRIX)).rows("latents", slice(None)))
    (folder,) = stores()
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[:-cut])
    again = encoded(images(), Encoder(MATRIX))
    assert "prepared codes" in capsys.readouterr().err
    np.testing.assert_array_equal(again.rows("latents", slice(None)), before)


def test_a_failure_half_way_leaves_nothing(leftovers):
    class Failing(Encoder):
        def encode(self, images):
            if self.seen:
                raise KeyboardInterrupt
            return super().encode(images)

    with pytest.raises(KeyboardInterrupt):
        encoded(images(), Failing(MATRIX), batch_size=5)
    assert leftovers() == []


def test_models_of_keras_and_codes_that_are_numbers():
    network = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(5)])
    network.encode = lambda images: np.argmax(network(images), axis=1).astype(np.int32)
    codes = encoded(images(), network, into="codes").rows("codes", slice(None))
    assert codes.shape == (10,) and codes.dtype == np.int32
    np.testing.assert_array_equal(codes, np.argmax(network(images().images(slice(None))), axis=1))


def test_what_is_no_column_is_refused(leftovers):
    class Cloud(Encoder):
        def encode(self, images):
            return super().encode(images), images

    class Short(Encoder):
        def encode(self, images):
            return super().encode(images)[1:]

    with pytest.raises(InputError, match=r"Cloud\.encode returns several arrays"):
        encoded(images(), Cloud(MATRIX))
    with pytest.raises(InputError, match="9 codes of 10 examples"):
        encoded(images(), Short(MATRIX))
    with pytest.raises(InputError, match="no column captions"):
        encoded(images(), Encoder(MATRIX), column="captions")
    assert leftovers() == []
