"""Text: turned into numbers once, kept as one long array a split."""

from collections import Counter
from functools import partial

import numpy as np

from gdl_keras.data import documents
from gdl_keras.data.columns import Beginnings, Column, Windows
from gdl_keras.data.digests import digest, file_digest, fingerprint
from gdl_keras.data.left_out import LeftOut
from gdl_keras.data.notices import say
from gdl_keras.data.preparers.own import full_name, is_own, store_name, stores
from gdl_keras.data.store import allocate, kept, prepared_folder, read_arrays, write_about
from gdl_keras.data.texts import TextData
from gdl_keras.data.vocabulary import UNITS, Vocabulary
from gdl_keras.data.vocabulary import split as split_text
from gdl_keras.errors import InputError, check_one_of, check_whole, counted

STORE_VERSION = 1  # raised when the same texts come to give other numbers
FOLDER_VERSION = 2  # raised when the same folder comes to be dealt out in another way
USUAL_SIZES = {"characters": None, "words": 10_000, "pieces": 1000}
SPLITS = ("train", "test")
EXAMPLES = ("window", "text")


def load(
    entry,
    split,
    *,
    skip_unreadable,
    name,
    batch_size,
    seed,
    tokens="characters",
    length=64,
    vocabulary_size=None,
    field=None,
    example="window",
):
    """Opens one split of a data set of texts, fetching and preparing it where it is not here yet.

    Args:
        entry: an `Entry`.
        tokens: "characters"; "words" (lower-cased words, and punctuation marks by themselves); or "pieces" of words,
            learnt from the train split.
        length: tokens that a network sees of an example; a window has one more.
        vocabulary_size: how many tokens there are at most, the most frequent ones of the train split and the two
            special ones; None for all characters, 10,000 words, or 1,000 pieces.
        field: which field of objects in JSON, or which column of a table, is the text; or a text in which their names
            stand in braces, such as "Recipe for {title} | {directions}".
        example: "window", a piece of all texts, one behind the other; or "text", the beginning of each text, filled up
            with the token of its end.
        split, skip_unreadable, name, batch_size, seed: as for `gdl_keras.data.load`.

    Returns:
        a `TextData`.
    """
    if tokens not in UNITS:
        raise InputError(f"Texts are made of {' or '.join(UNITS)}, not of {tokens!r}.")
    check_one_of("example", example, EXAMPLES)
    check_whole("The length", length, 1, "token")
    vocabulary_size = USUAL_SIZES[tokens] if vocabulary_size is None else vocabulary_size
    Vocabulary.of_counts({}, size=vocabulary_size)  # refuses a size that cannot be
    field = field or entry.field
    settings = (tokens, vocabulary_size, field)
    folder = prepared_folder(f"{store_name(entry)}-{_about(entry, *settings)}")
    about, arrays = kept(folder, read_arrays, lambda empty: _write(empty, entry, *settings, skip_unreadable), "texts")
    left_out = LeftOut(_corpus(entry).passed_over.names if is_own(entry) else about.get("passed_over"))
    left_out.tell(name)
    _tell(about, skip_unreadable)
    left_out.add_damaged(about["left_out"].items())
    if example == "window" and len(arrays[split]) <= length:
        raise InputError(
            f"The {split} split of {name} has {len(arrays[split]):,} {tokens}, too few for one example of {length} and "
            "the next one: take a smaller length."
        )
    ending = f"{split}-{length}" + "-texts" * (example == "text")
    return TextData(
        {"tokens": Column(_examples(arrays[split], length, example), "int32")},
        name=name,
        kind="text",
        split=split,
        source=about["source"],
        identity=f"{_content(about, arrays[split]) if is_own(entry) else folder.name}-{ending}",
        formerly=partial(_was_called, entry, settings, ending) if is_own(entry) else None,
        left_out=left_out.counts(),
        batch_size=batch_size,
        seed=seed,
        vocabulary=Vocabulary.from_config(about["vocabulary"]),
        num_tokens=len(arrays[split]),
        example=example,
    )


def _examples(tokens, length, example):
    if example == "text":
        return Beginnings(tokens, length + 1, Vocabulary.end)
    return Windows(tokens, length + 1, stride=length)


def prepared(entry):
    """The folders of what was prepared from the data set, whatever the settings."""
    return [folder for folder, _ in _stores(entry)]


def describe(entry, source):
    """What `gdl data info` tells of texts, as far as it is known.

    Returns:
        {"text_files": how many, or None, "tokens": {unit: {split: how many, ..., "vocabulary": how many}}, "left_out":
        how many files are not used, by the reason}.
    """
    corpus = _corpus(entry) if source and not source.needs_network else None
    return {
        "text_files": len(set(corpus.files["train"] + corpus.files["test"])) if corpus else None,
        "tokens": {
            about["vocabulary"]["unit"]: {**about["tokens"], "vocabulary": len(about["vocabulary"]["tokens"])}
            for _, (about, _) in _stores(entry)
        },
        "left_out": corpus.passed_over.counts() if corpus else {},
    }


def _write(folder, entry, unit, vocabulary_size, field, skip_unreadable):
    source, path = entry.first_that_works(lambda source: source.fetch())
    if not is_own(entry):
        say(f"{entry.name}: from {source.phrase}")
    corpus = documents.Corpus(path, field)
    vocabulary, totals = _learnt(corpus, unit, vocabulary_size)
    _check_left_out(corpus.left_out, skip_unreadable)
    for split, total in totals.items():
        if total < 1:
            raise InputError(f"{path} has no text for the split {split!r}: give more of it.")
        tokens = allocate(folder / f"{split}.npy", (total,), np.uint16 if len(vocabulary) <= 2**16 else np.int32)
        _fill(tokens, corpus.texts(split), vocabulary)
        tokens.flush()
    about = {
        "name": full_name(entry),
        "source": source.phrase,
        "vocabulary": vocabulary.to_config(),
        "tokens": totals,
        "passed_over": corpus.passed_over.names,
        "left_out": corpus.left_out,
        "missing": corpus.missing,
    }
    write_about(folder, about)


def _learnt(corpus, unit, size):
    """The vocabulary of the train split, and how many tokens each split has: (`Vocabulary`, {split: int})."""
    if unit == "pieces":
        vocabulary = Vocabulary.of_texts(corpus.texts("train"), size)
        lengths = {split: [len(vocabulary.encode(text)) for text in corpus.texts(split)] for split in SPLITS}
    else:
        counts, lengths = {split: Counter() for split in SPLITS}, {split: [] for split in SPLITS}
        for split in SPLITS:
            for text in corpus.texts(split):
                tokens = split_text(text, unit)
                counts[split].update(tokens)
                lengths[split].append(len(tokens))
        vocabulary = Vocabulary.of_counts(counts["train"], unit, size)
    # The end of a text stands between two of them only.
    return vocabulary, {split: sum(lengths[split]) + len(lengths[split]) - 1 for split in SPLITS}


def _fill(tokens, texts, vocabulary):
    start = 0
    for text in texts:
        if start:
            tokens[start] = vocabulary.end
            start += 1
        numbers = vocabulary.encode(text)
        tokens[start : start + len(numbers)] = numbers
        start += len(numbers)


def _tell(about, skip_unreadable):
    _check_left_out(about["left_out"], skip_unreadable)
    for name, reason in about["left_out"].items():
        say(f"{name} is left out: {reason}.")
    for name, missing in about["missing"].items():
        say(f"{name}: left out: {counted(missing, 'empty text')}.")


def _check_left_out(left_out, skip_unreadable):
    if left_out and not skip_unreadable:
        name, reason = next(iter(left_out.items()))
        more = f"  So are {len(left_out) - 1} more." if len(left_out) > 1 else ""
        raise InputError(f"{name} is {reason}, or leave such files out with --skip-unreadable.{more}")


def _about(entry, unit, *settings):
    """The end of the name of a store: the unit, and what changes with the texts and how they are read."""
    content = entry.name
    if is_own(entry):
        # By content: the same texts elsewhere, or copied anew, are the same data set.
        content = [FOLDER_VERSION, *_files(entry)]
    return f"{unit}-{fingerprint(STORE_VERSION, content, unit, *settings)}"


def _corpus(entry):
    return documents.Corpus(entry.first_that_works(lambda source: source.fetch())[1])


def _files(entry):
    path = entry.sources[0].fetch()
    return [[documents.name_below(file, path), file_digest(file)] for file in documents.text_files(path)]


def _content(about, tokens):
    # Texts that become the same numbers are the same, whatever their files are called.
    vocabulary = fingerprint(about["vocabulary"])
    return f"text-{about['vocabulary']['unit']}-{vocabulary}-{digest(Column(tokens))}"


def _was_called(entry, settings, ending, identity):
    """Whether an earlier version of this package had given these texts this identity, or the folder by another name."""
    former = f"-{settings[0]}-{fingerprint(STORE_VERSION, _files(entry), *settings)}-{ending}"
    return identity.endswith(former) and _corpus(entry).is_dealt_out_as_before


def _stores(entry):
    return stores(entry, [f"{unit}-*" for unit in UNITS], read_arrays, lambda store: store[0].get("name"))
