"""What models share that make an image one number after the other: row by row, pixel by pixel, channel by channel."""

import math

import numpy as np
import tensorflow as tf
from keras import ops

from gdl_keras.backend import full_float32
from gdl_keras.errors import InputError
from gdl_keras.models.autoregressive.base import AutoregressiveModel
from gdl_keras.models.autoregressive.levels import first_rows, images_of, levels_of
from gdl_keras.models.autoregressive.pixel_steps import PixelSteps, runs_in_steps
from gdl_keras.models.base import inputs_of
from gdl_keras.models.parts.calling import specs_of
from gdl_keras.models.parts.weights import weighted, weights_of

# Images whose likelihood is computed at a time.
TOGETHER = 100


class PixelModel(AutoregressiveModel):
    """An autoregressive model of images whose pixels have a few levels, up to those of a byte.

        p(x) = prod_i p(x_i | x_0 ... x_{i-1})         the x_i row by row, and channel by channel within a pixel

    Its tokens are the levels.  A subclass writes `nats`, `conditional_logits`, and keeps `levels`.

    Args:
        network: `keras.Model`, images (batch, height, width, channels) in [0, 1] -> outputs, float32 (batch, height,
            width, outputs); those of a pixel depend on earlier pixels alone (and as `conditional_logits` says on its
            own channels).  A network of the layers that `pixel_steps` knows makes images in steps, another one is asked
            as a whole for each number.

    Raises:
        InputError: the network takes images of any size.
    """

    makes = "images"
    learns_from = ("images",)
    metric_names = ("loss", "bits_per_dim")
    weighs_examples = True

    def __init__(self, network, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.image_shape = tuple(network.input_shape[1:])
        if None in self.image_shape:
            raise InputError(
                f"{type(self).__name__} makes images of one size, and its network takes any: build it with a size, "
                "such as keras.Input((16, 16, 1))."
            )
        self._steps = PixelSteps(network) if runs_in_steps(network) else None

    # ---- levels and images ---------------------------------------------------------------------------------------

    @property
    def vocabulary_size(self):
        return self.levels

    @property
    def length(self):
        """How many numbers an image has."""
        return math.prod(self.image_shape)

    @property
    def likelihood(self):
        """What bits are bits of: those of images of few levels do not compare with those of bytes."""
        return f"{self.levels} levels"

    def levels_of(self, images):
        """The level of each number: int32 tensor of the same shape.

            level = int(byte * levels / 256),    byte = 255 * number

        Args:
            images: float tensor, in [0, 1].
        """
        return levels_of(images, self.levels)

    def images_of(self, levels):
        """The images that levels stand for: float32 tensor of the same shape, in [0, 1].

        A level is the byte of its own that is nearest to level / (levels - 1): black is 0, and white is 1.

        Args:
            levels: int tensor.
        """
        return images_of(levels, self.levels)

    def to_tokens(self, samples):
        """Images, or their first rows, as levels one after the other: int32 array (n, rows * width * channels).

        Args:
            samples: float array (n, rows, width, channels) or of one image (rows, width, channels), in [0, 1]; or a
                list with the paths of picture files, which are brought to the width of the images, and of which the
                rows are taken that do not reach below the middle of an image.

        Raises:
            InputError: they do not fit.
        """
        samples = first_rows(type(self).__name__, samples, self.image_shape)
        return np.asarray(self.levels_of(samples)).reshape(len(samples), -1)

    def to_samples(self, tokens):
        """The images of int array (n, height * width * channels): float32 array (n, height, width, channels)."""
        return np.asarray(self.images_of(np.reshape(tokens, (-1, *self.image_shape))))

    # ---- what a subclass says ------------------------------------------------------------------------------------

    def nats(self, levels, outputs):
        """-log p of each pixel, all its channels together: float32 tensor (batch, height, width).

        Args:
            levels: int32 tensor (batch, height, width, channels).
            outputs: what the network says of these images.
        """
        raise NotImplementedError(f"{type(self).__name__} has no likelihood.")

    def conditional_logits(self, outputs, pixels):
        """What is expected of each channel of a pixel: float32 tensor (..., channels, levels).

        Args:
            outputs: float32 tensor (..., outputs), what the network says of the pixels.
            pixels: float32 tensor (..., channels), the pixels in [0, 1]; channel c is not looked at by those up to c.
        """
        raise NotImplementedError(f"{type(self).__name__} gives no logits.")

    # ---- training ------------------------------------------------------------------------------------------------

    @property
    def first_network(self):
        return self.network

    @property
    def input_signature(self):
        return specs_of(self.network.inputs[0])

    def call(self, images, training=False):
        """What the network says of images, once their numbers are brought to levels."""
        return self.network(self.images_of(self.levels_of(images)), training=training)

    def train_step(self, data):
        images, weights = inputs_of(data), weights_of(data)
        with tf.GradientTape() as tape:
            nats = weighted(self.nats_per_dim(images, training=True), weights)
            loss = ops.mean(nats)
        self.minimize(tape, loss, self.optimizer, self.trainable_variables)
        return self.report(loss=nats, bits_per_dim=nats / math.log(2))

    def test_step(self, data):
        nats = weighted(self.nats_per_dim(inputs_of(data)), weights_of(data))
        return self.report(loss=nats, bits_per_dim=nats / math.log(2))

    def nats_per_dim(self, images, training=False):
        """-log p of the levels of images, divided by how many numbers they have: float32 tensor (batch,)."""
        nats = self.nats(self.levels_of(images), self(images, training=training))
        return tf.reduce_sum(nats, axis=(1, 2)) / self.length

    # ---- what every autoregressive model does --------------------------------------------------------------------

    def logits(self, tokens):
        given = tf.shape(tokens)[1]
        tokens = tf.pad(tokens, [[0, 0], [0, self.length - given]])
        images = self.images_of(tf.reshape(tokens, (-1, *self.image_shape)))
        logits = self.conditional_logits(self.network(images, training=False), images)
        return tf.reshape(logits, (-1, self.length, self.levels))[:, :given]

    def initial_state(self, count, length):
        return None if self._steps is None else self._steps.initial_state(count)

    def read(self, token, place, state):
        value = tf.where(token < 0, 0.0, self.images_of(tf.maximum(token, 0)))
        outputs, state = self._steps.read(value, place, state)
        logits = self.conditional_logits(outputs, state["pixel"])
        return tf.gather(logits, place % self.image_shape[-1], axis=1), state

    def draw(self, count, seed, first=0, *, temperature=1.0, top_k=None, top_p=None, **given):
        """Level after level, int32 array (count, height * width * channels).

        Args, errors as in `AutoregressiveModel.draw`; all images have one size.
        """
        return super().draw(count, seed, first, temperature=temperature, top_k=top_k, top_p=top_p, **given)

    def on_the_way(self, count, seed, frames, **conditions):
        """What samples look like while they are made, pixel by pixel; pixels still to come are 0.

        Args, returns as in `WalkingModel.on_the_way`; the first are empty.
        """
        images = self.generate(count, seed=seed, **conditions)
        seen = np.zeros((frames, count, self.length), "float32")
        for frame, known in zip(seen, np.linspace(0, self.length, frames).round().astype(int)):
            frame[:, :known] = images.reshape(count, -1)[:, :known]
        return seen.reshape(frames, *images.shape)

    @full_float32()
    def negative_log_likelihood(self, batch, seed=0, first=0):
        """-log p of the levels of each image: float64 array (n,), nats an image, exact.

        Of images of bytes that are brought to fewer levels this is smaller than of the images themselves, and there is
        no way from one to the other.
        """
        tokens = self.to_tokens(batch)
        if tokens.shape[1] != self.length:
            raise InputError(f"These are {tokens.shape[1]} numbers of images that have {self.length}: give whole ones.")
        levels = tokens.reshape(-1, *self.image_shape)
        parts = (tf.constant(levels[start : start + TOGETHER]) for start in range(0, len(levels), TOGETHER))
        nats = [np.asarray(self.nats(part, self.network(self.images_of(part), training=False))) for part in parts]
        return np.concatenate(nats).astype("float64").sum(axis=(1, 2))
