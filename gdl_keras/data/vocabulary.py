"""From text to numbers and back: characters, words and punctuation marks, or pieces of words."""

import re

import numpy as np

from gdl_keras.data.pieces import Pieces, learnt
from gdl_keras.errors import InputError

UNITS = ("characters", "words", "pieces")
SPECIAL = ["<end>", "<unknown>"]  # how the first two tokens are listed; no text is split into them
BETWEEN_TEXTS = "\n\n"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_WORDS = re.compile(r"[^\W_]+|[^\w\s]|_")
_NO_SPACE = re.compile(r" (?=[.,;:!?%)\]}…])|(?<=[(\[{]) |(?<=\w) (?='(?: \w|$))|(?<=\w ') (?=\w)")


class Vocabulary:
    """The tokens that a text is made of; the number of a token is its place in the list.

    Args:
        tokens: list of str, all different; `SPECIAL` first.
        unit: "characters"; "words": lower-cased words, and punctuation marks by themselves; or "pieces".
        pieces: str, how texts are cut into pieces, as `data.pieces.learnt` gives it; None for other units.

    Attributes:
        end: 0, the number of the token between two texts.
        unknown: 1, the number of whatever is not in the vocabulary.
    """

    end = 0
    unknown = 1

    def __init__(self, tokens, unit="characters", pieces=None):
        if unit not in UNITS:
            raise InputError(f"Texts are made of {' or '.join(UNITS)}, not of {unit!r}.")
        if tokens[: len(SPECIAL)] != SPECIAL or len(set(tokens)) < len(tokens):
            raise InputError(f"The tokens of a vocabulary are all different, and {SPECIAL} are the first.")
        self.tokens = list(tokens)
        self.unit = unit
        self.pieces = pieces
        self._pieces = Pieces(pieces) if unit == "pieces" else None
        self._numbers = {token: number for number, token in enumerate(tokens)}
        if unit == "characters":
            codes = np.array([ord(token) for token in tokens[len(SPECIAL) :]], np.uint32)
            order = np.argsort(codes)
            self._codes, self._ids = codes[order], (order + len(SPECIAL)).astype(np.int32)

    @classmethod
    def of_counts(cls, counts, unit="characters", size=None):
        """The most frequent tokens, in that order; of those that are as frequent as each other, the alphabet's first.

        Args:
            counts: {token: how often it comes}.
            size: how many tokens at most, the two special ones included; None for all.
        """
        if size is not None and size <= len(SPECIAL):
            raise InputError(f"The vocabulary size is at least {len(SPECIAL) + 1}, not {size}.")
        ranked = sorted(counts, key=lambda token: (-counts[token], token))
        return cls(SPECIAL + ranked[: None if size is None else size - len(SPECIAL)], unit)

    @classmethod
    def of_texts(cls, texts, size):
        """The pieces of texts, `size` at most; raises InputError as `data.pieces.learnt` does."""
        model = learnt(texts, size, SPECIAL, REPLACEMENT)
        return cls(Pieces(model).names, "pieces", model)

    @classmethod
    def from_config(cls, config):
        """The vocabulary that `to_config` describes."""
        return cls(**config)

    def to_config(self):
        """A dict that JSON can hold: {"tokens", "unit"}, and the pieces where there are some."""
        return {"tokens": self.tokens, "unit": self.unit, **({"pieces": self.pieces} if self.pieces else {})}

    get_config = to_config  # Keras's name for it: models save their vocabulary

    def __len__(self):
        return len(self.tokens)

    def __eq__(self, other):
        return isinstance(other, Vocabulary) and self.to_config() == other.to_config()

    __hash__ = None

    def encode(self, text):
        """The numbers of a text's tokens: int32 (n,)."""
        if self.unit == "pieces":
            return np.array(self._pieces.encode(text), np.int32)
        if self.unit == "words":
            return np.array([self._numbers.get(word, self.unknown) for word in split(text, "words")], np.int32)
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
        if not len(self._codes):
            return np.full(len(codes), self.unknown, np.int32)
        places = np.minimum(np.searchsorted(self._codes, codes), len(self._codes) - 1)
        return np.where(self._codes[places] == codes, self._ids[places], np.int32(self.unknown))

    def decode(self, ids):
        """The text that numbers stand for: characters as they were, words with single spaces, punctuation set close.

        The end of a text becomes an empty line, what is unknown the character U+FFFD.

        Args:
            ids: integers (n,) from 0 to len(self) - 1.

        Raises:
            InputError: a number is no token's.
        """
        ids = np.asarray(ids, np.int64).reshape(-1)
        if len(ids) and not (ids.min() >= 0 and ids.max() < len(self)):
            raise InputError(f"Tokens are numbered from 0 to {len(self) - 1}; {ids.min()} to {ids.max()} were given.")
        if self.unit == "pieces":
            parts = np.split(ids, np.flatnonzero(ids == self.end))
            return BETWEEN_TEXTS.join(self._pieces.decode(part.tolist()) for part in parts)
        shown = [BETWEEN_TEXTS, REPLACEMENT, *self.tokens[len(SPECIAL) :]]
        pieces = [shown[number] for number in ids.tolist()]
        if self.unit == "characters":
            return "".join(pieces)
        texts = " ".join(pieces).split(BETWEEN_TEXTS)
        return BETWEEN_TEXTS.join(_NO_SPACE.sub("", text.strip(" ")) for text in texts)


def split(text, unit):
    """The tokens of a text, in their order: the text itself, or a list of words and punctuation marks."""
    return _WORDS.findall(text.lower()) if unit == "words" else text
