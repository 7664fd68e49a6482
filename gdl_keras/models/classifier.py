"""Classifiers: the plainest networks of the book, and the judges of what the generative models make.

A network maps an image to one number a class, which softmax turns into probabilities, and is trained to give a high one
to the right class.

Book: chapter 2, "Deep Learning".
"""

import keras
import tensorflow as tf
from keras import layers, ops

from gdl_keras.layers import FusedBatchNormalization, ReplicaDropout
from gdl_keras.losses import class_crossentropy
from gdl_keras.models.base import TapeModel
from gdl_keras.models.parts.calling import specs_of
from gdl_keras.models.parts.conditions import Classes
from gdl_keras.models.parts.endings import refuse_ending, without_ending
from gdl_keras.models.parts.fitting import check_logits
from gdl_keras.models.parts.inputs import inputs_and_labels
from gdl_keras.models.parts.weights import weighted, weights_of


def build_mlp(image_shape, num_classes, units=(200, 150)):
    """A multilayer perceptron: the pixels as one long list, and dense layers.

    Args:
        image_shape: (height, width, channels).
        num_classes: int.
        units: width of each hidden layer.

    Returns:
        `keras.Model`, images (batch, *image_shape) in [0, 1] -> logits, float32 (batch, num_classes).  646,260
        weights for the book's (32, 32, 3) and 10 classes.
    """
    images = keras.Input(image_shape, name="images")
    x = layers.Flatten()(images)
    for width in units:
        x = layers.Dense(width, activation="relu")(x)
    return keras.Model(images, _logits(x, num_classes), name="mlp")


def build_cnn(image_shape, num_classes, filters=(32, 32, 64, 64), units=128, dropout=0.5):
    """A convolutional network: every second convolution halves the image, each is followed by batch normalisation.

    Args:
        image_shape: (height, width, channels).
        num_classes: int.
        filters: channels after each convolution.
        units: width of the dense layer.
        dropout: share of its outputs that is set to zero in training.

    Returns:
        `keras.Model`, as of `build_mlp`; its layer "features" is the dense layer.  592,554 weights for the book's
        (32, 32, 3) and 10 classes.
    """
    images = keras.Input(image_shape, name="images")
    x = images
    for index, width in enumerate(filters):
        x = layers.Conv2D(width, 3, strides=1 + index % 2, padding="same")(x)
        x = FusedBatchNormalization()(x)
        x = layers.LeakyReLU(0.3)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(units)(x)
    x = FusedBatchNormalization()(x)
    x = layers.LeakyReLU(0.3, name="features")(x)
    x = ReplicaDropout(dropout)(x)
    return keras.Model(images, _logits(x, num_classes), name="cnn")


def _logits(x, num_classes):
    return layers.Dense(num_classes, dtype="float32", name="logits")(x)


@keras.saving.register_keras_serializable(package="gdl_keras")
class Classifier(TapeModel):
    """Trains a network to name the class of an image, by categorical cross-entropy.

        loss = -log p_y,   p = softmax(logits)                 where y is the right class

    `fit` takes images with class numbers, (n,) or (n, 1), or with one-hot rows (n, num_classes).

    Args:
        network: `keras.Model`, images -> logits (batch, num_classes).
        seed: int or None.

    Raises:
        InputError: the network does not give a number for each of two classes or more, or ends in a softmax, or in
            another activation that bounds what it says.
    """

    metric_names = ("loss", "accuracy")
    learns_from = ("images", "labels")
    weighs_examples = True

    def __init__(self, network, **kwargs):
        super().__init__(**kwargs)
        check_logits("Classifier", "network", network)
        refuse_ending(network, "Classifier", compared=True)
        self.network = network
        self.num_classes = network.output_shape[-1]

    @property
    def first_network(self):
        return self.network

    @property
    def labels_are(self):
        return Classes(self.num_classes)

    def call(self, images, training=False):
        """Probabilities, float32 (batch, num_classes)."""
        return ops.softmax(self.network(images, training=training))

    @property
    def input_signature(self):
        return specs_of(self.network.inputs[0])

    def train_step(self, data):
        images, labels = inputs_and_labels(data, self.labels_are)
        with tf.GradientTape() as tape:
            logits = self.network(images, training=True)
            losses = weighted(class_crossentropy(labels, logits), weights_of(data))
            loss = ops.mean(losses)
        self.minimize(tape, loss, self.optimizer, self.network.trainable_variables)
        return self.report(loss=losses, accuracy=_is_right(labels, logits))

    def test_step(self, data):
        images, labels = inputs_and_labels(data, self.labels_are)
        logits = self.network(images, training=False)
        losses = weighted(class_crossentropy(labels, logits), weights_of(data))
        return self.report(loss=losses, accuracy=_is_right(labels, logits))

    @classmethod
    def updated(cls, config):
        # In files from before networks ended in logits, a softmax comes after them.
        return {**config, "network": without_ending(config["network"], "softmax")}


def _is_right(labels, logits):
    right = ops.equal(ops.argmax(logits, axis=-1), ops.cast(labels, "int32"))
    return ops.cast(right, "float32")
