"""A normalizing flow of images: many small maps that can be gone back, at several sizes, and an exact density.

An image is made into a latent point of as many numbers, by maps that each can be undone and whose determinant is a sum:
each channel scaled and shifted, all channels of a pixel mixed, one half of them moved as the other half says.  Between
the sizes four neighbouring pixels become one of four times the channels, and half of the channels leave: they are
latent numbers already, standardised by what is known from the half that stays.  So the first half of all numbers holds
the finest details, and the last ones, after all maps, what the image is.

Book: chapter 6, "GLOW".  Papers: Kingma & Dhariwal 2018, Glow: generative flow with invertible 1x1 convolutions,
arXiv:1807.03039; Dinh et al. 2017, RealNVP, arXiv:1605.08803, for couplings, sizes and the logit; Theis et al. 2016,
arXiv:1511.01844, for dequantisation.
"""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from gdl_keras import losses
from gdl_keras.backend import full_float32
from gdl_keras.errors import InputError, check_one_of, counted
from gdl_keras.layers import ActivationNormalization, AffineCoupling, InvertibleConvolution, SeedGenerator
from gdl_keras.models.base import inputs_of
from gdl_keras.models.flows.base import FlowModel
from gdl_keras.models.flows.dequantization import UniformDequantization, VariationalDequantization
from gdl_keras.models.parts.weights import refuse_weights, weights_of
from gdl_keras.samplers.noise import SampleNoise

BYTE = 255
LEVELS = BYTE + 1
DEQUANTIZATIONS = {"uniform": UniformDequantization, "variational": VariationalDequantization}


@keras.saving.register_keras_serializable(package="gdl_keras")
class FlowLevel(layers.Layer):
    """All that happens at one size: squeezed once, `steps` times normalised, mixed and coupled; then half leaves.

    The half that leaves is (z - mean(h)) / stddev(h), h the half that stays (Kingma & Dhariwal 2018, section 2): one
    coupling more.

    Args:
        steps: int.
        filters: int, of the couplings' networks.
        splits: bool, whether half of the channels leaves; at the last size all do.

    Call arguments:
        images: float32 tensor (batch, height, width, channels).
        training: bool.

    Returns:
        (what stays, (batch, height / 2, width / 2, 2 channels), or None; what leaves, of that shape, or, where nothing
        stays, of 4 channels; log-determinants (batch,)).
    """

    def __init__(self, steps, filters, splits=True, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.steps = steps
        self.filters = filters
        self.splits = splits

    def build(self, input_shape):
        height, width, channels = input_shape[1:]
        self.maps = []
        for step in range(self.steps):
            self.maps += [
                ActivationNormalization(name=f"normalization_{step}"),
                InvertibleConvolution(name=f"mixing_{step}"),
                AffineCoupling(self.filters, name=f"coupling_{step}"),
            ]
        last = AffineCoupling(self.filters, name="last") if self.splits else ActivationNormalization(name="last")
        self.maps.append(last)
        for layer in self.maps:
            layer.build((None, height // 2, width // 2, 4 * channels))

    def call(self, images, training=False):
        x, log_det = tf.nn.space_to_depth(images, 2), 0.0
        for layer in self.maps:
            x, added = layer(x, training=training) if isinstance(layer, ActivationNormalization) else layer(x)
            log_det = log_det + added
        if not self.splits:
            return None, x, log_det
        stays, leaves = ops.split(x, 2, axis=-1)
        return stays, leaves, log_det

    def inverse(self, stays, leaves):
        """The images that both halves come from: float32 tensor (batch, height, width, channels)."""
        x = ops.concatenate([stays, leaves], axis=-1) if self.splits else leaves
        for layer in reversed(self.maps):
            x = layer.inverse(x)
        return tf.nn.depth_to_space(x, 2)

    def get_config(self):
        return {**super().get_config(), "steps": self.steps, "filters": self.filters, "splits": self.splits}


@keras.saving.register_keras_serializable(package="gdl_keras")
class ImageFlow(FlowModel):
    """A multi-scale flow of images of bytes, trained on a bound of their likelihood.

        loss = -1/n (log p(b + u) - log q(u | b)),  u ~ q        nats a number; b the bytes, n numbers of an image

    The density is learnt of logits, since most bytes may be 0: within [0, 1] a flow would have to stretch these numbers
    by hundreds, and others not.

        y = log(p / (1 - p)),     p = margin + (1 - 2 margin) (b + u) / 256

    Args:
        image_shape: (height, width, channels).
        levels: int, sizes; height and width are divided by 2 that often.
        steps: int, at each size.
        filters: int, of the couplings' networks.
        dequantization: "uniform" or "variational".
        margin: float, larger than 0 and below 1/2.
        seed: int or None.

    Reports `loss` and `bits_per_dim`, the same in bits, of bytes: as compressors count.

    Raises:
        InputError: an argument is out of range, or the images cannot be halved that often.
    """

    metric_names = ("loss", "bits_per_dim")
    likelihood_is = "bound"
    weighs_examples = False
    chunk = 128

    def __init__(self, image_shape, levels=3, steps=8, filters=64, dequantization="uniform", margin=0.005, **kwargs):
        super().__init__(**kwargs)
        check_one_of("dequantization", dequantization, tuple(DEQUANTIZATIONS))
        if min(levels, steps, filters) < 1 or not 0 < margin < 0.5:
            raise InputError(
                f"levels ({levels}), steps ({steps}) and filters ({filters}) are at least 1, and margin ({margin}) "
                "lies between 0 and 0.5."
            )
        self.image_shape = tuple(image_shape)
        if any(size % 2**levels for size in self.image_shape[:2]):
            raise InputError(
                f"An image of {self.image_shape[0]}x{self.image_shape[1]} cannot be halved {counted(levels, 'time')}: "
                f"choose an image size that is a multiple of {2**levels}, or fewer levels."
            )
        self.levels = levels
        self.steps = steps
        self.filters = filters
        self.dequantization = dequantization
        self.margin = margin
        self.evaluation_seed_generator = SeedGenerator(None if self.seed is None else self.seed + 1)
        self.offsets = DEQUANTIZATIONS[dequantization](name="offsets")
        self.offsets.build((None, *self.image_shape))
        self.maps, self.leaving_shapes = [], []
        shape = self.image_shape
        for level in range(levels):
            splits = level < levels - 1
            self.maps.append(FlowLevel(steps, filters, splits, name=f"level_{level}"))
            self.maps[-1].build((None, *shape))
            shape = (shape[0] // 2, shape[1] // 2, shape[2] * (2 if splits else 4))
            self.leaving_shapes.append(shape)

    # ---- shapes --------------------------------------------------------------------------------------------------

    @property
    def example_shape(self):
        return self.image_shape

    @property
    def input_signature(self):
        return keras.InputSpec(shape=(None, *self.image_shape), dtype="float32", name="images")

    @property
    def latent_dim(self):
        """How many numbers an image has, and a latent point: int."""
        return math.prod(self.image_shape)

    @property
    def scales(self):
        """Which numbers of a latent point leave at each size, the finest first: list of slices."""
        ends = np.cumsum([math.prod(shape) for shape in self.leaving_shapes])
        return [slice(int(start), int(end)) for start, end in zip([0, *ends], ends)]

    # ---- the map -------------------------------------------------------------------------------------------------

    def forward(self, examples, training=False):
        x, log_det = self._to_logits(examples)
        parts = []
        for level in self.maps:
            x, leaves, added = level(x, training=training)
            parts.append(ops.reshape(leaves, (ops.shape(leaves)[0], -1)))
            log_det = log_det + added
        return ops.concatenate(parts, axis=1), log_det

    def inverse(self, latents):
        x = None
        for level, shape, part in zip(reversed(self.maps), reversed(self.leaving_shapes), reversed(self.scales)):
            x = level.inverse(x, ops.reshape(latents[:, part], (-1, *shape)))
        return self._from_logits(x)

    def decode(self, latents):
        return ops.clip(self.inverse(latents), 0, 1)

    def _to_logits(self, images):
        """Images, whose bytes' bins have their middle at the byte: (logits, log-determinants (batch,))."""
        stretch = (1 - 2 * self.margin) * BYTE / LEVELS
        p = self.margin + (1 - 2 * self.margin) / (2 * LEVELS) + stretch * images
        slope = math.log(stretch) - ops.log(p) - ops.log(1 - p)
        return ops.log(p) - ops.log(1 - p), ops.sum(slope, axis=(1, 2, 3))

    def _from_logits(self, logits):
        share = (ops.sigmoid(logits) - self.margin) / (1 - 2 * self.margin)
        return (LEVELS * share - 0.5) / BYTE

    # ---- training ------------------------------------------------------------------------------------------------

    def train_step(self, data):
        with tf.GradientTape() as tape:
            nats = self.nats_per_dim(self._images(data), training=True)
            loss = ops.mean(nats)
        self.minimize(tape, loss, self.optimizer, self.trainable_variables)
        return self.report(loss=nats, bits_per_dim=nats / math.log(2))

    def test_step(self, data):
        nats = self.nats_per_dim(self._images(data))
        return self.report(loss=nats, bits_per_dim=nats / math.log(2))

    def _images(self, data):
        if weights_of(data) is not None:
            refuse_weights(self)  # the first batch says where normalisation begins, whatever its images weigh
        return inputs_of(data)

    def nats_per_dim(self, images, training=False):
        """The bound on -log P of images' bytes, divided by how many there are: float32 tensor (batch,)."""
        # Whether somebody looks at the validation loss changes nothing in training.
        generator = self.seed_generator if training else self.evaluation_seed_generator
        draw = keras.random.normal if self.offsets.noise_is == "normal" else keras.random.uniform
        return self.bound(images, draw(ops.shape(images), seed=generator), training) / self.latent_dim

    def bound(self, images, noise, training=False):
        """-log p(b + u) + log q(u | b), of which the mean over all noise is at least -log P(b).

        Args:
            images: float32 tensor (batch, height, width, channels) in [0, 1].
            noise: float32 tensor of that shape, out of which the offsets u are made: uniform, or normal.
            training: bool.

        Returns:
            float32 tensor (batch,), nats.
        """
        offsets, log_q = self.offsets(images, noise)
        latents, log_det = self.forward(images + (offsets - 0.5) / BYTE, training)
        # A bin of images is 1/255 wide.
        return log_q + self.latent_dim * math.log(BYTE) - losses.normal_log_density(latents) - log_det

    # ---- likelihood ----------------------------------------------------------------------------------------------

    @full_float32()
    def negative_log_likelihood(self, batch, seed=0, first=0):
        """An upper bound on -log P of each image's bytes, from one offset for each: float64 array (n,), nats.

        Args as in `GenerativeModel`.
        """
        nats = []
        for part in self.chunks_of(batch):
            noise = getattr(SampleNoise(seed, first, len(part)), self.offsets.noise_is)(0, self.image_shape)
            nats.append(np.asarray(self._bound(part, noise), "float64"))
            first += len(part)
        return np.concatenate(nats)

    def _trace(self):
        super()._trace()
        self._bound = tf.function(self.bound, reduce_retracing=True)
