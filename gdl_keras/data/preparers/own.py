"""How what was prepared is called: of a data set with a name by that, of the reader's own files by their path."""

from gdl_keras.data.paths import file_name, home
from gdl_keras.data.sources.local import Local


def is_own(entry):
    """Whether a data set is a folder or file of the reader's."""
    return isinstance(entry.sources[0], Local)


def full_name(entry):
    """What a store says that it is of; a path is the same one however it was written."""
    return str(entry.sources[0].path) if is_own(entry) else entry.name


def store_name(entry):
    """What the folders of its stores begin with; of a path only the last part, for a fingerprint covers all of it."""
    return file_name(entry.sources[0].path.name if is_own(entry) else entry.name)


def stores(entry, patterns, read, name_of):
    """[(folder, what `read` makes of it)] of the whole stores of a data set.

    Args:
        patterns: what the names of their folders are made of after `store_name`.
        read: a function of a folder that returns None for what is no store, or a damaged one.
        name_of: a function of what `read` returns: the `full_name` that the store says.
    """
    name = store_name(entry)
    folders = sorted(path for pattern in patterns for path in (home() / "prepared").glob(f"{name}-{pattern}"))
    found = [(folder, read(folder)) for folder in folders]
    return [(folder, store) for folder, store in found if store and name_of(store) == full_name(entry)]
