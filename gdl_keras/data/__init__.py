"""Data sets by name: `load` for tables that are ready to train on, `download` for the files themselves.

Importing this imports neither TensorFlow nor Keras, so that commands that only look answer at once.
"""

from gdl_keras.data.arrays import from_arrays
from gdl_keras.data.choosing import check_is_there, check_names, first_available
from gdl_keras.data.columns import Column, Windows
from gdl_keras.data.encoding import encoded
from gdl_keras.data.entries import catalogue
from gdl_keras.data.images import ImageData
from gdl_keras.data.loading import download, info, is_here, load
from gdl_keras.data.paths import home
from gdl_keras.data.points import PointData
from gdl_keras.data.table import Table
from gdl_keras.data.texts import TextData
from gdl_keras.data.vocabulary import Vocabulary

__all__ = [
    "Column",
    "ImageData",
    "PointData",
    "Table",
    "TextData",
    "Vocabulary",
    "Windows",
    "catalogue",
    "check_is_there",
    "check_names",
    "download",
    "encoded",
    "first_available",
    "from_arrays",
    "home",
    "info",
    "is_here",
    "load",
]
