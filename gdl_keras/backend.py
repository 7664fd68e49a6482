"""Keras is told to run on TensorFlow before anything imports it."""

import contextlib
import os
import sys
import tempfile

from gdl_keras.errors import InputError


def grow_on_demand(tf):
    """Lets TensorFlow take memory of a GPU as it needs it: other programs on the card keep theirs."""
    for gpu in tf.config.get_visible_devices("GPU"):
        with contextlib.suppress(RuntimeError):  # it is in use already, as its first user wanted it
            tf.config.experimental.set_memory_growth(gpu, True)


def start_tensorflow(prepare=grow_on_demand):
    """Imports TensorFlow and makes its devices without the lines that it prints on the way, below every log level.

    Args:
        prepare: function of the module `tensorflow`, called before any device is made.
    """
    use_tensorflow()
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 2)
        try:
            import tensorflow as tf

            prepare(tf)
            tf.config.list_logical_devices()
        except BaseException:
            printed.seek(0)
            os.write(stderr, printed.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def use_tensorflow():
    """Makes TensorFlow the backend of Keras; every module that needs Keras calls it before importing Keras.

    Raises:
        InputError: `KERAS_BACKEND` names another backend, or Keras was already imported with another one.
    """
    chosen = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    # What TensorFlow logs beside the errors that it raises: CPU features, missing GPUs, rewritten graphs.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "keras" in sys.modules:
        chosen = sys.modules["keras"].config.backend()
    if chosen != "tensorflow":
        raise InputError(
            f"gdl_keras runs on TensorFlow, and Keras is set to the backend {chosen!r}: "
            "unset KERAS_BACKEND, or set KERAS_BACKEND=tensorflow."
        )
