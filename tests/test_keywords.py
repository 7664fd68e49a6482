"""Flags that are keywords of functions."""

import pytest

from gdl_keras import keywords
from gdl_keras.errors import InputError


def draw(count, *, temperature=1.0, steps=20, top_k=None, given: str | None = None, greedy=False, way="fast", **others):
    """A function with a keyword of each type."""


KNOWN = keywords.of(draw)


def test_words_become_options():
    words = ["--top-k", "5", "--given=it was", "--greedy", "--shift", "-1"]
    assert keywords.from_words(words) == {"top_k": "5", "given": "it was", "greedy": True, "shift": "-1"}
    for words in (["loose"], ["--top-k", "5", "6"], ["--given=it", "was"]):
        with pytest.raises(InputError, match="belongs to no flag"):
            keywords.from_words(words)


def test_keyword_only_parameters_can_be_named():
    assert list(KNOWN) == ["temperature", "steps", "top_k", "given", "greedy", "way"]
    assert list(keywords.of(draw, lambda *, more=1, steps=2: 0, but=("way", "given"))) == [
        *("temperature", "steps", "top_k", "greedy", "more")
    ]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("temperature", "2", 2.0),
        ("temperature", "0.8", 0.8),
        ("steps", "5", 5),
        ("top_k", "5", 5),
        ("top_k", "0.5", 0.5),
        ("top_k", "none", None),
        ("given", "1984", "1984"),
        ("given", "it was", "it was"),
        ("greedy", True, True),
        ("greedy", "false", False),
        ("way", "slow", "slow"),
        ("steps", 7, 7),
    ],
)
def test_texts_become_what_is_wanted(name, text, value):
    read = keywords.read({name: text}, KNOWN, "Toy")[name]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": "2.5"}, "--steps is a whole number, not '2.5'"),
        ({"temperature": "hot"}, "--temperature is a number, not 'hot'"),
        ({"steps": True}, "--steps wants a value"),
        ({"greedy": "perhaps"}, "--greedy is true or false"),
        ({"top_q": "5"}, "Toy takes no --top-q.  Did you mean --top-k"),
        ({"number": "5"}, "Toy takes no --number.  Known are: --given, --greedy, --steps"),
    ],
)
def test_what_does_not_fit_is_told(options, words):
    with pytest.raises(InputError, match=words):
        keywords.read(options, KNOWN, "Toy")


def test_who_takes_no_flags_says_so():
    with pytest.raises(InputError, match=r"Toy takes no --shade\.  It takes no flags of its own"):
        keywords.read({"shade": "5"}, {}, "Toy")


def test_a_beginning_is_a_text_even_where_it_reads_as_a_number():
    from gdl_keras.models import NGram

    known = keywords.of(NGram.generate, NGram.draw)
    options = keywords.read({"given": "1984", "top_k": "5", "temperature": "1"}, known, "NGram")
    assert options == {"given": "1984", "top_k": 5, "temperature": 1.0}
