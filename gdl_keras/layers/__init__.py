"""Keras layers that the models share, one idea a file."""

from gdl_keras.backend import use_tensorflow

use_tensorflow()

from gdl_keras.layers.sampling import Sampling  # noqa: E402
from gdl_keras.layers.seeds import SeedGenerator  # noqa: E402

__all__ = ["Sampling", "SeedGenerator"]
