"""What is looked at of labels, tokens, points and tables, and which precision models take."""

import keras
import numpy as np
import pytest
from keras import layers

from gdl_keras import data
from gdl_keras.errors import InputError
from gdl_keras.models import Classifier
from tests import cases
from tests.harness import assert_same, long, weights
from tests.models.parts.test_inputs import BYTES, STREAMS, X, Y, afresh, dataset

pytestmark = pytest.mark.eager

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


@pytest.mark.parametrize("build", [cases.classifier, long(cases.cgan), long(cases.hinge_gan)])
def test_all_forms_of_labels_teach_the_same(build):
    models = [afresh(build) for _ in range(3)]
    for model, labels in zip(models, (Y, FORMS["(n, 1)"], FORMS["one-hot"])):
        model.fit(X, labels, batch_size=8, shuffle=False, verbose=0)
    for model in models[1:]:
        assert_same(weights(model), weights(models[0]))


@pytest.mark.graph
def test_a_step_learns_from_one_form_after_the_other():
    model = cases.classifier()
    model.compile("sgd")  # each form is traced, and the fewer steps that has the better
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
    keras.config.set_image_data_format("channels_last")


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


def test_what_the_sentence_says_is_enough(set_back):
    """Keras keeps the policy that it made of the floatx, whatever that is set to afterwards."""
    keras.config.set_floatx("float64")
    with pytest.raises(InputError) as refused:
        cases.gaussian()
    for call in ("set_floatx", "set_dtype_policy"):
        assert f"keras.config.{call}('float32')" in str(refused.value)
        getattr(keras.config, call)("float32")
    cases.gaussian()


def test_channels_come_last(set_back):
    model = cases.vae()
    keras.config.set_image_data_format("channels_first")
    for call in (cases.vae, lambda: model.fit(X)):
        with pytest.raises(
            InputError, match=r"come last, and Keras is set to channels_first: call keras\.config\.set_im"
        ):
            call()
