"""The VQ-VAE: an autoencoder whose latent points are words of a small dictionary.

The encoder makes a grid of vectors of an image, one for each patch; each becomes the nearest vector of a codebook, and
the decoder draws the image of these.  What is kept of an image is then a few whole numbers, such as 64 of 512, and what
writes those, makes images.

    loss = |x - D(q)|^2 + commitment_weight |E(x) - stop_gradient(q)|^2,    q = the codes nearest to E(x)

No slope leads through the choice of a code: what pulls at the code pulls at the encoder's vector in its place
(`layers/quantizer.py`).  The codebook follows the vectors (`layers/vector_quantizer.py`).

Paper: van den Oord et al. 2017, Neural discrete representation learning, arXiv:1711.00937.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from gdl_keras import losses
from gdl_keras.errors import InputError
from gdl_keras.models.base import inputs_of
from gdl_keras.models.generative import LatentModel
from gdl_keras.models.parts.calling import specs_of
from gdl_keras.models.parts.copies import frozen_copy
from gdl_keras.models.parts.endings import FINAL_ACTIVATIONS, check_final_activation
from gdl_keras.models.parts.fitting import check_chain
from gdl_keras.models.parts.inputs import Look
from gdl_keras.models.parts.weights import weighted, weights_of
from gdl_keras.models.quantised.code_use import CodesUsed, CodeUse, DeadCodes, Perplexity, PooledPSNR
from gdl_keras.samplers.noise import random_uniform

# Images that are encoded at a time.
TOGETHER = 500
# Squared errors are those of images in [-1, 1], four times those of images in [0, 1].
SQUARED_RANGE = 4.0


@keras.saving.register_keras_serializable(package="gdl_keras")
class VQVAE(LatentModel):
    """Trains an encoder, a decoder, and the codebook between them.

    Without something that writes codes it makes no images worth looking at: `generate` draws each code by itself, as
    often as it is chosen in training, which shows what is missing.  `ImageTransformer` writes codes.

    Args:
        encoder: `keras.Model`, images -> vectors (batch, height, width, code_dim).
        decoder: `keras.Model`, vectors -> one number for each of the image's, without an activation at its end.
        quantizer: `VectorQuantizer` or `FiniteScalarQuantizer`.
        final_activation: "sigmoid", or "linear": the decoder's numbers are the image, and clipped to [0, 1] for whoever
            asks for images.
        seed: int or None.

    Raises:
        InputError: the networks do not fit together, or the decoder ends in an activation.
    """

    metric_names = ("loss", "reconstruction_loss", "quantisation_loss")
    weighs_examples = True

    def __init__(self, encoder, decoder, quantizer, final_activation="sigmoid", **kwargs):
        self._check(encoder, decoder, quantizer, final_activation)
        # The metrics, which are built first, want to know how many codes there are.
        self.num_codes = quantizer.num_codes
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.quantizer = quantizer
        self.final_activation = final_activation

    def _check(self, encoder, decoder, quantizer, final_activation):
        name = type(self).__name__
        check_chain(name, encoder=encoder, decoder=decoder)
        check_chain(name, decoder=decoder, encoder=encoder)
        check_final_activation(decoder, final_activation, False)
        if encoder.output_shape[-1] != quantizer.code_dim:
            raise InputError(
                f"The encoder's vectors have {encoder.output_shape[-1]} numbers, and those of the quantizer "
                f"{quantizer.code_dim}: build one of them with the other's code_dim."
            )

    def build_metrics(self):
        own = {"perplexity": Perplexity, "codes_used": CodesUsed, "dead_codes": DeadCodes}
        use = {name: kind(self.num_codes, name=name) for name, kind in own.items()}
        return {**super().build_metrics(), "psnr": PooledPSNR(name="psnr"), **use}

    # ---- what it is ----------------------------------------------------------------------------------------------

    @property
    def first_network(self):
        return self.encoder

    @property
    def decoding_network(self):
        return self.decoder

    @property
    def image_shape(self):
        """(height, width, channels)."""
        return tuple(self.encoder.input_shape[1:])

    @property
    def code_shape(self):
        """(height, width), of the grid of codes."""
        return tuple(self.encoder.output_shape[1:3])

    @property
    def latent_shape(self):
        return tuple(self.encoder.output_shape[1:])

    @property
    def input_signature(self):
        return specs_of(self.encoder.inputs[0])

    def call(self, images, training=False):
        """Reconstructions: images in [0, 1]."""
        quantised, _, _ = self.quantizer(self.encoder(images, training=training), training=False)
        return self.images(self.decoder(quantised, training=training))

    # ---- training ------------------------------------------------------------------------------------------------

    def train_step(self, data):
        images, weights = inputs_of(data), weights_of(data)
        with tf.GradientTape() as tape:
            vectors, codes, quantisation = self.quantizer(self.encoder(images, training=True), training=True)
            errors = self.errors(images, self.decoder(vectors, training=True))
            loss = ops.mean(weighted(errors + quantisation, weights))
        self.minimize(tape, loss, self.optimizer, self.trainable_variables)
        return self.report_on(errors, quantisation, codes, weights)

    def test_step(self, data):
        images = inputs_of(data)
        vectors, codes, quantisation = self.quantizer(self.encoder(images, training=False), training=False)
        errors = self.errors(images, self.decoder(vectors, training=False))
        return self.report_on(errors, quantisation, codes, weights_of(data))

    def errors(self, images, outputs):
        """The mean squared error of each image, of images in [-1, 1]: float32 tensor (batch,)."""
        return SQUARED_RANGE * losses.squared_error(images, FINAL_ACTIVATIONS[self.final_activation](outputs))

    def report_on(self, errors, quantisation, codes, weights, **values):
        """What a step reports, from the errors and the losses of each image and its codes; `values` go before these."""
        errors, quantisation = weighted(errors, weights), weighted(quantisation, weights)
        own = {
            "loss": errors + quantisation,
            "reconstruction_loss": errors,
            "quantisation_loss": quantisation,
            "psnr": errors / SQUARED_RANGE,
        }
        use = dict.fromkeys((name for name, metric in self._trackers.items() if isinstance(metric, CodeUse)), codes)
        return self.report(**{**own, **use, **values})

    # ---- images and codes ----------------------------------------------------------------------------------------

    def images(self, outputs):
        """Images in [0, 1], float32, from what the decoder puts out."""
        return ops.clip(FINAL_ACTIVATIONS[self.final_activation](outputs), 0, 1)

    def encode(self, images):
        """The codes of images (n, height, width, channels) in [0, 1]: int32 array (n, *code_shape)."""
        Look(self, self.predicts_from).at(images)
        vectors = self.encoder.predict(images, batch_size=TOGETHER, verbose=0)
        parts = [vectors[start : start + TOGETHER] for start in range(0, len(vectors), TOGETHER)]
        return np.concatenate([np.asarray(self.quantizer.codes_of(part)) for part in parts])

    def latents_of(self, examples):
        return np.asarray(self.quantizer.vectors_of(self.encode(examples)))

    def decode(self, latents):
        return self.images(self.decoder(latents, training=False))

    def decode_codes(self, codes):
        """Images in [0, 1], float32 tensor (n, *image_shape), of an int tensor (n, *code_shape)."""
        return self.decode(self.quantizer.vectors_of(codes))

    def sample_latents(self, n, seed=None, first=0):
        """The vectors of codes that are drawn one by one, each as often as it is chosen."""
        uniform = (random_uniform((n, *self.code_shape), seed, first) + 1) / 2
        uses = np.asarray(self.quantizer.uses, "float64") + 1e-9
        codes = np.searchsorted(np.cumsum(uses) / uses.sum(), uniform, side="right")
        return np.asarray(self.quantizer.vectors_of(np.minimum(codes, self.num_codes - 1)))

    def frozen(self):
        """A `VQVAE` of its own with the same weights, which nothing trains: what another model keeps inside."""
        quantizer = type(self.quantizer).from_config(self.quantizer.get_config())
        quantizer.set_weights(self.quantizer.get_weights())
        networks = frozen_copy(self.encoder), frozen_copy(self.decoder)
        codec = VQVAE(*networks, quantizer, self.final_activation, seed=self.seed)
        codec.trainable = False
        return codec
