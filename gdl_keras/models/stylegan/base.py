"""What the StyleGANs share: styles, their average, truncation towards it, styles that are mixed, noise."""

import math

import keras
import tensorflow as tf
from keras import ops

from gdl_keras.errors import InputError, check_one_of
from gdl_keras.layers.settings import Annealed, Setting
from gdl_keras.models.adversarial import AdversarialModel
from gdl_keras.models.generative import AT_MOST, NUMBERS
from gdl_keras.models.parts.kimg import KimgClock, Latest
from gdl_keras.models.parts.replicas import sum_over_replicas
from gdl_keras.samplers.noise import SampleNoise

NOISES = ("constant", "random", "none")
# Which of the numbers of a `SampleNoise` are those of pictures.
NOISE_STEP = 1


class Styled(KimgClock, AdversarialModel):
    """A generator of two networks, the latent points' mapping to styles and the styles' synthesis to images.

    A subclass writes `train_step` and `test_step`, as any `AdversarialModel`.  Styles are a tensor (batch, layers,
    style_dim): each layer of the synthesis network may be told another one.  Beside styles that network takes one more
    tensor, such as noise; a layer of the generator has the one that it takes where nothing else is said.

    Attributes:
        beside: str, of the class: the name of that layer.
        built_by: str, of the class: the function that builds such a generator.

    Args:
        generator: `keras.Model`, latent points -> images, with layers "mapping", "synthesis" and the one beside.
        mixing: float in [0, 1], how often in training an image's layers are told two styles, one up to a layer that is
            drawn and another one from it on, so that layers do not rely on each other's (Karras et al. 2019,
            arXiv:1812.04948, section 3.1).
        style_decay: float in [0, 1), how much of itself the average of styles keeps in each step; it may be annealed.
        ema_half_life, ema_ramp: as in `KimgClock`.
        seed: int or None.

    Raises:
        InputError: an argument is out of range, or the generator has no such layers.
    """

    mixing = Setting("a number in [0, 1]", lambda value: 0 <= value <= 1)
    style_decay = Annealed("a number in [0, 1)", lambda value: 0 <= value < 1)

    def __init__(self, generator, *, mixing=0.9, style_decay=0.998, **kwargs):
        super().__init__(generator, **kwargs)
        missing = {"mapping", self.beside, "synthesis"} - {layer.name for layer in generator.layers}
        if missing:
            raise InputError(
                f"The generator of {type(self).__name__} has no layer {' and no layer '.join(sorted(missing))}: "
                f"{self.built_by} makes one that has."
            )
        self.mixing = mixing
        self.style_decay = style_decay
        _, self.num_layers, self.style_dim = self.synthesis.inputs[0].shape
        self.mean_style = self.add_weight(
            shape=(self.style_dim,), initializer="zeros", trainable=False, name="mean_style"
        )

    @property
    def synthesis(self):
        """The `keras.Model` that makes images of styles and what it takes beside them."""
        return self.generator.get_layer("synthesis")

    @property
    def layers_at_work(self):
        """How many layers there are that mixing may tell two styles."""
        return self.num_layers

    def build_metrics(self):
        return {**super().build_metrics(), "kimg": Latest(name="kimg")}

    # ---- parts of a training step ----------------------------------------------------------------------------------

    def drawn_styles(self, images, labels):
        """Styles for as many images, of fresh latent points, some of them mixed.

        Returns:
            (one style an image (batch, style_dim), styles (batch, layers, style_dim)), float32 tensors.
        """
        mapping = labelled(self.generator.get_layer("mapping"), labels)
        first = mapping(self.latents_like(images))
        if not self.mixing:
            return first, self.in_all_layers(first)
        second = mapping(self.latents_like(images))
        return first, mixed(self.in_all_layers(first), self.in_all_layers(second), self.drawn_cutoffs(images))

    def drawn_cutoffs(self, images):
        """From which layer on each image is told its second style: int32 (batch, 1); the number of layers for never."""
        shape = (ops.shape(images)[0], 1)
        cutoffs = keras.random.randint(shape, 1, self.layers_at_work, seed=self.seed_generator)
        is_mixed = keras.random.uniform(shape, seed=self.seed_generator) < self.mixing
        return ops.where(is_mixed, cutoffs, self.num_layers)

    def in_all_layers(self, style):
        """The same style for every layer: (batch, style_dim) -> (batch, layers, style_dim)."""
        return ops.repeat(style[:, None], self.num_layers, axis=1)

    def follow_styles(self, style):
        """Moves the average of styles by those of a step, of all replicas: mean += (1 - decay) (batch mean - mean)."""
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        mean = ops.mean(ops.stop_gradient(style), axis=0)
        mean = sum_over_replicas(mean) / replicas if replicas > 1 else mean
        self.mean_style.assign_add((1 - self.style_decay) * (mean - self.mean_style))

    # ---- generation ------------------------------------------------------------------------------------------------

    @property
    def samples_at_once(self):
        # Of large images each one takes much memory within the synthesis network.
        tensors = tf.nest.flatten([layer.output for layer in self.synthesis.layers])
        largest = max(math.prod(tensor.shape[1:]) for tensor in tensors)
        return max(1, min(AT_MOST, 4 * NUMBERS // largest))

    def decode_batch(self, latents, *, truncation=1.0, cutoff=None, **others):
        if cutoff is not None and not 0 <= cutoff <= self.num_layers:
            raise InputError(f"cutoff lies between 0 and {self.num_layers}, the number of layers, and is not {cutoff}.")
        return super().decode_batch(latents, truncation=float(truncation), cutoff=cutoff, **others)

    def styles_of(self, latents, labels=None, *, truncation=1.0, cutoff=None):
        """The averaged generator's styles of latent points: float32 tensor (batch, layers, style_dim).

        mean + truncation (style - mean)        in the first `cutoff` layers, in the others the style as it is
        """
        mapping = labelled(self.averaged_network.get_layer("mapping"), labels)
        style = mapping(ops.convert_to_tensor(latents, "float32"))
        # So written that with 1 every bit stays.
        styles = self.in_all_layers(style)
        truncated = self.in_all_layers(style + (truncation - 1) * (style - self.mean_style))
        return truncated if cutoff is None else mixed(truncated, styles, cutoff)

    def images_of(self, styles, beside=None):
        """The averaged generator's images of styles: float32 tensor (batch, *image_shape) in [0, 1].

        Args:
            styles: float tensor (batch, layers, style_dim).
            beside: float tensor (batch, ...), what the synthesis network takes beside them; None for what the generator
                has for that.
        """
        return ops.clip(self.unclipped_images_of(styles, beside), 0.0, 1.0)

    def unclipped_images_of(self, styles, beside=None):
        """The same before what lies outside of [0, 1] is cut off, and with it its slope."""
        styles = ops.convert_to_tensor(styles, "float32")
        network = self.averaged_network
        beside = network.get_layer(self.beside)(styles) if beside is None else ops.convert_to_tensor(beside)
        return self.averaged_synthesis([styles, beside])

    def averaged_synthesis(self, inputs):
        """Images that the averaged synthesis network makes of its inputs, not clipped."""
        return self.averaged_network.get_layer("synthesis")(inputs, training=False)


class StyleModel(Styled):
    """One whose synthesis network takes noise, for what is left to chance.

    Args:
        generator: `keras.Model`, latent points -> images, with layers "mapping", "noise" and "synthesis", such as
            `networks.build_generator` makes.
        mixing, style_decay, ema_half_life, ema_ramp, seed: as in `Styled`.
    """

    beside = "noise"
    built_by = "models.stylegan.networks.build_generator"

    @property
    def noise_shape(self):
        """Shape of one image's noise."""
        return tuple(self.synthesis.inputs[1].shape[1:])

    def drawn_noise(self, images):
        """Fresh noise for as many images: float32 tensor (batch, numbers)."""
        return keras.random.normal((ops.shape(images)[0], *self.noise_shape), seed=self.seed_generator)

    def draw(
        self, count, seed, first=0, *, truncation: float = 1.0, cutoff: int | None = None, noise="constant", **labels
    ):
        """Images of fresh points.

        Args:
            truncation: float, how much of its way from the average a style keeps: 1 all of it, 0 nothing; below 1
                images are likelier and more alike.
            cutoff: int, how many layers that is for, from the smallest size on; None for all.
            noise: "constant": the same for all images; "random": image i's follows (seed, i); "none".
        """
        check_one_of("noise", noise, NOISES)
        numbers = None
        if noise == "random":
            numbers = SampleNoise(seed, first, count).normal(NOISE_STEP, self.noise_shape)
        elif noise == "none":
            numbers = tf.zeros((count, *self.noise_shape))
        latents = self.sample_latents(count, seed, first)
        return self.decode_batch(latents, truncation=truncation, cutoff=cutoff, noise=numbers, **labels)

    def decode(self, latents, labels=None, noise=None, *, truncation: float = 1.0, cutoff: int | None = None):
        return self.images_of(self.styles_of(latents, labels, truncation=truncation, cutoff=cutoff), noise)

    def images_of(self, styles, noise=None):
        """`Styled.images_of` with noise (batch, *noise_shape); None for the one that is always the same."""
        return super().images_of(styles, noise)

    def unclipped_images_of(self, styles, noise=None):
        """The same before what lies outside of [0, 1] is cut off, and with it its slope."""
        return super().unclipped_images_of(styles, noise)


def mixed(first, second, cutoff):
    """The first styles in the first `cutoff` layers, and the second ones in the others.

    Args:
        first, second: float tensors (batch, layers, style_dim).
        cutoff: int or int tensor, a scalar or (batch, 1).
    """
    is_first = ops.arange(first.shape[1]) < cutoff
    return ops.where(is_first[..., None], first, second)


def labelled(mapping, labels):
    """A mapping network as a function of latent points alone."""
    return mapping if labels is None else lambda latents: mapping([latents, ops.convert_to_tensor(labels)])
