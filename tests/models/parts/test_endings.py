"""How networks end is found wherever the last activation stands, and refused where it does not go with the loss."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from keras.layers import Activation, Conv2D, Dense, Flatten, Permute, Rescaling, Reshape

from gdl_keras.errors import InputError
from gdl_keras.layers import HalvingConv2D, ReplicaDropout, SpectralNormalization
from gdl_keras.models import CGAN, DCGAN, GAN, VAE, WGANGP, Autoencoder, Classifier, HingeGAN, PointGAN
from gdl_keras.models.cgan import build_critic
from gdl_keras.models.dcgan import build_discriminator
from gdl_keras.models.parts.endings import as_saved, ending
from tests import cases
from tests.cases import with_optimizers

SHAPE = (8, 8, 1)
IMAGES = cases.images()


def network(inputs, *rest):
    return keras.Sequential([keras.Input(inputs), *rest])


def judge(*rest):
    return network(SHAPE, Flatten(), Dense(8, activation="relu"), *rest)


def generator(*rest):
    return network((4,), Dense(64), *rest)


def painter():
    return generator(Activation("sigmoid"), Reshape(SHAPE))


def encoder(size=2):
    return network(SHAPE, Flatten(), Dense(size))


def decoder(*rest):
    return network((2,), *rest)


def clouds():
    images = keras.Input(SHAPE)
    x = Flatten()(images)
    return keras.Model(images, [Dense(2)(x), Dense(2)(x)])


def functional(*functions):
    """A network of functions and layers, one after the other."""
    inputs = x = keras.Input((8,))
    for function in functions:
        x = function(x)
    return keras.Model(inputs, x)


def in_steps(*rest):
    """A network to which layers were added one by one, so that each is in several graphs."""
    model = keras.Sequential()
    for layer in (keras.Input((8,)), *rest):
        model.add(layer)
    return model


SIGMOIDS = {
    "in the last layer": lambda: network((8,), Dense(1, activation="sigmoid")),
    "a layer of its own": lambda: network((8,), Dense(1), Activation("sigmoid")),
    "a function": lambda: network((8,), Dense(1, activation=ops.sigmoid)),
    "an operation": lambda: functional(Dense(1), ops.sigmoid),
    "Keras's function in a layer": lambda: network((8,), Dense(1), Activation(ops.sigmoid)),
    "TensorFlow's function in a layer": lambda: network((8,), Dense(1), Activation(tf.nn.sigmoid)),
    "TensorFlow's Lambda": lambda: network((8,), Dense(1), layers.Lambda(tf.sigmoid)),
    "Keras's Lambda": lambda: network((8,), Dense(1), layers.Lambda(ops.sigmoid)),
    "before float32": lambda: network((8,), Dense(1, activation="sigmoid"), Activation("linear", dtype="float32")),
    "before shapes": lambda: in_steps(
        Dense(4),
        Activation("sigmoid"),
        Reshape((2, 2, 1)),
        Permute((2, 1, 3)),
        Flatten(),
    ),
    "before operations": lambda: functional(
        Dense(4, activation="sigmoid"), lambda x: ops.reshape(x, (-1, 2, 2)), lambda x: ops.mean(x, axis=1)
    ),
    "before pooling": lambda: network(
        (8,),
        Reshape((2, 2, 2)),
        HalvingConv2D(1, 2, padding="same", activation="sigmoid"),
        layers.GlobalAveragePooling2D(),
    ),
    "before padding": lambda: network(
        (8,),
        Reshape((2, 2, 2)),
        Conv2D(1, 1, activation="sigmoid"),
        layers.ZeroPadding2D(),
        Flatten(),
    ),
    "before dropout": lambda: network((8,), Dense(1, activation="sigmoid"), ReplicaDropout(0.5)),
    "in a network within": lambda: network((8,), network((8,), Dense(1, activation="sigmoid")), Flatten()),
    "in a functional one within": lambda: functional(functional(Dense(1, activation="sigmoid"))),
    "under spectral normalisation": lambda: network((8,), SpectralNormalization(Dense(1, activation="sigmoid"))),
    "rescaled a little": lambda: network((8,), Dense(1, activation="sigmoid"), Rescaling(2, offset=-1)),
}
LOGITS = {
    "no activation": lambda: network((8,), Dense(1)),
    "a leaky one": lambda: network((8,), Dense(1), layers.LeakyReLU(0.2)),
    "a leaky ReLU": lambda: network((8,), Dense(1), layers.ReLU(negative_slope=0.1)),
    "a sigmoid that something follows": lambda: network((8,), Dense(4, activation="sigmoid"), Dense(1)),
    "nobody can tell": lambda: network((8,), Dense(1, activation="sigmoid"), layers.Lambda(lambda x: 9 * x - 4)),
    "wide enough": lambda: network((8,), Dense(1, activation="tanh"), Rescaling(10)),
    "operations": lambda: functional(Dense(1, activation="sigmoid"), lambda x: 20 * x - 10),
}


@pytest.mark.parametrize("case", SIGMOIDS)
def test_a_sigmoid_is_found_wherever_it_stands(case):
    tail = SIGMOIDS[case]()
    assert ending(tail).activation == "sigmoid"
    with pytest.raises(InputError, match="ends in a sigmoid, and GAN wants logits"):
        GAN(painter(), judge(tail))


@pytest.mark.parametrize("case", LOGITS)
def test_logits_are_no_fault(case):
    GAN(painter(), judge(LOGITS[case]()))


@pytest.mark.parametrize("activation", ["sigmoid", "hard_sigmoid", "tanh", "softsign", "softmax", "relu", "softplus"])
@pytest.mark.parametrize("model", [GAN, DCGAN, WGANGP])
def test_judges_that_cannot_say_yes_and_no_with_confidence(model, activation):
    with pytest.raises(InputError, match=f"ends in a {activation}, and {model.__name__} wants logits"):
        model(painter(), judge(Dense(1, activation=activation)))


def with_sigmoid(network):
    return keras.Model(network.inputs, Activation("sigmoid")(network.outputs[0]), name=network.name)


@pytest.mark.parametrize("build", [cases.cgan, cases.hinge_gan, cases.point_gan, cases.wgan_gp])
def test_judges_of_all_families_are_looked_at(build):
    model = build()
    config = {name: getattr(model, name) for name in ("generator", "num_classes") if hasattr(model, name)}
    config[model.judge_name] = with_sigmoid(getattr(model, model.judge_name))
    with pytest.raises(InputError, match=f"ends in a sigmoid, and {type(model).__name__} wants logits"):
        type(model)(**config)


def test_the_discriminator_of_the_book():
    """Its last layers: a convolution with a sigmoid, then Flatten."""
    ours = build_discriminator(SHAPE, (4, 4))
    last = Conv2D(1, 2, use_bias=False, activation="sigmoid")(ours.layers[-3].output)
    books = keras.Model(ours.inputs, Flatten()(last), name="discriminator")
    with pytest.raises(InputError, match="discriminator ends in a sigmoid"):
        DCGAN(painter(), books)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax", "tanh"])
def test_classifiers_take_logits(activation):
    with pytest.raises(InputError, match=f"ends in a {activation}, and Classifier wants logits"):
        Classifier(judge(Dense(3, activation=activation)))


@pytest.mark.parametrize("activation", ["linear", "relu", "log_softmax"])
def test_of_logits_of_classes_differences_count(activation):
    Classifier(judge(Dense(3, activation=activation)))


DECODERS = {
    "sigmoid": lambda: decoder(Dense(64, activation="sigmoid"), Reshape(SHAPE)),
    "tanh": lambda: decoder(Dense(64, activation="tanh"), Reshape(SHAPE), Rescaling(0.5, offset=0.5)),
    "relu": lambda: decoder(Dense(64, activation="relu"), Reshape(SHAPE)),
    "softplus": lambda: decoder(Dense(64), Reshape(SHAPE), Activation("softplus")),
}


@pytest.mark.parametrize("activation", DECODERS)
def test_decoders_end_in_logits(activation):
    for model, first in ((Autoencoder, encoder), (VAE, clouds)):
        with pytest.raises(InputError, match=f"ends in a {activation}, and final_activation"):
            model(first(), DECODERS[activation]())
    Autoencoder(encoder(), DECODERS[activation](), loss="mean_squared_error", final_activation="linear")


def test_decoders_without_activation_are_right():
    for last in ([], [Conv2D(1, 3, padding="same")]):
        Autoencoder(encoder(), decoder(Dense(64, activation="sigmoid"), Dense(64), Reshape(SHAPE), *last))


@pytest.mark.parametrize(
    ("rest", "sentence"),
    [
        (
            [Activation("tanh"), Reshape(SHAPE)],
            r"ends in a tanh, .* -1 to 1, .*Rescaling.0.5, offset=0.5.",
        ),
        (
            [Reshape(SHAPE)],
            "ends without an activation, and images of GAN are in .0, 1.: let it end in a sigmoid",
        ),
        ([Reshape(SHAPE), Conv2D(1, 3, padding="same")], "ends without an activation"),
        ([Reshape(SHAPE), layers.ReLU()], "ends in a relu"),
        ([Activation("sigmoid"), Reshape(SHAPE), Rescaling(255)], r"0 to 255, .*Rescaling.0.0039"),
    ],
)
def test_generators_make_images_in_the_range(rest, sentence):
    with pytest.raises(InputError, match=sentence):
        GAN(generator(*rest), judge(Dense(1)))


@pytest.mark.parametrize(
    "rest",
    [
        [Activation("tanh"), Rescaling(0.5, offset=0.5), Reshape(SHAPE)],
        [Reshape(SHAPE), Activation("sigmoid")],
        [Activation("hard_sigmoid"), Reshape(SHAPE)],
        [Reshape(SHAPE), layers.Lambda(lambda x: ops.clip(x, 0, 1))],
    ],
)
def test_own_generators_that_do_are_taken(rest):
    GAN(generator(*rest), judge(Dense(1)))


def test_points_may_lie_anywhere():
    PointGAN(network((2,), Dense(2)), network((2,), Dense(1)))


# ---- files of older versions -----------------------------------------------------------------------------------------


def test_a_file_of_a_gan_whose_networks_end_otherwise_loads_and_samples_as_ever(tmp_path):
    with as_saved():
        discriminator = judge(Dense(1, activation="sigmoid"))
        model = with_optimizers(GAN(generator(Activation("tanh"), Reshape(SHAPE)), discriminator, seed=1))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.generate(3, seed=5), model.generate(3, seed=5))
    # Its judge now says the logits of what it said.
    said = np.asarray(model.discriminator(IMAGES))
    np.testing.assert_allclose(ops.sigmoid(loaded.discriminator(IMAGES)), said, rtol=1e-5)
    assert np.isfinite(loaded.train_on_batch(IMAGES)).all()


@pytest.mark.parametrize("last", [lambda: [Dense(3, activation="softmax")], lambda: [Dense(3), layers.Softmax()]])
def test_a_file_of_a_classifier_that_ends_in_a_softmax_gives_the_probabilities_that_it_gave(last):
    network = judge(*last())
    said = np.asarray(network(IMAGES))
    config = {"network": keras.saving.serialize_keras_object(network)}
    loaded = Classifier.from_config(config)
    loaded.network.set_weights(network.get_weights())
    np.testing.assert_allclose(loaded(IMAGES), said, rtol=1e-5)


@pytest.mark.parametrize(
    "last",
    [
        lambda: [Dense(64, activation="sigmoid"), Reshape(SHAPE)],
        lambda: [Dense(64), Reshape(SHAPE), Activation("sigmoid", dtype="float32")],
    ],
)
def test_a_file_of_an_autoencoder_with_the_sigmoid_inside_gives_the_images_that_it_gave(last):
    old = decoder(*last())
    said = np.asarray(old(np.ones((3, 2), "float32")))
    config = {
        name: keras.saving.serialize_keras_object(part) for name, part in (("encoder", encoder()), ("decoder", old))
    }
    loaded = Autoencoder.from_config(config)
    loaded.decoder.set_weights(old.get_weights())
    assert loaded.final_activation == "sigmoid" and ending(loaded.decoder).activation == "linear"
    np.testing.assert_allclose(loaded.decode(np.ones((3, 2), "float32")), said, rtol=1e-5)


def test_new_models_are_looked_at_after_a_file_was_loaded():
    GAN.from_config(cases.gan().get_config())
    with pytest.raises(InputError, match="wants logits"):
        GAN(painter(), judge(Dense(1, activation="sigmoid")))


def test_families_with_labels_are_built_as_ever():
    assert isinstance(cases.cgan(), CGAN) and isinstance(cases.hinge_gan(), HingeGAN)
    assert ending(build_critic(SHAPE, 3, (4, 4))).low == -float("inf")
