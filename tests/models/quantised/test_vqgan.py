"""The VQGAN: who learns from what, how the two sides are weighed, what a patch is."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from gdl_keras.errors import InputError
from gdl_keras.layers import SpectralNormalization, VectorQuantizer
from gdl_keras.models import VQGAN, VQVAE
from gdl_keras.models.quantised.networks import build_notebook_decoder, build_notebook_encoder
from gdl_keras.models.quantised.vqgan import build_notebook_discriminator, build_patch_discriminator
from tests import cases, harness

pytestmark = pytest.mark.eager
SHAPE = (4, 4, 1)


def plain(model):
    """Compiled so that a step is the negative gradient."""
    model.compile(keras.optimizers.SGD(1.0), keras.optimizers.SGD(1.0))
    return model


def images(n=8):
    return tf.constant(cases.images(n))


def moves(model, batch):
    """What a step adds to each trainable weight: {path: array}."""
    before = {w.path: np.asarray(w) for w in model.trainable_weights}
    model.train_step(batch)
    return {w.path: np.asarray(w) - before[w.path] for w in model.trainable_weights}


def without_bias(side, units, name):
    """A network of one linear layer, pixels to pixels of another number of channels."""
    inputs = keras.Input((4, 4, side))
    return keras.Model(inputs, layers.Conv2D(units, 1, use_bias=False, name=name)(inputs), name=name)


def linear(**options):
    """A codec without a bend: two numbers a pixel, and a discriminator that is a plane; its codebook stays where it is.

    So all gradients are products that numpy makes.
    """
    keras.utils.set_random_seed(2)
    discriminator_images = keras.Input(SHAPE)
    scores = layers.Conv2D(1, 2, strides=2, name="score")(discriminator_images)
    model = VQGAN(
        without_bias(1, 2, "encoder"),
        without_bias(2, 1, "decoder"),
        VectorQuantizer(5, 2, learning="loss", start="uniform", revive_below=0.0, seed=4),
        keras.Model(discriminator_images, scores, name="discriminator"),
        **{"final_activation": "linear", "perceptual": None, "seed": 1, **options},
    )
    model.quantizer.codebook.assign(np.random.default_rng(5).normal(size=(5, 2)))
    return plain(model)


def linear_images(n=3):
    return np.random.default_rng(6).uniform(size=(n, *SHAPE)).astype("float32")


def by_numpy(model, batch):
    """The two gradients with respect to the decoder's kernel, of the squared error and of the adversarial loss."""
    encoder, decoder = (np.asarray(n.weights[0], "float64")[0, 0] for n in (model.encoder, model.decoder))
    codebook, score = np.asarray(model.quantizer.codebook, "float64"), model.discriminator.get_weights()[0]
    vectors = batch @ encoder
    codes = ((vectors[..., None, :] - codebook) ** 2).sum(axis=-1).argmin(axis=-1)
    chosen = codebook[codes]
    outputs = chosen @ decoder
    of_error = 4 * 2 * (outputs - batch) / 16
    # Each pixel is in one of four patches, at one of the kernel's four places.
    of_adversary = np.broadcast_to(-np.tile(score[:, :, 0], (2, 2, 1)) / 4, outputs.shape)
    return [np.einsum("nijd,nijc->dc", chosen, slope) / len(batch) for slope in (of_error, of_adversary)]


# ---- how the sides are weighed ---------------------------------------------------------------------------------------


def test_the_adversary_weighs_as_much_as_the_two_gradients_at_the_last_layer_say():
    model, batch = linear(adversarial_weight=0.6), linear_images()
    of_error, of_adversary = by_numpy(model, batch)
    expected = 0.6 * np.linalg.norm(of_error) / (np.linalg.norm(of_adversary) + 1e-4)
    before = model.decoder.get_weights()[0][0, 0]
    report = model.train_step(tf.constant(batch))
    assert float(report["adversarial_weight"]) == pytest.approx(expected, rel=1e-4)
    moved = model.decoder.get_weights()[0][0, 0] - before
    np.testing.assert_allclose(moved, -(of_error + expected * of_adversary), rtol=1e-4, atol=1e-6)


def test_the_weight_has_a_bound():
    model, batch = linear(adversarial_weight=1.0), linear_images()
    model.discriminator.layers[-1].kernel.assign(np.full((2, 2, 1, 1), 1e-9))
    bound = np.linalg.norm(by_numpy(model, batch)[0]) / 1e-4
    weight = float(model.train_step(tf.constant(batch))["adversarial_weight"])
    assert weight == pytest.approx(min(bound, 1e4), rel=1e-3)
    model = linear(adversarial_weight=1.0)
    model.discriminator.layers[-1].kernel.assign(np.zeros((2, 2, 1, 1)))
    model.decoder.layers[-1].kernel.assign(np.full((1, 1, 2, 1), 1e3))
    assert float(model.train_step(tf.constant(batch))["adversarial_weight"]) == 1e4


@pytest.mark.parametrize("reconstruction", ["squared", "absolute"])
def test_a_perceptual_loss_counts_on_the_side_of_the_error(reconstruction):
    """Against the slopes of one loss after the other, each by TensorFlow alone, through all of the networks."""
    model = plain(cases.vqgan("loss", reconstruction=reconstruction, perceptual_weight=0.7, adversarial_weight=1.0))
    batch, kernel = images(), model.decoder.layers[-2].kernel
    # The codebook begins with the first batch: that the same codes are chosen again, it has begun.
    model.quantizer(model.encoder(batch), training=True)
    with tf.GradientTape(persistent=True) as tape:
        outputs = model.decoder(model.quantizer(model.encoder(batch))[0])
        values = model.values(batch, outputs, training=False)
        sides = [tf.reduce_mean(values["reconstruction_loss"] + 0.7 * values["perceptual_loss"])]
        sides += [tf.reduce_mean(values["adversarial_loss"])]
    norms = [np.linalg.norm(tape.gradient(side, kernel.value)) for side in sides]
    report = model.train_step(batch)
    assert float(report["perceptual_loss"]) > 1e-4
    assert float(report["adversarial_weight"]) == pytest.approx(norms[0] / (norms[1] + 1e-4), rel=1e-3)


@pytest.mark.graph
def test_until_the_adversary_is_heard_the_codec_learns_as_without_one():
    """And the discriminator does not wait.  Traced: that the step is one and the same."""
    models = [cases.vqgan(perceptual=None, start_step=2), cases.vqvae()]
    codecs = [(model.encoder, model.decoder, model.quantizer) for model in models]
    for one, other in zip(*codecs):
        other.set_weights(one.get_weights())
    plain(models[0])
    models[1].compile(keras.optimizers.SGD(1.0))
    before = models[0].discriminator.get_weights()
    for step in range(3):
        for model in models:
            harness.many_steps(model, cases.images(8), 1)
        differences = [
            np.abs(np.asarray(one) - np.asarray(other)).max()
            for network, same in zip(*codecs)
            for one, other in zip(network.trainable_weights, same.trainable_weights)
        ]
        assert (max(differences) < 1e-6) == (step < 2), step
        weight = models[0].reported("adversarial_weight")
        assert (float(weight) == 0) == (step < 2)
        after = models[0].discriminator.get_weights()
        assert not all(np.array_equal(old, new) for old, new in zip(before, after))
        before = after


@pytest.mark.parametrize("spoilt", [np.inf, np.nan])
def test_what_is_no_number_does_not_reach_the_codec_before_it_is_heard(spoilt):
    batch = tf.constant(linear_images())
    learnt = []
    for number in (0.0, spoilt):
        model = linear(start_step=1)
        model.discriminator.layers[-1].kernel.assign(np.full((2, 2, 1, 1), number))
        before = [np.asarray(weight) for weight in model.codec.trainable_variables]
        model.train_step(batch)
        learnt.append([np.asarray(weight) for weight in model.codec.trainable_variables])
        assert not any(np.array_equal(*pair) for pair in zip(before, learnt[-1]))
    harness.assert_same(*learnt)


# ---- who learns from what --------------------------------------------------------------------------------------------


def test_the_discriminator_learns_from_its_own_loss_alone():
    """However much its features and scores count for the codec."""
    model, batch = plain(cases.vqgan(perceptual_weight=3.0, adversarial_weight=5.0)), images()
    model.quantizer(model.encoder(batch), training=True)  # the codebook begins
    outputs = model.decoder(model.quantizer(model.encoder(batch))[0])
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model.values(batch, outputs, training=False)["discriminator_loss"])
    weights = model.discriminator.trainable_weights
    gradients = tape.gradient(loss, [weight.value for weight in weights])
    moved = moves(model, batch)
    for weight, gradient in zip(weights, gradients, strict=True):
        np.testing.assert_allclose(moved[weight.path], -np.asarray(gradient), rtol=1e-3, atol=1e-5)


def test_commitment_moves_the_encoder_alone_and_the_codebooks_loss_the_codebook_alone():
    """The rest of what they pay is taken away: images that are what they should be, an adversary of no weight."""
    for weight in (0.0, 0.5):
        model, batch = linear(adversarial_weight=0.0), linear_images()
        model.quantizer.commitment_weight = weight
        model.decoder.layers[-1].kernel.assign(np.zeros((1, 1, 2, 1)))  # through which nothing comes back
        moved = moves(model, tf.constant(batch))
        vectors = batch @ np.asarray(model.encoder.layers[-1].kernel - moved["encoder/kernel"])[0, 0]
        codebook = np.asarray(model.quantizer.codebook) - moved[model.quantizer.codebook.path]
        codes = ((vectors[..., None, :] - codebook) ** 2).sum(axis=-1).argmin(axis=-1)
        apart = (vectors - codebook[codes]) / (16 * len(batch))  # the mean of two squares has that slope
        of_encoder = np.einsum("nijc,nijd->cd", batch, apart)
        np.testing.assert_allclose(moved["encoder/kernel"][0, 0], -weight * of_encoder, rtol=1e-4, atol=1e-6)
        of_codes = np.zeros((5, 2))
        np.add.at(of_codes, codes, -apart)
        np.testing.assert_allclose(moved[model.quantizer.codebook.path], -of_codes, rtol=1e-4, atol=1e-6)


def test_a_network_that_is_handed_in_compares_and_is_never_trained():
    looked_at = keras.Input(cases.IMAGE_SHAPE)
    maps = [layers.Conv2D(3, 3, name="first")(looked_at)]
    maps.append(layers.Conv2D(2, 3, strides=2, name="second")(layers.ReLU()(maps[0])))
    network = keras.Model(looked_at, maps, name="perceptual")
    model = plain(cases.vqgan(perceptual=network))
    assert all(weight.trainable for weight in network.weights)
    assert not any("perceptual" in w.path or "first" in w.path for w in model.trainable_weights)
    batch = images()
    before = model.perceptual.get_weights()
    outputs = model.decoder(model.quantizer(model.encoder(batch))[0])
    found = model.values(batch, outputs, training=False)["perceptual_loss"]
    expected = []
    for x, y in zip(*(map(np.asarray, network(x)) for x in (batch, tf.sigmoid(outputs)))):
        x, y = (features / np.sqrt((features**2).sum(axis=-1, keepdims=True) + 1e-6) for features in (x, y))
        expected.append(((x - y) ** 2).sum(axis=-1).mean(axis=(1, 2)))
    np.testing.assert_allclose(found, np.mean(expected, axis=0), rtol=1e-4)
    model.train_step(batch)
    harness.assert_same(before, model.perceptual.get_weights())
    copy = VQGAN.from_config(model.get_config())
    assert not any(weight.trainable for weight in copy.perceptual.weights)


def test_the_penalty_is_half_its_weight_times_the_squared_slope_of_the_patches_mean():
    weights = (0.0, 3.0)
    moved = [moves(linear(penalty_weight=weight), tf.constant(linear_images())) for weight in weights]
    score = linear().discriminator.get_weights()[0]
    # Each of 16 pixels moves one of four patches; half a pixel's value is a unit of [-1, 1].
    slope = 3.0 / 2 * 0.5**2 * 4 * 2 * score / 4**2
    np.testing.assert_allclose(moved[1]["score/kernel"] - moved[0]["score/kernel"], -slope, rtol=1e-3, atol=1e-6)


# ---- losses ----------------------------------------------------------------------------------------------------------


def test_losses_are_those_of_the_formula():
    model, batch = linear(), linear_images()
    report = {name: float(value) for name, value in model.test_step(tf.constant(batch)).items()}
    outputs = np.asarray(model.decoder(model.quantizer(model.encoder(batch))[0]))
    real, fake = (np.asarray(model.discriminator(x)) for x in (batch, outputs))
    expected = {
        "reconstruction_loss": 4 * ((batch - outputs) ** 2).mean(),
        "perceptual_loss": 0.0,
        "adversarial_loss": -fake.mean(),
        "discriminator_loss": np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean(),
        "real_accuracy": (real > 0).mean(),
        "fake_accuracy": (fake < 0).mean(),
        "psnr": -10 * np.log10(((batch - outputs) ** 2).mean()),
    }
    assert {name: report[name] for name in expected} == pytest.approx(expected, rel=1e-4)
    assert report["loss"] == pytest.approx(report["reconstruction_loss"] + report["quantisation_loss"], rel=1e-5)
    model.reconstruction = "absolute"
    other = {name: float(value) for name, value in model.test_on_batch(batch, return_dict=True).items()}
    assert other["reconstruction_loss"] == pytest.approx(2 * np.abs(batch - outputs).mean(), rel=1e-4)
    assert other["psnr"] == pytest.approx(report["psnr"], rel=1e-5)


@pytest.mark.graph
def test_it_learns_a_few_images_by_heart():
    model = cases.vqgan(perceptual_weight=0.1, adversarial_weight=0.1)
    model.compile(keras.optimizers.Adam(5e-3, 0.5, 0.9), keras.optimizers.Adam(2e-3, 0.5, 0.9))
    few = cases.images(4)
    before = float(model.test_on_batch(few, return_dict=True)["psnr"])
    harness.many_steps(model, few, 100)
    assert float(model.test_on_batch(few, return_dict=True)["psnr"]) > before + 6


def test_what_is_kept_of_it_is_a_codec_that_nothing_trains():
    model = cases.vqgan()
    codec = model.frozen()
    assert type(codec) is VQVAE and not codec.trainable_weights
    np.testing.assert_array_equal(codec.encode(cases.images(3)), model.encode(cases.images(3)))


# ---- networks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("filters", "patch"), [((3,), 8), ((3, 4), 18), ((3, 4, 4), 38)])
def test_a_score_is_of_one_patch(filters, patch):
    """Which pixels move the score in the middle: a square as wide as the docstring says."""
    size = 16 * 2 ** len(filters)
    network = build_patch_discriminator((size, size, 3), filters, spectral=False)
    assert network.output_shape == (None, 16, 16, 1)
    x = tf.Variable(np.random.default_rng(0).uniform(size=(1, size, size, 3)).astype("float32"))
    with tf.GradientTape() as tape:
        score = network(x)[0, 8, 8, 0]
    moved = np.abs(tape.gradient(score, x)[0]).max(axis=-1) > 0
    rows, columns = np.nonzero(moved)
    assert np.ptp(rows) + 1 == np.ptp(columns) + 1 == patch and moved.sum() == patch**2


def test_every_kernel_of_the_discriminator_is_normalised():
    network = build_patch_discriminator((8, 8, 1), (4, 4))
    assert not any(hasattr(layer, "kernel") for layer in network.layers)
    assert sum(isinstance(layer, SpectralNormalization) for layer in network.layers) == 3


def test_networks_have_the_notebooks_number_of_weights():
    shape = (128, 128, 3)
    assert build_notebook_discriminator(shape).count_params() == 4_860_416
    assert build_notebook_discriminator(shape).output_shape == (None, 32, 32, 256)
    codec = [build(shape, halvings=3) for build in (build_notebook_encoder, build_notebook_decoder)]
    codebook = VectorQuantizer(512, 64, learning="loss").codebook
    assert sum(network.count_params() for network in codec) + int(np.prod(codebook.shape)) == 2_702_595


def test_it_trains_with_the_notebooks_networks():
    shape = (8, 8, 1)
    codec = [build(shape, 4, 4, halvings=1) for build in (build_notebook_encoder, build_notebook_decoder)]
    discriminator = build_notebook_discriminator(shape, 4)
    model = VQGAN(*codec, VectorQuantizer(6, 4), discriminator, final_activation="linear", reconstruction="absolute")
    assert model._judge.count == 8  # ten inputs of kernels after the first, two of which two kernels read
    report = plain(model).train_step(images())
    assert np.isfinite([float(value) for value in report.values()]).all()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"reconstruction": "cubic"}, "reconstruction"),
        ({"perceptual": "vgg"}, 'perceptual is "discriminator"'),
        ({"start_step": -1}, "start_step"),
        ({"adversarial_weight": -1.0}, "adversarial_weight"),
    ],
)
def test_arguments_are_checked(options, sentence):
    with pytest.raises(InputError, match=sentence):
        cases.vqgan(**options)


def test_networks_that_do_not_go_together_are_refused():
    parts = cases.codec_parts()
    wrong = {"another size": build_patch_discriminator((16, 16, 1), (4,)), "an ending": bounded()}
    for network in wrong.values():
        with pytest.raises(InputError):
            VQGAN(*parts, network)
    with pytest.raises(InputError, match="no feature maps"):
        VQGAN(*parts, cases.gan().discriminator)
    inputs = keras.Input((2, 2, 4))
    through, past = layers.UpSampling2D(4)(inputs), layers.UpSampling2D(4)(inputs[..., :1])
    decoder = keras.Model(inputs, layers.Add()([layers.Conv2D(1, 1)(through), past]))
    with pytest.raises(InputError, match="does not end in one layer"):
        VQGAN(parts[0], decoder, parts[2], build_patch_discriminator(cases.IMAGE_SHAPE, (4,)))


def bounded():
    inputs = keras.Input(cases.IMAGE_SHAPE)
    return keras.Model(inputs, layers.Conv2D(1, 3, activation="sigmoid")(inputs))
