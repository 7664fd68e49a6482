"""Keras is told to run on TensorFlow before anything imports it."""

import os
import sys

from gdl_keras.errors import InputError


def use_tensorflow():
    """Makes TensorFlow the backend of Keras; every module that needs Keras calls it before importing Keras.

    Raises:
        InputError: `KERAS_BACKEND` names another backend, or Keras was already imported with another one.
    """
    chosen = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    # TensorFlow's start-up lines about CPU features and missing GPUs; its errors are still shown.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if "keras" in sys.modules:
        chosen = sys.modules["keras"].config.backend()
    if chosen != "tensorflow":
        raise InputError(
            f"gdl_keras runs on TensorFlow, and Keras is set to the backend {chosen!r}: "
            "unset KERAS_BACKEND, or set KERAS_BACKEND=tensorflow."
        )
