"""Named columns: what a batch of them is, views of some examples, and arrays of the reader's own."""

import hashlib

import numpy as np
import pytest
import tensorflow as tf

from gdl_keras import data
from gdl_keras.data import Column, ImageData, Table, Windows, from_arrays
from gdl_keras.errors import InputError


def table(count=10, batch_size=3, **columns):
    columns = {"tokens": np.arange(2 * count, dtype=np.uint16).reshape(count, 2), **columns}
    return from_arrays(kind="text", batch_size=batch_size, seed=5, **columns)


def first_batches(images, count=3):
    """The bytes of some batches with labels, of the end of a pass and the next one's beginning, of a sample, a view."""
    content = hashlib.sha256()
    for pixels, labels in images.batches(columns=("images", "labels")).take(count):
        content.update(pixels.numpy().tobytes())
        content.update(labels.numpy().tobytes())
    for pixels in images.batches(first_batch=len(images) - 1).take(2):
        content.update(pixels.numpy().tobytes())
    content.update(images.sample(5, seed=2).tobytes())
    content.update(images.without(images.class_names[1]).images(slice(7)).tobytes())
    return content.hexdigest()[:16]


@pytest.mark.parametrize(
    "name, options, identity, content",
    [
        ("fashion_mini", {}, "train-28x28x1-497ea2b2be1b", "1f5a6285c98dd830"),
        (
            "fashion_mini",
            {"image_size": 32, "seed": 7, "batch_size": 50},
            "train-32x32x1-d173a76fe049",
            "71f219798ab25054",
        ),
        ("emoji", {}, "train-64x64x3-249e6e4cc6e1", "1e6c5320997ebce6"),
        ("emoji", {"channels": 1, "seed": 3}, "train-64x64x1-96fb4ebca4e6", "9c20c1c83e21fc78"),
    ],
)
def test_images_come_as_they_always_did(name, options, identity, content):
    """Digests of the first release's batches and the names of its stores: runs that it began can go on."""
    images = data.load(name, "train", **options)
    assert images.identity == f"{name}-{identity}"
    assert first_batches(images) == content


def test_one_column_is_a_tensor_and_several_are_a_tuple_in_their_order():
    everything = table(numbers=np.arange(10) * 0.5)
    alone = next(iter(everything.batches()))
    numbers, tokens = next(iter(everything.batches(columns=("numbers", "tokens"))))
    order = np.random.default_rng([5, 0]).permutation(10)[:3]
    assert isinstance(alone, tf.Tensor) and alone.dtype == "uint16"
    np.testing.assert_array_equal(alone, np.arange(20).reshape(10, 2)[order])
    np.testing.assert_array_equal(tokens, alone)
    np.testing.assert_array_equal(numbers, order * 0.5)
    for columns in ("numbers", ["numbers"]):
        assert everything.batches(columns=columns).element_spec == tf.TensorSpec((3,), tf.float64)


@pytest.mark.parametrize(
    "values, dtype, divisor, expected",
    [
        (np.arange(10, dtype=np.uint16), "int32", None, np.arange(10, dtype=np.int32)),
        (np.arange(10, dtype=np.uint8), "float32", 255, np.arange(10, dtype=np.float32) / np.float32(255)),
        (np.arange(10) % 2 == 0, None, None, np.arange(10) % 2 == 0),
        (np.arange(10, dtype=np.int16), "float64", 4, np.arange(10) / 4),
        (np.arange(240.0).reshape(10, 2, 3, 4), "float16", None, np.arange(240).reshape(10, 2, 3, 4).astype("float16")),
        (np.array([f"é{number}" for number in range(10)]), None, None, [f"é{number}".encode() for number in range(10)]),
    ],
)
def test_rows_and_batches_are_cast_alike(values, dtype, divisor, expected):
    one = table(other=Column(values, dtype, divisor))
    batches = one.batches(columns="other", shuffle=False, repeat=False, drop_remainder=False)
    joined = np.concatenate([batch.numpy() for batch in batches])
    rows = one.rows("other", slice(None))
    if values.dtype.kind == "U":
        rows = np.char.encode(rows, "utf-8")
    for got in (joined, rows):
        np.testing.assert_array_equal(got, np.asarray(expected))
    assert values.dtype.kind == "U" or joined.dtype == rows.dtype == np.asarray(expected).dtype


def test_windows_are_cut_out_of_one_array():
    values = np.arange(20)
    cuts = Windows(values, 4, stride=3)
    assert cuts.shape == (6, 4) and len(cuts) == 6
    by_hand = np.array([values[start : start + 4] for start in (0, 3, 6, 9, 12, 15)])
    np.testing.assert_array_equal(cuts[:], by_hand)
    np.testing.assert_array_equal(cuts[np.array([5, 0, 5])], by_hand[[5, 0, 5]])
    np.testing.assert_array_equal(cuts[2], by_hand[2])
    assert len(Windows(values, 20)) == 1 and len(Windows(values, 4, stride=4)) == 5
    frames = np.arange(5 * 2 * 3).reshape(5, 2, 3)
    np.testing.assert_array_equal(Windows(frames, 2)[1], frames[1:3])


@pytest.mark.parametrize("length, stride, message", [(21, 1, "does not fit into 20"), (0, 1, "at least"), (3, 0, "at")])
def test_windows_that_cannot_be(length, stride, message):
    with pytest.raises(InputError, match=message):
        Windows(np.arange(20), length, stride)


def test_windows_of_a_file_are_read_when_asked_for(tmp_path):
    np.save(tmp_path / "long.npy", np.arange(1000, dtype=np.uint16))
    stored = np.load(tmp_path / "long.npy", mmap_mode="r")
    cuts = Windows(stored, 10, stride=5)
    assert np.shares_memory(cuts[3:5], stored)  # a view of the file
    batches = from_arrays(kind="text", tokens=Column(cuts, "int32"), batch_size=7).batches()
    batch = next(iter(batches))
    assert batch.shape == (7, 10) and batch.dtype == "int32"
    starts = 5 * np.random.default_rng([0, 0]).permutation(199)[:7]
    np.testing.assert_array_equal(batch, starts[:, None] + np.arange(10))


def test_unknown_columns_are_refused_with_those_that_are_there():
    with pytest.raises(InputError, match=r"has no column capions\.  Did you mean captions"):
        table(captions=np.zeros(10)).batches(columns="capions")
    with pytest.raises(InputError, match="has no labels: sort its text"):
        table().rows("labels", slice(3))
    described = table(attributes=np.ones((10, 2)))
    np.testing.assert_array_equal(described.rows("labels", slice(2)), np.ones((2, 2)))


def test_more_columns_and_fewer_examples():
    everything = table()
    more = everything.with_columns(double=2 * np.arange(10))
    assert list(more.columns) == ["tokens", "double"] and list(everything.columns) == ["tokens"]
    some = more.only([7, 2])
    assert (some.num_examples, some.batch_size, len(some)) == (2, 2, 1)
    assert some.rows("double", slice(None)).tolist() == [14, 4]
    assert some.rows("tokens", slice(None)).tolist() == [[14, 15], [4, 5]]
    assert some.only([1]).rows("double", slice(None)).tolist() == [4]
    other = everything.with_columns(double=3 * np.arange(10))
    as_floats = everything.with_columns(double=Column(2 * np.arange(10), "float32"))
    views = (everything, more, other, as_floats, some, more.only([2, 7]))
    assert len({view.identity for view in views}) == 6
    assert everything.with_columns(double=2 * np.arange(10)).identity == more.identity
    with pytest.raises(InputError, match="must have one length; they have: tokens 10, short 9"):
        everything.with_columns(short=np.zeros(9))


def test_a_sample_is_of_the_first_column_or_of_another():
    everything = table(numbers=np.arange(10))
    chosen = np.random.default_rng(4).choice(10, 6, replace=False)
    np.testing.assert_array_equal(everything.sample(6, seed=4), np.arange(20).reshape(10, 2)[chosen])
    np.testing.assert_array_equal(everything.sample(6, seed=4, column="numbers"), chosen)


@pytest.mark.parametrize(("n", "expected"), [(1, [0]), (2, [0, 6]), (3, [0, 3, 6]), (4, [0, 2, 4, 6]), (99, range(7))])
def test_examples_are_spread_over_all(n, expected):
    assert from_arrays(kind="points", points=np.zeros((7, 2), np.float32)).spread(n).tolist() == list(expected)


def test_images_from_arrays():
    pixels = np.random.default_rng(0).integers(0, 256, (6, 5, 4), np.uint8)
    images = from_arrays(images=pixels, labels=np.array([0, 1, 2, 0, 1, 2], np.int32), batch_size=4, name="mine")
    assert isinstance(images, ImageData) and images.image_shape == (5, 4, 1) and images.num_images == 6
    np.testing.assert_array_equal(images.images(slice(None))[..., 0], pixels.astype(np.float32) / np.float32(255))
    assert images.class_names == ["0", "1", "2"] and images.labels.dtype == np.int64
    assert images.without("1").labels.tolist() == [0, 2, 0, 2]
    floats = from_arrays(images=pixels[..., None] / 255.0)
    assert next(iter(floats.batches())).dtype == "float32"
    assert from_arrays(images=pixels).identity == from_arrays(images=pixels.copy()).identity
    changed = pixels.copy()
    changed[3, 2, 1] ^= 1
    assert from_arrays(images=changed).identity != from_arrays(images=pixels).identity


def test_other_kinds_from_arrays():
    points = from_arrays(kind="points", points=np.zeros((8, 2), np.float32))
    assert isinstance(points, Table) and points.kind == "points" and points.main_column == "points"
    described = from_arrays(images=np.zeros((8, 4, 4), np.uint8), attributes=np.eye(8, 3), attribute_names=list("abc"))
    assert described.labelled_by("b").labels.tolist() == [0, 1, 0, 0, 0, 0, 0, 0]


def test_labels_come_in_a_column_and_as_one_hot_rows_too():
    labels = np.array([2, 0, 1, 1])
    for given in (labels[:, None], np.eye(3)[labels], np.eye(3, dtype=bool)[labels]):
        table = from_arrays(images=np.zeros((4, 4, 4), np.uint8), labels=given)
        assert table.labels.dtype == np.int64
        np.testing.assert_array_equal(table.labels, labels)


@pytest.mark.parametrize(
    "columns, message",
    [
        ({"points": np.zeros((3, 2))}, "no images"),
        ({"images": np.zeros((3, 4, 4), int)}, "not int64"),
        ({"images": np.zeros((3, 4))}, "not one of shape"),
        ({"images": np.full((3, 4, 4), 255.0)}, "in .0, 1.; these reach 255: divide by 255"),
        ({"images": np.full((3, 4, 4), -1.0)}, r"go down to -1: map them"),
        ({"images": np.full((3, 4, 4), np.nan)}, "NaN"),
        ({"images": np.zeros((0, 4, 4))}, "no example"),
        ({"images": np.zeros((3, 4, 4)), "labels": [0, 1]}, "images 3, labels 2"),
        ({"images": np.zeros((3, 4, 4)), "labels": [0.5, 1, 2]}, "integers from 0 on"),
        ({"images": np.zeros((3, 4, 4)), "labels": [0, -1, 2]}, "integers from 0 on"),
        ({"images": np.zeros((3, 4, 4)), "labels": np.eye(3) + 1}, "integers from 0 on"),
        ({"images": np.zeros((3, 4, 4)), "attributes": [0, 1, 2]}, "Attributes are"),
    ],
)
def test_arrays_that_are_not_what_their_name_says(columns, message):
    with pytest.raises(InputError, match=message):
        from_arrays(**columns)


def test_options_of_another_kind_are_refused_by_name():
    with pytest.raises(InputError, match="images takes no tokens, no length; it takes image_size, channels"):
        data.load("fashion_mini", tokens="words", length=3)


def test_labels_of_a_conditional_model_are_classes_one_attribute_or_all_of_them():
    attributes = np.array([[0, 1], [1, 1], [1, 0]], np.int8)
    table = from_arrays(
        images=np.zeros((3, 4, 4, 1), "uint8"),
        labels=np.array([0, 1, 1]),
        attributes=attributes,
        class_names=["cat", "dog"],
        attribute_names=["tail", "hat"],
    )
    for setting, names, labels in (
        (None, ["cat", "dog"], [0, 1, 1]),
        ("hat", ["not hat", "hat"], [1, 1, 0]),
        ("all", ["tail", "hat"], attributes),
    ):
        conditioned = table.conditioned_on(setting)
        assert conditioned.condition_names == names
        np.testing.assert_array_equal(conditioned.rows("labels", slice(None)), labels)
    bare = from_arrays(images=np.zeros((3, 4, 4, 1), "uint8"))
    for setting, sentence in ((None, "no labels"), ("hat", "no attribute hat"), ("all", "no attributes")):
        with pytest.raises(InputError, match=sentence):
            bare.conditioned_on(setting)


def test_groups_are_attributes_that_are_yes_or_no_or_else_classes():
    table = from_arrays(
        images=np.zeros((4, 4, 4, 1), "uint8"),
        labels=np.array([0, 1, 1, 0]),
        attributes=np.array([[0, 1, 5, 1], [1, 1, 0, -1], [1, 1, 1, 1], [0, 1, 0, 1]], np.float32),
        class_names=["cat", "dog"],
        attribute_names=["tail", "all", "age", "signed"],
    )
    assert {name: has.tolist() for name, has in table.groups().items()} == {
        "tail": [False, True, True, False],
        "signed": [True, False, True, True],
    }
    assert {name: has.tolist() for name, has in table.groups(["dog", "tail"]).items()} == {
        "dog": [False, True, True, False],
        "tail": [False, True, True, False],
    }
    for name, sentence in (
        ("age", r"age of .* is no yes-or-no .* its values are 0, 1, 5; those that are: tail, all, signed"),
        ("all", "all images have all: take another"),
        ("tial", "no class or attribute tial.  Did you mean tail"),
    ):
        with pytest.raises(InputError, match=sentence):
            table.groups([name])
    with pytest.raises(InputError, match=r"age of .* is no yes-or-no"):
        table.conditioned_on("all")
    bare = from_arrays(images=np.zeros((3, 4, 4, 1), "uint8"))
    assert bare.groups() == {}
    with pytest.raises(InputError, match=r"no attribute Hat: for that it needs a table, a \.csv file"):
        bare.groups(["Hat"])
    classes = from_arrays(images=np.zeros((3, 4, 4, 1), "uint8"), labels=[0, 1, 1], class_names=["cat", "dog"])
    assert list(classes.groups()) == ["cat", "dog"]
    with pytest.raises(InputError, match="It has the classes cat, dog"):
        classes.labelled_by("Hat")
