"""From the files of a data set to a table, one kind of example a module.

A preparer has `load(entry, split, *, skip_unreadable, name, batch_size, seed, OPTION=DEFAULT, ...)`, which returns a
table; `prepared(entry)`, the folders of what was worked out before; and `describe(entry, source)`, a dict for
`gdl data info` that neither fetches nor prepares anything.  The keywords with a default are the options of that kind.
"""

import inspect

from gdl_keras.data.preparers import images, points, text

PREPARERS = {"images": images, "text": text, "points": points}


def options_of(preparer):
    """The names of the options that the data sets of a preparer take."""
    parameters = inspect.signature(preparer.load).parameters.values()
    return [parameter.name for parameter in parameters if parameter.default is not parameter.empty]
