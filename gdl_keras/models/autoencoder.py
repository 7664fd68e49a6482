"""The autoencoder: squeeze an image through a few numbers, and learn to get it back.

The encoder maps an image to a point in a latent space of `latent_dim` numbers, the decoder maps the point back to an
image, and both learn to make the two images equal.  Nothing tells the points where to be: the cloud that they form has
gaps and no known shape, which is what the variational autoencoder mends.

Book: chapter 3, "Autoencoders".  Papers: Hinton & Salakhutdinov 2006, Reducing the dimensionality of data with neural
networks, Science 313; Vincent et al. 2008, Extracting and composing robust features with denoising autoencoders, for
the variant that sees spoilt images and has to draw the clean ones.  Dense networks are in `dense_autoencoder.py`.
"""

import math

import keras
import tensorflow as tf
from keras import layers, ops

from gdl_keras import losses
from gdl_keras.errors import check_one_of
from gdl_keras.models.base import inputs_of, targets_of
from gdl_keras.models.generative import LatentModel
from gdl_keras.models.parts.calling import specs_of
from gdl_keras.models.parts.endings import FINAL_ACTIVATIONS, check_final_activation, in_float32, with_final_activation
from gdl_keras.models.parts.fitting import check_chain
from gdl_keras.models.parts.inputs import Look
from gdl_keras.models.parts.sizes import reduced_size
from gdl_keras.models.parts.weights import weighted, weighted_mean, weights_of
from gdl_keras.samplers.noise import random_normal

# How much the running description of the latent cloud keeps of itself in each step.
LATENT_MOMENTUM = 0.99
LOSSES = {
    "binary_crossentropy": losses.binary_crossentropy,
    "mean_squared_error": losses.squared_error,
    "root_mean_squared_error": losses.root_squared_error,
}


def build_encoder(image_shape, latent_dim=2, filters=(32, 64, 128)):
    """Strided convolutions, each halving the image, then a dense layer without activation.

    Args:
        image_shape: (height, width, channels); height and width multiples of 2 ** len(filters).
        latent_dim: int, numbers per image.
        filters: channels after each convolution.

    Returns:
        `keras.Model`, images (batch, *image_shape) in [0, 1] -> float32 (batch, latent_dim).  96,770 weights for the
        book's (32, 32, 1), latent_dim 2.

    Raises:
        InputError: the image cannot be halved that often.
    """
    images, features = convolutional_features(image_shape, filters)
    latents = layers.Dense(latent_dim, dtype="float32", name="latents")(features)
    return keras.Model(images, latents, name="encoder")


def build_decoder(image_shape, latent_dim=2, filters=(32, 64, 128)):
    """The encoder backwards: a dense layer, transposed convolutions that double the image, a logit for each number.

    Args as in `build_encoder`.

    Returns:
        `keras.Model`, float (batch, latent_dim) -> float32 (batch, *image_shape), whose sigmoid is the image.  246,273
        weights for the book's (32, 32, 1), latent_dim 2.
    """
    start = (*reduced_size(image_shape, filters), filters[-1])
    latents = keras.Input((latent_dim,), name="latents")
    x = layers.Dense(math.prod(start))(latents)
    x = layers.Reshape(start)(x)
    for width in reversed(filters):
        x = layers.Conv2DTranspose(width, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv2D(image_shape[-1], 3, padding="same", name="logits")(x)
    return keras.Model(latents, in_float32(x), name="decoder")


def convolutional_features(image_shape, filters):
    """The encoder's body: (input of images, flat features), to which a head is attached."""
    reduced_size(image_shape, filters)
    images = keras.Input(image_shape, name="images")
    x = images
    for width in filters:
        x = layers.Conv2D(width, 3, strides=2, padding="same", activation="relu")(x)
    return images, layers.Flatten()(x)


@keras.saving.register_keras_serializable(package="gdl_keras")
class Autoencoder(LatentModel):
    """Trains an encoder and a decoder to give back what they see, or, with a corruption, what was there before it.

    `fit` takes images; `fit(noisy, clean)` asks for the second where the encoder sees the first.

    While it learns, the model keeps the mean and the variance of its latent points; `sample_latents` draws from the
    normal distribution that they describe (Ghosh et al. 2020, From variational to deterministic autoencoders,
    section 4, in its simplest form).  Expect most such points to decode to something plausible and some to nothing.

    Args:
        encoder: `keras.Model`, images -> latent points.
        decoder: `keras.Model`, latent points -> one number for each of the image's, without an activation at its end.
        loss: of one image, averaged over images: "binary_crossentropy", the mean over pixels, in nats;
            "mean_squared_error"; or "root_mean_squared_error", the root of the mean over the image's pixels.
        corruption: a layer, images -> images, such as `Corruption`, that the encoder's input goes through in training
            alone; the target stays the clean image.  None: it sees the clean image, too.
        final_activation: what makes an image of the decoder's numbers: "sigmoid"; or "linear": they are the image.  The
            loss sees them as they are, whoever asks for images gets them clipped to [0, 1].
        seed: int or None.

    Raises:
        InputError: an argument is out of range, the networks do not fit together, the decoder ends in an activation, or
            the cross-entropy, which takes logits, does not go with a linear end.
    """

    metric_names = ("loss",)
    weighs_examples = True
    takes_targets = True

    def __init__(
        self, encoder, decoder, loss="binary_crossentropy", corruption=None, final_activation="sigmoid", **kwargs
    ):
        super().__init__(**kwargs)
        check_one_of("loss", loss, LOSSES)
        check_chain("Autoencoder", encoder=encoder, decoder=decoder)
        check_chain("Autoencoder", decoder=decoder, encoder=encoder)
        check_final_activation(decoder, final_activation, loss == "binary_crossentropy")
        self.encoder = encoder
        self.decoder = decoder
        self.loss = loss
        self.corruption = corruption
        self.final_activation = final_activation
        self.latent_dim = decoder.input_shape[-1]
        self.latent_mean = self._running("latent_mean", "zeros")
        self.latent_mean_square = self._running("latent_mean_square", "ones")

    @property
    def decoding_network(self):
        return self.decoder

    @property
    def first_network(self):
        return self.encoder

    def call(self, images, training=False):
        return self.images(self.decoder(self.encoder(images, training=training), training=training))

    @property
    def input_signature(self):
        return specs_of(self.encoder.inputs[0])

    def train_step(self, data):
        images = inputs_of(data)
        seen = self.corruption(images, training=True) if self.corruption else images
        with tf.GradientTape() as tape:
            latents = self.encoder(seen, training=True)
            errors = weighted(self.errors(targets_of(data), self.decoder(latents, training=True)), weights_of(data))
            loss = ops.mean(errors)
        self.minimize(tape, loss, self.optimizer, self.trainable_variables)
        self._follow(latents, weights_of(data))
        return self.report(loss=errors)

    def test_step(self, data):
        images = inputs_of(data)
        errors = self.errors(targets_of(data), self.decoder(self.encoder(images, training=False), training=False))
        return self.report(loss=weighted(errors, weights_of(data)))

    def errors(self, images, outputs):
        """The loss of each image, from what the decoder puts out: float32 tensor (batch,)."""
        if self.loss == "binary_crossentropy":
            return losses.binary_crossentropy(images, outputs)
        return LOSSES[self.loss](images, FINAL_ACTIVATIONS[self.final_activation](outputs))

    def images(self, outputs):
        """Images in [0, 1], float32, from what the decoder puts out."""
        return ops.clip(FINAL_ACTIVATIONS[self.final_activation](outputs), 0, 1)

    def encode(self, images):
        """The latent points of images (n, height, width, channels) in [0, 1]; float32 array (n, latent_dim)."""
        Look(self, self.predicts_from).at(images)
        return self.encoder.predict(images, verbose=0)

    def decode(self, latents):
        return self.images(self.decoder(latents, training=False))

    def sample_latents(self, n, seed=None, first=0):
        noise = random_normal((n, self.latent_dim), seed, first)
        return ops.convert_to_numpy(self.latent_mean + ops.sqrt(self.latent_variance) * noise)

    @classmethod
    def updated(cls, config):
        return with_final_activation(config)

    @property
    def latent_variance(self):
        """Running variance of the latent points: float32 tensor (latent_dim,)."""
        return ops.maximum(self.latent_mean_square - ops.square(self.latent_mean), 0.0)

    def _running(self, name, initializer):
        return self.add_weight(
            shape=(self.latent_dim,), initializer=initializer, trainable=False, aggregation="mean", name=name
        )

    def _follow(self, latents, weights):
        # Means of numbers and of their squares average over replicas; variances would not.
        moments = weighted_mean(latents, weights), weighted_mean(ops.square(latents), weights)
        for running, new in zip((self.latent_mean, self.latent_mean_square), moments):
            moved = LATENT_MOMENTUM * running + (1 - LATENT_MOMENTUM) * new
            running.assign(moved if weights is None else ops.where(ops.any(weights != 0), moved, running))
