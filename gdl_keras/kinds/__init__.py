"""What samples are, a file a kind: images, and whatever else a file of this folder says.

A model names its kind (`makes = "images"`), a data set, too (`table.kind`); commands, callbacks and tests ask it here.
A new kind is one added file, `kinds/NAME.py`, that ends with `KIND = ...`, an instance of its subclass of `Kind`.
"""

from gdl_keras.backend import use_tensorflow

use_tensorflow()

import importlib  # noqa: E402
import pkgutil  # noqa: E402

from gdl_keras.errors import InputError, nearest  # noqa: E402
from gdl_keras.kinds.base import Follow, Kind  # noqa: E402

__all__ = ["Follow", "Kind", "kind", "kind_of", "names"]

# Files of this folder that kinds are made of.
PARTS = {"base", "following", "reconstructions"}


def names():
    """The names of all kinds: list of str."""
    return [module.name for module in pkgutil.iter_modules(__path__) if module.name not in PARTS]


def kind(name):
    """The `Kind` of a name, such as "images".

    Raises:
        InputError: there is none of that name.
    """
    if name not in names():
        raise InputError(f"There is no kind of samples {name!r}.  {nearest(str(name), names())}")
    return importlib.import_module(f"{__name__}.{name}").KIND


def kind_of(model):
    """The `Kind` of what a model makes.

    Raises:
        InputError: it makes nothing.
    """
    if not hasattr(model, "makes"):
        raise InputError(f"{type(model).__name__} makes no samples.")
    return kind(model.makes)
