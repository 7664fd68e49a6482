"""Flags that are the keywords of a function: what a model or a kind can be asked for is written in one place, there."""

import difflib
import inspect
import types
import typing

from gdl_keras.errors import InputError, nearest


def from_words(words):
    """What flags say that a command does not know itself.

    Args:
        words: list of str, such as ["--top-k", "5", "--given=it was", "--greedy"].

    Returns:
        {"top_k": "5", "given": "it was", "greedy": True}.

    Raises:
        InputError: a word belongs to no flag.
    """
    options, name = {}, None
    for word in words:
        if word.startswith("--") and len(word) > 2:
            name, has_value, value = word[2:].partition("=")
            name = name.replace("-", "_")
            options[name] = value if has_value else True
            name = None if has_value else name
        elif name:
            options[name], name = word, None
        else:
            raise InputError(f"{word!r} belongs to no flag: put what has spaces in quotes, and flags before values.")
    return options


def of(*functions, but=()):
    """What can be named when functions are called, and not otherwise: {name: `inspect.Parameter`}.

    Args:
        functions: their keyword-only parameters count.
        but: names that are left out.
    """
    found = {}
    for function in functions:
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind is parameter.KEYWORD_ONLY and parameter.name not in but:
                found.setdefault(parameter.name, parameter)
    return found


def read(options, known, whose, beside=()):
    """Options as a function takes them: what is a str becomes what the keyword wants, the rest stays.

    A keyword wants what its annotation says, or what its default is; where that is None, a number if it reads as one,
    else a text.

    Args:
        options: {name: value}.
        known: {name: `inspect.Parameter`}, from `of`.
        whose: str, a noun for sentences: what has these keywords.
        beside: other flags that may have been meant, such as "--label".

    Returns:
        {name: value}.

    Raises:
        InputError: an option is unknown, or its value does not read as what is wanted.
    """
    for name in options:
        if name not in known:
            raise InputError(f"{whose} takes no {flag(name)}.  {_instead(flag(name), [*map(flag, known)], beside)}")
    return {name: _read(name, value, known[name]) for name, value in options.items()}


def flag(name):
    """The flag of a keyword: top_k -> --top-k."""
    return "--" + name.replace("_", "-")


def _instead(unknown, flags, beside):
    """The end of a sentence: what looks like an unknown flag, or what the flags are."""
    if meant := difflib.get_close_matches(unknown, [*flags, *beside], n=1, cutoff=0.75):
        return f"Did you mean {meant[0]}?"
    return nearest(unknown, flags) if flags else "It takes no flags of its own."


def _read(name, value, parameter):
    wanted = _types(parameter)
    if value is True and bool not in wanted:
        raise InputError(f"{flag(name)} wants a value after it.")
    if not isinstance(value, str):
        return value
    for kind, words in ((bool, {"true": True, "false": False}), (type(None), {"none": None})):
        if kind in wanted and value.lower() in words:
            return words[value.lower()]
    for kind in (int, float, str):
        try:
            if kind in wanted:
                return kind(value)
        except ValueError:
            pass
    raise InputError(f"{flag(name)} is {' or '.join(_words(wanted))}, not {value!r}.")


def _types(parameter):
    annotation, default = parameter.annotation, parameter.default
    if annotation is not parameter.empty:
        is_union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
        return typing.get_args(annotation) if is_union else (annotation,)
    if default is None or default is parameter.empty:
        return int, float, str, type(None)
    return (type(default),)


def _words(wanted):
    words = {bool: "true or false", int: "a whole number", float: "a number", type(None): "none", str: "a text"}
    return list(dict.fromkeys(words.get(kind, getattr(kind, "__name__", str(kind))) for kind in wanted))
