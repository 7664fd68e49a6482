"""Which image comes when."""

import numpy as np
import pytest

from gdl_keras import data
from gdl_keras.data.columns import Column
from gdl_keras.data.images import ImageData
from gdl_keras.data.order import BatchOrder
from gdl_keras.errors import InputError


def numbered(count=23, batch_size=5, seed=3, **targets):
    """Images that carry their own number in every pixel, so that a batch tells which images it holds."""
    pixels = np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 4, 4, 1))
    columns = {name: Column(values) for name, values in targets.items()}
    columns = {"images": Column(pixels, "float32", 255), **columns}
    names = ["a", "b"] if "labels" in targets else None
    return ImageData(columns, name="numbered", kind="images", batch_size=batch_size, seed=seed, class_names=names)


def joined(batches):
    return [number for batch in batches for number in batch]


def numbers(images):
    return np.rint(np.asarray(images)[:, 0, 0, 0] * 255).astype(int).tolist()


def test_a_pass_has_the_order_of_its_seed_and_number():
    train = numbered()
    batches = [numbers(batch) for batch in train.batches().take(8)]
    for epoch in (0, 1):
        expected = np.random.default_rng([3, epoch]).permutation(23)[:20].tolist()
        assert joined(batches[4 * epoch : 4 * epoch + 4]) == expected
    assert numbers(next(iter(numbered(seed=4).batches()))) != batches[0]


def test_shuffles_over_the_whole_set_and_shows_every_image_once_a_pass():
    seen = joined(numbers(batch) for batch in numbered().batches(repeat=False, drop_remainder=False))
    assert sorted(seen) == list(range(23))
    assert seen != sorted(seen)
    firsts = {numbers(next(iter(numbered(200, seed=seed).batches())))[0] for seed in range(12)}
    assert max(firsts) > 100  # a short shuffle buffer would only show images from the front


@pytest.mark.parametrize("drop_remainder", [True, False])
@pytest.mark.parametrize("first_batch", [1, 4, 7, 13])
def test_first_batch_goes_on_exactly(first_batch, drop_remainder):
    whole = [numbers(batch) for batch in numbered().batches(drop_remainder=drop_remainder).take(18)]
    later = [
        numbers(batch)
        for batch in numbered().batches(first_batch, drop_remainder=drop_remainder).take(18 - first_batch)
    ]
    assert later == whole[first_batch:]


def test_one_pass_in_stored_order_for_evaluation():
    dataset = numbered().batches(shuffle=False, repeat=False, drop_remainder=False)
    batches = [numbers(batch) for batch in dataset]
    assert int(dataset.cardinality()) == len(batches) == 5
    assert joined(batches) == list(range(23))
    rest = numbered().batches(first_batch=3, shuffle=False, repeat=False, drop_remainder=False)
    assert joined(numbers(batch) for batch in rest) == list(range(15, 23))


def test_an_endless_stream_says_so():
    assert int(numbered().batches().cardinality()) == -1


def test_a_batch_is_never_larger_than_the_set_and_there_is_always_one():
    train = numbered(count=7, batch_size=100)
    assert len(train) == train.steps_per_epoch == 1
    batch = next(iter(train.batches()))
    assert batch.shape == (7, 4, 4, 1)
    assert sorted(numbers(batch)) == list(range(7))
    assert len(numbered()) == 4


def test_types_and_ranges():
    train = numbered(256, labels=np.arange(256) % 2)
    images, labels = next(iter(train.batches(labels=True)))
    assert images.dtype == "float32" and labels.dtype == "int64"
    assert train.batches().element_spec.shape == (5, 4, 4, 1)
    everything = train.images(slice(None))
    assert everything.dtype == np.float32 and everything.min() == 0 and everything.max() == 1
    assert (everything[:, 0, 0, 0] == np.arange(256, dtype=np.float32) / np.float32(255)).all()
    chosen = np.array([200, 3, 77])
    np.testing.assert_array_equal(train.images(chosen), everything[chosen])


def test_batches_equal_images_bit_for_bit():
    train = numbered(256, batch_size=64)
    expected = train.images(np.random.default_rng([3, 0]).permutation(256)[:64])
    np.testing.assert_array_equal(next(iter(train.batches())).numpy(), expected)


def test_labels_and_attributes_stay_with_their_images():
    labelled = numbered(labels=np.arange(23) % 2)
    for images, labels in labelled.batches(labels=True).take(5):
        assert [number % 2 for number in numbers(images)] == labels.numpy().tolist()
    described = numbered(attributes=np.stack([np.arange(23), -np.arange(23)], 1).astype(np.int8))
    for images, attributes in described.batches(labels=True, drop_remainder=False).take(6):
        assert attributes.numpy().tolist() == [[number, -number] for number in numbers(images)]
    with pytest.raises(InputError, match="no labels"):
        numbered().batches(labels=True)
    with pytest.raises(InputError, match="no labels: sort its images"):
        numbered().with_labels()


def test_sample_is_distinct_and_fixed_by_its_seed():
    train = numbered()
    assert len(set(numbers(train.sample(20)))) == 20
    np.testing.assert_array_equal(train.sample(5, seed=1), train.sample(5, seed=1))
    assert numbers(train.sample(5, seed=1)) != numbers(train.sample(5, seed=2))
    assert len(train.sample(100)) == 23


def test_without_a_class_its_images_are_nowhere():
    targets = {"labels": np.arange(23) % 2, "attributes": np.arange(23, dtype=np.int8)[:, None]}
    everything = numbered(batch_size=15, **targets)
    odd = everything.without("a")
    assert (odd.num_images, odd.batch_size, len(odd), odd.class_names) == (11, 11, 1, ["a", "b"])
    assert numbers(odd.images(slice(None))) == odd.attributes[:, 0].tolist() == list(range(1, 23, 2))
    assert numbers(odd.images(np.array([4, 0]))) == [9, 1]
    images, labels = next(iter(odd.batches(labels=True)))
    order = np.random.default_rng([3, 0]).permutation(11)
    assert numbers(images) == (2 * order + 1).tolist()
    assert labels.numpy().tolist() == [1] * 11
    assert sorted(numbers(odd.sample(30))) == list(range(1, 23, 2))
    assert everything.num_images == 23 and len(everything.labels) == 23
    assert len({data.identity for data in (everything, odd, everything.without("b"))}) == 3


def test_without_reads_no_image_before_it_is_asked_for():
    class Pixels:
        shape = (4, 2, 2, 1)

        def __len__(self):
            return 4

        def __getitem__(self, indices):
            asked.append(np.asarray(indices).tolist())
            return np.zeros((len(indices), 2, 2, 1), np.uint8)

    asked = []
    columns = {"images": Column(Pixels(), "float32", 255), "labels": Column(np.array([0, 1, 0, 1]))}
    fewer = ImageData(columns, name="stored", kind="images", class_names=["a", "b"]).without("a")
    assert asked == []
    fewer.images(np.array([1]))
    assert asked == [[3]]


def test_a_class_that_cannot_be_left_out_is_refused():
    with pytest.raises(InputError, match="no class c"):
        numbered(labels=np.arange(23) % 2).without("c")
    with pytest.raises(InputError, match="no labels"):
        numbered().without("a")
    with pytest.raises(InputError, match="leave out another"):
        numbered(labels=np.zeros(23, int)).without("a")


def test_the_order_is_worked_out_once_a_pass():
    order = BatchOrder(1000, 10, seed=0)
    for batch in range(100):
        order.indices(batch)
    assert order._order.cache_info().misses == 1


def test_importing_data_is_quick():
    import subprocess
    import sys

    slow = "{'tensorflow', 'keras', 'kaggle', 'tensorflow_datasets', 'requests'}"
    code = f"import sys; from gdl_keras import data; data.catalogue(); sys.exit(len({slow} & set(sys.modules)))"
    root = data.__path__[0].removesuffix("/gdl_keras/data")
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == 0
