"""What texts are made of, compared by their n-grams.

Papers: Li et al. 2016, A diversity-promoting objective function for neural conversation models, arXiv:1510.03055, for
the share of distinct n-grams; Lin 1991, Divergence measures based on the Shannon entropy, for the divergence.
"""

import numpy as np

_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits as good as random


def ngrams(tokens, n):
    """A number of 64 bits for each n-gram: the same for the same n-grams, and of others hardly ever.

    Args:
        tokens: int array (length,), none negative.
        n: int.

    Returns:
        uint64 array (max(0, length - n + 1),).
    """
    tokens = np.asarray(tokens).astype(np.uint64) + np.uint64(1)
    count = max(0, len(tokens) - n + 1)
    numbers = np.zeros(count, np.uint64)
    for place in range(n):
        numbers = (numbers ^ (numbers >> np.uint64(31))) * _FACTOR + tokens[place : place + count]
    return numbers


def distinct_share(texts, n):
    """Of all n-grams of texts, how many are different ones, from 0 to 1: it falls the more there is of a text.

    Args:
        texts: list of int arrays, tokens.
        n: int.
    """
    numbers = np.concatenate([ngrams(text, n) for text in texts])
    return len(np.unique(numbers)) / max(1, len(numbers))


def known_shares(texts, known, n):
    """Of the n-grams of each text, the share that stands in a set: float64 array, without texts shorter than n.

    Args:
        texts: list of int arrays, tokens.
        known: uint64 array, ascending, the numbers of n-grams as `ngrams` gives them.
        n: int.
    """
    numbers = [ngrams(text, n) for text in texts if len(text) >= n]
    return np.array([np.isin(ours, known).mean() for ours in numbers])


def ngram_divergence(texts, others, n):
    """The Jensen-Shannon divergence of the frequencies of n-grams: 0 bits where they are the same, 1 at most.

        (KL(p | m) + KL(q | m)) / 2,   m = (p + q) / 2

    Args:
        texts, others: lists of int arrays, tokens.
        n: int.
    """
    both = [np.concatenate([ngrams(text, n) for text in part]) for part in (texts, others)]
    different, places = np.unique(np.concatenate(both), return_inverse=True)
    parts = places[: len(both[0])], places[len(both[0]) :]
    p, q = (np.bincount(part, minlength=len(different)) / max(1, len(part)) for part in parts)
    return (_relative_entropy(p, (p + q) / 2) + _relative_entropy(q, (p + q) / 2)) / 2


def _relative_entropy(p, q):
    there = p > 0
    return float(np.sum(p[there] * np.log2(p[there] / q[there])))
