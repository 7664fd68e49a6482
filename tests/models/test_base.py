"""What every model shares, asked of models as small as can be: what is reported, joined, compiled, completed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.kinds import kind_of
from gdl_keras.models.autoregressive.base import AutoregressiveModel
from gdl_keras.models.base import TapeModel
from tests import cases


class Reporter(TapeModel):
    """Learns nothing and tells what it gets."""

    metric_names = ("loss", "token_loss")
    batches_per_step = 2

    def build_metrics(self):
        return {**super().build_metrics(), "accuracy": keras.metrics.SparseCategoricalAccuracy(name="accuracy")}

    def train_step(self, data):
        values, weights = data["nested"]["values"], data["weights"]
        return self.report(
            loss=values, token_loss=(values, weights), accuracy=(data["labels"], data["nested"]["logits"])
        )


def columns(n=8):
    rng = np.random.default_rng(0)
    nested = {"values": rng.normal(size=n).astype("float32"), "logits": rng.normal(size=(n, 3)).astype("float32")}
    return {"nested": nested, "weights": (np.arange(n) % 3 > 0).astype("float32"), "labels": np.arange(n) % 3}


class Batches:
    """The least that `fit` asks of a data set, here of dictionaries in dictionaries."""

    steps_per_epoch = 4

    def batches(self, first_batch=0, **options):
        return tf.data.Dataset.from_tensor_slices(columns()).batch(2, drop_remainder=True).repeat().skip(first_batch)


def test_dictionaries_within_dictionaries_survive_joining_and_means_carry_weights():
    model, data = Reporter(), columns()
    model.compile(None)
    history = model.fit(Batches(), verbose=0).history  # two steps of two batches each
    values, weights = data["nested"]["values"].astype("float64"), data["weights"]
    assert history["loss"] == pytest.approx([values.mean()], rel=1e-5)
    assert history["token_loss"] == pytest.approx([(values * weights).sum() / weights.sum()], rel=1e-5)
    right = (data["nested"]["logits"].argmax(axis=1) == data["labels"]).mean()
    assert history["accuracy"] == pytest.approx([right])


def test_what_no_optimizer_trains_is_saved_and_loaded(tmp_path):
    model = cases.histogram()
    assert model.optimizers == {} and model.accumulation_steps == 1
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").optimizers == {}


@pytest.mark.parametrize(
    ("build", "arguments", "sentence"),
    [
        (cases.vae, {"loss": "mse"}, "compile.. of VAE takes optimizer, not loss: it computes its own loss"),
        (cases.gan, {}, "takes discriminator_optimizer and generator_optimizer, such as"),
        (cases.gan, {"optimizer": "adam"}, "not optimizer"),
        (cases.wgan_gp, {"critic_optimizer": "adam"}, "critic_optimizer and generator_optimizer"),
    ],
)
def test_compile_says_which_optimizers_it_takes(build, arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        build().compile(**arguments)


class Stripes(AutoregressiveModel):
    """Images of 4x4 black and white pixels; a pixel is, for certain, what the one above it is not."""

    vocabulary_size = 2
    length = 16

    def logits(self, tokens):
        above = tf.pad(tokens, [[0, 0], [4, 0]])[:, : tokens.shape[1]]
        certain = tf.where(tf.one_hot(1 - above, 2) > 0, 0.0, -1e9)
        return tf.where((tf.range(tokens.shape[1]) < 4)[None, :, None], 0.0, certain)

    def to_tokens(self, samples):
        return np.rint(samples).astype("int32").reshape(len(samples), -1)

    def to_samples(self, tokens):
        return tokens.reshape(-1, 4, 4, 1).astype("float32")


@pytest.mark.parametrize(
    ("build", "latents", "sentence"),
    [
        (cases.vae, np.zeros((3, 5)), r"VAE are an array \(n, 2\), as sample_latents.*shape \(3, 5\)"),
        (cases.vae, np.zeros(2), r"these have shape \(2,\)"),
        (cases.dcgan, np.zeros((3, 8, 8, 1)), r"DCGAN are an array \(n, 4\)"),
        (cases.image_flow, np.zeros((3, 5)), r"ImageFlow are an array \(n, 64\)"),
    ],
)
def test_latent_points_of_another_shape_are_refused(build, latents, sentence):
    with pytest.raises(InputError, match=sentence):
        build().generate(latents=latents)


@pytest.mark.parametrize("n", [0, -1, 2.5, "3", True])
def test_how_many_samples_is_a_whole_number(n):
    for model in (cases.vae(), cases.gaussian(), cases.flow_matching()):
        with pytest.raises(InputError, match=f"makes is a whole number of at least 1, not {n!r}"):
            model.generate(n)
    assert cases.vae().generate(np.int64(2)).shape == (2, *cases.IMAGE_SHAPE)


def test_an_optimizer_trains_the_weights_of_one_network():
    """Keras builds it for the first, and finds out in the middle of a step that the second one's are others."""
    model, optimizer = cases.dcgan(), keras.optimizers.Adam(1e-3)
    with pytest.raises(InputError, match=r"generator_optimizer trains other weights already: .* its own, Adam\(...\)"):
        model.compile(optimizer, optimizer)
    other = cases.autoencoder()
    other.compile(optimizer := keras.optimizers.SGD(0.1))
    with pytest.raises(InputError, match="optimizer trains other weights already"):
        cases.vae().compile(optimizer)
    other.encoder.trainable = False
    other.compile(optimizer)  # it knows the weights that are left
    other.fit(cases.images(), verbose=0)


def test_half_an_image_is_completed_as_a_text_is():
    model = Stripes()
    images = model.generate(6, seed=1)
    kind_of(model).check(images)
    np.testing.assert_array_equal(images[:, 1:], 1 - images[:, :-1])
    assert len(np.unique(images, axis=0)) > 1
    half = np.array([[1, 0, 0, 1], [0, 1, 1, 0]], "float32").reshape(1, 2, 4, 1)
    for one_for_all in (half, np.repeat(half, 3, axis=0)):
        completed = model.generate(3, given=one_for_all, seed=2)
        np.testing.assert_array_equal(completed[:, :2], np.repeat(half, 3, axis=0))
        np.testing.assert_array_equal(completed[:, 2:], completed[:, :2])
    np.testing.assert_array_equal(model.generate(given=images[:, :1], seed=9), images)
    # Of the first row all 16 are equally likely; the rest is certain.
    np.testing.assert_allclose(model.negative_log_likelihood(images), np.full(6, 4 * np.log(2)), rtol=1e-6)
    for wrong in ({"n": 2, "given": images}, {"n": 1, "given": images[:1], "length": 8}):
        with pytest.raises(InputError):
            model.generate(**wrong)
