"""The autoencoder: squeeze an image through a few numbers, and learn to get it back.

The encoder maps an image to a point in a latent space of `latent_dim` numbers, the decoder maps the point back to an
image, and both learn to make the two images equal.  Nothing tells the points where to be: the cloud that they form has
gaps and no known shape, which is what the variational autoencoder mends.

Book: chapter 3, "Autoencoders".  Paper: Hinton & Salakhutdinov 2006, Reducing the dimensionality of data with neural
networks, Science 313.
"""

import math

import keras
import tensorflow as tf
from keras import layers, ops

from gdl_keras.losses import binary_crossentropy
from gdl_keras.models.base import images_of
from gdl_keras.models.generative import GenerativeModel, random_normal
from gdl_keras.models.sizes import reduced_size

# How much the running description of the latent cloud keeps of itself in each step.
LATENT_MOMENTUM = 0.99


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
    """The encoder backwards: a dense layer, transposed convolutions that double the image, a sigmoid for each pixel.

    Args as in `build_encoder`.

    Returns:
        `keras.Model`, float (batch, latent_dim) -> images (batch, *image_shape), float32 in [0, 1].  246,273 weights
        for the book's (32, 32, 1), latent_dim 2.
    """
    start = (*reduced_size(image_shape, filters), filters[-1])
    latents = keras.Input((latent_dim,), name="latents")
    x = layers.Dense(math.prod(start))(latents)
    x = layers.Reshape(start)(x)
    for width in reversed(filters):
        x = layers.Conv2DTranspose(width, 3, strides=2, padding="same", activation="relu")(x)
    images = layers.Conv2D(image_shape[-1], 3, padding="same", activation="sigmoid", dtype="float32", name="images")(x)
    return keras.Model(latents, images, name="decoder")


def convolutional_features(image_shape, filters):
    """The encoder's body: (input of images, flat features), to which a head is attached."""
    reduced_size(image_shape, filters)
    images = keras.Input(image_shape, name="images")
    x = images
    for width in filters:
        x = layers.Conv2D(width, 3, strides=2, padding="same", activation="relu")(x)
    return images, layers.Flatten()(x)


@keras.saving.register_keras_serializable(package="gdl_keras")
class Autoencoder(GenerativeModel):
    """Trains an encoder and a decoder to give back what they see.

    The loss is the binary cross-entropy per pixel, in nats, averaged over all pixels.

    While it learns, the model keeps the mean and the variance of its latent points; `sample_latents` draws from the
    normal distribution that they describe (Ghosh et al. 2020, From variational to deterministic autoencoders,
    section 4, in its simplest form).  Expect most such points to decode to something plausible and some to nothing.

    Args:
        encoder: `keras.Model`, images -> latent points.
        decoder: `keras.Model`, latent points -> images in [0, 1].
        seed: int or None.
    """

    metric_names = ("loss",)

    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.latent_dim = decoder.input_shape[-1]
        self.latent_mean = self._running("latent_mean", "zeros")
        self.latent_mean_square = self._running("latent_mean_square", "ones")

    def call(self, images, training=False):
        return self.decoder(self.encoder(images, training=training), training=training)

    def train_step(self, data):
        images = images_of(data)
        with tf.GradientTape() as tape:
            latents = self.encoder(images, training=True)
            reconstructions = self.decoder(latents, training=True)
            losses = binary_crossentropy(images, reconstructions)
            loss = ops.mean(losses)
        self.minimize(tape, loss, self.optimizer, self.trainable_variables)
        self._follow(latents)
        return self.report(loss=losses)

    def test_step(self, data):
        images = images_of(data)
        return self.report(loss=binary_crossentropy(images, self(images)))

    def encode(self, images):
        """The latent points of images (n, height, width, channels) in [0, 1]; float32 array (n, latent_dim)."""
        return self.encoder.predict(images, verbose=0)

    def decode(self, latents):
        return self.decoder(latents, training=False)

    def sample_latents(self, n, seed=None):
        noise = random_normal((n, self.latent_dim), seed)
        return ops.convert_to_numpy(self.latent_mean + ops.sqrt(self.latent_variance) * noise)

    @property
    def latent_variance(self):
        """Running variance of the latent points: float32 tensor (latent_dim,)."""
        return ops.maximum(self.latent_mean_square - ops.square(self.latent_mean), 0.0)

    def _running(self, name, initializer):
        return self.add_weight(
            shape=(self.latent_dim,), initializer=initializer, trainable=False, aggregation="mean", name=name
        )

    def _follow(self, latents):
        # Means of numbers and of their squares average over replicas; variances would not.
        moments = ops.mean(latents, axis=0), ops.mean(ops.square(latents), axis=0)
        for running, new in zip((self.latent_mean, self.latent_mean_square), moments):
            running.assign(LATENT_MOMENTUM * running + (1 - LATENT_MOMENTUM) * new)
