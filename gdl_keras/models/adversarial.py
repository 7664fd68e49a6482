"""What the GAN family shares: two networks, latent points, labels, an averaged generator.

A generator makes images from noise, a judge (called discriminator, or critic where it gives no verdict but a number)
scores images, and each learns against the other.  How they learn is each model's own `train_step`.

Paper: Goodfellow et al. 2014, Generative adversarial nets, arXiv:1406.2661.
"""

from contextlib import contextmanager

import keras
from keras import ops

from gdl_keras import losses
from gdl_keras.layers import SeedGenerator
from gdl_keras.layers.settings import Setting
from gdl_keras.models.base import inputs_of
from gdl_keras.models.generative import LatentModel
from gdl_keras.models.parts.averaging import WeightAverage
from gdl_keras.models.parts.calling import specs_of
from gdl_keras.models.parts.conditions import Attributes, Classes, Unconditional
from gdl_keras.models.parts.endings import refuse_ending, refuse_range, without_ending
from gdl_keras.models.parts.fitting import check_chain, check_known
from gdl_keras.models.parts.inputs import inputs_and_labels
from gdl_keras.models.parts.weights import refuse_weights, weights_of
from gdl_keras.samplers.noise import random_normal, random_uniform


class AdversarialModel(WeightAverage, LatentModel):
    """A generator and a judge that learn against each other.

    A subclass names its judge in `judge_name`, keeps the network under that name, and says in `trained_networks` which
    of the two learns first.  With labels in `learns_from` both networks take [points or images, labels].

    A network's weights, and the statistics that its batch normalisation keeps, move in its own step only.

    Args:
        generator: `keras.Model`, latent points (batch, latent_dim) -> images in [0, 1].
        latents: "normal": points are drawn from N(0, I); "uniform": from [-1, 1] in each dimension.
        ema_decay: None, or how much of itself the average of the generator's weights keeps in each step, such as 0.999.
            Where there is an average, `generate` uses it.
        seed: int or None.

    Raises:
        InputError: an argument is out of range, or the generator ends such that its numbers do not lie in [0, 1].
    """

    judge_name = "discriminator"
    predicts_from = ()
    trained_networks = ("discriminator", "generator")

    latents = Setting(("normal", "uniform"))

    def __init__(self, generator, latents="normal", ema_decay=None, **kwargs):
        super().__init__(**kwargs)
        check_known(type(self).__name__, "generator", generator)
        if self.makes == "images":
            refuse_range(generator, type(self).__name__)
        self.generator = generator
        self.latents = latents
        self.latent_dim = generator.inputs[0].shape[-1]
        self.evaluation_seed_generator = SeedGenerator(None if self.seed is None else self.seed + 1)
        self.keep_average("generator", ema_decay)

    def check_judge(self, judge):
        """Raises InputError where it does not take what the generator makes, or ends in what bounds its scores."""
        name = type(self).__name__
        check_chain(name, generator=self.generator, **{self.judge_name: judge})
        refuse_ending(judge, name)

    @property
    def conditions(self):
        if "labels" not in self.learns_from:
            return Unconditional()
        # Class numbers are integers, rows of attributes are not.
        kind = Classes if self.generator.inputs[1].dtype == "int64" else Attributes
        return kind(self.num_classes, self.label_names)

    def call(self, inputs, training=False):
        """Samples of points (batch, latent_dim), or of a list of points and labels, as `generate(latents=...)`."""
        latents, labels = inputs if self.conditions else (inputs, None)
        return self.decode(latents, labels)

    @property
    def input_signature(self):
        return specs_of(*self.generator.inputs)

    @property
    def decoding_network(self):
        return self.generator

    @property
    def first_network(self):
        return getattr(self, self.judge_name)

    @classmethod
    def updated(cls, config):
        # Files from before a judge's ending was looked at may hold one with a sigmoid.
        judges = {name: without_ending(config[name], "sigmoid") for name in (cls.judge_name,) if name in config}
        return {**config, **judges}

    # ---- parts of a training step ----------------------------------------------------------------------------------

    @property
    def latents_fill_a_cube(self):
        return self.latents == "uniform"

    def latents_like(self, images, training=True):
        """A fresh latent point for each image; training and evaluation draw from two streams of random numbers.

        Returns:
            float32 tensor (batch, latent_dim).
        """
        generator = self.seed_generator if training else self.evaluation_seed_generator
        shape = (ops.shape(images)[0], self.latent_dim)
        if self.latents == "normal":
            return keras.random.normal(shape, seed=generator)
        return keras.random.uniform(shape, -1.0, 1.0, seed=generator)

    def images_and_labels(self, data):
        """What `fit` hands to `train_step`, as (images, labels); labels are None for a model without."""
        if weights_of(data) is not None:
            refuse_weights(self)
        return inputs_and_labels(data, self.labels_are) if self.conditions else (inputs_of(data), None)

    def given(self, labels):
        """(generator, judge) as functions of points and of images alone, the labels filled in."""
        judge = getattr(self, self.judge_name)
        return _with_labels(self.generator, labels), _with_labels(judge, labels)

    @contextmanager
    def untouched(self):
        """Within it a network runs as in training, but keeps nothing of what it sees: batch normalisation does not
        follow its statistics.  Random numbers alone go on, so that dropout draws a new mask next time."""
        with keras.StatelessScope() as scope:
            yield
        for generator in self._all_seed_generators():
            state = scope.get_current_value(generator.state)
            if state is not None:
                generator.state.assign(state)

    # ---- generation ------------------------------------------------------------------------------------------------

    def sample_latents(self, n, seed=None, first=0):
        draw = random_normal if self.latents == "normal" else random_uniform
        return draw((n, self.latent_dim), seed, first)

    def decode(self, latents, labels=None):
        return _with_labels(self.averaged_network, labels)(latents, training=False)


def accuracies(real_scores, fake_scores):
    """How often a discriminator is right, whose scores are above 0 for real images: {metric's name: float32 tensor}."""
    real_right = ops.cast(real_scores > 0, "float32")
    fake_right = ops.cast(fake_scores < 0, "float32")
    return {
        "discriminator_accuracy": 0.5 * (real_right + fake_right),
        "real_accuracy": real_right,
        "fake_accuracy": fake_right,
    }


def logistic_values(real_logits, fake_logits):
    """What a discriminator learns from by the logistic loss, softplus(-real) + softplus(fake), and its accuracies.

    Returns:
        {metric's name: float32 tensor}, one number per example.
    """
    real_losses = losses.binary_crossentropy(1.0, real_logits)
    fake_losses = losses.binary_crossentropy(0.0, fake_logits)
    return {"discriminator_loss": real_losses + fake_losses, **accuracies(real_logits, fake_logits)}


def _with_labels(network, labels):
    if labels is None:
        return network

    def labelled(inputs, training=False):
        return network([inputs, labels], training=training)

    return labelled
