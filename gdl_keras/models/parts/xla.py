"""Whether XLA compiles the training step: on a GPU, where it is several times as fast, and not on a processor.

Keras drops XLA with a warning about something else, or without one.  Here it is dropped with its reason, or refused.
"""

import re
import warnings

import tensorflow as tf

from gdl_keras.backend import on_gpu
from gdl_keras.errors import InputError

# What TensorFlow raises where XLA knows no kernel for an operation, or cannot bring it into a form that it knows.
COMPLAINTS = (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError, tf.errors.NotFoundError)


class CompiledByXLA:
    """A `keras.Model` whose training step is compiled by XLA where that pays.

    Evaluation and `predict` are not: their last batch is shorter, and each size would be compiled anew.
    """

    # Whether a step that XLA cannot compile may do without it.
    _may_do_without_xla = True

    def decide_on_xla(self, jit_compile, run_eagerly):
        """Sets `jit_compile` of a model that is being compiled.

        Args:
            jit_compile: bool, or "auto": on one GPU.
            run_eagerly: bool; then there is nothing to compile.

        Raises:
            InputError: it is asked for by name, and a layer cannot be compiled.
        """
        self._may_do_without_xla = jit_compile == "auto"
        self._jit_compile = not run_eagerly and (is_worth_it() if jit_compile == "auto" else bool(jit_compile))
        others = [layer for layer in self._flatten_layers(include_self=False) if not layer.supports_jit]
        if self._jit_compile and others:
            kind = type(others[0]).__name__
            self.do_without_xla(f"its layer {others[0].name} ({kind}) has kernels of its own, which XLA does not know")

    def do_without_xla(self, reason):
        """Goes on without XLA and says why; raises InputError where XLA was asked for by name."""
        name = type(self).__name__
        if not self._may_do_without_xla:
            raise InputError(f"XLA cannot compile {name}: {reason}.  Leave jit_compile away (--jit auto, or --jit no).")
        warnings.warn(f"{name} trains without XLA, slower: {reason}.", stacklevel=2)
        self._jit_compile = False

    def make_train_function(self, force=False):
        if self.train_function is not None and not force:
            return
        super().make_train_function(force)
        if self.jit_compile:
            self.train_function = self.with_a_way_out(self.train_function, self._anew_without_xla)

    def make_test_function(self, force=False):
        self._without_xla(super().make_test_function, force)

    def make_predict_function(self, force=False):
        self._without_xla(super().make_predict_function, force)

    def with_a_way_out(self, compiled, anew):
        """`compiled`, a function; where XLA turns out not to know it, what `anew()` makes in its place."""

        def function(*inputs):
            nonlocal compiled
            try:
                return compiled(*inputs)
            except COMPLAINTS as error:
                reason = complaint(error)
                if reason is None or not self._jit_compile:
                    raise
                self.do_without_xla(reason)
            compiled = anew()
            return compiled(*inputs)

        return function

    def _anew_without_xla(self):
        super().make_train_function(force=True)
        return self.train_function

    def _without_xla(self, make, force):
        jit_compile, self._jit_compile = self._jit_compile, False
        try:
            make(force)
        finally:
            self._jit_compile = jit_compile


def is_worth_it():
    """Whether steps are compiled by XLA unless something else is said: on a GPU, and not where several share a step."""
    return on_gpu() and not tf.distribute.has_strategy()


def complaint(error):
    """What XLA says about the operation that it cannot compile, a phrase, or None where the error is another one."""
    text = str(error)
    if operations := re.findall(r"(\w+) \(No registered '\w+' OpKernel for XLA", text):
        return f"XLA has no kernel for the operation {operations[0]}"
    about = [line.strip() for line in text.splitlines() if re.search(r"XLA|tf2xla|compile-time constant", line)]
    return about[0].split(". ")[0][:200] if about else None
