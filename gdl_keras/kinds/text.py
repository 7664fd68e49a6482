"""Text: a list of str.

How good texts are is asked of a model's likelihood, which is exact where it writes token after token, and of the
n-grams that the texts are made of.
"""

import math
from pathlib import Path

import numpy as np

from gdl_keras import data
from gdl_keras.data.vocabulary import split as tokens_of
from gdl_keras.errors import InputError
from gdl_keras.files import write_json, write_text
from gdl_keras.kinds.base import Follow, Kind, generated, halves, mean_of
from gdl_keras.metrics.ngrams import distinct_share, known_shares, ngram_divergence, ngrams

BETWEEN = "\n\n" + "-" * 40 + "\n\n"
# How long n-grams are that are looked at: for what is the same again, and for how often what comes.
LONG, SHORT = {"characters": 16, "words": 5, "pieces": 8}, {"characters": 3, "words": 1, "pieces": 2}
WINDOW = 128  # tokens of a held-out example, where no run says how many
BATCH_SIZE = 32
TOKENS_AT_ONCE = 4096


class Text(Kind):
    """Texts, as a file of them all or as a list in JSON."""

    name = "text"
    unit = "texts"
    suffixes = {".txt": "one after the other", ".json": "a list"}
    sheet_suffix = ".txt"
    compares_with_training = True
    better = {
        "nats_per_token": "smaller",
        "training_nats_per_token": "as of held-out text (smaller: learnt by heart)",
        "bits_per_character": "smaller",
        "perplexity": "smaller",
        "ngram_divergence": "smaller (bits)",
        "distinct_ngrams": "as the floor (smaller: repeats itself)",
        "copied_ngrams": "as the floor (larger: copies its training text)",
        "known_words": "larger",
    }

    def check(self, samples):
        if isinstance(samples, str) or not all(isinstance(sample, str) for sample in samples):
            raise InputError(f"Texts are a list of str, not {type(samples).__name__} of something else.")
        if not any(sample.strip() for sample in samples):
            raise InputError("These texts are empty: has it diverged?")

    def write_sheet(self, samples, columns, path):
        write_text(path, BETWEEN.join(samples) + "\n")

    def write(self, samples, path):
        self.check_path(path)
        self.check(samples)
        if Path(path).suffix == ".txt":
            write_text(path, BETWEEN.join(samples) + "\n")
        else:
            write_json(path, list(samples))

    def load(self, settings, split, model):
        usual = {
            "tokens": model.vocabulary.unit,
            "length": WINDOW,
            "vocabulary_size": None,
            "field": None,
            "example": "window",
        }
        options = {name: settings.get(name, value) for name, value in usual.items()}
        return data.load(settings["dataset"], split, batch_size=BATCH_SIZE, **options)

    def examples(self, table, indices):
        return [table.vocabulary.decode(text) for text in table.texts(indices)]

    def measure(self, model, train, test, n, seed=0, *, ngram: int | None = None):
        """As in `Kind`.  Likelihoods are those of all held-out text, and of as much training text.

        The n-grams of texts are compared with those of one half of the held-out examples; the floor is the other half.
        Where examples are windows, samples and floor are cut to one length.

        Args:
            ngram: tokens of an n-gram in `distinct_ngrams` and `copied_ngrams`; by default 16 characters, 5 words or 8
                pieces.
        """
        unit = test.vocabulary.unit
        ngram = ngram or LONG[unit]
        first, second = halves(test.num_examples, n, seed)
        texts = [text for part in generated(model, n, seed) for text in part]
        self.check(texts)
        samples = [test.vocabulary.encode(text) for text in texts]
        reals, others = test.texts(first), test.texts(second)
        length = test.length + 1
        if test.example == "window":
            length = min([length, *map(len, samples)])
            others, samples = ([text[:length] for text in part] for part in (others, samples))
        longest = sorted(map(len, samples))[-2:]  # of one text alone there is no standard error
        if longest[0] < ngram:
            raise InputError(
                f"A text has {longest[0]} {unit}, too few for an n-gram of {ngram}: give a smaller --ngram."
            )

        written = _whole_text(train)
        known = np.unique(ngrams(written, ngram))
        words = set(tokens_of(train.vocabulary.decode(written), "words"))
        metrics, floors = (
            {
                "ngram_divergence": {"value": ngram_divergence(part, reals, SHORT[unit]), "n": SHORT[unit]},
                "distinct_ngrams": {"value": distinct_share(part[: len(second)], ngram), "n": ngram},
                "copied_ngrams": {**mean_of(known_shares(part, known, ngram)), "n": ngram},
            }
            for part in (samples, others)
        )
        if unit != "words":  # of which there are no others
            for measured, part in ((metrics, samples), (floors, others)):
                shares = [_known_words(test.vocabulary.decode(text), words) for text in part]
                measured["known_words"] = mean_of(shares)
        return {
            "tokens": unit,
            "length": length,
            "held_out": self.part(test, len(first)),
            "floor": self.part(test, len(second)),
            "metrics": self.joined(likelihood(model, train, test, seed) | metrics, floors),
        }

    def about(self, result):
        return [f"tokens: {result['tokens']}, {result['length']} a text"]

    def follow(self, every, test, n=1000, seed=0):
        """As in `Kind`: nats a token of `n` held-out windows, or, of a model without likelihood, how n-grams differ."""
        return FollowText(self, every, test, n, seed)


class FollowText(Follow):
    """How well held-out text is foreseen; args as in `Kind.follow`."""

    def __init__(self, kind, every, test, n, seed):
        self.test = test
        self.seed = seed
        self.chosen = np.random.default_rng(seed).permutation(test.num_examples)[:n]
        held_out = {"split": test.split, "identity": test.identity}
        super().__init__(kind, every, len(self.chosen), seed=seed, held_out=held_out)

    def numbers(self):
        if self.model.likelihood_is is not None:
            nats, counts = nats_of(self.model, self.test, self.chosen)
            return {"held_out_nats_per_token": float(nats.sum() / counts.sum())}
        parts = generated(self.model, len(self.chosen), self.seed)
        samples = [self.test.vocabulary.encode(text) for part in parts for text in part]
        reals = self.test.texts(self.chosen)
        return {"ngram_divergence": ngram_divergence(samples, reals, SHORT[self.test.vocabulary.unit])}


def likelihood(model, train, test, seed=0):
    """How well a model foresees text that it has not seen, and text that it has: metrics, or {}.

    Windows stand end to end, and each token but the first of a window is foreseen from those before it in the window.
    Of what fills up the row of a short text nothing is asked.
    """
    if model.likelihood_is is None:
        return {}
    total, counts = nats_of(model, test, np.arange(test.num_examples))
    nats = mean_per_token(total, counts)
    chosen = np.random.default_rng(seed).permutation(train.num_examples)[: test.num_examples]
    metrics = {
        "nats_per_token": nats,
        "training_nats_per_token": mean_per_token(*nats_of(model, train, chosen)),
        "perplexity": {
            "value": math.exp(nats["value"]),
            "standard_error": math.exp(nats["value"]) * nats["standard_error"],
        },
    }
    if test.vocabulary.unit == "characters":
        metrics["bits_per_character"] = {name: value / math.log(2) for name, value in nats.items()}
    if test.vocabulary.unit == "pieces":  # words are no longer what was written: small letters, rare ones unknown
        texts = test.texts(slice(None))
        characters = np.array([len(test.vocabulary.decode(text[1:])) for text in texts], "float64")
        metrics["bits_per_character"] = mean_per_token(total / math.log(2), characters)
    return metrics


def nats_of(model, table, indices):
    """-log p of each example but its first token, and how many tokens these are: two float64 arrays (n,).

    Args:
        model: a model with `nats_per_token`.
        table: a `TextData`; its tokens may have other numbers than the model's.
        indices: int array (n,).
    """
    import tensorflow as tf

    if model.vocabulary.unit == "pieces" and model.vocabulary != table.vocabulary:
        raise InputError(f"{table.name} is cut into other pieces than the model learnt: take what it has learnt from.")
    known = {token: number for number, token in enumerate(model.vocabulary.tokens)}
    numbers = np.array([known.get(token, model.vocabulary.unknown) for token in table.vocabulary.tokens], np.int32)

    @tf.function(reduce_retracing=True)
    def foreseen(tokens):
        return model.nats_per_token(tokens), model.counting(tokens)

    nats, counts, size = [], [], max(1, TOKENS_AT_ONCE // table.length)
    for start in range(0, len(indices), size):
        tokens = tf.constant(numbers[table.rows("tokens", indices[start : start + size])])
        values, counting = (np.asarray(part, "float64")[:, 1:] for part in foreseen(tokens))
        nats.append((values * counting).sum(axis=1))
        counts.append(counting.sum(axis=1))
    return np.concatenate(nats), np.concatenate(counts)


def mean_per_token(nats, counts):
    """The mean over the tokens of independent examples of several lengths, as a metric: {"value", "standard_error"}.

        value = sum_i nats_i / sum_i counts_i           (a ratio of means; Cochran 1977, Sampling techniques, 6.3)

    Args:
        nats, counts: float64 arrays (n,).
    """
    value = nats.sum() / counts.sum()
    scatter = np.square(nats - value * counts).sum() * len(nats) / (len(nats) - 1)
    return {"value": float(value), "standard_error": float(np.sqrt(scatter) / counts.sum())}


def _whole_text(table):
    if table.example == "text":
        return np.concatenate([np.append(text, table.vocabulary.end) for text in table.texts(slice(None))])
    # Each window but the last ends with the token that the next one begins with.
    windows = table.rows("tokens", slice(None))
    return np.append(windows[:, :-1].reshape(-1), windows[-1, -1])


def _known_words(text, words):
    # The first and the last one may be cut.
    found = [word for word in tokens_of(text, "words")[1:-1] if word.isalpha()]
    return sum(word in words for word in found) / max(1, len(found))


KIND = Text()
