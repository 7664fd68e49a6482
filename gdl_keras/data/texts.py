"""A data set of texts that is ready to train on."""

import math

from gdl_keras.data.table import Table


class TextData(Table):
    """One split of a data set of texts, as windows over one long array of tokens.

    The column "tokens" is int32 (N, length + 1) as networks take it: `length` tokens and, one further, those that
    follow them.  Windows stand end to end, so that in one pass every token is predicted once; what is left at the end,
    too short for a window, is in none.

    Attributes:
        vocabulary: a `Vocabulary`, fixed by the train split; None for arrays that came without one.
        num_tokens: how many tokens the split has, those between two texts included.
    """

    def __init__(self, columns, *, vocabulary=None, num_tokens=None, **settings):
        super().__init__(columns, **settings)
        self.vocabulary = vocabulary
        self.num_tokens = num_tokens or math.prod(self.columns["tokens"].values.shape)

    @property
    def length(self):
        """Tokens that a network sees of an example: one less than the window has."""
        return self.columns["tokens"].shape[0] - 1
