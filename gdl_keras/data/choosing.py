"""Which of several data sets to use: the first that is here or can be fetched."""

from gdl_keras.data.entries import HOLDS, catalogue, find
from gdl_keras.data.loading import download, is_here
from gdl_keras.data.notices import say
from gdl_keras.data.sources.csv_table import first_lines, number_columns
from gdl_keras.data.sources.local import Local, kinds_in, resolved
from gdl_keras.errors import GDLError, InputError, counted

# What sentences call the examples of a kind that is not called by them.
PLURALS = {"text": "texts"}


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


def check_names(names, kind=None):
    """The names of data sets, separated by commas, as a list; nothing is fetched.

    Args:
        names: as for `first_available`.
        kind: what the data sets should hold, such as "images"; None where anything goes.

    Raises:
        InputError: a name is unknown, or is of a data set of another kind.
    """
    separate = [names] if _whole_path(names) else [name.strip() for name in names.split(",")]
    for name in separate:
        entry = find(name)
        if kind is not None:
            _check_kind(name, entry, kind)
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


def _check_kind(name, entry, kind):
    [source, *_] = entry.sources
    path = source.path if isinstance(source, Local) else None
    if path is not None and not path.exists():
        Local(path, HOLDS.get(kind, "another path")).fetch()  # which says so
    insists = name.startswith(f"{entry.kind}:")
    is_stray = path is not None and path.is_file() and not insists and not kinds_in(path)
    if entry.kind == kind and not is_stray:
        return
    held = kinds_in(path) if path is not None else []  # walks the whole folder, which takes a while where it is large
    raise InputError(
        f"{name} {_told(name, entry, path, held)}; this program learns from {PLURALS.get(kind, kind)}"
        f"{f' ({HOLDS[kind]})' if kind in HOLDS else ''}{'' if insists else _way_out(name, kind, held)}."
    )


def _told(name, entry, path, held):
    """What a data set is, as the rest of a sentence that begins with its name."""
    what = PLURALS.get(entry.kind, entry.kind)
    if name.startswith(f"{entry.kind}:"):
        return f"is to be read as {what}"
    if path is None:
        return f"is taken for {what}" if name.startswith("kaggle") else f"is a data set of {what}"
    if path.is_file() and (not held or entry.kind == "images"):
        return f"is a {path.suffix} file" if path.suffix else "is a file without an ending"
    if not held:
        return "holds no file of a known kind"
    if entry.kind == "text" and path.suffix.lower() == ".csv" and path.is_file():
        count = len(number_columns(first_lines(path)))
        return f"is a table with {counted(count, 'column')} of numbers"
    return f"is a {'file' if path.is_file() else 'folder'} of {what}"


def _way_out(name, kind, held):
    if kind in held or (name.startswith("kaggle:") and kind in HOLDS):
        return f": write {kind}:{name} to take it so"
    return ""
