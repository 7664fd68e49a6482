"""A data set of texts that is ready to train on."""

import math

import numpy as np

from gdl_keras.data.table import Table


class TextData(Table):
    """One split of a data set of texts, as windows over one long array of tokens or as the beginnings of its texts.

    The column "tokens" is int32 (N, length + 1) as networks take it: `length` tokens and, one further, those that
    follow them.  Windows stand end to end, so that in one pass every token is predicted once; what is left at the end,
    too short for a window, is in none.  The beginning of a text that is shorter is filled up with `vocabulary.end`.

    Attributes:
        vocabulary: a `Vocabulary`, fixed by the train split; None for arrays that came without one.
        num_tokens: how many tokens the split has, those between two texts included.
        example: "window" or "text", what a row is.
    """

    def __init__(self, columns, *, vocabulary=None, num_tokens=None, example="window", **settings):
        super().__init__(columns, **settings)
        self.vocabulary = vocabulary
        self.example = example
        self.num_tokens = num_tokens or math.prod(self.columns["tokens"].values.shape)

    @property
    def length(self):
        """Tokens that a network sees of an example: one less than the window has."""
        return self.columns["tokens"].shape[0] - 1

    def texts(self, indices):
        """The tokens of examples, without what fills them up: list of int32 arrays.

        Args:
            indices: a slice or an integer array.
        """
        rows = self.rows("tokens", indices)
        if self.example == "window":
            return list(rows)
        # A text that fills its row has no end in it.
        ends = np.argmax(np.pad(rows, ((0, 0), (0, 1)), constant_values=self.vocabulary.end) == self.vocabulary.end, 1)
        return [row[:end] for row, end in zip(rows, ends)]
