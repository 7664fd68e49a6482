"""Settings of models and layers that may change after a training step has been traced.

TensorFlow traces a step once: a number that Python read at that moment stays in it, whatever the attribute says later.
So an attribute that may change is declared in the class, as a variable that the step reads (`Annealed`) or as a value
with which the steps are traced anew (`Setting`):

    class Model(TapeModel):
        beta = Annealed("not negative", lambda value: value >= 0)
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from gdl_keras.errors import InputError, check_one_of


class Declared:
    """What the two have in common: the name under which the class has them, and that they are read by it."""

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, holder, owner=None):
        if holder is None:
            return self
        if self.name not in (kept := self.kept_in(holder)):
            raise AttributeError(f"{type(holder).__name__} has no {self.name} yet.")
        return self.read(kept[self.name])


class Annealed(Declared):
    """A number that may change at every step: `model.beta = 0.3` holds from the next step on.

    Reading gives a float, which has an `assign` as well, and within a traced step a float32 tensor.  Whoever gives a
    `keras.Variable` or `tf.Variable` instead of a number moves it by that variable, and saves its value.

    Args:
        what: str, what the number is, for errors: "not negative".
        is_right: float -> bool.
        optional: whether None is a value, too; a model that was built with None stays so.
    """

    def __init__(self, what, is_right, optional=False):
        self.what = what
        self.is_right = is_right
        self.optional = optional

    def kept_in(self, holder):
        # Past Keras, which would wrap the dictionary and track what is in it.
        return vars(holder).setdefault("_annealed", {})

    def read(self, kept):
        return None if kept is None else kept.read()

    def __set__(self, holder, value):
        numbers = self.kept_in(holder)
        is_new, kept = self.name not in numbers, numbers.get(self.name)
        if not is_new and (value is None) != (kept is None):
            raise InputError(
                f"{type(holder).__name__} was built with {self.name}={self.read(kept)}, which cannot become {value}: "
                "build a new one."
            )
        if value is None and self.optional:
            numbers[self.name] = None
        elif is_new or _is_variable(value):
            self.check(value)
            if not is_new:
                holder.trace_anew()  # the step reads the variable that has been there so far
            numbers[self.name] = _Kept(self, value, was_assigned=not is_new)
        else:
            kept.assign(value)

    def check(self, value):
        """Raises InputError unless the value is a number such as the setting wants."""
        try:
            number = float(np.asarray(value)) if not isinstance(value, str) else np.nan
        except (TypeError, ValueError):
            number = np.nan
        if not self.is_right(number):
            raise InputError(f"{self.name} is {self.what}, not {value}.")


class Setting(Declared):
    """A value that may change between steps, which are then traced anew.

    Args:
        what: str, what the value is, for errors: "larger than 0"; or a tuple of the values that there are.
        is_right: value -> bool, where `what` is a str.
    """

    def __init__(self, what, is_right=None):
        self.what = what
        self.is_right = is_right

    def kept_in(self, holder):
        return vars(holder)

    def read(self, kept):
        return kept

    def __set__(self, holder, value):
        if self.is_right is None:
            check_one_of(self.name, value, self.what)
        elif isinstance(value, str) or not self.is_right(value):
            raise InputError(f"{self.name} is {self.what}, not {value!r}.")
        if self.name in vars(holder):
            holder.trace_anew()
        vars(holder)[self.name] = value


class Adjustable:
    """For layers and models with such settings: in the list of bases before the Keras class."""

    def trace_anew(self):
        """Has traced steps traced again; a layer, whose model's steps it does not know, cannot.

        Raises:
            InputError: it is a layer.
        """
        raise InputError(f"{type(self).__name__} is part of a step that may be traced: assign a number, no variable.")

    def __setattr__(self, name, value):
        declared = getattr(type(self), name, None)
        if isinstance(declared, Declared):
            # Keras must not see it: it would take a variable for one of the weights.
            declared.__set__(self, value)
        else:
            super().__setattr__(name, value)

    @classmethod
    def annealed_names(cls):
        """The names of the class's annealed numbers, in order: list of str."""
        return [name for name in dir(cls) if isinstance(getattr(cls, name, None), Annealed)]

    def moved_numbers(self):
        """{name: float} of the annealed numbers that have been assigned since the object was built."""
        numbers = vars(self).get("_annealed", {})
        kept = {name: number for name, number in numbers.items() if number is not None and number.was_assigned}
        return {name: float(number.read_now()) for name, number in sorted(kept.items())}


class AnnealedNumber(float):
    """What an annealed number reads as: a float that can be assigned to, as a `keras.Variable` can."""

    dtype = "float32"  # `keras.ops` asks what is no plain float

    def __new__(cls, value, kept):
        number = super().__new__(cls, value)
        number._kept = kept
        return number

    def assign(self, value):
        """Changes the number, as assigning the attribute does."""
        self._kept.assign(value)


class _Kept:
    """The variable behind an annealed number."""

    def __init__(self, setting, value, was_assigned):
        self.setting = setting
        self.is_given = _is_variable(value)
        # A given variable may move at any time, and nobody tells.
        self.was_assigned = was_assigned or self.is_given
        if self.is_given:
            self.variable = value
        else:
            self.value = float(value)
            self.variable = keras.Variable(self.value, trainable=False, dtype="float32", autocast=False)

    def read(self):
        return self.read_now() if tf.executing_eagerly() else ops.cast(self.variable, "float32")

    def read_now(self):
        # Not out of float32 where it was given as a float: 0.3 stays 0.3.
        value = float(ops.convert_to_numpy(self.variable)) if self.is_given else self.value
        return AnnealedNumber(value, self)

    def assign(self, value):
        self.setting.check(value)
        self.was_assigned = True
        self.value = float(value)
        self.variable.assign(self.value)


def _is_variable(value):
    return isinstance(value, (keras.Variable, tf.Variable))
