"""What every model of the project shares, so that a model's own file holds its networks and its algorithm alone."""

import inspect
import secrets
import sys

import keras
import numpy as np
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.layers import SeedGenerator


class GenerativeModel(keras.Model):
    """A `keras.Model` made of networks, with a `train_step` of its own.

    A subclass lists the names of the values that it reports in `metric_names`, passes `**kwargs` on, keeps every
    argument of its `__init__` under the same name, and writes `train_step`, `test_step`, `sample_latents`, `decode`.

    Args:
        seed: int or None, the start of the model's random numbers.  They are saved with the model.
    """

    metric_names = ("loss",)
    # Whether `fit` on one of our data sets yields (images, labels) instead of images.
    learns_from_labels = False

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)
        self._trackers = {name: keras.metrics.Mean(name=name) for name in self.metric_names}
        # The networks come built; without this Keras refuses to save before the first call.
        self.built = True

    # ---- training ------------------------------------------------------------------------------------------------

    def compile(self, optimizer="adam", *, jit_compile=False, run_eagerly=False, steps_per_execution=1):
        """Sets the optimizer of all trainable weights.

        Args:
            optimizer: a `keras.optimizers.Optimizer`, or its name.
            jit_compile: whether to compile the step with XLA, which is slower on CPU.
            run_eagerly, steps_per_execution: as in `keras.Model.compile`.
        """
        super().compile(
            optimizer=optimizer,
            jit_compile=jit_compile,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
        )
        # Keras restores the state of an optimizer only where that was built before loading.
        self.optimizer.build(self.trainable_variables)
        self._compile_options = {
            "jit_compile": jit_compile,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
        }

    def minimize(self, tape, loss, optimizer, variables):
        """One step of `optimizer` down the gradient of `loss`, a scalar, with respect to `variables`.

        Two factors enter at the head of the backward pass, where float16 still has range: the loss scale of mixed
        precision (the optimizer divides it out again) and 1 / replicas (replicas sum their gradients).
        """
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        scale = optimizer.scale_loss(tf.constant(1 / replicas, loss.dtype))
        gradients = tape.gradient(loss, variables, output_gradients=scale)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))

    def report(self, **values):
        """Adds one number, or one per example, to the running average of each name; returns the averages so far."""
        for name, value in values.items():
            self._trackers[name].update_state(value)
        return {name: self._trackers[name].result() for name in values}

    @property
    def metrics(self):
        return list(self._trackers.values())

    def fit(self, x=None, *args, validation_data=None, **kwargs):
        """`keras.Model.fit`, which also takes one of our data sets, for training and for validation.

        A data set fixes its order by (seed, epoch): `initial_epoch=3` goes on with the images that epoch 3 would see.
        """
        if hasattr(x, "batches"):
            steps = kwargs.setdefault("steps_per_epoch", None) or x.steps_per_epoch
            kwargs.update(steps_per_epoch=steps, shuffle=False)
            x = x.batches(first_batch=kwargs.get("initial_epoch", 0) * steps, labels=self.learns_from_labels)
        if kwargs.get("verbose", "auto") == "auto" and not _shows_progress():
            kwargs["verbose"] = 2
        return super().fit(x, *args, validation_data=self._one_pass(validation_data), **kwargs)

    def evaluate(self, x=None, *args, **kwargs):
        """`keras.Model.evaluate`, which also takes one of our data sets."""
        return super().evaluate(self._one_pass(x), *args, **kwargs)

    def predict(self, x, *args, **kwargs):
        """`keras.Model.predict`, which also takes one of our data sets."""
        return super().predict(self._one_pass(x), *args, **kwargs)

    def _one_pass(self, x):
        if not hasattr(x, "batches"):
            return x
        return x.batches(shuffle=False, repeat=False, drop_remainder=False, labels=self.learns_from_labels)

    # ---- generation ----------------------------------------------------------------------------------------------

    def sample_latents(self, n, seed=None):
        """`n` points of the latent space, drawn as the model expects them: float32 array, fixed by `seed`."""
        raise NotImplementedError(f"{type(self).__name__} has no latent space to draw from.")

    def decode(self, latents, **conditions):
        """Images, float32 tensor in [0, 1], from one batch of latent points."""
        raise NotImplementedError(f"{type(self).__name__} does not decode latent points.")

    def generate(self, n=None, *, latents=None, seed=None, batch_size=256, **conditions):
        """New images.

        Args:
            n: how many, at points that `sample_latents` draws; or
            latents: the points themselves, array (n, ...): a morph, a grid, the same point under every label.
            seed: int or None; the same seed gives the same images.
            batch_size: how many points are decoded at a time; bounds memory.
            conditions: for conditional models, arrays of length n, for example `labels`.

        Returns:
            float32 array (n, height, width, channels) in [0, 1].

        Raises:
            InputError: both or neither of `n` and `latents` are given, or `n` is below 1.
        """
        if (n is None) == (latents is None):
            raise InputError("generate() takes either n, how many images, or latents, the points to decode.")
        if latents is None:
            if n < 1:
                raise InputError(f"generate() makes at least 1 image, not {n}.")
            latents = self.sample_latents(n, seed)
        batches = []
        for start in range(0, len(latents), batch_size):
            part = slice(start, start + batch_size)
            batch = self.decode(latents[part], **{name: value[part] for name, value in conditions.items()})
            batches.append(np.asarray(batch, "float32"))
        return np.concatenate(batches)

    # ---- saving --------------------------------------------------------------------------------------------------

    def get_config(self):
        config = {**super().get_config(), "seed": self.seed}
        for name, parameter in inspect.signature(type(self).__init__).parameters.items():
            if name != "self" and parameter.kind is not parameter.VAR_KEYWORD:
                config[name] = keras.saving.serialize_keras_object(getattr(self, name))
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**keras.saving.deserialize_keras_object(config, custom_objects=custom_objects))

    def get_compile_config(self):
        if not self.compiled:
            return None
        return {"optimizer": keras.saving.serialize_keras_object(self.optimizer), **self._compile_options}

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))

    def save_own_variables(self, store):
        super().save_own_variables(store)
        for index, generator in enumerate(self._all_seed_generators()):
            store[f"seed_generator_{index}"] = np.asarray(generator.state)

    def load_own_variables(self, store):
        own = {key: store[key] for key in list(store.keys()) if not key.startswith("seed_generator_")}
        super().load_own_variables(own)
        for index, generator in enumerate(self._all_seed_generators()):
            generator.state.assign(store[f"seed_generator_{index}"])

    def _all_seed_generators(self):
        # Keras saves weights but not the state of random numbers: its own dropout layers, too, would start again.
        generators = []
        for layer in self._flatten_layers(include_self=True):
            generators += [g for g in layer._seed_generators if all(g is not other for other in generators)]
        return generators


def random_normal(shape, seed=None):
    """Standard normal numbers for sampling outside training: float32 array, the same for the same `seed`."""
    seed = secrets.randbelow(2**31) if seed is None else seed
    return np.asarray(keras.random.normal(shape, seed=seed))


def images_of(data):
    """The images of what `fit` hands to `train_step`: a tensor, or a tuple that begins with it."""
    return keras.utils.unpack_x_y_sample_weight(data)[0]


def _shows_progress():
    # A progress bar is for eyes: a log file gets one line an epoch instead.
    return sys.stdout.isatty() or "ipykernel" in sys.modules
