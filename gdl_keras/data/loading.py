"""From a name to data: `load`, `download`, `info`, `is_here`."""

from gdl_keras.data.entries import find
from gdl_keras.data.notices import say
from gdl_keras.data.preparers import PREPARERS, options_of
from gdl_keras.data.preparers.own import is_own
from gdl_keras.data.sources.local import Local
from gdl_keras.errors import InputError, check_whole

SPLITS = ("train", "test")


def load(name, split="train", *, batch_size=32, seed=0, skip_unreadable=False, **options):
    """Opens a data set, fetching and preparing it where it is not here yet.

    Args:
        name: a name of the catalogue, a folder or file, "kaggle:OWNER/SLUG", "tfds:NAME", or "kaggle".
        split: "train" or "test".
        batch_size: examples a batch.
        seed: fixes the order of the examples in every pass.
        skip_unreadable: leave out what cannot be read, and say so, instead of raising.
        options: those of the kind of the data set.  Images: `image_size` (side in pixels) and `channels` (1 or 3), both
            None for the data set's own.  Text: `tokens` ("characters" or "words"), `length` (64), `vocabulary_size` and
            `field`; see `preparers/text.py`.  Points: `count`, how many; None for 10,000 or all that a file has.

    Returns:
        a `Table`: an `ImageData` for images, a `TextData` for text, a `PointData` for points.  Its `left_out` says how
        many of the files are not used, by the reason; so does a line on stderr.

    Raises:
        InputError: what was asked for is not there or cannot be used, or the kind knows no such option.
        RunError: the network or the disk failed.
    """
    entry = find(name)
    preparer = _preparer(entry)
    if split not in SPLITS:
        raise InputError(f"There is no split {split!r}: the splits are {' and '.join(SPLITS)}.")
    check_whole("The batch size", batch_size, 1)
    check_whole("The seed", seed, 0)
    _check_options(entry, preparer, options)
    settings = {"skip_unreadable": skip_unreadable, "name": str(name), "batch_size": batch_size, "seed": seed}
    return preparer.load(entry, split, **settings, **options)


def download(name, force=False):
    """Fetches the files of a data set, unless they are here.

    Args:
        name: as for `load`.
        force: fetch again what is here.

    Returns:
        the folder with the files, as a Path.
    """
    entry = find(name)
    source, folder = entry.first_that_works(lambda source: source.fetch(force))
    say(f"{entry.name}: from {source.phrase}, in {folder}")
    return folder


def info(name):
    """What is known of a data set, without fetching or preparing anything.

    Returns:
        a dict: name, kind, summary, sources (phrases, in order), licence, needs_kaggle, is_here, files (the folder
        of the raw files, or None), prepared (folders of prepared splits), left_out (how many files are not used, by
        the reason), and what the kind adds, as far as it is known.  Images: images (how many, by split), classes and
        attributes (lists of names, or None).  Text: text_files (how many) and tokens (of what was prepared: how many by
        split, and the vocabulary's size).  Points: points (how many, by split) and entropy (nats, or None).

    Raises:
        InputError: there is no such data set, and no such folder or file, of which nothing was prepared either.
    """
    entry = find(name)
    if is_own(entry) and not is_here(name):
        Local.fetch(entry.sources[0])  # which says that it is not there
    preparer = PREPARERS.get(entry.kind)
    here = next((source for source in entry.sources if source.is_here()), None)
    return {
        "name": entry.name,
        "kind": entry.kind,
        "summary": entry.summary,
        "sources": [source.phrase for source in entry.sources],
        "licence": entry.licence,
        "needs_kaggle": entry.needs_kaggle,
        "is_here": is_here(name),
        "files": str(here.fetch()) if here else None,
        "prepared": [str(folder) for folder in preparer.prepared(entry)] if preparer else [],
        "left_out": {},
        **(preparer.describe(entry, here) if preparer else {}),
    }


def is_here(name):
    """Whether a data set can be used without a network."""
    entry = find(name)
    preparer = PREPARERS.get(entry.kind)
    return any(source.is_here() for source in entry.sources) or bool(preparer and preparer.prepared(entry))


def _preparer(entry):
    if entry.kind not in PREPARERS:
        raise InputError(
            f"{entry.name} is {entry.kind}, which cannot be loaded: data.download({entry.name!r}) gives its files."
        )
    return PREPARERS[entry.kind]


def _check_options(entry, preparer, options):
    known = options_of(preparer)
    unknown = [option for option in options if option not in known]
    if unknown:
        raise InputError(
            f"{entry.name} cannot be loaded so: {entry.kind} takes no {', no '.join(unknown)}; "
            f"it takes {', '.join(known)}."
        )
