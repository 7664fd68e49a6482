"""Keras is told to run on TensorFlow, and TensorFlow how to start, before anything computes."""

import os
import sys
import tempfile
from contextlib import contextmanager

from gdl_keras.errors import InputError


def start_tensorflow(prepare=None):
    """Imports TensorFlow and makes its devices without the lines that it prints on the way, below every log level.

    Args:
        prepare: function of the module `tensorflow`, called before any device is made; or None.
    """
    use_tensorflow()
    with _quiet():
        import tensorflow as tf

        if prepare is not None:
            prepare(tf)
        tf.config.list_logical_devices()


def use_tensorflow():
    """Imports Keras on TensorFlow, without the lines that TensorFlow prints; no device is made yet.

    Every module that needs Keras calls it before importing Keras.

    Raises:
        InputError: as `choose_tensorflow`.
    """
    choose_tensorflow()
    if "keras" not in sys.modules:
        with _quiet():
            import keras  # noqa: F401


def choose_tensorflow():
    """Makes TensorFlow the backend of Keras, quiet, and content with the GPU memory that it needs; imports nothing.

    What the environment says otherwise stays.

    Raises:
        InputError: `KERAS_BACKEND` names another backend, or Keras was already imported with another one.
    """
    chosen = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    # What TensorFlow logs beside the errors that it raises: CPU features, missing GPUs, rewritten graphs.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Memory of a GPU is taken as it is needed, and other programs on the card keep theirs.  TensorFlow reads this when
    # it makes its devices, which may be long after its import.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    if "keras" in sys.modules:
        chosen = sys.modules["keras"].config.backend()
    if chosen != "tensorflow":
        raise InputError(
            f"gdl_keras runs on TensorFlow, and Keras is set to the backend {chosen!r}: "
            "unset KERAS_BACKEND, or set KERAS_BACKEND=tensorflow."
        )


def on_gpu():
    """Whether what is computed from now on is computed on a GPU."""
    import tensorflow as tf

    return bool(tf.config.get_visible_devices("GPU"))


@contextmanager
def full_float32():
    """Within it float32 is multiplied in full, also on a GPU that rounds it to 10 bits of mantissa by default (TF32).

    For what is measured, as against what is learnt: distances, likelihoods, spectral norms.  It reaches what is called
    within it, and what is compiled within it by XLA.
    """
    import tensorflow as tf

    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)


@contextmanager
def _quiet():
    """Within it nothing comes to stderr, by whatever library; what it was is shown where an error ends it."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 2)
        try:
            yield
        except InputError:
            raise  # says all there is to say
        except BaseException:
            printed.seek(0)
            os.write(stderr, printed.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
