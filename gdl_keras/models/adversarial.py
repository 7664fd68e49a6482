"""What the GAN family shares: two networks, an optimizer for each, latent points, labels, an averaged generator.

A generator makes images from noise, a judge (called discriminator, or critic where it gives no verdict but a number)
scores images, and each learns against the other.  How they learn is each model's own `train_step`.

Papers: Goodfellow et al. 2014, Generative adversarial nets, arXiv:1406.2661; Yazici et al. 2019, The unusual
effectiveness of averaging in GAN training, arXiv:1806.04498.
"""

from contextlib import contextmanager

import keras
import numpy as np
from keras import ops

from gdl_keras.errors import InputError
from gdl_keras.layers import SeedGenerator
from gdl_keras.models.accumulation import accumulate_in
from gdl_keras.models.generative import GenerativeModel, random_normal, random_uniform


class AdversarialModel(GenerativeModel):
    """A generator and a judge that learn against each other.

    A subclass names its judge in `judge_name`, keeps the network under that name, and calls `compile_networks` in
    `compile`.  With `learns_from_labels` both networks take [points or images, labels].

    A network's weights, and the statistics that its batch normalisation keeps, move in its own step only.

    Args:
        generator: `keras.Model`, latent points (batch, latent_dim) -> images in [0, 1].
        latents: "normal": points are drawn from N(0, I); "uniform": from [-1, 1] in each dimension.
        ema_decay: None, or how much of itself the average of the generator's weights keeps in each step, such as 0.999.
            Where there is an average, `generate` uses it.
        seed: int or None.

    Raises:
        InputError: an argument is out of range.
    """

    judge_name = "discriminator"

    def __init__(self, generator, latents="normal", ema_decay=None, **kwargs):
        super().__init__(**kwargs)
        if latents not in ("normal", "uniform"):
            raise InputError(f"latents is 'normal' or 'uniform', not {latents!r}.")
        if ema_decay is not None and not 0 <= ema_decay < 1:
            raise InputError(f"ema_decay is None or a number in [0, 1), not {ema_decay}.")
        self.generator = generator
        self.latents = latents
        self.ema_decay = ema_decay
        self.latent_dim = generator.inputs[0].shape[-1]
        self.evaluation_seed_generator = SeedGenerator(None if self.seed is None else self.seed + 1)
        if ema_decay is not None:
            self.averaged_generator = keras.models.clone_model(generator)
            self.averaged_generator.set_weights(generator.get_weights())
            self.averaged_generator.trainable = False
            self.averaged_steps, self.averaged_iterations = (
                self.add_weight(shape=(), initializer="zeros", trainable=False, name=name)
                for name in ("averaged_steps", "averaged_iterations")
            )

    # ---- compiling: one optimizer for each network -----------------------------------------------------------------

    def compile_networks(self, optimizers, *, jit_compile=False, run_eagerly=False, steps_per_execution=1):
        """Gives each network its optimizer, built, with loss scaling under mixed_float16.

        Args:
            optimizers: {name of the network: a `keras.optimizers.Optimizer`, or its name}.
            jit_compile, run_eagerly, steps_per_execution: as in `GenerativeModel.compile`.
        """
        self._compile_options = {
            "jit_compile": jit_compile,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
        }
        keras.Model.compile(self, optimizer=None, **self._compile_options)
        self._trained_networks = list(optimizers)
        for network, optimizer in optimizers.items():
            optimizer = keras.optimizers.get(optimizer)
            scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
            if self.dtype_policy.name == "mixed_float16" and not scaled:
                optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
            accumulate_in(optimizer)
            optimizer.build(getattr(self, network).trainable_variables)
            setattr(self, f"{network}_optimizer", optimizer)

    @property
    def optimizers(self):
        return {network: getattr(self, f"{network}_optimizer") for network in self._trained_networks}

    def get_compile_config(self):
        if not self.compiled:
            return None
        serialize = keras.saving.serialize_keras_object
        optimizers = {f"{network}_optimizer": serialize(optimizer) for network, optimizer in self.optimizers.items()}
        return {**optimizers, **self._compile_options}

    # ---- parts of a training step ----------------------------------------------------------------------------------

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
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        if not self.learns_from_labels:
            return images, None
        if labels is None:
            raise InputError(f"{type(self).__name__} learns from labels: give fit() images and labels.")
        return images, labels

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

    def average_generator(self):
        """Moves the average of the generator's weights, where there is one, after step t of the generator.

            average += (1 - decay) (weight - average),   decay = min(ema_decay, (1 + t) / (10 + t)),  t = 1, 2, ...

        The ramp makes early averages reach back over a tenth of the steps so far, and soon forget where they began.
        Where the optimizer has not moved the weights since the last call, the average stands still, too: a part of a
        batch was accumulated, or gradients overflowed float16.
        """
        if self.ema_decay is None:
            return
        iterations = ops.cast(self.generator_optimizer.iterations, "float32")
        moved = ops.cast(iterations != self.averaged_iterations, "float32")
        self.averaged_iterations.assign(iterations)
        # Not the optimizer's own count: after a new `compile` that begins again, and the average would be forgotten.
        self.averaged_steps.assign_add(moved)
        t = self.averaged_steps.value
        share = moved * (1 - ops.minimum(self.ema_decay, (1 + t) / (10 + t)))
        for average, weight in zip(self.averaged_generator.weights, self.generator.weights, strict=True):
            average.assign_add(share * (weight - average))

    # ---- generation ------------------------------------------------------------------------------------------------

    def sample_latents(self, n, seed=None):
        draw = random_normal if self.latents == "normal" else random_uniform
        return draw((n, self.latent_dim), seed)

    def decode(self, latents, labels=None):
        network = self.generator if self.ema_decay is None else self.averaged_generator
        return _with_labels(network, labels)(latents, training=False)

    def sample_sheet(self, seed=0):
        """A page of images: (images, columns).  With labels one row for each, the same ten points in all of them."""
        if not self.learns_from_labels:
            return super().sample_sheet(seed)
        points = np.tile(self.sample_latents(10, seed), (self.num_classes, 1))
        labels = np.arange(self.num_classes) if self.has_class_labels() else np.eye(self.num_classes)
        return self.generate(latents=points, labels=labels.repeat(10, axis=0)), 10

    def has_class_labels(self):
        """Whether labels are class numbers; else they are rows of attributes."""
        return self.generator.inputs[1].dtype == "int64"

    def check_conditions(self, n, labels=None, **others):
        """`labels` of `n` images: integers (n,), or attributes (n, K) where the model learnt from those."""
        if not self.learns_from_labels:
            given = others if labels is None else {"labels": labels, **others}
            return super().check_conditions(n, **given)
        super().check_conditions(n, **others)
        shape = self.generator.inputs[1].shape[1:]
        classes = self.has_class_labels()
        wanted = f"integers from 0 to {self.num_classes - 1}" if classes else f"rows of {self.num_classes} attributes"
        sentence = f"{type(self).__name__} makes what labels say: pass labels=..., {n} {wanted}"
        if labels is None:
            raise InputError(f"{sentence}.")
        labels = np.asarray(labels)
        if labels.shape != (n, *shape):
            raise InputError(f"{sentence}, not an array of shape {labels.shape}.")
        if classes and not (
            np.issubdtype(labels.dtype, np.integer) and ((labels >= 0) & (labels < self.num_classes)).all()
        ):
            raise InputError(f"{sentence}, not {labels.min()} to {labels.max()} ({labels.dtype}).")
        return {"labels": labels}


def accuracies(real_scores, fake_scores):
    """How often a discriminator is right, whose scores are above 0 for real images: {metric's name: float32 tensor}."""
    real_right = ops.cast(real_scores > 0, "float32")
    fake_right = ops.cast(fake_scores < 0, "float32")
    return {
        "discriminator_accuracy": 0.5 * (real_right + fake_right),
        "real_accuracy": real_right,
        "fake_accuracy": fake_right,
    }


def _with_labels(network, labels):
    if labels is None:
        return network

    def labelled(inputs, training=False):
        return network([inputs, labels], training=training)

    return labelled
