"""What every model of the project shares, so that a model's own file holds its networks and its algorithm alone."""

import sys

import keras
import tensorflow as tf

from gdl_keras.errors import InputError
from gdl_keras.layers import SeedGenerator
from gdl_keras.models.parts.accumulation import accumulate_in, accumulation_steps
from gdl_keras.models.parts.blocks import LearnsInBlocks, lies_on_device
from gdl_keras.models.parts.calling import check_inputs
from gdl_keras.models.parts.conditions import Unconditional
from gdl_keras.models.parts.examples import shape_taken_by
from gdl_keras.models.parts.inputs import Look, as_stream, columns_of, images_beside, join_batches
from gdl_keras.models.parts.precision import check_precision
from gdl_keras.models.parts.rates import NetworkOptimizers, refuse_silent_average, refuse_taken
from gdl_keras.models.parts.replicas import clipped_over_replicas, overflow_everywhere
from gdl_keras.models.parts.saving import Saved
from gdl_keras.models.parts.watching import watched
from gdl_keras.models.parts.weights import targets_beside


class TapeModel(LearnsInBlocks, Saved):
    """A `keras.Model` made of networks, with a `train_step` of its own that uses `tf.GradientTape`.

    A subclass lists the names of the values that it reports in `metric_names`, passes `**kwargs` on, keeps every
    argument of its `__init__` under the same name, and writes `train_step` and `test_step`.

    Args:
        seed: int or None, the start of the model's random numbers.  They are saved with the model.
        label_names: what the labels that it learns from are called, str each, or None; a data set tells them to `fit`.
    """

    metric_names = ("loss",)
    # The columns of a data set that `train_step` gets: one as a tensor, several as a tuple.
    learns_from = ("images",)
    # Networks that have an optimizer each; without any, one optimizer trains all trainable weights.
    trained_networks = ()
    read_by_no_step = ("label_names",)
    # Whether the steps use weights of examples; where not, `fit` refuses them.
    weighs_examples = False
    # Whether images beside the images are what those are to become, as in `fit(noisy, clean)`.
    takes_targets = False
    # The network that takes the first column.
    first_network = None
    # How many batches of one of our data sets a training step gets, joined to one.
    batches_per_step = 1

    def __init__(self, seed=None, label_names=None, **kwargs):
        # What a model is called with stays float32 under mixed precision: its networks see to theirs.
        super().__init__(**{"autocast": False, **kwargs})
        check_precision(self)
        self.seed = seed
        self.label_names = None if label_names is None else tuple(label_names)
        self.seed_generator = SeedGenerator(seed)
        self._trackers = self.build_metrics()
        # The networks come built; without this Keras refuses to save before the first call.
        self.built = True

    @property
    def example_shape(self):
        """The shape of one example of the first column, None in the place of any size; or None where any shape goes."""
        return shape_taken_by(self.first_network)

    @property
    def predicts_from(self):
        """The columns that `predict` gets."""
        return self.learns_from[:1]

    @property
    def labels_are(self):
        """What the column "labels" holds, an object of `parts/conditions.py`: what the model can be told to make."""
        return getattr(self, "conditions", Unconditional())

    # ---- training ------------------------------------------------------------------------------------------------

    def compile(
        self, *optimizers, accumulate=1, jit_compile="auto", run_eagerly=False, steps_per_execution=1, **by_name
    ):
        """Sets the optimizers, built, with loss scaling under mixed_float16.

        Args:
            optimizers, by_name: a `keras.optimizers.Optimizer`, or its name.  A model with `trained_networks` takes one
                for each, in that order or as `critic_optimizer=...`, any other model one, `optimizer`, by default
                "adam"; None where no optimizer trains it.
            accumulate: int, how many batches the optimizers average over before they move the weights.
            jit_compile: bool, whether XLA compiles the training step; "auto": where there is one GPU.
            run_eagerly, steps_per_execution: as in `keras.Model.compile`.

        Raises:
            InputError: an optimizer is missing or trains something else, something is given that the model does not
                take, or a layer cannot be compiled.
        """
        given = self._named_optimizers(optimizers, by_name)
        self._compile_options = {
            "accumulate": accumulate,
            "jit_compile": jit_compile,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
        }
        prepared = {name: self._prepared(name, optimizer, accumulate) for name, optimizer in given.items()}
        super().compile(
            optimizer=prepared.pop("optimizer", None),
            jit_compile=False,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
        )
        self.decide_on_xla(jit_compile, run_eagerly)
        self._takes_blocks = {}
        for name, optimizer in prepared.items():
            setattr(self, name, optimizer)
        if prepared:
            self.optimizer = NetworkOptimizers(self.optimizers)

    @property
    def optimizers(self):
        """{name of the network: its optimizer}; one for all is called ""; {} where no optimizer trains the model."""
        if self.trained_networks:
            return {network: getattr(self, f"{network}_optimizer") for network in self.trained_networks}
        return {} if self.optimizer is None else {"": self.optimizer}

    @property
    def accumulation_steps(self):
        """How many batches the optimizers average over before they move the weights."""
        return max(map(accumulation_steps, self.optimizers.values()), default=1)

    def minimize(self, tape, loss, optimizer, variables):
        """One step of `optimizer` down the gradient of `loss`, a scalar, with respect to `variables`.

        Two factors enter at the head of the backward pass, where float16 still has range: the loss scale of mixed
        precision (the optimizer divides it out again) and 1 / replicas (replicas sum their gradients).
        """
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        scale = optimizer.scale_loss(tf.constant(1 / replicas, loss.dtype))
        gradients = tape.gradient(loss, variables, output_gradients=scale)
        if replicas > 1:
            gradients = clipped_over_replicas(overflow_everywhere(gradients, optimizer), optimizer)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))

    def build_metrics(self):
        """What `report` adds to, {name: `keras.metrics.Metric`}: by default a mean for each of `metric_names`."""
        return {name: keras.metrics.Mean(name=name) for name in self.metric_names}

    def report(self, **values):
        """Adds to the metric of each name; returns what they have come to so far.

        Args:
            values: one number, one per example, or a tuple of what the metric's `update_state` takes: for a mean,
                (values, weights), such as 1 for tokens that count and 0 for padding.
        """
        for name, value in values.items():
            self._trackers[name].update_state(*value if isinstance(value, tuple) else (value,))
        results = {name: self.reported(name) for name in values}
        if isinstance(tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy):
            # Over several machines Keras takes the mean along an axis, which a single number does not have.
            results = {name: result[None] for name, result in results.items()}
        return results

    def reported(self, name):
        """What the values of that name that were reported have come to so far."""
        return self._trackers[name].result()

    @property
    def metrics(self):
        return list(self._trackers.values())

    def fit(self, x=None, y=None, *args, validation_data=None, callbacks=None, **kwargs):
        """`keras.Model.fit`, which also takes one of our data sets, for training and for validation.

        A data set fixes its order by (seed, epoch): `initial_epoch=3` goes on with the images that epoch 3 would see.
        Where gradients are accumulated, `steps_per_epoch` counts the steps of the optimizers, and each takes as many of
        the data set's batches as are accumulated.

        Raises:
            InputError: arrays, or the first batch of a stream, are not what the model learns from.
        """
        x = as_stream(x)
        y = targets_beside(self, x, y, kwargs.get("sample_weight"), kwargs.get("class_weight"))
        if kwargs.get("verbose", "auto") == "auto" and not _shows_progress():
            kwargs["verbose"] = 2
        if callbacks is not None:
            kwargs["callbacks"] = watched(self, callbacks)
        with Look(self, self.learns_from) as look:
            x, validation_data = look.at(x, y), look.at_validation(validation_data)
            if hasattr(x, "batches"):
                x = self._endless(x, kwargs)
            try:
                return super().fit(x, y, *args, validation_data=self._one_pass(validation_data), **kwargs)
            finally:
                self.leave_blocks()

    def evaluate(self, x=None, y=None, *args, sample_weight=None, **kwargs):
        """`keras.Model.evaluate`, which also takes one of our data sets; raises InputError as `fit` does."""
        x = as_stream(x)
        y = targets_beside(self, x, y, sample_weight)
        # While it trains, `fit` evaluates what it has looked at.
        with Look(self, () if kwargs.get("_use_cached_eval_dataset") else self.learns_from) as look:
            x = self._one_pass(look.at(x, y))
            return super().evaluate(x, y, *args, sample_weight=sample_weight, **kwargs)

    def predict(self, x, *args, **kwargs):
        """`keras.Model.predict`, which also takes one of our data sets; raises InputError as `fit` does."""
        check_inputs(self, None if self.predicts_from else x)
        with Look(self, self.predicts_from) as look:
            return super().predict(self._one_pass(look.at(x)), *args, **kwargs)

    def train_on_batch(self, x, y=None, *args, **kwargs):
        """`keras.Model.train_on_batch`; raises InputError as `fit` does."""
        Look(self, self.learns_from).at(x, y)
        return super().train_on_batch(x, y, *args, **kwargs)

    def test_on_batch(self, x, y=None, *args, **kwargs):
        """`keras.Model.test_on_batch`; raises InputError as `fit` does."""
        Look(self, self.learns_from).at(x, y)
        return super().test_on_batch(x, y, *args, **kwargs)

    def predict_on_batch(self, x):
        """`keras.Model.predict_on_batch`; raises InputError as `fit` does."""
        Look(self, self.predicts_from).at(x)
        return super().predict_on_batch(x)

    def _endless(self, table, kwargs):
        joined, parts = self.batches_per_step, self.accumulation_steps
        steps = kwargs.get("steps_per_epoch") or max(1, table.steps_per_epoch // (joined * parts))
        steps *= parts
        kwargs.update(steps_per_epoch=steps, shuffle=False)
        if "labels" in self.learns_from and table.condition_names:
            self.label_names = tuple(table.condition_names)
        first_epoch = kwargs.get("initial_epoch", 0)
        # Weights by class are put beside labels that come batch by batch.
        if not kwargs.get("class_weight") and lies_on_device(self, table):
            return self.in_blocks(table, steps, joined, first_epoch)
        first_batch = first_epoch * steps * joined
        return join_batches(table.batches(first_batch=first_batch, columns=self.learns_from), joined)

    def _one_pass(self, x):
        if not hasattr(x, "batches"):
            return x
        return x.batches(shuffle=False, repeat=False, drop_remainder=False, columns=self.learns_from)

    def _named_optimizers(self, optimizers, by_name):
        names = [f"{network}_optimizer" for network in self.trained_networks] or ["optimizer"]
        given = {**dict(zip(names, optimizers)), **by_name}
        if not self.trained_networks:
            given = {"optimizer": "adam", **given}
        if sorted(given) != sorted(names) or len(optimizers) > len(names):
            others = [name for name in given if name not in names]
            what = f", not {', '.join(others)}: it computes its own loss" if others else ""
            raise InputError(
                f"compile() of {type(self).__name__} takes {' and '.join(names)}{what}, such as "
                f"{', '.join(f'{name}=Adam(2e-4)' for name in names)}."
            )
        return given

    def _prepared(self, name, optimizer, accumulate):
        if optimizer is None:
            return None
        optimizer = keras.optimizers.get(optimizer)
        scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        if self.dtype_policy.name == "mixed_float16" and not scaled:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        accumulate_in(optimizer, accumulate)
        if self.trained_networks:
            refuse_silent_average(name, optimizer)
        network = getattr(self, name.removesuffix("_optimizer")) if self.trained_networks else self
        refuse_taken(name, optimizer, network.trainable_variables)
        # Keras restores the state of an optimizer only where that was built before loading.
        optimizer.build(network.trainable_variables)
        return optimizer

    # ---- saving --------------------------------------------------------------------------------------------------

    def get_compile_config(self):
        if not self.compiled:
            return None
        names = {f"{network}_optimizer" if network else "optimizer": opt for network, opt in self.optimizers.items()}
        optimizers = {name: keras.saving.serialize_keras_object(optimizer) for name, optimizer in names.items()}
        return {**(optimizers or {"optimizer": None}), **self._compile_options}

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))


def inputs_of(data, dtype="float32"):
    """The first column of what `fit` hands to `train_step`: tensor (batch, ...)."""
    return tf.cast(columns_of(data, 1)[0], dtype)


def targets_of(data):
    """What the first column is to become: the images beside it, or, where there are none, itself: float32 tensor."""
    return tf.cast((columns_of(data, 1) + images_beside(data))[-1], "float32")


def _shows_progress():
    # A progress bar is for eyes: a log file gets one line an epoch instead.
    return sys.stdout.isatty() or "ipykernel" in sys.modules
