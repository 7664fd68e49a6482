"""What GANs share that grow: the clock says which part of both networks is there, and how far it is faded in.

All layers are there from the start, so that a file holds every weight at any time, and growing replaces none: weights
and what the optimizers remember of them stay.  A step is traced for the phase that it is taken in, and anew when
another one begins; within a phase the fade is a number that the step computes from the clock.

Paper: Karras et al. 2018, Progressive growing of GANs for improved quality, stability, and variation, arXiv:1710.10196.
"""

from functools import partial

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from gdl_keras.errors import InputError
from gdl_keras.layers import warn_about_second_order
from gdl_keras.layers.doubling import enlarged
from gdl_keras.models.adversarial import AdversarialModel
from gdl_keras.models.growing.networks import SMALLEST
from gdl_keras.models.growing.schedule import Schedule
from gdl_keras.models.growing.stages import StagedDiscriminator, StagedGenerator, faded, levels_in, shrunk
from gdl_keras.models.parts.accumulation import inner_optimizer
from gdl_keras.models.parts.kimg import KimgClock, Latest


class GrowingModel(KimgClock, AdversarialModel):
    """A generator and a discriminator that learn small images first.  A subclass writes `train_step` and `test_step`.

    Images that `fit` gets and `generate` gives are of full size at any time: what is learnt from is made small, what is
    generated is enlarged, each pixel to a square.

    A phase ends between two calls of the training step.  With `steps_per_execution`, or where a GPU takes a block of
    steps a call, that may be a few steps late; the fade goes on from where the clock stands.

    Args:
        generator, discriminator: `keras.Model`s, of `build_generator` and `build_discriminator`.
        num_classes: int or None; with classes both networks take labels, and `fit` wants them beside the images.
        stable_kimg, transition_kimg: floats, as in `Schedule`.
        first_size: int, the size that training begins with.
        reset_optimizers: whether the optimizers forget all when fading begins and when it ends, as in the paper's code;
            then what is new begins with Adam's small first steps, and what is old loses its memory.  Without, the
            first steps of what is new are up to 1 / sqrt(1 - beta_2) times as long, while it is not faded in yet.
        ema_half_life, ema_ramp: as in `KimgClock`.
        latents, seed: as in `AdversarialModel`.

    Attributes:
        phase: the `Phase` of both networks.

    Raises:
        InputError: an argument is out of range, or the networks do not fit together, or cannot grow.
    """

    def __init__(
        self,
        generator,
        discriminator,
        num_classes=None,
        stable_kimg=600.0,
        transition_kimg=600.0,
        first_size=SMALLEST,
        reset_optimizers=False,
        **kwargs,
    ):
        super().__init__(generator, **kwargs)
        warn_about_second_order(discriminator)
        self.check_judge(discriminator)
        self.discriminator = discriminator
        self.num_classes = num_classes
        self.stable_kimg, self.transition_kimg = stable_kimg, transition_kimg
        self.first_size = first_size
        self.reset_optimizers = reset_optimizers
        levels = levels_in(self.grown_in(generator), "to")
        if not levels or levels_in(discriminator, "from") != levels:
            raise InputError(f"{type(self).__name__} grows networks of build_generator and build_discriminator.")
        sizes = [SMALLEST * 2**level for level in range(levels)]
        if first_size not in sizes:
            raise InputError(f"first_size is one of {', '.join(map(str, sizes))}, not {first_size}.")
        self._schedule = Schedule(sizes.index(first_size), levels - 1, stable_kimg, transition_kimg)
        self._grow(self._schedule.phase_at(0))

    @property
    def learns_from(self):
        return ("images",) if self.num_classes is None else ("images", "labels")

    def build_metrics(self):
        clock = {name: Latest(name=name) for name in ("kimg", "resolution", "fade")}
        return {**super().build_metrics(), **clock}

    # ---- growth ------------------------------------------------------------------------------------------------------

    @property
    def resolution(self):
        """int: pixels a side of the images that are learnt, or faded in."""
        return SMALLEST * 2**self.phase.level

    @property
    def fade(self):
        """How far the size is faded in, from 0 to 1: float32 scalar."""
        return self._schedule.fade_at(self.phase, self.images_seen.value)

    def keep_up(self):
        """Lets the networks grow to what the clock says, where it says another phase.  Returns whether it does."""
        phase = self._schedule.phase_at(int(np.asarray(self.images_seen)))
        is_another = phase != self.phase
        if is_another:
            self._grow(phase)
            self.trace_anew()
        return is_another

    def _grow(self, phase):
        self.phase = phase
        generator, average = map(self.grown_in, (self.generator, self.averaged_network))
        self._staged = StagedGenerator(generator, phase), StagedDiscriminator(self.discriminator, phase)
        self._averaged = StagedGenerator(average, phase)

    def grown_in(self, generator):
        """The network of a generator that grows: itself."""
        return generator

    def fit(self, x=None, y=None, *args, callbacks=None, **kwargs):
        if isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = keras.callbacks.CallbackList([*callbacks.callbacks, Growing(self)], model=self)
        else:
            callbacks = [*tf.nest.flatten([] if callbacks is None else callbacks), Growing(self)]
        return super().fit(x, y, *args, callbacks=callbacks, **kwargs)

    def train_on_batch(self, x, y=None, *args, **kwargs):
        self.grow_in_training()
        results = super().train_on_batch(x, y, *args, **kwargs)
        self.grow_in_training()
        return results

    def grow_in_training(self):
        """`keep_up`, after which the optimizers forget, where they are to."""
        if not self.keep_up() or not self.reset_optimizers:
            return
        for optimizer in map(inner_optimizer, self.optimizers.values()):
            for variable in optimizer.variables:
                if variable is not optimizer._learning_rate:
                    variable.assign(ops.zeros_like(variable))

    def load_own_variables(self, store):
        super().load_own_variables(store)
        self.keep_up()

    def set_weights(self, weights):
        super().set_weights(weights)
        self.keep_up()

    # ---- parts of a training step ------------------------------------------------------------------------------------

    def given(self, labels):
        """(generator, discriminator) of the phase, as functions of points and of images alone."""
        return tuple(_filled_in(network, labels, self.fade) for network in self._staged)

    def as_learnt(self, images):
        """Real images of full size as the discriminator sees them: small, and faded from smaller ones.

        Args:
            images: float32 tensor (batch, *image_shape) in [0, 1].

        Returns:
            float32 tensor (batch, resolution, resolution, channels).
        """
        images = shrunk(images, self.resolution)
        if not self.phase.fades:
            return images
        return faded(enlarged(shrunk(images, self.resolution // 2), 2), images, self.fade)

    def clock(self, fade):
        """What a step reports of growth: {metric's name: float32 scalar}; `fade` is that which the step went by."""
        return {
            "kimg": ops.convert_to_tensor(self.kimg, "float32"),
            "resolution": ops.convert_to_tensor(self.resolution, "float32"),
            "fade": fade,
        }

    def minimize_discriminator(self, tape, loss):
        """A step of the discriminator's optimizer, on what of it is there."""
        self.minimize(tape, loss, self.discriminator_optimizer, self._staged[1].trainable_variables)

    @property
    def generator_variables(self):
        """What of the generator is trained in this phase."""
        return self._staged[0].trainable_variables

    def minimize_generator(self, tape, loss):
        """A step of the generator's optimizer, on what of it is there, and of the average."""
        self.minimize(tape, loss, self.generator_optimizer, self.generator_variables)
        self.move_average(self.generator_optimizer)

    # ---- generation --------------------------------------------------------------------------------------------------

    def decode(self, latents, labels=None):
        return self.of_full_size(_filled_in(self._averaged, labels, self.fade)(latents))

    def of_full_size(self, images):
        """Generated images of the phase, each pixel a square."""
        return enlarged(images, self.generator.output_shape[1] // self.resolution)


class Growing(keras.callbacks.Callback):
    """Looks at the clock round each call of a training step.

    Args:
        grown: the `GrowingModel`.
    """

    def __init__(self, grown):
        super().__init__()
        self.grown = grown

    def on_train_batch_begin(self, batch, logs=None):
        self.grown.grow_in_training()  # weights may have come from another model

    def on_train_batch_end(self, batch, logs=None):
        self.grown.grow_in_training()


def _filled_in(network, labels, fade):
    if labels is None:
        return partial(network, fade=fade)

    def labelled(inputs, training=False):
        return network([inputs, labels], fade, training)

    return labelled
