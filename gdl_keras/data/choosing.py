"""Which of several data sets to use: the first that is here or can be fetched."""

from gdl_keras.data.entries import HOLDS, catalogue, find
from gdl_keras.data.loading import download, is_here
from gdl_keras.data.notices import say
from gdl_keras.data.sources.local import Local, resolved
from gdl_keras.errors import GDLError, InputError


def first_available(names):
    """The first of several data sets that is here or can be fetched.

    Args:
        names: names as for `load`, separated by commas.

    Returns:
        str, one of them, a folder or file as its whole path; the last one without a try, because loading it tells
        what is wrong.

    Raises:
        InputError: a name is unknown.
    """
    if whole := _whole_path(names):  # a comma may be part of it
        return names if names in {entry.name for entry in catalogue()} else whole
    *preferred, last = check_names(names)
    for name in preferred:
        if is_here(name):
            return name
        try:
            download(name)
            return name
        except GDLError as error:
            say(f"{name} cannot be had here ({error})")
    return last


def check_names(names):
    """The names of data sets, separated by commas, as a list; nothing is fetched.

    Raises:
        InputError: a name is unknown.
    """
    separate = [names] if _whole_path(names) else [name.strip() for name in names.split(",")]
    for name in separate:
        find(name)
    return separate


def check_is_there(name):
    """Raises InputError where `name` is the path of a folder or file that is not there any more."""
    if "/" not in name:
        return  # a run keeps whole paths
    source = find(name).sources[0]
    if isinstance(source, Local) and not source.path.exists():
        raise InputError(f"{name} is not there any more: name the place where it lies now with --dataset.")


def _whole_path(name):
    for prefix in ("", *(f"{kind}:" for kind in HOLDS)):
        if name.startswith(prefix) and (rest := name.removeprefix(prefix)).strip():
            path = resolved(rest)
            if path.exists():
                return f"{prefix}{path}"
    return None
