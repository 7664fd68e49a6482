"""What diffusion and flow matching share: one network, its average, the scale of the data, labels, how it is asked."""

import keras
import numpy as np
import tensorflow as tf

from gdl_keras.errors import InputError, check_one_of
from gdl_keras.layers import SeedGenerator
from gdl_keras.models.base import inputs_of
from gdl_keras.models.diffusion.walking import WalkingModel
from gdl_keras.models.parts.averaging import WeightAverage
from gdl_keras.models.parts.calling import specs_of
from gdl_keras.models.parts.conditions import Classes, Unconditional
from gdl_keras.models.parts.inputs import inputs_and_labels
from gdl_keras.models.parts.weights import weighted, weights_of
from gdl_keras.samplers.denoising import check_steps
from gdl_keras.samplers.noise import SampleNoise

CHUNK = 2000
# Below it there is nothing but rounding.
LEAST_VARIANCE = 1e-12
# A mixture is fitted to so many numbers at most: of more, every second image, or every third.
MOST_NUMBERS = 100_000_000
# Below this share of noise float32 does not tell what of a difference is noise; a mixture is asked at this one.
LEAST_NOISE = 0.01


class DenoisingModel(WeightAverage, WalkingModel):
    """A network that is shown images with noise in them, and a latent space that is the noise.

    A subclass writes `losses_of`, and `walk`, which makes images out of noise.  Inside, images are standardised:
    `adapt` measures the training images, once, before `compile`.

    Args:
        unet: `keras.Model`, [images, levels of noise (batch,) in [0, 1]], and labels with `num_classes`, -> a tensor
            of the shape of the images, float32, without an activation at its end.
        num_classes: int or None: with it, label `num_classes` of the network stands for any class.
        label_dropout: float, the share of examples whose label is hidden in training, without which there is no
            guidance.
        ema_decay: float or None, of the average of the network's weights, which makes the samples.
        steps: int, in how many steps images are made unless `generate` is told otherwise.
        mixture: `NormalMixture` or None; with it the network is shown what the mixture sees behind the noise, as
            further channels, and learns what is to be added to the velocity that follows from it.  `adapt` fits it.
        times: "uniform": those of a batch are drawn each for itself; "stratified": one from each of as many equal
            parts, so that every batch sees all levels, and the loss is less noisy (Kingma et al. 2021, appendix I).

    Raises:
        InputError: an argument is out of range, or the network's labels do not fit `num_classes`.
    """

    weighs_examples = True

    def __init__(
        self,
        unet,
        num_classes=None,
        label_dropout=0.1,
        ema_decay=0.999,
        steps=20,
        times="stratified",
        mixture=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_one_of("times", times, ("stratified", "uniform"))
        if not 0 <= label_dropout < 1:
            raise InputError(f"label_dropout lies in [0, 1), not {label_dropout}.")
        if len(unet.inputs) != (2 if num_classes is None else 3):
            raise InputError(
                f"The network has {len(unet.inputs)} inputs; images, levels and labels are three, with num_classes, "
                "and images and levels two, without."
            )
        seen, made = unet.input_shape[0][-1], unet.output_shape[-1]
        if seen != made * (1 if mixture is None else 2):
            raise InputError(
                f"The network sees {seen} channels and makes {made}: with a mixture it sees twice as many as it makes "
                "(build_quick_unet(..., with_guess=True)), and without one as many."
            )
        self.unet = unet
        self.mixture = mixture
        self.num_classes = num_classes
        self.label_dropout = label_dropout
        self.steps = steps
        self.times = times
        check_steps(steps)
        self.mean = self.add_weight(shape=self.image_shape, initializer="zeros", trainable=False, name="mean")
        self.stddev = self.add_weight(shape=(), initializer="ones", trainable=False, name="stddev")
        self.keep_average("unet", ema_decay)
        # Whether somebody looks at the validation loss changes nothing in training.
        self.evaluation_seed_generator = SeedGenerator(None if self.seed is None else self.seed + 1)

    @property
    def first_network(self):
        return self.unet

    @property
    def example_shape(self):
        return self.image_shape

    @property
    def image_shape(self):
        return tuple(self.unet.output_shape[1:])

    @property
    def learns_from(self):
        return ("images",) if self.num_classes is None else ("images", "labels")

    @property
    def conditions(self):
        return Unconditional() if self.num_classes is None else Classes(self.num_classes, self.label_names)

    def adapt(self, images):
        """Sets the scale: the mean of each pixel, and one standard deviation for all of them around it; fits a mixture.

        Args:
            images: array (n, *image_shape), of bytes or of floats in [0, 1].

        Raises:
            InputError: all images are the same, or too few for the mixture.
        """
        scale = 255.0 if images.dtype == np.uint8 else 1.0
        total = squares = 0.0
        for start in range(0, len(images), CHUNK):
            part = images[start : start + CHUNK].astype("float64") / scale
            total, squares = total + part.sum(axis=0), squares + np.square(part).sum(axis=0)
        mean = total / len(images)
        variance = np.mean(squares / len(images) - mean**2)
        if variance < LEAST_VARIANCE:
            raise InputError("All images are the same one: there is nothing to learn.")
        self.mean.assign(mean)
        self.stddev.assign(np.sqrt(variance))
        if self.mixture is not None:
            some = images[:: 1 + images.size // MOST_NUMBERS].astype("float32") / np.float32(scale)
            self.mixture.fit((some - np.asarray(self.mean)) / np.asarray(self.stddev))

    def standardized(self, images):
        """Images in [0, 1] as the network knows them."""
        return (images - self.mean.value) / self.stddev.value

    def as_images(self, standardized):
        """The inverse of `standardized`, within [0, 1]."""
        return tf.clip_by_value(standardized * self.stddev.value + self.mean.value, 0.0, 1.0)

    # ---- training ------------------------------------------------------------------------------------------------

    def losses_at(self, images, time, labels=None, seed=0):
        """The loss of each image at one time, of the averaged network: float32 array (n,).

        Args:
            images: float array (n, *image_shape) in [0, 1].
            time: float from 0, the image, to 1, noise.
            labels: int array (n,), of a conditional model.
            seed: int.
        """
        noise = SampleNoise(seed, 0, len(images)).normal(0, self.image_shape)
        times = tf.fill((len(images),), float(time))
        labels = None if labels is None else tf.constant(labels)
        standardized = self.standardized(tf.constant(images, "float32"))
        return np.asarray(self.losses_of(standardized, times, noise, labels, False))

    def losses_of(self, images, times, noise, labels, training):
        """The loss of each example: float32 tensor (batch,).

        Args:
            images: float32 tensor (batch, *image_shape), standardised.
            times: float32 tensor (batch,), uniform in [0, 1]: from image to noise.
            noise: float32 tensor of the shape of images, standard normal.
            labels: int64 tensor (batch,) or None.
            training: bool.
        """
        raise NotImplementedError(f"{type(self).__name__} has no loss.")

    def train_step(self, data):
        images, labels = self.examples_in(data)
        times, noise = self.draw_noise(images, self.seed_generator)
        with tf.GradientTape() as tape:
            losses = weighted(self.losses_of(images, times, noise, self.hide(labels), True), weights_of(data))
            loss = tf.reduce_mean(losses)
        self.minimize(tape, loss, self.optimizer, self.unet.trainable_variables)
        self.move_average(self.optimizer)
        return self.report(loss=losses)

    def test_step(self, data):
        """The same loss of the averaged network."""
        images, labels = self.examples_in(data)
        times, noise = self.draw_noise(images, self.evaluation_seed_generator)
        return self.report(loss=weighted(self.losses_of(images, times, noise, labels, False), weights_of(data)))

    def examples_in(self, data):
        """(standardised images, labels or None) of what `fit` hands to a step."""
        if self.num_classes is None:
            return self.standardized(inputs_of(data)), None
        images, labels = inputs_and_labels(data, self.labels_are)
        return self.standardized(images), labels

    def draw_noise(self, images, generator):
        """For the examples of a batch (times (batch,) in [0, 1), standard normal numbers): float32 tensors."""
        count = tf.shape(images)[0]
        times = keras.random.uniform((count,), seed=generator)
        if self.times == "stratified":
            times = (tf.range(count, dtype="float32") + times) / tf.cast(count, "float32")
        return times, keras.random.normal(tf.shape(images), seed=generator)

    def hide(self, labels):
        """The labels, some of them replaced by that which stands for any class."""
        if labels is None or not self.label_dropout:
            return labels
        hidden = keras.random.uniform(tf.shape(labels), seed=self.seed_generator) < self.label_dropout
        return tf.where(hidden, tf.cast(self.num_classes, labels.dtype), labels)

    # ---- asking the network --------------------------------------------------------------------------------------

    def ask(self, x, levels, labels=None, guidance=1.0, training=False):
        """What the network says, the average of it where nothing is learnt.

            any class + guidance * (the class asked for - any class)               (Ho & Salimans 2022)

        Args:
            x: float32 tensor (n, *image_shape).
            levels: float32 tensor (n,) or a scalar.
            labels: integer tensor (n,) or None.
            guidance: float; 1 is the conditional network, asked once.
        """
        network = self.unet if training else self.averaged_network
        levels = tf.broadcast_to(levels, tf.shape(x)[:1])
        seen, known = self.with_guess(x, levels)
        if labels is None:
            return network([seen, levels], training=training) + known
        asked = network([seen, levels, labels], training=training)
        if guidance == 1:
            return asked + known
        of_any = network([seen, levels, tf.fill(tf.shape(labels), tf.cast(self.num_classes, labels.dtype))])
        return of_any + guidance * (asked - of_any) + known

    def with_guess(self, x, levels):
        """(What the network is shown, what is added to its answer): x and 0, unless there is a mixture."""
        if self.mixture is None:
            return x, 0.0
        signal, noise = self.shares_at(levels)
        guess = self.mixture(x, signal, tf.maximum(noise, LEAST_NOISE))
        return tf.concat([x, guess], axis=-1), self.velocity_to(guess, x, signal, tf.maximum(noise, LEAST_NOISE))

    def shares_at(self, levels):
        """How much signal and how much noise there is at levels as the network knows them: two tensors (n,)."""
        raise NotImplementedError(f"{type(self).__name__} knows no shares.")

    def velocity_to(self, image, x, signal, noise):
        """What the network would say at x, if it saw this image behind it: a tensor of the shape of x."""
        raise NotImplementedError(f"{type(self).__name__} knows no velocity.")

    def call(self, inputs, training=False):
        """What the network says of standardised images with noise: inputs as the network's own."""
        return self.ask(*inputs, training=training)

    @property
    def input_signature(self):
        images, *rest = specs_of(*self.unet.inputs)
        return [keras.InputSpec(images.dtype, (None, *self.image_shape), name=images.name), *rest]

    @property
    def predicts_from(self):
        return ()

    def check_options(self, guidance=1.0, **options):
        """Raises InputError unless `draw` takes these options together."""
        if guidance != 1 and self.num_classes is None:
            raise InputError("guidance is towards a class, and this model knows none: leave guidance away.")
        if guidance != 1 and not self.label_dropout:
            raise InputError("Guidance wants a model that was trained with label_dropout above 0.")
