"""What somebody likes in a text, as a number that can be computed, and people who choose by it.

A model that learns from preferences is told which of two texts somebody likes better, and nothing else.  Whether it
gives people what they like, or only what it takes for that, can be seen where what they like is known: here people are
played, and prefer by one of these functions of a text.

Paper: Bradley & Terry 1952, Rank analysis of incomplete block designs, for how sure they are.
"""

import numpy as np

from gdl_keras.data.arrays import from_arrays
from gdl_keras.data.vocabulary import split
from gdl_keras.errors import InputError, check_one_of

PREFERENCES = ("pleasant", "length", "letter")


def _listed(words):
    return frozenset(words.split())


PLEASANT = _listed(
    """
    admiration admire admired affection affectionate agreeable amiable approbation beautiful beauty best better bright
    charm charmed charming cheerful civility comfort comfortable compliment dear delight delighted delightful ease easy
    elegance elegant engaging enjoy enjoyed enjoyment excellent felicity fond fortunate friend friendly friends
    friendship gay gentle glad good grateful gratitude handsome happily happiness happy honour hope hopes joy kind
    kindness laugh laughed lively love loved lovely pleasant pleased pleasing pleasure praise pretty satisfaction
    satisfied smile smiled smiles smiling success sweet tender tenderness warm warmth welcome
    """
)
UNPLEASANT = _listed(
    """
    afraid alarm anger angry anxiety anxious ashamed bad bitter blame cold contempt cruel cry danger dead death despair
    disagreeable disappointed disappointment disgrace dislike disliked distress distressed doubt dreadful dull error
    evil evils fault fear feared fears folly foolish grief grieved hate hated hatred horrid horror ill impatience
    insolence jealous jealousy loss lost melancholy miserable misery misfortune mortification mortified offended pain
    painful poor proud regret resentment ridiculous sad severe shame shocked shocking sick sorrow sorry suffer suffered
    suffering tears tired trouble ugly unhappy unpleasant vain vanity vexation vexed weak wicked worse worst wretched
    wrong
    """
)


def pleasantness(text):
    """How many pleasant words a text has, less how many unpleasant ones it has: float.

    Each word of the two lists counts once, however often it comes: who likes a happy text does not like one better in
    which "happy" stands ten times.
    """
    words = set(split(text, "words"))
    return float(len(words & PLEASANT) - len(words & UNPLEASANT))


def word_length(text):
    """The mean length of the words of a text, in characters: float, 0 where there is none."""
    lengths = [len(word) for word in split(text, "words") if word.isalnum()]
    return float(np.mean(lengths)) if lengths else 0.0


def share_of_letter(text, letter):
    """The share of a letter, small or capital, among the letters of a text: float in [0, 1], 0 where there is none."""
    letters = [character for character in text.lower() if character.isalpha()]
    return letters.count(letter.lower()) / max(1, len(letters))


def preference(name, letter="e"):
    """One of these functions by its name: text -> float, the larger the better.

    Args:
        name: "pleasant", "length" or "letter".
        letter: str, which one "letter" likes.

    Raises:
        InputError: there is no such preference, or `letter` is not one letter.
    """
    check_one_of("preference", name, PREFERENCES)
    if len(letter) != 1 or not letter.isalpha():
        raise InputError(f"A preference for a letter is for a single one, not for {letter!r}.")
    return {"pleasant": pleasantness, "length": word_length, "letter": lambda text: share_of_letter(text, letter)}[name]


def choices(values, certainty, seed):
    """Which text of each pair somebody prefers, who likes them as much as `values` says.

        p(the first one) = 1 / (1 + exp(-certainty (u_1 - u_2) / s))     s: standard deviation of all u

    Args:
        values: float array (n, 2).
        certainty: float, not negative: at 0 every choice is by lot, at 3 somebody errs once in twenty pairs whose texts
            differ by a standard deviation; of pairs without a difference every choice is by lot.
        seed: int.

    Returns:
        int array (n,) of 0 and 1.

    Raises:
        InputError: the certainty is negative.
    """
    if certainty < 0:
        raise InputError(f"The certainty of a choice is not negative; {certainty} is.")
    values = np.asarray(values, "float64")
    lead = certainty * (values[:, 0] - values[:, 1]) / (values.std() or 1)
    # log(p / (1 - p)) of a number p uniform in (0, 1) is below the lead with that very probability.
    return (np.random.default_rng(seed).logistic(size=len(lead)) >= lead).astype(np.int64)


def pairs(texts, values, certainty, *, name="pairs", split="train", batch_size=32, seed=0):
    """Pairs of texts that somebody has chosen between, as a data set.

    Args:
        texts: int array (n, 2, length), the tokens of two texts each.
        values: float array (n, 2), how much they are liked.
        certainty: as in `choices`.
        name, split, batch_size: as in `data.from_arrays`.
        seed: int; fixes the choices, and the order of the pairs in every pass.

    Returns:
        a `Table` of the columns "chosen" and "rejected", int32 (n, length), and "lead", float32 (n,): by how much the
        chosen text is liked better in truth, negative where somebody erred.
    """
    taken, rows = choices(values, certainty, seed), np.arange(len(texts))
    return from_arrays(
        kind="pairs",
        name=name,
        split=split,
        batch_size=batch_size,
        seed=seed,
        chosen=np.asarray(texts[rows, taken], "int32"),
        rejected=np.asarray(texts[rows, 1 - taken], "int32"),
        lead=np.asarray(values[rows, taken] - values[rows, 1 - taken], "float32"),
    )
