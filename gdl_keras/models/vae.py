"""The variational autoencoder: an autoencoder whose latent space can be drawn from.

The encoder answers with a small cloud, a normal distribution, instead of a point; the decoder must cope with any point
of the cloud; and a second term of the loss, the KL divergence, pulls all clouds towards one standard normal
distribution.  Points drawn from that distribution then decode to images like those of the training set.

Book: chapter 3, "Variational Autoencoders".  Papers: Kingma & Welling 2014, Auto-encoding variational Bayes,
arXiv:1312.6114; Rezende et al. 2014, arXiv:1401.4082; Higgins et al. 2017 for beta; Burda et al. 2016,
arXiv:1509.00519, for the estimate of the likelihood.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from gdl_keras import losses
from gdl_keras.backend import full_float32
from gdl_keras.errors import check_one_of
from gdl_keras.layers import Sampling
from gdl_keras.layers.settings import Annealed, Setting
from gdl_keras.models.autoencoder import convolutional_features
from gdl_keras.models.base import inputs_of, targets_of
from gdl_keras.models.generative import LatentModel
from gdl_keras.models.parts.calling import specs_of
from gdl_keras.models.parts.endings import FINAL_ACTIVATIONS, check_final_activation, with_final_activation
from gdl_keras.models.parts.fitting import check_chain
from gdl_keras.models.parts.inputs import Look
from gdl_keras.models.parts.weights import weighted, weights_of
from gdl_keras.samplers.noise import SampleNoise, random_normal

# What the book multiplies the mean of the pixels' reconstruction errors with.
BOOK_RECONSTRUCTION_WEIGHT = {"bernoulli": 500.0, "gaussian": 2000.0}
# Distance of neighbouring values of pixels that were bytes.
BYTE = 1 / 255


def build_variational_encoder(image_shape, latent_dim=2, filters=(32, 64, 128)):
    """The autoencoder's encoder with two heads: where the cloud is, and how wide.

    Args as in `build_encoder`.

    Returns:
        `keras.Model`, images (batch, *image_shape) in [0, 1] -> (mean, log_variance), both float32
        (batch, latent_dim).  100,868 weights for the book's (32, 32, 1), latent_dim 2.
    """
    images, features = convolutional_features(image_shape, filters)
    mean = layers.Dense(latent_dim, dtype="float32", name="mean")(features)
    log_variance = layers.Dense(latent_dim, dtype="float32", name="log_variance")(features)
    return keras.Model(images, [mean, log_variance], name="encoder")


@keras.saving.register_keras_serializable(package="gdl_keras")
class VAE(LatentModel):
    """Trains an encoder and a decoder on the evidence lower bound (Kingma & Welling 2014, equation 3).

        loss = E_{z ~ q(z|x)} [-log p(x|z)] + beta * KL(q(z|x) || p(z))

    With the default weighting and beta = 1 this is the negative ELBO in nats: -log p(x) is at most this.

    Args:
        encoder: `keras.Model`, images -> (mean, log_variance).
        decoder: `keras.Model`, latent points -> one number for each of the image's, without an activation at its end.
        likelihood: "bernoulli": their sigmoid is each pixel's probability of being white;
            "gaussian": it is each pixel's mean, around which `pixel_stddev` is the standard deviation.
        pixel_stddev: float, of the gaussian likelihood.
        beta: float, weight of the KL term.  Above 1 the latent space is smoother and the images are blurrier.  It may
            be annealed: `vae.beta = 0.3` holds from the next step on, `training.callbacks.Annealing` moves it.
        weighting: "elbo": the reconstruction term is -log p(x|z), summed over pixels; "book": it is the mean over
            pixels of the binary cross-entropy times 500 (or of the squared error times 2000), as the book trains.
            On 32x32 images the first is the ELBO with the KL term weighted 2.048.
        final_activation: "sigmoid", as above; or, with "gaussian", "linear": the numbers themselves are the means.
        seed: int or None.

    Raises:
        InputError: an argument is out of range, the networks do not fit together, or the decoder ends in a sigmoid of
            its own.
    """

    metric_names = ("loss", "reconstruction_loss", "kl_loss")
    weighs_examples = True
    takes_targets = True
    beta = Annealed("not negative", lambda value: value >= 0)
    pixel_stddev = Setting("larger than 0", lambda value: value > 0)
    weighting = Setting(("elbo", "book"))

    def __init__(
        self,
        encoder,
        decoder,
        likelihood="bernoulli",
        pixel_stddev=1.0,
        beta=1.0,
        weighting="elbo",
        final_activation="sigmoid",
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_one_of("likelihood", likelihood, ("bernoulli", "gaussian"))
        check_chain("VAE", ("mean", "log_variance"), encoder=encoder, decoder=decoder)
        check_chain("VAE", decoder=decoder, encoder=encoder)
        check_final_activation(decoder, final_activation, likelihood == "bernoulli")
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood
        self.pixel_stddev = pixel_stddev
        self.beta = beta
        self.weighting = weighting
        self.final_activation = final_activation
        self.latent_dim = decoder.input_shape[-1]
        self.sampling = Sampling(seed=self.seed, dtype="float32")

    @property
    def decoding_network(self):
        return self.decoder

    @property
    def first_network(self):
        return self.encoder

    def call(self, images, training=False):
        """Reconstructions: through a random point of the cloud in training, through its centre otherwise."""
        mean, log_variance = self.encoder(images, training=training)
        latents = self.sampling((mean, log_variance), training=True) if training else mean
        return self.samples(self.decoder(latents, training=training))

    @property
    def input_signature(self):
        return specs_of(self.encoder.inputs[0])

    def train_step(self, data):
        with tf.GradientTape() as tape:
            reconstruction_losses, kl_losses = self.weighted_terms(data, training=True)
            total = reconstruction_losses + self.beta * kl_losses
            loss = ops.mean(total)
        self.minimize(tape, loss, self.optimizer, self.trainable_variables)
        return self.report(loss=total, reconstruction_loss=reconstruction_losses, kl_loss=kl_losses)

    def test_step(self, data):
        reconstruction_losses, kl_losses = self.weighted_terms(data, training=False)
        total = reconstruction_losses + self.beta * kl_losses
        return self.report(loss=total, reconstruction_loss=reconstruction_losses, kl_loss=kl_losses)

    def weighted_terms(self, data, training):
        """`loss_terms` of what `fit` hands over, each example's times its weight where there are weights."""
        terms = self.loss_terms(inputs_of(data), training, targets_of(data))
        return [weighted(losses, weights_of(data)) for losses in terms]

    def loss_terms(self, images, training, targets=None):
        """(reconstruction loss, KL), each a float32 tensor (batch,), before the KL is weighted by beta.

        `targets` are what the images are to become, such as the same without noise; by default they are themselves.
        """
        mean, log_variance = self.encoder(images, training=training)
        latents = self.sampling((mean, log_variance), training=training)
        outputs = self.decoder(latents, training=training)
        targets = images if targets is None else targets
        return self.reconstruction_loss(targets, outputs), losses.kl_to_standard_normal(mean, log_variance)

    def reconstruction_loss(self, images, outputs):
        """-log p(images | latent points), or the book's weighting of the pixel error; float32 tensor (batch,)."""
        if self.weighting == "elbo":
            return self.decoder_loss(images, outputs)
        if self.likelihood == "bernoulli":
            error = losses.binary_crossentropy(images, outputs)
        else:
            error = losses.squared_error(images, FINAL_ACTIVATIONS[self.final_activation](outputs))
        return BOOK_RECONSTRUCTION_WEIGHT[self.likelihood] * error

    def decoder_loss(self, images, outputs):
        """-log p(images | latent points), summed over pixels: float32 tensor (batch,), nats."""
        if self.likelihood == "bernoulli":
            return losses.bernoulli_negative_log_likelihood(images, outputs)
        mean = FINAL_ACTIVATIONS[self.final_activation](outputs)
        return losses.gaussian_negative_log_likelihood(images, mean, self.pixel_stddev)

    def encode(self, images):
        """The clouds of images: (mean, log_variance), float32 arrays (n, latent_dim)."""
        Look(self, self.predicts_from).at(images)
        return self.encoder.predict(images, verbose=0)

    def latents_of(self, examples):
        """The centres of the clouds of images: float32 array (n, latent_dim)."""
        return self.encode(examples)[0]

    def decode(self, latents):
        return self.samples(self.decoder(latents, training=False))

    def samples(self, outputs):
        """Images in [0, 1], or whatever the model makes, float32, from what the decoder puts out."""
        samples = FINAL_ACTIVATIONS[self.final_activation](outputs)
        return ops.clip(samples, 0, 1) if self.makes == "images" else samples

    def sample_latents(self, n, seed=None, first=0):
        return random_normal((n, self.latent_dim), seed, first)

    @property
    def likelihood_is(self):
        """ "bound" where the model is trained on the bound, else None: it was trained for something else."""
        return "bound" if self.weighting == "elbo" and self.beta == 1 else None

    @property
    def density_bin_width(self):
        return 1.0 if self.likelihood == "bernoulli" else BYTE

    @full_float32()
    def negative_log_likelihood(self, batch, seed=0, first=0):
        """The negative ELBO of each image, an upper bound on -log p(x), from one random point of its cloud.

        Args, returns as in `GenerativeModel`.
        """
        images = tf.convert_to_tensor(batch, "float32")
        mean, log_variance = self.encoder(images, training=False)
        epsilon = SampleNoise(seed, first, len(batch)).normal(0, (self.latent_dim,))
        outputs = self.decoder(mean + ops.exp(0.5 * log_variance) * epsilon, training=False)
        bound = self.decoder_loss(images, outputs) + losses.kl_to_standard_normal(mean, log_variance)
        return np.asarray(bound, "float64")

    @full_float32()
    def log_likelihood(self, images, num_samples=100, seed=0, batch_size=100):
        """Estimates log p(x) of each image by importance sampling (Burda et al. 2016, equation 8).

            log p(x)  ~  log 1/k sum_i  p(x|z_i) p(z_i) / q(z_i|x),     z_i ~ q(z|x)

        A lower bound in expectation for any k, tighter than the ELBO, and exact in the limit of large k.

        Args:
            images: float array (n, height, width, channels) in [0, 1].
            num_samples: k.
            seed: int; the same seed gives the same estimate, whatever `batch_size` is.
            batch_size: images at a time.

        Returns:
            float64 array (n,), nats.
        """
        estimates = []
        for start in range(0, len(images), batch_size):
            batch = tf.convert_to_tensor(images[start : start + batch_size], "float32")
            log_weights = self._log_importance_weights(batch, num_samples, SampleNoise(seed, start, len(batch)))
            largest = log_weights.max(axis=1, keepdims=True)
            estimates.append(largest[:, 0] + np.log(np.exp(log_weights - largest).mean(axis=1)))
        return np.concatenate(estimates)

    def _log_importance_weights(self, images, num_samples, noise):
        mean, log_variance = self.encoder(images, training=False)
        log_weights = []
        for index in range(num_samples):
            z = mean + ops.exp(0.5 * log_variance) * noise.normal(index, (self.latent_dim,))
            log_p_x_given_z = -self.decoder_loss(images, self.decoder(z, training=False))
            log_p_z = losses.normal_log_density(z)
            log_q_z = losses.normal_log_density(z, mean, log_variance)
            log_weights.append(np.asarray(log_p_x_given_z + log_p_z - log_q_z, "float64"))
        return np.stack(log_weights, axis=1)

    @classmethod
    def updated(cls, config):
        return with_final_activation(config)
