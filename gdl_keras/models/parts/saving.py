"""How a model is written down: whole in a `.keras` file, or for others to serve in TensorFlow's SavedModel."""

import inspect
from functools import cache, wraps

import keras
import numpy as np
from keras.src.legacy.saving import legacy_h5_format

from gdl_keras.errors import InputError
from gdl_keras.layers.settings import Adjustable, AnnealedNumber, Declared
from gdl_keras.models.parts.calling import check_inputs
from gdl_keras.models.parts.endings import as_saved


class Saved(Adjustable, keras.Model):
    """A model that is saved with all that decides what it does next.

    A subclass keeps every argument of its `__init__` under the same name and passes `**kwargs` on: that is its
    configuration.  Those that may change once it is compiled are declared in the class (`layers.settings`).
    """

    # Arguments that no step reads, so that they may be assigned at any time.
    read_by_no_step = ()

    def __setattr__(self, name, value):
        built_in = name in _arguments(type(self)) and name not in self.read_by_no_step
        if built_in and getattr(self, "compiled", False):
            declared = isinstance(getattr(type(self), name, None), (Declared, property))
            if not declared and not _is_same(getattr(self, name, value), value):
                others = ", ".join(_assignable(type(self)))
                raise InputError(
                    f"{name} of {type(self).__name__} is built into its steps, where assigning it changes nothing: "
                    f"build a new model with it." + (f"  What can be assigned: {others}." if others else "")
                )
        super().__setattr__(name, value)

    def trace_anew(self):
        """Has the steps traced again, with the settings as they are now, where they have been traced."""
        for step in ("train", "test", "predict"):
            if getattr(self, f"{step}_function") is not None:
                getattr(self, f"make_{step}_function")(force=True)

    def __call__(self, inputs, *args, **kwargs):
        """`keras.Model.__call__`; what that does is in the model's `call`.

        Raises:
            InputError: the model is not called with such a thing, or not at all.
        """
        check_inputs(self, inputs)
        return super().__call__(inputs, *args, **kwargs)

    # ---- files -------------------------------------------------------------------------------------------------------

    def save(self, filepath, *args, **kwargs):
        """`keras.Model.save`, to a `.keras` file.

        Raises:
            InputError: it is an `.h5` file, which could not be loaded.
        """
        if str(filepath).endswith((".h5", ".hdf5")):
            refuse_h5(filepath)
        super().save(filepath, *args, **kwargs)

    def export(self, filepath, *args, input_signature=None, **kwargs):
        """`keras.Model.export`: what `model(inputs)` does, for `serve` of what `tf.saved_model.load` gives.

        Raises:
            InputError: the model is not called at all.
        """
        check_inputs(self)
        if input_signature is None and self.input_signature is not None:
            input_signature = [self.input_signature]
        super().export(filepath, *args, input_signature=input_signature, **kwargs)

    @property
    def input_signature(self):
        """What `model(inputs)` takes: a `keras.InputSpec` with a name, or a list of them; None: the class says not."""
        return None

    def get_config(self):
        config = super().get_config()
        for name in _arguments(type(self)):
            value = getattr(self, name)
            value = float(value) if isinstance(value, AnnealedNumber) else value
            config[name] = keras.saving.serialize_keras_object(value)
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = keras.saving.deserialize_keras_object(config, custom_objects=custom_objects)
        # What is asked of new networks is not asked of those in files.
        with as_saved():
            return cls(**cls.updated(config))

    @classmethod
    def updated(cls, config):
        """The arguments of `__init__`, from those in a file of this version or an older one."""
        return config

    # ---- what is no weight, and decides nevertheless what comes next: random numbers, annealed settings --------------

    def save_own_variables(self, store):
        super().save_own_variables(store)
        for key, value in self._beside_the_weights().items():
            store[key] = value

    def load_own_variables(self, store):
        beside = tuple(f"{kind}_" for kind in ("seed_generator", "annealed"))
        keys = list(store.keys())
        super().load_own_variables({key: store[key] for key in keys if not key.startswith(beside)})
        for index, generator in enumerate(self._all_seed_generators()):
            generator.state.assign(store[f"seed_generator_{index}"])
        for index, part in enumerate(self._adjustable_parts()):
            for name in part.annealed_names():
                if (key := f"annealed_{index}_{name}") in keys:
                    setattr(part, name, float(np.asarray(store[key])))

    def _beside_the_weights(self):
        seeds = {f"seed_generator_{n}": np.asarray(g.state) for n, g in enumerate(self._all_seed_generators())}
        # Only what has moved: a model that was built with another number keeps that when it loads such a file.
        moved = [part.moved_numbers() for part in self._adjustable_parts()]
        numbers = {f"annealed_{n}_{name}": np.float64(v) for n, part in enumerate(moved) for name, v in part.items()}
        return {**seeds, **numbers}

    def _adjustable_parts(self):
        return [part for part in self._flatten_layers(include_self=True) if isinstance(part, Adjustable)]

    def _all_seed_generators(self):
        # Keras saves weights but not the state of random numbers: its own dropout layers, too, would start again.
        generators = []
        for layer in self._flatten_layers(include_self=True):
            generators += [g for g in layer._seed_generators if all(g is not other for other in generators)]
        return generators


def refuse_h5(file):
    """Raises InputError: that file is no place for a whole model."""
    raise InputError(
        f"{file} would not hold all of the model, and could not be loaded: save it with the ending .keras. "
        "Weights alone go to a .weights.h5 by save_weights()."
    )


def _refusing(write):
    @wraps(write)
    def write_h5(model, filepath, *args, **kwargs):
        if any(isinstance(part, Saved) for part in model._flatten_layers()):
            refuse_h5(filepath)
        return write(model, filepath, *args, **kwargs)

    return write_h5


# `keras.saving.save_model` asks neither the model's `save` nor anything else of it before the file is emptied.
legacy_h5_format.save_model_to_hdf5 = _refusing(legacy_h5_format.save_model_to_hdf5)


@cache
def _arguments(model_class):
    # A class passes on to its parent, in **kwargs, the arguments that it does not name itself.
    ours = model_class.__mro__[: model_class.__mro__.index(Saved)]
    parameters = {}
    for ancestor in (ancestor for ancestor in ours if "__init__" in vars(ancestor)):
        parameters.update(inspect.signature(ancestor.__init__).parameters)
    return [name for name, p in parameters.items() if name != "self" and p.kind is not p.VAR_KEYWORD]


def _assignable(model_class):
    return [name for name in _arguments(model_class) if isinstance(getattr(model_class, name, None), Declared)]


def _is_same(old, new):
    return old is new or (type(old) is type(new) and isinstance(old, (str, int, float, tuple)) and old == new)
