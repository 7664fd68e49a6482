"""Data sets by name: `load` for images that are ready to train on, `download` for the files themselves.

Importing this imports neither TensorFlow nor Keras, so that commands that only look answer at once.
"""

from gdl_keras.data.choosing import first_available
from gdl_keras.data.entries import catalogue
from gdl_keras.data.images import ImageData
from gdl_keras.data.loading import download, info, is_here, load
from gdl_keras.data.paths import home

__all__ = ["ImageData", "catalogue", "download", "first_available", "home", "info", "is_here", "load"]
