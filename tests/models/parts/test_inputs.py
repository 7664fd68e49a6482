"""What is looked at before a model learns from it: arrays, streams, labels, and what is said where they are wrong."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from gdl_keras import data
from gdl_keras.errors import InputError
from gdl_keras.models import Classifier
from gdl_keras.models.parts.inputs import Look
from tests import cases
from tests.harness import assert_same, weights

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


def afresh(build):
    """A model with the same weights each time."""
    keras.utils.set_random_seed(0)
    return build()


def generator(*columns):
    yield from dataset(*columns).as_numpy_iterator()


def dataset(*columns):
    return tf.data.Dataset.from_tensor_slices(columns).batch(4)


STREAMS = pytest.mark.parametrize("stream", [dataset, generator, Batches])


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


def test_reconstructions_are_asked_of_images_in_the_range_too():
    for call in (cases.autoencoder().predict, cases.autoencoder().predict_on_batch, cases.classifier().predict):
        with pytest.raises(InputError, match="divide by 255"):
            call(BYTES)


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


def test_validation_data_is_looked_at_before_training():
    model = cases.classifier()
    before = weights(model)
    for wrong in ((BYTES, Y), (X, Y + 1), (X,), [X, Y + 1]):
        with pytest.raises(InputError):
            model.fit(X, Y, validation_data=wrong, verbose=0)
    assert_same(weights(model), before)


@pytest.mark.parametrize(
    "stream",
    [
        dataset,
        generator,
        Batches,
        lambda x: tf.data.Dataset.from_tensor_slices(x).shuffle(16, seed=1).batch(4),  # each pass in another order
        lambda x: dataset(x).filter(lambda images: True),  # of unknown length
    ],
)
def test_nothing_is_learnt_otherwise_because_it_was_looked_at(stream):
    """The weights, random numbers and steps are those of Keras's own `fit`, which does not look."""
    models = [afresh(cases.vae) for _ in range(2)]
    epochs = 1 if stream is generator else 2
    models[0].fit(stream(X), epochs=epochs, verbose=0, shuffle=False)
    keras.Model.fit(models[1], stream(X), epochs=epochs, verbose=0, shuffle=False)
    assert_same(*map(weights, models))


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


def test_two_replicas_are_told_as_one_device_is(two_replicas):
    with two_replicas.scope():
        model = cases.vae()
    with pytest.raises(InputError, match="divide by 255"):
        model.fit(dataset(BYTES), verbose=0)
    model.fit(dataset(X), verbose=0)


def test_a_directory_of_pictures_as_keras_reads_it(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for index, image in enumerate(X[:6]):
            keras.utils.save_img(tmp_path / name / f"{index}.png", image)
    options = {"color_mode": "grayscale", "image_size": (8, 8), "batch_size": 4, "verbose": False}
    for labels in ("int", "categorical"):
        pictures = keras.utils.image_dataset_from_directory(tmp_path, label_mode=labels, **options)
        for model in (cases.vae(), cases.classifier()):
            with pytest.raises(InputError, match=r"Images|classes"):
                model.fit(pictures, verbose=0)
        in_range = pictures.map(lambda images, labels: (images / 255, labels))
        assert np.isfinite(cases.vae().fit(in_range, verbose=0).history["loss"]).all()


# ---- labels ----------------------------------------------------------------------------------------------------------

FORMS = {
    "(n, 1)": Y[:, None],
    "one-hot": np.eye(3)[Y],
    "one-hot, float32": np.eye(3, dtype="float32")[Y],
    "bool": np.eye(3)[Y] > 0,
    "bytes": Y[:, None].astype("uint8"),
    "floats": Y.astype("float32"),
}


@pytest.mark.parametrize("form", FORMS)
def test_accuracy_and_loss_are_those_of_numpy_whatever_form_labels_come_in(form):
    model = cases.classifier()
    p = model.predict(X, verbose=0)
    accuracy, loss = (p.argmax(axis=1) == Y).mean(), -np.log(p[np.arange(16), Y]).mean()
    for given in ((X, FORMS[form]), (dataset(X, FORMS[form]),)):
        results = model.evaluate(*given, verbose=0, return_dict=True)
        assert results["accuracy"] == pytest.approx(accuracy, rel=1e-6)
        assert results["loss"] == pytest.approx(loss, rel=1e-4)
    assert model.test_on_batch(X, FORMS[form]) == pytest.approx([loss, accuracy], rel=1e-4)


@pytest.mark.parametrize("build", [cases.classifier, cases.cgan, cases.hinge_gan])
def test_all_forms_of_labels_teach_the_same(build):
    models = [afresh(build) for _ in range(3)]
    for model, labels in zip(models, (Y, FORMS["(n, 1)"], FORMS["one-hot"])):
        model.fit(X, labels, batch_size=8, shuffle=False, verbose=0)
    for model in models[1:]:
        assert_same(weights(model), weights(models[0]))


def test_a_step_learns_from_one_form_after_the_other():
    model = cases.classifier()
    for labels in (Y, *FORMS.values()):
        assert np.isfinite(model.train_on_batch(X, labels)).all()


WRONG_LABELS = [
    ((X, Y + 1), "3 classes, numbered from 0 to 2, and these labels go from 1 to 3: subtract 1"),
    ((X, Y - 1), "go from -1 to 1"),
    ((X, Y[:, None] * 4), "go from 0 to 8"),
    ((X, Y + 0.5), "no integers"),
    ((X, np.where(Y, np.nan, 0)), "no integers"),
    ((X, np.eye(4)[Y]), r"one-hot rows .n, 3., and these have shape .16, 4."),
    ((X, np.full((16, 3), 1 / 3)), "one-hot, a single 1"),
    ((X, Y.astype(str)), "number the classes from 0 on"),
    ((X, Y[:15]), "16 images and 15 labels"),
    ((X,), "learns from images and labels: give both"),
]


@pytest.mark.parametrize("build", [cases.classifier, cases.cgan, cases.hinge_gan])
@pytest.mark.parametrize(("given", "sentence"), WRONG_LABELS)
def test_labels_are_refused_with_what_to_do(build, given, sentence):
    model = build()
    for call in (model.fit, model.evaluate, model.train_on_batch, model.test_on_batch):
        with pytest.raises(InputError, match=sentence):
            call(*given)


@STREAMS
def test_labels_of_every_batch_of_a_stream_are_looked_at(stream):
    model = cases.classifier()
    for labels, sentence in ((Y + 1, "from 1 to 3"), (np.where(np.arange(16) < 12, 0, 7), "from 7 to 7")):
        with pytest.raises(InputError, match=sentence):
            model.fit(stream(X, labels), verbose=0)
    with pytest.raises(InputError, match="give both"):
        model.fit(stream(X), verbose=0)


def test_attributes_are_rows_of_numbers_from_0_on():
    model = cases.cgan(2, attributes=True)
    rows = cases.images_with_attributes()[1]
    for wrong, sentence in (
        (Y, "2 attributes: labels are rows"),
        (np.c_[rows, rows], r"have shape .16, 4."),
        (2 * rows - 1, r"map them, .labels \+ 1. / 2"),
        (rows / 0.0, "finite"),
    ):
        with pytest.raises(InputError, match=sentence):
            model.fit(X, wrong)
    assert np.isfinite(model.train_on_batch(X, rows > 0)).all()


# ---- tokens and points -----------------------------------------------------------------------------------------------


def test_tokens_are_numbers_of_the_vocabulary():
    model, tokens = cases.ngram(), cases.tokens()
    for wrong, sentence in (
        (tokens + 1, "from 0 to 4, .* go from 3 to 5"),
        (tokens - 3, "go from -1 to 1"),
        (tokens / 2, "integers"),
        (tokens[0], "a row for each text"),
        (np.array(["a b c"]), "encode texts with model.to_tokens"),
    ):
        for call in (model.fit, model.evaluate, model.train_on_batch):
            with pytest.raises(InputError, match=sentence):
                call(wrong)
    for dtype in ("int64", "uint8"):
        assert np.isfinite(model.train_on_batch(tokens.astype(dtype)))


@pytest.mark.parametrize("build", [cases.gaussian, cases.histogram, cases.mixture, cases.point_gan])
def test_points_are_finite_and_have_the_models_dimensions(build):
    model, points = build(), cases.points()
    for wrong, sentence in (
        (points[:, :1], r"points of shape .n, 2., and these have .16, 1."),
        (points[0], "a batch of its own"),
        (np.where(points > 0.9, np.nan, points), "Points are finite"),
    ):
        for call in (model.fit, model.evaluate, model.train_on_batch):
            with pytest.raises(InputError, match=sentence):
                call(wrong)
    assert np.isfinite(model.train_on_batch(100 * points)).sum() or build is cases.histogram


# ---- tables ----------------------------------------------------------------------------------------------------------


def test_tables_that_do_not_fit_the_model():
    for images, labels, sentence in (
        (X, Y + 1, "from 1 to 3"),
        (np.repeat(X, 3, axis=-1), Y, "make them grey"),
    ):
        table = data.from_arrays(images=images, labels=labels, batch_size=8)
        model = cases.classifier()
        for call in (model.fit, model.evaluate):
            with pytest.raises(InputError, match=sentence):
                call(table)
        with pytest.raises(InputError, match=sentence):
            model.fit(X, Y, validation_data=table)
    with pytest.raises(InputError, match="no labels"):
        cases.classifier().fit(data.from_arrays(images=X))


# ---- networks that rescale, precision --------------------------------------------------------------------------------


def own(first):
    model = Classifier(keras.Sequential([keras.Input((8, 8, 1)), first, layers.Flatten(), layers.Dense(3)]))
    model.compile("adam")
    return model


@pytest.mark.parametrize("first", [layers.Rescaling(1 / 255), layers.Rescaling(1 / 127.5, offset=-1)])
def test_a_classifier_whose_network_divides_by_255_takes_bytes(first):
    model = own(first)
    model.fit(BYTES.astype("uint8"), Y, verbose=0)
    with pytest.raises(InputError, match="divides images by 255 itself"):
        model.fit(X, Y)
    with pytest.raises(InputError, match="from 0 to 255"):
        model.fit(BYTES * 2, Y)


def test_another_rescaling_is_of_images_in_the_range():
    model = own(layers.Rescaling(2, offset=-1))
    model.fit(X, Y, verbose=0)
    with pytest.raises(InputError, match="divide by 255"):
        model.fit(BYTES, Y)


def test_a_network_that_learnt_its_scale_takes_any():
    scale = layers.Normalization()
    scale.adapt(BYTES)
    own(scale).fit(BYTES, Y, verbose=0)


@pytest.fixture
def set_back():
    yield
    keras.config.set_floatx("float32")


@pytest.mark.parametrize("build", [cases.vae, cases.dcgan, cases.hinge_gan, cases.gaussian, cases.ngram])
def test_other_precisions_are_refused_in_one_sentence(build, set_back):
    for name in ("float64", "float16"):
        keras.config.set_floatx(name)
        with pytest.raises(InputError, match=f"set to {name}: call keras.config.set_floatx.'float32'"):
            build()
        keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float64")
    with pytest.raises(InputError, match="not in float64"):
        build()


def test_a_precision_that_is_set_later_is_refused_where_it_would_count(set_back):
    model = cases.gaussian()
    keras.config.set_floatx("float64")
    with pytest.raises(InputError, match="set to float64"):
        model.fit(cases.points())
