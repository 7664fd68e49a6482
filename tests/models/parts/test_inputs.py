"""What is looked at before a model learns from it: arrays, streams, labels, and what is said where they are wrong."""

import gc
import weakref
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from gdl_keras.errors import InputError
from gdl_keras.models.parts.inputs import Look
from tests import cases
from tests.harness import assert_same, weights

pytestmark = pytest.mark.eager
X, Y = cases.labelled_images()
X /= X.max()
BYTES = X * 255


class Batches(keras.utils.PyDataset):
    """Arrays in batches of 4, and which of them were asked for."""

    def __init__(self, *columns):
        super().__init__()
        self.columns = columns
        self.asked = []

    def __len__(self):
        return len(self.columns[0]) // 4

    def __getitem__(self, index):
        self.asked.append(index)
        return tuple(column[4 * index : 4 * index + 4] for column in self.columns)


class Loader:
    """Arrays in batches of 4, anew each time that it is gone through, as the loaders of PyTorch are."""

    def __init__(self, *columns):
        self.columns = columns

    def __iter__(self):
        for start in range(0, len(self.columns[0]), 4):
            yield [column[start : start + 4] for column in self.columns]

    def __len__(self):
        return -(-len(self.columns[0]) // 4)


class Rows:
    """One batch, whatever it is, each time that it is gone through."""

    def __init__(self, batch):
        self.batch = batch

    def __iter__(self):
        yield self.batch


def torch_loader(*columns):
    """PyTorch's own, where that is installed."""
    torch = pytest.importorskip("torch")
    columns = [torch.tensor(np.asarray(column)) for column in columns]
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*columns), batch_size=4)


def afresh(build):
    """A model with the same weights each time."""
    keras.utils.set_random_seed(0)
    return build()


def generator(*columns):
    yield from dataset(*columns).as_numpy_iterator()


def dataset(*columns):
    return tf.data.Dataset.from_tensor_slices(columns).batch(4)


def iterator(*columns):
    return iter(map(tuple, Loader(*columns)))


LOADERS = pytest.mark.parametrize("loader", [Loader, torch_loader])
STREAMS = pytest.mark.parametrize("stream", [dataset, generator, Batches, Loader, iterator, torch_loader])


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        (BYTES, "in .0, 1.; these reach 255: divide by 255"),
        (BYTES.astype("uint8"), "reach 255: divide by 255"),
        ((X * 65535).astype("uint16"), "reach 65535: divide by 65535"),
        (2 * X - 1, r"go down to -1: map them, .images \+ 1. / 2"),
        ((X - X.mean()) / X.std(), "undo what they were scaled by"),
        (1.1 * X - 0.05, "clip them"),
        (np.where(X > 0.9, np.nan, X), "NaN or infinite"),
        (np.where(X > 0.9, np.inf, X), "NaN or infinite"),
        (X[..., 0], r"\(n, 8, 8, 1\), and these have \(16, 8, 8\): add the axis of channels, images...., None."),
        (X[0], r"a batch of its own, images.None."),
        (np.repeat(X, 3, axis=-1), "make them grey"),
        (np.moveaxis(X, -1, 1), "channels come last"),
        (X.reshape(16, 64), r"images.reshape.-1, 8, 8, 1."),
        (np.zeros((4, 16, 16, 1)), r"resize them, .*\(8, 8\)"),
        (X[:0], "at least one"),
        (np.array(["cat", "dog"]), "are numbers, not text"),
    ],
)
def test_images_are_refused_with_what_to_do(images, sentence):
    model = cases.vae()
    before = weights(model)
    for call in (model.fit, model.evaluate, model.predict, model.train_on_batch, model.test_on_batch, model.encode):
        with pytest.raises(InputError, match=sentence):
            call(images)
    assert_same(weights(model), before)


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        (None, r"VAE learns from images: give them, such as fit\(images\)"),
        ([], "VAE learns from images: give them"),
        (X.tolist(), r"an array, and this is a list: give numpy.asarray\(images\)"),
        ("./photos", r"is a path: gdl_keras.data.load\('./photos'\) makes a data set"),
        (Path("photos"), "is a path: gdl_keras.data.load"),
        (100, "this is a int"),
        ({"label": Y, "image": X}, r"a dictionary of label, image: map\(lambda batch: batch\['image'\]\)"),
        ({"pixels": X}, r"a dictionary of pixels: map\(lambda batch: batch\['pixels'\]\)"),
    ],
)
def test_what_is_no_array_is_refused_with_what_to_do(images, sentence):
    model = cases.vae()
    for call in (model.fit, model.evaluate, model.predict, model.train_on_batch, model.test_on_batch):
        with pytest.raises(InputError, match=sentence):
            call(images)
    with pytest.raises(InputError, match=sentence):
        model.fit(X, validation_data=(images,))


def test_streams_of_dictionaries_are_refused_with_what_to_do():
    """TensorFlow Datasets and loaders of PyTorch give such."""
    batch = {"image": X[:4], "label": Y[:4]}
    streams = [
        lambda: tf.data.Dataset.from_tensor_slices(batch).batch(2),
        lambda: iter([batch]),
        lambda: Rows(batch),
    ]
    for stream in streams:
        with pytest.raises(InputError, match=r"of image, label: map\(lambda batch: batch\['image'\]\) takes them out"):
            cases.vae().fit(stream(), verbose=0)
        with pytest.raises(InputError, match=r"map\(lambda batch: \(batch\['image'\], batch\['label'\]\)\)"):
            cases.classifier().fit(stream(), verbose=0)


@pytest.mark.parametrize("build", [cases.classifier, cases.cgan, cases.vae])
def test_labels_are_no_list(build):
    model = build()
    for call in (model.fit, model.evaluate, model.train_on_batch, model.test_on_batch):
        with pytest.raises(InputError, match=r"Labels come as an array, and this is a list: give numpy.asarray\(la"):
            call(X, Y.tolist())


def test_reconstructions_are_asked_of_images_in_the_range_too():
    for call in (cases.autoencoder().predict, cases.autoencoder().predict_on_batch, cases.classifier().predict):
        with pytest.raises(InputError, match="divide by 255"):
            call(BYTES)


def test_what_is_linear_to_the_end_learns_any_numbers_but_bytes():
    model = cases.linear_autoencoder()
    for images in (1.3 * X, X - X.mean(axis=0)):
        assert np.isfinite(model.train_on_batch(images))
    with pytest.raises(InputError, match="divide by 255"):
        model.fit(BYTES)


def test_rounding_and_whole_numbers_in_the_range_are_no_fault():
    model = cases.vae()
    for images in (X + 1e-5, (X > 0.5).astype("uint8"), X > 0.5, X.astype("float16")):
        assert np.isfinite(model.train_on_batch(images)).all()


@STREAMS
def test_streams_are_looked_at_as_they_pass(stream):
    model = cases.vae()
    for call in (model.fit, model.evaluate, model.predict):
        with pytest.raises(InputError, match="divide by 255"):
            call(stream(BYTES, Y), verbose=0)
    with pytest.raises(InputError, match="divide by 255"):
        model.fit(X, validation_data=stream(BYTES), verbose=0)
    with pytest.raises(InputError, match="add the axis"):
        model.fit(stream(X[..., 0]), verbose=0)


@pytest.mark.parametrize(
    ("targets", "sentence"),
    [(BYTES, "divide by 255"), (X[..., 0], "add the axis"), (X[:8], "There are 16 images and 8 images")],
)
def test_what_images_are_to_become_is_looked_at(targets, sentence):
    with pytest.raises(InputError, match=sentence):
        cases.vae().fit(X, targets, verbose=0)


@STREAMS
def test_what_images_are_to_become_is_looked_at_in_streams(stream):
    with pytest.raises(InputError, match="divide by 255"):
        cases.vae().fit(stream(X, BYTES), verbose=0)


def test_validation_data_is_looked_at_before_training():
    model = cases.classifier()
    before = weights(model)
    for wrong in ((BYTES, Y), (X, Y + 1), (X,), [X, Y + 1]):
        with pytest.raises(InputError):
            model.fit(X, Y, validation_data=wrong, verbose=0)
    assert_same(weights(model), before)


@pytest.mark.parametrize(
    ("stream", "build", "given"),
    [
        (dataset, cases.vae, X),  # which draws noise
        (generator, cases.gaussian, cases.points()),
        (Batches, cases.gaussian, cases.points()),
        # Each pass in another order.
        (lambda x: dataset(x).unbatch().shuffle(16, seed=1).batch(4), cases.gaussian, cases.points()),
        (lambda x: dataset(x).filter(lambda rows: True), cases.gaussian, cases.points()),  # of unknown length
    ],
)
def test_nothing_is_learnt_otherwise_because_it_was_looked_at(stream, build, given):
    """The weights, random numbers and steps are those of Keras's own `fit`, which does not look."""
    models = [afresh(build) for _ in range(2)]
    epochs = 1 if stream is generator else 2
    models[0].fit(stream(given), epochs=epochs, verbose=0, shuffle=False)
    keras.Model.fit(models[1], stream(given), epochs=epochs, verbose=0, shuffle=False)
    assert_same(*map(weights, models))


@pytest.mark.graph
@STREAMS
def test_a_model_that_nobody_needs_any_more_is_forgotten(stream):
    model = cases.gaussian()
    model.fit(stream(cases.points()), validation_data=stream(cases.points()), verbose=0)
    model.predict(stream(cases.points()), verbose=0)
    trained = weakref.ref(model)
    del model
    gc.collect()
    assert trained() is None


@pytest.mark.graph
@LOADERS
def test_a_loader_of_batches_is_learnt_from_as_a_data_set_is(loader):
    models = [afresh(cases.classifier) for _ in range(2)]
    x, y = X[:14], Y[:14]  # the last batch is smaller
    histories = [
        model.fit(make(x, y), epochs=2, validation_data=make(X, Y), verbose=0).history
        for model, make in zip(models, (loader, dataset))
    ]
    assert histories[0] == histories[1] and len(histories[0]["val_loss"]) == 2
    assert_same(*map(weights, models))
    assert models[0].optimizer.iterations == 8
    assert models[0].evaluate(loader(X, Y), verbose=0) == models[1].evaluate(dataset(X, Y), verbose=0)
    np.testing.assert_array_equal(models[0].predict(loader(X), verbose=0), models[1].predict(dataset(X), verbose=0))


@LOADERS
def test_weights_in_a_loader_count_or_are_refused(loader):
    ones, twos = np.ones(16, "float32"), np.full(16, 2, "float32")
    once, twice = (
        afresh(cases.classifier).evaluate(loader(X, Y, weight), verbose=0, return_dict=True)["loss"]
        for weight in (ones, twos)
    )
    assert twice == pytest.approx(2 * once, rel=1e-5)
    with pytest.raises(InputError, match="does not weigh examples"):
        cases.wgan_gp().fit(loader(X, Y, ones), verbose=0)


def test_a_loader_of_single_arrays_of_unknown_length():
    class Single:
        def __init__(self, images):
            self.images = images

        def __iter__(self):
            return (self.images[start : start + 4] for start in range(0, len(self.images), 4))

    models = [afresh(cases.vae) for _ in range(2)]
    for model, x in zip(models, (Single(X), dataset(X).filter(lambda images: True))):
        model.fit(x, epochs=2, verbose=0)
    assert_same(*map(weights, models))
    assert models[0].predict(Single(X), verbose=0).shape == X.shape


def test_a_loader_without_any_batch_is_refused():
    for call in (cases.vae().fit, cases.vae().evaluate, cases.vae().predict):
        with pytest.raises(InputError, match="This Loader gives no batch: there must be one at least"):
            call(Loader(X[:0]), verbose=0)


@pytest.mark.parametrize("batches", [[X[:4], X[4:8]], (X[:4], X[4:8], X[8:12])])
def test_a_list_of_batches_is_no_batch(batches):
    model = cases.vae()
    for call in (model.fit, model.evaluate, model.predict):
        with pytest.raises(InputError, match=f"VAE learns from images, and this is a (list|tuple) of {len(batches)}"):
            call(batches, verbose=0)
    with pytest.raises(InputError, match=r"join batches with numpy\.concatenate, or give them one by one from a gener"):
        model.train_on_batch(batches)


def test_a_batch_is_not_asked_for_twice():
    plain, looked_at = Batches(X), Batches(X)
    network = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(1)])
    network.predict(plain, verbose=0)
    cases.vae().predict(looked_at, verbose=0)
    assert looked_at.asked == plain.asked


def test_generators_may_give_images_alone():
    assert np.isfinite(cases.vae().fit((X[i : i + 4] for i in range(0, 16, 4)), verbose=0).history["loss"]).all()


def test_what_models_of_images_alone_are_given_beside_them_is_left_aside():
    for given in ((X, X), (X, Y), (dataset(X, Y),)):
        assert len(cases.vae().fit(*given, verbose=0).history["loss"]) == 1


def test_an_endless_data_set_stays_one():
    model = cases.vae()
    model.fit(dataset(X).repeat(), steps_per_epoch=3, epochs=2, verbose=0)
    assert model.optimizer.iterations == 6
    assert Look(model, model.learns_from).at(dataset(X).repeat()).cardinality() == tf.data.INFINITE_CARDINALITY


@pytest.mark.graph
def test_two_replicas_are_told_as_one_device_is(two_replicas):
    with two_replicas.scope():
        model = cases.vae()
    with pytest.raises(InputError, match="divide by 255"):
        model.fit(dataset(BYTES), verbose=0)
    model.fit(dataset(X), verbose=0)
